#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes worker/digits/weights.bin, the network that worker/glyph.c judges digits with.

    nice /usr/bin/python3 worker/digits/train.py [--strings 24000] [--rounds 24] [--seed 1] [--fonts DIR] [--out FILE]

Needs what `deploy/deps build digits` installs; --fonts is a folder to look for fonts in, beside /usr/share/fonts. The
same seed on the same machine gives the same bytes, in about four minutes of one core. Progress goes to stderr. What the
pieces of a picture are and how they are measured is not told twice: the script compiles worker/ink.c, strokes.c and
glyph.c, and calls them.

Strings of digits are drawn (drawing.py) with pens along the paths of hands.py, with fonts of print and of hands, and
from the 1,797 digits of sklearn.datasets.load_digits; each group of pieces that the program would look at then is a
sample: the digit that it holds whole and alone, or none. The net has two layers of rectified units; it is trained with
Adam and rounded to 8 bits."""

import argparse
import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Haswell"

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import drawing
import glyph

HIDDEN = (128, 64)
BATCH = 256
RATE = 2e-3
DROPPED = 0.15
SMOOTH = 0.02  # of the label goes to the other classes: nothing is certain
SPARED = 0.6  # of the groups that are no digit are left out: there are five times as many as others


def say(text):
    print(text, file=sys.stderr, flush=True)


def samples_make(seed, strings, source):
    """Features (rows of bytes) and classes of the pieces of so many drawn strings."""
    random = np.random.default_rng(seed)
    rows, classes = [], []
    for i in range(strings):
        picture, owner, text = drawing.string_draw(random, source)
        for feature, label in glyph.samples_of(picture, owner, text):
            if label == glyph.NONE and random.random() < SPARED:
                continue
            rows.append(feature)
            classes.append(label)
        if i % 2000 == 1999:
            say(f"drawn {i + 1} strings, {len(rows)} samples")
    return np.array(rows, np.uint8), np.array(classes)


def net_new(random, sizes):
    return [
        [random.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32), np.zeros(b, np.float32)]
        for a, b in zip(sizes, sizes[1:])
    ]


def net_forward(net, x):
    acts = [x]
    for w, b in net[:-1]:
        acts.append(np.maximum(acts[-1] @ w + b, 0))
    return acts, acts[-1] @ net[-1][0] + net[-1][1]


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def gradients(net, x, target, random):
    """Back-propagation with dropped units."""
    acts, masks = [x], []
    for w, b in net[:-1]:
        mask = (random.random((len(x), len(b)), np.float32) >= DROPPED) / np.float32(1 - DROPPED)
        masks.append(mask)
        acts.append(np.maximum(acts[-1] @ w + b, 0) * mask)
    delta = (softmax(acts[-1] @ net[-1][0] + net[-1][1]) - target) / len(x)
    result = []
    for i in range(len(net) - 1, -1, -1):
        result.insert(0, (acts[i].T @ delta, delta.sum(0)))
        if i:
            delta = (delta @ net[i][0].T) * (acts[i] > 0) * masks[i - 1]
    return result


def net_train(rows, classes, rounds, seed, check):
    random = np.random.default_rng(seed)
    net = net_new(random, (rows.shape[1], *HIDDEN, glyph.CLASSES))
    moment = [[[np.zeros_like(p), np.zeros_like(p)] for p in layer] for layer in net]
    steps, step = rounds * (len(rows) // BATCH), 0
    for epoch in range(rounds):
        order = random.permutation(len(rows))
        for at in range(0, len(rows) - BATCH + 1, BATCH):
            chosen = order[at : at + BATCH]
            x = rows[chosen].astype(np.float32) / 255
            target = np.full((BATCH, glyph.CLASSES), SMOOTH / glyph.CLASSES, np.float32)
            target[np.arange(BATCH), classes[chosen]] += 1 - SMOOTH
            step += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps)) + 1e-5
            for layer, moments, grads in zip(net, moment, gradients(net, x, target, random)):
                for k in (0, 1):
                    first, second = moments[k]
                    first += 0.1 * (grads[k] - first)
                    second += 0.001 * (grads[k] ** 2 - second)
                    size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
                    layer[k] -= (rate * first / (1 - 0.9**step) / size).astype(np.float32)
        if epoch % 5 == 4:
            say(f"round {epoch + 1}: {100 * accuracy(net, *check):.2f} % of other samples")
    return net


def accuracy(net, rows, classes):
    _, z = net_forward(net, rows.astype(np.float32) / 255)
    return float((z.argmax(1) == classes).mean())


def net_pack(net, rows):
    """The net in whole numbers, as worker/glyph.c reads it: of each layer its inputs and outputs (u16), the shift of
    its sums (u8), then for each output the bias (i32) and the weights (i8), little-endian. Units are 0 to 255; the last
    layer's sums are logits in 1/256 once shifted."""
    out, scale, x = b"", 1 / 255, rows[:20000].astype(np.float32) / 255
    for i, (w, b) in enumerate(net):
        last = i == len(net) - 1
        z = x @ w + b
        unit = 1 / 256 if last else float(np.quantile(np.maximum(z, 0), 0.9995)) / 255
        step = np.abs(w).max() / 127
        shift = max(0, int(np.floor(np.log2(unit / (step * scale)))))
        step = unit / (scale * 2**shift)
        while np.abs(w).max() / step > 127:
            shift -= 1
            step = unit / (scale * 2**shift)
        if shift < 0:
            sys.exit("the net does not fit whole numbers of 8 bits")
        whole = np.round(w / step).astype(np.int64)
        bias = np.round(b / (step * scale)).astype(np.int64)
        out += len(w).to_bytes(2, "little") + len(b).to_bytes(2, "little") + bytes([shift])
        for o in range(len(b)):
            out += int(bias[o]).to_bytes(4, "little", signed=True) + whole[:, o].astype(np.int8).tobytes()
        x, scale = np.maximum(z, 0), unit
    return out


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument("--strings", type=int, default=24000)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fonts")
    parser.add_argument("--out", default=os.path.join(here, "weights.bin"))
    args = parser.parse_args()
    source = drawing.source_load(args.fonts)
    check = samples_make(args.seed + 1000003, args.strings // 10, source)
    rows, classes = samples_make(args.seed, args.strings, source)
    say(f"{len(rows)} samples, of digits {np.bincount(classes, minlength=glyph.CLASSES).tolist()}")
    net = net_train(rows, classes, args.rounds, args.seed, check)
    packed = net_pack(net, rows)
    with open(args.out, "wb") as file:
        file.write(packed)
    say(f"{args.out}: {len(packed)} bytes; {100 * glyph.accuracy(packed, *check):.2f} % in whole numbers")


if __name__ == "__main__":
    main()
