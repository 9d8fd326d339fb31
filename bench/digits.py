# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/digits: how well digits in documents' heads are read, and how sure the reader is of them.

Needs SOHOA_BIN, the folder of the programs. Flow: draw strings that the reader was not trained on, have them read; read
the first pages of the scans in DIR, compare with its truth.tsv. README.md tells the method."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "worker" / "digits"))

import numpy as np

import drawing

KINDS = ("NUMBER", "DAY", "MONTH", "YEAR")
NUMBER, DAY = (5, 1, 99999, 2), (2, 1, 31, 2)  # most digits, from, to, padded
SURE_CPCT = 9000
BINS = (0, 5000, 7000, 8000, 9000, 9500, 10001)


def say(text):
    print(f"digits: {text}", file=sys.stderr, flush=True)


def truth_path(folder):
    """Beside the scans, or in a folder of its own as bench/scans has it."""
    apart = folder / "truth" / "truth.tsv"
    return apart if apart.exists() else folder / "truth.tsv"


def options(argv):
    parser = argparse.ArgumentParser(prog="bench/digits", description=__doc__.split("\n\n")[0])
    parser.add_argument("dir", nargs="?", type=Path, metavar="DIR", help="scans, and truth.tsv with their numbers and dates")
    parser.add_argument("--strings", type=int, default=4000, metavar="N", help="strings to draw (4000), 0: none")
    parser.add_argument("--seed", type=int, default=777, help="of the strings (777): none that the reader was trained on")
    parser.add_argument("--fonts", metavar="DIR", help="where to look for fonts, beside /usr/share/fonts")
    chosen = parser.parse_args(argv)
    if chosen.strings < 0:
        parser.error("--strings is at least 0")
    if chosen.dir and not truth_path(chosen.dir).exists():
        parser.error(f"there is no {truth_path(chosen.dir)}")
    return chosen


def guesses_of(text):
    return [(guess.split(":")[0], int(guess.split(":")[1])) for guess in text.split()]


def program(*arguments, given=None):
    path = Path(os.environ["SOHOA_BIN"]) / "bench-digits"
    done = subprocess.run([path, *arguments], input=given, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(1)
    return done.stdout.decode().splitlines()


def strings_draw(chosen):
    """Pictures and what is in them, numbers and days by turns."""
    source = drawing.source_load(chosen.fonts)
    random = np.random.default_rng(chosen.seed)
    for i in range(chosen.strings):
        day = i % 2
        text = f"{random.integers(1, 32):02d}" if day else f"{random.integers(1, 10 ** random.integers(1, 5)):02d}"
        picture, _, _ = drawing.string_draw(random, source, text)
        yield picture, DAY if day else NUMBER, text


def digits_wrong(read, text):
    """The least digits to change, add or take away."""
    row = list(range(len(text) + 1))
    for i, a in enumerate(read, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(text, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def synthetic(chosen):
    say(f"draws and reads {chosen.strings} strings")
    drawn = list(strings_draw(chosen))
    given = b"".join(
        b"%d %d %d %d %d %d\n" % (p.shape[1], p.shape[0], *want) + np.ascontiguousarray(p).tobytes() for p, want, _ in drawn
    )
    rows, us = [], []
    for line, (_, _, text) in zip(program(given=given), drawn):
        took, _, rest = line.partition(" ")
        us.append(int(took))
        guesses = guesses_of(rest) or [("", 0)]
        rows.append((text, *guesses[0]))
    digits = sum(len(text) for text, _, _ in rows)
    wrong = sum(digits_wrong(read, text) for text, read, _ in rows)
    print(f"{len(rows)} drawn strings, {digits} digits")
    print("confidence   strings   right %")
    for low, high in zip(BINS, BINS[1:]):
        within = [read == text for text, read, cpct in rows if low <= cpct < high]
        if within:
            print(f"{low / 100:3.0f} - {min(high, 10000) / 100:3.0f} {len(within):11} {100 * sum(within) / len(within):9.1f}")
    sure = [read == text for text, read, cpct in rows if cpct > SURE_CPCT]
    return {
        "strings": len(rows),
        "digits_right": round(1 - wrong / digits, 4),
        "strings_right": round(sum(read == text for text, read, _ in rows) / len(rows), 4),
        "sure": len(sure),
        "sure_right": round(sum(sure) / len(sure), 4) if sure else None,
        "us_per_crop": round(float(np.median(us))),
    }


def truth_of(folder):
    head, *rows = [line.split("\t") for line in truth_path(folder).read_text(encoding="utf-8").splitlines()]
    for row in rows:
        value = dict(zip(head, row))
        if value.get("codeNumber") and len(value.get("issuedDate", "")) == 10:
            year, month, day = value["issuedDate"].split("-")
            yield value["file"], dict(zip(KINDS, (value["codeNumber"], day, month, year)))


def real(folder):
    scans = folder / "scans" if (folder / "scans").is_dir() else folder
    truth = {str(scans / name): values for name, values in truth_of(folder) if (scans / name).exists()}
    say(f"reads the first pages of {len(truth)} scans")
    count = {kind: {"correct": 0, "answered": 0, "wrong_sure": 0, "sure": 0, "rows": len(truth)} for kind in KINDS}
    seen, ms = set(), []
    for path, kind, rest in (line.split("\t") for line in program(*truth)):
        if kind == "ms":
            ms.append(float(rest))
        elif (path, kind) not in seen and guesses_of(rest):  # the uppermost of each kind
            seen.add((path, kind))
            read, cpct = guesses_of(rest)[0]
            right = int(read) == int(truth[path][kind])
            count[kind]["answered"] += 1
            count[kind]["correct"] += right
            count[kind]["sure"] += cpct > SURE_CPCT
            count[kind]["wrong_sure"] += not right and cpct > SURE_CPCT
            if not right:
                print(f"{Path(path).name}: {kind.lower()} {truth[path][kind]} read as {rest}")
    for kind in KINDS:
        print(kind.lower(), *(f"{name} {value}" for name, value in count[kind].items()))
    return {**{kind.lower(): count[kind] for kind in KINDS}, "ms_per_page": round(float(np.median(ms)), 2) if ms else None}


def main():
    chosen = options(sys.argv[1:])
    result = synthetic(chosen) if chosen.strings else {}
    if chosen.dir:
        result.update(real(chosen.dir))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
