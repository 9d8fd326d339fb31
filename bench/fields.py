# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/fields: the fields of documents against what a person reads there, and whether their confidence can be trusted.

Needs SOHOA_BIN, the folder of the programs. Flow: find (or draw) documents with their truth, read them with `sohoa run`, compare.
README.md tells the method.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import Levenshtein

EXACT = ("codeNumber", "codeNotation", "issuedDate", "typeName")
ALIKE = ("organName", "subject")           # normalised edit similarity of at least ALIKE_LEAST
NAMES = ("signer",)                        # exact; an empty truth says nothing
FIELDS = EXACT + ALIKE + NAMES
ALIKE_LEAST = 0.95
SURE = 0.9                                 # confidence above which a value is taken without a look
BINS = (0.0, 0.5, 0.8, 0.9, 0.95, 1.01)    # of confidence, for calibration


def say(text):
    print(f"fields: {text}", file=sys.stderr, flush=True)


def options(argv):
    parser = argparse.ArgumentParser(prog="bench/fields", description=__doc__.split("\n\n")[0])
    parser.add_argument("dir", metavar="DIR", type=Path, nargs="?", help="documents with truth.tsv beside them, or what bench/scans wrote")
    parser.add_argument("--synthetic", type=int, metavar="N", help="instead of DIR: N new documents")
    parser.add_argument("--seed", type=int, default=1, help="of --synthetic (1)")
    parser.add_argument("--damage", default="none", choices=("none", "light", "mixed", "heavy"), help="of --synthetic (none: all is printed)")
    parser.add_argument("--pages-mean", default="1.5", help="of --synthetic (1.5)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave what was drawn and read in DIR, a new folder")
    parser.add_argument("--wrong", action="store_true", help="name what is wrong or was not read")
    chosen = parser.parse_args(argv)
    if (chosen.dir is None) == (chosen.synthetic is None):
        parser.error("either DIR or --synthetic N")
    if chosen.dir and not chosen.dir.is_dir():
        parser.error(f"there is no folder '{chosen.dir}'")
    if chosen.synthetic is not None and chosen.synthetic < 1:
        parser.error("--synthetic is at least 1")
    if chosen.keep and chosen.keep.exists():
        parser.error(f"--keep: '{chosen.keep}' is there already")
    return chosen


def draw(chosen, programs, folder):
    say(f"draws {chosen.synthetic} documents")
    subprocess.run([programs / "bench-scans", "--out", folder, "--documents", str(chosen.synthetic), "--seed", str(chosen.seed),
                    "--damage", chosen.damage, "--pages-mean", chosen.pages_mean, "--blank", "0", "--rotated", "0", "--duplicates", "0"],
                   check=True, stdout=subprocess.DEVNULL)
    return folder


def truth_of(folder):
    """(folder of the scans, rows of truth.tsv)."""
    scans, table = folder, folder / "truth.tsv"
    if not table.exists():
        scans, table = folder / "scans", folder / "truth" / "truth.tsv"
    if not table.exists():
        sys.exit(f"fields: neither {folder}/truth.tsv nor {folder}/truth/truth.tsv is there")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    missing = [name for name in ("file", *FIELDS) if rows and name not in rows[0]]
    if missing or not rows:
        sys.exit(f"fields: {table}: {'no rows' if not rows else 'no column ' + ', '.join(missing)}")
    return scans, rows


def read(programs, scans, rows, folder):
    """{file: metadata} of the documents that could be read."""
    say(f"reads {len(rows)} documents")
    listed = folder / "documents.csv"
    with listed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source"])
        writer.writerows([str((scans / row["file"]).resolve())] for row in rows)
    done = subprocess.run([programs / "sohoa", "run", listed, "--out", folder / "out"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"fields: sohoa run ended with {done.returncode}")
    found = {}
    for path in (folder / "out").rglob("record.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[record["source"]] = record["metadata"]
    return {row["file"]: found.get(str((scans / row["file"]).resolve())) for row in rows}


def similarity(a, b):
    return 1 - Levenshtein.distance(a, b) / max(len(a), len(b), 1)


def is_right(name, value, truth):
    if name in ALIKE:
        return similarity(value, truth) >= ALIKE_LEAST
    return value == truth


class Score:
    """What became of one field."""

    def __init__(self):
        self.rows = self.answered = self.correct = self.sure = self.sure_wrong = 0
        self.bins = [[0, 0, 0.0] for _ in BINS[1:]]    # values, right ones, sum of confidence

    def add(self, value, confidence, right):
        self.answered += 1
        self.correct += right
        self.sure += right and confidence > SURE
        self.sure_wrong += not right and confidence > SURE
        at = next(i for i, upper in enumerate(BINS[1:]) if confidence < upper)
        self.bins[at][0] += 1
        self.bins[at][1] += right
        self.bins[at][2] += confidence

    def off(self):
        """Expected calibration error: how far confidence is from being right, in the mean."""
        return sum(abs(right - total) for _, right, total in self.bins) / self.answered if self.answered else None


def score(rows, read_as, wrong):
    scores = {name: Score() for name in FIELDS}
    for row in rows:
        for name in FIELDS:
            truth = unicodedata.normalize("NFC", row[name] or "").strip()
            if not truth:
                continue
            scores[name].rows += 1
            field = (read_as[row["file"]] or {}).get(name) or {"value": None}
            right = field["value"] is not None and is_right(name, field["value"], truth)
            if field["value"] is not None:
                scores[name].add(field["value"], field["confidence"], right)
            if wrong and not right:
                say(f"{row['file']}: {name} is '{truth}', read as {field['value']!r} ({field.get('confidence')}) {field.get('doubt') or ''}")
    return scores


def table(scores):
    lines = [f"{'field':<14}{'rows':>6}{'answered':>10}{'right':>8}{'share':>8}{'sure':>7}{'sure, wrong':>13}{'off':>7}   right of values by confidence"]
    for name, one in scores.items():
        bins = "  ".join(f"<{upper if upper <= 1 else 1:g}: {right}/{count}" for upper, (count, right, _) in zip(BINS[1:], one.bins) if count)
        share = f"{one.correct / one.rows:.1%}" if one.rows else "-"
        off = "-" if one.off() is None else f"{one.off():.3f}"
        lines.append(f"{name:<14}{one.rows:>6}{one.answered:>10}{one.correct:>8}{share:>8}{one.sure:>7}{one.sure_wrong:>13}{off:>7}   {bins}")
    return "\n".join(lines)


def measure(chosen, programs, folder):
    documents = chosen.dir if chosen.dir else draw(chosen, programs, folder / "synthetic")
    scans, rows = truth_of(documents)
    scores = score(rows, read(programs, scans, rows, folder), chosen.wrong)
    print(table(scores))
    return {name: {"correct": one.correct, "answered": one.answered, "rows": one.rows, "sure": one.sure, "sure_wrong": one.sure_wrong}
            for name, one in scores.items()}


def main(argv):
    chosen = options(argv)
    programs = Path(os.environ["SOHOA_BIN"])
    if chosen.keep:
        chosen.keep.mkdir(parents=True)
        found = measure(chosen, programs, chosen.keep)
    else:
        with tempfile.TemporaryDirectory(prefix="fields-") as folder:
            found = measure(chosen, programs, Path(folder))
    print(json.dumps(found))


main(sys.argv[1:])
