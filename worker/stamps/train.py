#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes worker/stamps/seek.bin and judge.bin, the networks that worker/convnet.c looks for stamps of secrecy with.

    nice /usr/bin/python3 worker/stamps/train.py [--sheets 6500] [--steps 13000] [--judged 60000] [--seed 1] [--drawn DIR]

Needs what `deploy/deps build stamps` installs, and bench-stamps, which it builds: that draws the sheets into DIR, where
they stay (13 GB; what is there already is used). On two cores they are drawn in twenty minutes and learned in two hours;
progress goes to stderr, and the nets, as floats, to DIR: where they are there already, the first is used as it is, and
the second learned further. So were those that are here made, in several runs, the first ones on other sheets, the last one with 500 pages of
bench-scans as well; the second is the mean of its last two runs.

Both nets are stacks of 3 x 3 convolutions over a page's planes. The first seeks: for each cell of 2 mm it tells what
stands there, one of the markings or none, however it lies. The second judges: it sees a frame around what the first one
takes for likely, turned by each right angle, and tells the same of its middle where that is upright. They learn from
parts of sheets, some without their colour, the second from what the first finds right and wrong; both are rounded to 8
bits."""

import argparse
import os
import subprocess
import sys

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn

# inputs, outputs, stride, dilation
SEEK = ((2, 12, 2, 1), (12, 24, 2, 1), (24, 48, 2, 1), (48, 48, 1, 1), (48, 48, 1, 2), (48, 48, 1, 3))
JUDGE = ((2, 16, 2, 1), (16, 32, 2, 1), (32, 64, 2, 1), (64, 96, 1, 1), (96, 128, 2, 1), (128, 128, 2, 1))
CLASSES = 5  # none, and the first four kinds of bench/stamp.h
URGENT = (4, 5, 6)  # kinds of bench/stamp.h: what is stamped most, and looks alike
CELL = 8  # pixels
CROP = 192
CELLS = np.mgrid[0:CROP:CELL, 0:CROP:CELL][::-1]
BATCH = 32
RATE = 3e-3
WHOLE = (0.5, 0.5)
CORE = (0.32, 0.30)  # of a stamp's width and height, from its middle: cells that tell its kind
BESIDE = 10  # pixels around a stamp that need tell nothing
SHEETS_A_FILE = 500
CHECKED_FILES = 1  # that are not learned from
UNKNOWN = 255
READABLE = 0.4  # as bench/sheet.h tells what shows of a stamp, at least
UNREADABLE = -1
# places that are judged: as worker/convnet.h and secrecy.c have them
FRAME = (192, 96)  # pixels, width and height
REACH = 4  # cells: one place within so many
LIKELY = -1.5  # score of a place, at least
NEAR = 1.0  # below a place's score: cells that it is the middle of
PEAKS = 24  # of a sheet
JITTER = (20, 9)  # pixels
BENT = 24  # pixels around a frame that it may be bent from
SURE = 4.0  # by how much a place that is not hard is judged right
JUDGED_AT_ONCE = 64
HARD = 0.3  # of what is learned from, as far as there is any
FACTOR_BITS = 24
RARE = 2e-5  # of units are cut off at 255
SCALE_BATCHES = 8  # that units of whole numbers are taken from


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- sheets ----


def sheets_draw(folder, sheets, seed):
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.join(here, "..", "..")
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "bench-stamps"], cwd=root, check=True, stdout=sys.stderr)
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, f"{seed}-{i:03}.sheets") for i in range((sheets + SHEETS_A_FILE - 1) // SHEETS_A_FILE)]
    todo, running = [path for path in paths if not os.path.exists(path)], []
    while todo or running:
        while todo and len(running) < os.cpu_count():
            path = todo.pop(0)
            branch = seed * 1000 + paths.index(path)
            command = [f"{root}/build/release/bin/bench-stamps", f"{path}.part", f"--pages={SHEETS_A_FILE}", f"--seed={branch}"]
            running.append((path, subprocess.Popen(command)))
        path, process = running.pop(0)
        if process.wait():
            sys.exit("bench-stamps failed")
        os.rename(f"{path}.part", path)
    return paths


class Sheet:
    """marks: of each kind, middle, width, height (pixels) and turn, one whose letters hardly show has no kind."""

    def __init__(self, marks, planes):
        self.marks, self.planes = marks, planes


def sheets_open(path):
    data = np.memmap(path, np.uint8, "r")
    at, sheets = 0, []
    while at < len(data):
        width, height, count = (int(v) for v in data[at : at + 12].view("<u4"))
        at += 12
        marks = data[at : at + 28 * count].view("<f4").reshape(count, 7).copy()
        at += 28 * count
        marks[(marks[:, 0] < CLASSES - 1) & (marks[:, 6] < READABLE), 0] = UNREADABLE
        sheets.append(Sheet(marks[:, :6], data[at : at + 2 * width * height].reshape(height, width, 2)))
        at += 2 * width * height
    return sheets


def labels_of(marks, x, y, core=CORE, whole=None):
    """The class at each place: in the core of a mark its own, UNKNOWN around that and at what can't be read. Marks that are
    not within whole (width, height) tell nothing."""
    labels = np.zeros(np.broadcast(x, y).shape, np.uint8)
    for kind, middle_x, middle_y, width, height, turn in marks:
        if kind >= CLASSES - 1:
            continue
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        u, v = abs((x - middle_x) * c + (y - middle_y) * s), abs((y - middle_y) * c - (x - middle_x) * s)
        labels[(u < width / 2 + BESIDE) & (v < height / 2 + BESIDE)] = UNKNOWN
        reach_x, reach_y = (abs(c) * width + abs(s) * height) / 2, (abs(s) * width + abs(c) * height) / 2
        inside = whole is None or reach_x <= middle_x <= whole[0] - reach_x and reach_y <= middle_y <= whole[1] - reach_y
        if inside and kind != UNREADABLE:
            labels[(u < core[0] * width) & (v < core[1] * height)] = 1 + int(kind)
    return labels


def part_draw(random, sheet):
    """A square of a sheet, half of the time about a stamp, turned, as planes and labels."""
    height, width = sheet.planes.shape[:2]
    if len(sheet.marks) and random.random() < 0.7:
        mark = sheet.marks[random.integers(len(sheet.marks))]
        left, top = (int(mark[1 + i] - CROP / 2 + random.uniform(-50, 50)) for i in (0, 1))
    else:
        left, top = int(random.integers(width - CROP)), int(random.integers(height - CROP))
    left, top = min(max(left, 0), width - CROP), min(max(top, 0), height - CROP)
    planes = np.array(sheet.planes[top : top + CROP, left : left + CROP])
    marks = sheet.marks - np.array([0, left, top, 0, 0, 0], np.float32)
    marks = marks[(abs(marks[:, 1:3] - CROP / 2) < CROP).all(1)]
    turns = 0 if random.random() < 0.5 else int(random.integers(1, 4))
    planes = np.rot90(planes, turns)
    for _ in range(turns):
        marks[:, 1], marks[:, 2] = marks[:, 2].copy(), CROP - 1 - marks[:, 1]
        marks[:, 5] -= 90
    return planes_vary(random, planes), labels_of(marks, *CELLS, whole=(CROP, CROP))


class Parts(torch.utils.data.IterableDataset):
    def __init__(self, sheets, seed, steps):
        super().__init__()
        self.sheets, self.seed, self.steps = sheets, seed, steps

    def __iter__(self):
        random = np.random.default_rng(self.seed)
        for _ in range(self.steps):
            drawn = [part_draw(random, self.sheets[random.integers(len(self.sheets))]) for _ in range(BATCH)]
            yield (torch.from_numpy(np.stack([part[i] for part in drawn])) for i in (0, 1))


# ---- the net ----


def net_new(layers):
    parts = []
    for inputs, outputs, stride, dilation in layers:
        parts += [nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    pool = [nn.AdaptiveAvgPool2d(1)] if layers is JUDGE else []
    return nn.Sequential(*parts, *pool, nn.Conv2d(layers[-1][1], CLASSES, 1)).to(memory_format=torch.channels_last)


def loss_of(scores, labels):
    """What is hard counts more (focal loss); as a sum for each cell that is some marking."""
    labels = labels.long()
    known, marked = labels != UNKNOWN, (labels > 0) & (labels != UNKNOWN)
    wrong = nn.functional.cross_entropy(scores, labels.masked_fill(~known, 0), reduction="none")
    wrong = wrong * (1 - torch.exp(-wrong)) ** 2 * known
    return wrong.sum() / (marked.sum() + 20)


def secret_of(scores):
    """How much likelier a cell is of a stamp that is a secret than of none, or of a declassified one: logits."""
    return scores[:, 1:4].amax(1) - scores[:, [0, 4]].amax(1)


# ---- places to be judged ----


def peaks_of(scores):
    """Where a sheet's cells are likely some marking: (score, x, y), pixels, the likeliest first."""
    most = scores[1:].max(0) - scores[0]
    rows, columns = most.shape
    padded = np.pad(most, REACH, constant_values=-99)
    high = np.lib.stride_tricks.sliding_window_view(padded, (2 * REACH + 1, 2 * REACH + 1)).max((2, 3))
    peaks = []
    for row, column in np.argwhere((most == high) & (most >= LIKELY)):
        top, left = max(row - REACH, 0), max(column - REACH, 0)
        near = most[top : row + REACH + 1, left : column + REACH + 1] >= most[row, column] - NEAR
        y, x = np.nonzero(near)
        peaks.append((float(most[row, column]), CELL * (left + x.mean()), CELL * (top + y.mean())))
    return sorted(peaks, reverse=True)[:PEAKS]


@torch.no_grad()
def seek(net, sheet):
    net.eval()
    return peaks_of(net(torch.from_numpy(np.array(sheet.planes).transpose(2, 0, 1)[None].astype(np.float32) / 255))[0].numpy())


def places_of(net, sheets):
    """What is to be judged: (sheet, x, y, class) of peaks, and of all marks, so that those are learned that were not sought."""
    places = []
    for i, sheet in enumerate(sheets):
        at = [(x, y) for _, x, y in seek(net, sheet)] + [(mark[1], mark[2]) for mark in sheet.marks]
        found = [(i, x, y, int(labels_of(sheet.marks, x, y, WHOLE))) for x, y in at]
        places += [place for place in found if place[3] != UNKNOWN]
        if i % 500 == 499:
            say(f"sought on {i + 1} of {len(sheets)} sheets: {len(places)} places")
    return places


@torch.no_grad()
def hard_of(judge, sheets, places):
    """Places that the net judges wrong, or nearly so: (sheet, x, y, class, turns)."""
    hard = []
    judge.eval()
    for first in range(0, len(places), JUDGED_AT_ONCE):
        some = places[first : first + JUDGED_AT_ONCE]
        frames = np.stack([frame_cut(sheets[i], x, y, turns).transpose(2, 0, 1) for i, x, y, _ in some for turns in range(4)])
        scores = judge(torch.from_numpy(frames.astype(np.float32) / 255)).reshape(-1, 4, CLASSES).numpy()
        for place, turned in zip(some, scores):
            if place[3]:
                own, other = turned[0, place[3]], np.delete(turned[0], place[3]).max()
                hard += [(*place, 0)] if own - other < SURE else []
            else:
                over = turned[:, 1:].max(1) - turned[:, 0]
                hard += [(*place, turns) for turns in range(4) if over[turns] > -SURE]
    say(f"{len(hard)} of {len(places)} places are hard, {sum(place[3] == 0 for place in hard)} of them no markings")
    return hard


def frame_cut(sheet, x, y, turns, size=FRAME):
    """The frame around a place, turned against the clock so many times; nothing is beyond the sheet."""
    w, h = size if turns % 2 == 0 else size[::-1]
    left, top = round(x) - w // 2, round(y) - h // 2
    frame = np.zeros((h, w, 2), np.uint8)
    height, width = sheet.planes.shape[:2]
    from_x, to_x, from_y, to_y = max(left, 0), min(left + w, width), max(top, 0), min(top + h, height)
    if from_x < to_x and from_y < to_y:
        frame[from_y - top : to_y - top, from_x - left : to_x - left] = sheet.planes[from_y:to_y, from_x:to_x]
    return np.rot90(frame, turns)


def planes_vary(random, planes):
    if random.random() < 0.2:
        planes = planes * np.array([1, 0], np.uint8)
    shift, strength = random.normal(0, 3), random.uniform(0.65, 1.15)
    planes = np.clip(planes * np.float32(strength) + np.float32(shift) * (planes > 0), 0, 255) / np.float32(255)
    return planes.transpose(2, 0, 1)


def frame_scaled(sheet, x, y, turns, scale):
    frame = frame_cut(sheet, x, y, turns, (int(FRAME[0] / scale), int(FRAME[1] / scale)))
    planes = [Image.fromarray(np.ascontiguousarray(frame[:, :, i])).resize(FRAME, Image.BILINEAR) for i in (0, 1)]
    return np.stack([np.asarray(plane) for plane in planes], -1)


def frame_bent(random, sheet, x, y, turns):
    """As another stamp, or the same one pressed elsewhere, would stand there: a little larger or smaller, a little askew."""
    scale, angle = np.exp(random.uniform(-0.08, 0.08)), random.uniform(-5, 5)
    frame = frame_cut(sheet, x, y, turns, tuple(side + 2 * BENT for side in FRAME))
    middle = [side / 2 + BENT for side in FRAME]
    c, s = np.cos(np.radians(angle)) / scale, np.sin(np.radians(angle)) / scale
    left, top = middle[0] - c * FRAME[0] / 2 + s * FRAME[1] / 2, middle[1] - s * FRAME[0] / 2 - c * FRAME[1] / 2
    planes = [Image.fromarray(np.ascontiguousarray(frame[:, :, i])).transform(FRAME, Image.AFFINE, (c, -s, left, s, c, top), Image.BILINEAR) for i in (0, 1)]
    return np.stack([np.asarray(plane) for plane in planes], -1)


def frames_mix(one, other, strength):
    """One over the other, as ink lies over ink."""
    return np.maximum(one, (other * np.float32(strength)).astype(np.uint8))


class Words:
    """Words of no meaning, as headings and logos have them."""

    LETTERS = "AĂÂBCDĐEÊGHIKLMNOÔƠPQRSTUƯVXYZ0123456789abcdeghiklmnopqrstuvxyÁẢÀẤẦỆỐỘỢỨ."

    def __init__(self):
        names = ("Mono", "LiberationSerif", "LiberationSans", "FreeS", "Roboto", "Lato", "Inter", "LinLibertine", "Charis", "Vollkorn", "Quicksand")
        paths = subprocess.run(["fc-list", ":lang=vi", "file"], capture_output=True, text=True, check=True).stdout.split(":")
        self.paths = sorted(path.strip() for path in paths if any(name in path for name in names))
        self.fonts = {}

    def font(self, random, typed=False):
        paths = [path for path in self.paths if "Mono" in path] if typed and random.random() < 0.6 else self.paths
        path, size = paths[random.integers(len(paths))], int(random.integers(9, 20 if typed else 44))
        if (path, size) not in self.fonts:
            self.fonts[path, size] = ImageFont.truetype(path, size)
        return self.fonts[path, size]

    def text(self, random, longest):
        return "".join(self.LETTERS[i] for i in random.integers(len(self.LETTERS), size=int(random.integers(2, longest))))

    def line(self, random):
        text = " ".join(self.text(random, 7) for _ in range(int(random.integers(1, 6))))
        return text.upper() if random.random() < 0.5 else text.lower()

    def frame(self, random):
        """A word alone, or lines of them as typewriters have them."""
        sheet, side = Image.new("L", (FRAME[0], FRAME[0]), 0), FRAME[0]
        if random.random() < 0.6:
            at = (random.uniform(-20, side * 0.6), random.uniform(0.35, 0.6) * side)
            ImageDraw.Draw(sheet).text(at, self.text(random, 9), 255, self.font(random))
        else:
            font = self.font(random, True)
            step = font.size * random.uniform(1.2, 2.5)
            for i in range(int(random.integers(1, 7))):
                at = (random.uniform(-60, 60), side * 0.25 + i * step)
                ImageDraw.Draw(sheet).text(at, self.line(random), 255, font)
        angle = random.normal(0, 4) if random.random() < 0.6 else random.uniform(-180, 180)
        top = (FRAME[0] - FRAME[1]) // 2
        ink = np.asarray(sheet.rotate(angle, Image.BILINEAR))[top : top + FRAME[1]].astype(np.float32) * np.float32(random.uniform(0.3, 1))
        red = ink * np.float32(random.random() if random.random() < 0.3 else 0)
        return np.stack([ink, red], -1).astype(np.uint8)


class Frames(torch.utils.data.IterableDataset):
    """Half of them none: what is no marking, turned and scaled anyhow, one over another, with words, and some markings that
    are not upright. Of the markings some have something else over them."""

    def __init__(self, sheets, places, hard, seed, steps):
        super().__init__()
        self.sheets, self.seed, self.steps, self.words = sheets, seed, steps, Words()
        self.kinds = [[place for place in places if place[3] == kind] for kind in range(CLASSES)]
        self.hard = [[place for place in hard if place[3] == kind] for kind in range(CLASSES)]
        self.urgent = [(i, mark[1], mark[2], 0) for i, sheet in enumerate(sheets) for mark in sheet.marks if mark[0] in URGENT]

    def anywhere(self, random):
        """A place without a marking."""
        while True:
            i = random.integers(len(self.sheets))
            x, y = (random.uniform(0, side) for side in self.sheets[i].planes.shape[1::-1])
            if all(abs(x - mark[1]) > FRAME[0] or abs(y - mark[2]) > FRAME[0] for mark in self.sheets[i].marks if mark[0] < CLASSES - 1):
                return i, x, y, 0

    def place(self, random, kind):
        if kind == 0 and random.random() < 0.5:
            return self.anywhere(random) if random.random() < 0.5 else self.urgent[random.integers(len(self.urgent))]
        return self.kinds[kind][random.integers(len(self.kinds[kind]))]

    def hard_frame(self, random, kind):
        i, x, y, _, turns = self.hard[kind][random.integers(len(self.hard[kind]))]
        x, y = (at + random.uniform(-jitter, jitter) / 2 for at, jitter in zip((x, y), JITTER))
        return self.frame(random, self.sheets[i], x, y, turns)

    def frame(self, random, sheet, x, y, turns):
        return frame_bent(random, sheet, x, y, turns) if random.random() < 0.4 else frame_cut(sheet, x, y, turns)

    def none(self, random):
        if self.hard[0] and random.random() < HARD:
            return self.hard_frame(random, 0)
        if random.random() < 0.08:
            i, x, y, _ = self.place(random, int(random.integers(1, CLASSES)))
            return frame_cut(self.sheets[i], x, y, int(random.integers(1, 4)))
        i, x, y, _ = self.place(random, 0)
        x, y = (at + random.uniform(-jitter, jitter) for at, jitter in zip((x, y), JITTER))
        turns = 0 if random.random() < 0.6 else int(random.integers(4))
        frame = self.frame(random, self.sheets[i], x, y, turns)
        if random.random() < 0.35:
            frame = frame_scaled(*self.spread(random), turns, np.exp(random.uniform(-0.5, 0.6)))
        if random.random() < 0.25:
            frame = frames_mix(frame, frame_cut(*self.spread(random), 0), random.uniform(0.3, 1))
        if random.random() < 0.35:
            frame = frames_mix(frame, self.words.frame(random), 1) if random.random() < 0.6 else self.words.frame(random)
        return frame

    def spread(self, random):
        i, x, y, _ = self.anywhere(random)
        return self.sheets[i], x, y

    def marking(self, random, kind):
        if self.hard[kind] and random.random() < HARD:
            return self.hard_frame(random, kind)
        i, x, y, _ = self.place(random, kind)
        x, y = (at + random.uniform(-jitter, jitter) for at, jitter in zip((x, y), JITTER))
        frame = self.frame(random, self.sheets[i], x, y, 0)
        if random.random() < 0.15:
            frame = frames_mix(frame, frame_cut(*self.spread(random), 0), random.uniform(0.2, 0.9))
        return frame

    def __iter__(self):
        random = np.random.default_rng(self.seed)
        for _ in range(self.steps):
            kinds = [0 if random.random() < 0.55 else int(random.integers(1, CLASSES)) for _ in range(BATCH)]
            frames = [planes_vary(random, self.marking(random, kind) if kind else self.none(random)) for kind in kinds]
            yield torch.from_numpy(np.stack(frames)), torch.tensor(kinds)


def judged(judge, sheet, peaks):
    """Of each peak the scores of the turn that is likeliest a marking."""
    if not peaks:
        return torch.zeros(0, CLASSES)
    frames = np.stack([frame_cut(sheet, x, y, turns).transpose(2, 0, 1) for _, x, y in peaks for turns in range(4)])
    scores = judge(torch.from_numpy(frames.astype(np.float32) / 255)).reshape(-1, 4, CLASSES)
    best = (scores[:, :, 1:].amax(2) - scores[:, :, 0]).argmax(1)
    return scores[torch.arange(len(best)), best]


@torch.no_grad()
def nets_check(seeker, judge, sheets, when):
    """Both nets as secrecy.c has them: stamps that are found, and sheets, full of what looks alike, with a false one."""
    seeker.eval()
    judge.eval()
    found, elsewhere, levels, sought = [], [], [], []
    for sheet in sheets:
        said = [-99.0] * len(sheet.marks)
        level, false = [0] * len(sheet.marks), -99.0
        peaks = seek(seeker, sheet)
        scores = judged(judge, sheet, peaks)
        for (_, x, y), score, secret in zip(peaks, scores, secret_of(scores[:, :, None, None]).reshape(-1).tolist()):
            at = [k for k, mark in enumerate(sheet.marks) if mark[0] < 3 and labels_of([mark], x, y, WHOLE)]
            for k in at:
                if secret > said[k]:
                    said[k], level[k] = secret, int(score[1:4].argmax())
            false = false if at else max(false, secret)
        height, width = sheet.planes.shape[:2]
        for k, mark in enumerate(sheet.marks):
            if 0 <= mark[0] < 3 and 40 < mark[1] < width - 40 and 20 < mark[2] < height - 20:
                found.append(said[k])
                sought.append(said[k] > -99)
                levels.append(level[k] == int(mark[0]))
        elsewhere.append(false)
    found, elsewhere = np.array(found), np.array(elsewhere)
    lines = [f"{100 * (found > limit).mean():.2f} / {100 * (elsewhere > limit).mean():.2f} at {limit}" for limit in (-4, -3, -2, -1, 0, 1, 2, 3)]
    say(f"{when}: {100 * np.mean(sought):.2f} % of stamps sought out; % found / % of crowded sheets with a false one: {', '.join(lines)}; {100 * np.mean(levels):.1f} % levels right")


def net_train(name, net, batches, loss_of, steps, peak=RATE):
    params = torch.optim.AdamW(net.parameters(), peak, weight_decay=1e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(params, peak, total_steps=steps, pct_start=0.05)
    mean = 0
    net.train()
    for step, (planes, labels) in enumerate(batches, 1):
        loss = loss_of(net(planes.to(memory_format=torch.channels_last)), labels)
        params.zero_grad()
        loss.backward()
        params.step()
        rate.step()
        mean += 0.01 * (float(loss) - mean)
        if step % 500 == 0:
            say(f"{name}: step {step} of {steps}, loss {mean:.4f}")
    net.eval()


def net_path(folder, name):
    return os.path.join(folder, f"{name}.pt")


def net_load(net, folder, name):
    there = os.path.exists(net_path(folder, name))
    if there:
        net.load_state_dict(torch.load(net_path(folder, name)))
    return there


def net_save(net, folder, name):
    torch.save(net.state_dict(), net_path(folder, name))


def judge_loss(scores, kinds):
    return nn.functional.cross_entropy(scores.flatten(1), kinds)


# ---- whole numbers ----


def widths_of(units):
    """What 255 stands for, of each output: between what it rarely exceeds itself and what all of them do. Its own alone
    would make units finest, but spread the weights of the next layer, that share one step, too far."""
    def rarely(values):
        return torch.topk(values, max(1, int(len(values) * RARE))).values[-1]

    units = units.permute(1, 0, 2, 3).flatten(1).double()
    every = rarely(units.flatten())
    return torch.sqrt(every * torch.stack([rarely(values) for values in units]).clamp(min=float(every) / 50))


class Whole:
    """The net in whole numbers, as worker/convnet.c runs it. Units are 0 to 255, scores logits in 1/256."""

    def __init__(self, net, layers, planes):
        """planes: what scales are taken from, a batch as floats of 0 to 1."""
        self.layers, self.pooled, x = [], layers is JUDGE, planes
        unit = torch.full((2,), 1 / 255, dtype=torch.double)
        for i, (_, _, stride, dilation) in enumerate((*layers, (None, None, 1, 1))):
            last = i == len(layers)
            conv = net[-1] if last else net[3 * i]
            x = nn.functional.adaptive_avg_pool2d(x, 1) if last and self.pooled else x
            weight, bias = conv.weight.detach().double(), conv.bias.detach().double() if last else 0
            if not last:
                norm = net[3 * i + 1]
                part = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
                weight, bias = weight * part[:, None, None, None], norm.bias.detach().double() - norm.running_mean.double() * part
            padding = dilation if conv.kernel_size[0] > 1 else 0
            x = nn.functional.conv2d(x, weight.float(), bias.float(), stride, padding, dilation)
            x = x if last else nn.functional.relu(x)
            wide = torch.full((CLASSES,), 1 / 256, dtype=torch.double) if last else widths_of(x) / 255
            weight = weight * unit[:, None, None]
            step = weight.abs().amax((1, 2, 3)) / 127
            whole = torch.round(weight / step[:, None, None, None])
            if float(whole.abs().sum((1, 2, 3)).max()) * 255 >= 1 << 24:
                sys.exit("a sum may be too large for a float")
            factor = torch.round(step / wide * (1 << FACTOR_BITS))
            self.layers.append((whole, torch.round(bias / step), factor, stride, dilation, padding))
            unit = wide

    def __call__(self, planes):
        x = torch.round(planes.double() * 255)
        for i, (weight, bias, factor, stride, dilation, padding) in enumerate(self.layers):
            last = i == len(self.layers) - 1
            x = torch.floor(nn.functional.adaptive_avg_pool2d(x, 1) + 0.5) if last and self.pooled else x
            x = nn.functional.conv2d(x, weight, None, stride, padding, dilation) + bias[:, None, None]
            x = torch.floor(x * factor[:, None, None] / (1 << FACTOR_BITS) + 0.5)
            x = x if last else x.clamp(0, 255)
        return x / 256

    def eval(self):
        pass

    def train(self):
        pass

    def packed(self):
        """Of each layer its inputs and outputs (u16), the side of the square that it sees, stride and dilation (u8);
        of each output its bias (i32) and factor (u32); then the weights (i8) by row, column, input and output."""
        out = b""
        for weight, bias, factor, stride, dilation, _ in self.layers:
            outputs, inputs, side, _ = weight.shape
            out += inputs.to_bytes(2, "little") + outputs.to_bytes(2, "little") + bytes([side, stride, dilation])
            for o in range(outputs):
                out += int(bias[o]).to_bytes(4, "little", signed=True) + int(factor[o]).to_bytes(4, "little")
            out += weight.permute(2, 3, 1, 0).numpy().astype(np.int8).tobytes()
        return out


def net_write(net, layers, planes, path):
    whole = Whole(net, layers, planes)
    with open(path, "wb") as file:
        file.write(whole.packed())
    say(f"{path}: {os.path.getsize(path)} bytes")
    return whole


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheets", type=int, default=6500)
    parser.add_argument("--steps", type=int, default=13000, help="of the net that seeks")
    parser.add_argument("--judged", type=int, default=60000, help="of the one that judges")
    parser.add_argument("--rounds", type=int, default=4, help="of those; in each the hard places of the last are learned more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drawn", default="/tmp/sohoa-stamps")
    parser.add_argument("--plain", nargs="*", default=[], help="files of sheets without stamps, as `bench-stamps FILE DOCUMENT...` makes them")
    parser.add_argument("--out", default=here)
    args = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(args.seed)
    drawn = [sheets_open(path) for path in sheets_draw(args.drawn, args.sheets, args.seed)]
    check, sheets = sum(drawn[:CHECKED_FILES], []), sum(drawn[CHECKED_FILES:] + [sheets_open(path) for path in args.plain], [])
    seeker, judge = net_new(SEEK), net_new(JUDGE)
    if not net_load(seeker, args.drawn, "seek"):
        net_train("seek", seeker, Parts(sheets, args.seed, args.steps), loss_of, args.steps)
        net_save(seeker, args.drawn, "seek")
    places, hard = places_of(seeker, sheets), []
    if net_load(judge, args.drawn, "judge"):
        hard = hard_of(judge, sheets, places)
    for left in range(args.rounds, 0, -1):
        steps = args.judged // args.rounds
        net_train("judge", judge, Frames(sheets, places, hard, args.seed * 100 + left, steps), judge_loss, steps)
        net_save(judge, args.drawn, "judge")
        nets_check(seeker, judge, check, f"{left - 1} rounds left")
        hard = hard_of(judge, sheets, places) if left > 1 else hard
    parts = torch.from_numpy(np.stack([part_draw(np.random.default_rng(i), check[i])[0] for i in range(256)]))
    frames = torch.cat([batch for batch, _ in Frames(sheets, places, hard, args.seed + 1, SCALE_BATCHES)])
    whole = [net_write(seeker, SEEK, parts, os.path.join(args.out, "seek.bin")),
             net_write(judge, JUDGE, frames, os.path.join(args.out, "judge.bin"))]
    nets_check(*whole, check[:20], "in whole numbers")


if __name__ == "__main__":
    main()
