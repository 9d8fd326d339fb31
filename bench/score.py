# SPDX-License-Identifier: AGPL-3.0-or-later
"""How far a reading is from the truth that bench/scans wrote.

Errors are those of the shortest way from the truth to the reading (Levenshtein), over characters for CER and over words
for WER, after NFC and with every run of white space as one blank. Each error belongs to the line of the truth where it
happens, so head, body and closing of a page are told apart. What was read too much where two parts meet belongs to the one
that is not the body: that is nearly always one of its boxes read before or after its neighbour.
Debian's python3-levenshtein does the work, so this runs under /usr/bin/python3.
"""
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import Levenshtein

PARTS = ("head", "body", "closing", "number")


@dataclass
class Tally:
    """Errors and characters (or words) of the truth, by part."""

    errors: dict = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    total: dict = field(default_factory=lambda: dict.fromkeys(PARTS, 0))

    def add(self, other):
        for part in PARTS:
            self.errors[part] += other.errors[part]
            self.total[part] += other.total[part]

    def rate(self, *parts):
        """Share of errors in these parts, in all when none is named; None where the truth has nothing."""
        parts = parts or PARTS
        total = sum(self.total[part] for part in parts)
        return sum(self.errors[part] for part in parts) / total if total else None


def plain(text):
    """NFC, each run of white space one blank."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def bare(text):
    """Without diacritics: 'Đường' is 'Duong'."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return unicodedata.normalize("NFC", "".join(c for c in letters if not unicodedata.combining(c)))


def _tally(truth, part_of, read):
    """truth and read are sequences of characters; part_of names the part of each of truth's."""
    tally = Tally()
    for part in part_of:
        tally.total[part] += 1
    for kind, at, _ in Levenshtein.editops(truth, read):
        here = part_of[min(at, len(part_of) - 1)]
        before = part_of[at - 1] if at else here
        tally.errors[before if kind == "insert" and here == "body" else here] += 1
    return tally


def characters(lines, parts, read):
    """CER: lines of truth, their parts, and the text that was read."""
    truth, part_of = "", []
    for line, part in zip(lines, parts):
        line = plain(line) + " "
        truth += line
        part_of += [part] * len(line)
    return _tally(truth[:-1], part_of[:-1], plain(read)) if truth else Tally()


def words(lines, parts, read):
    """WER: as characters(); each different word stands for one private character."""
    code, part_of, truth = {}, [], []
    for line, part in zip(lines, parts):
        found = plain(line).split()
        truth += found
        part_of += [part] * len(found)
    def encode(sequence):
        return "".join(chr(0x10000 + code.setdefault(word, len(code))) for word in sequence)
    return _tally(encode(truth), part_of, encode(plain(read).split())) if truth else Tally()


def truth_pages(truth_dir, file):
    """[(lines, parts)] for each page of file, as bench/scans wrote them."""
    text = (Path(truth_dir) / (file + ".txt")).read_text(encoding="utf-8").split("\f")
    parts = (Path(truth_dir) / (file + ".parts")).read_text(encoding="utf-8").split("\f")
    return [(page.splitlines(), part.splitlines()) for page, part in zip(text, parts, strict=True)]


def truth_table(path):
    """Rows of a table of bench/scans as dictionaries."""
    head, *rows = Path(path).read_text(encoding="utf-8").splitlines()
    return [dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows]


def score_page(lines, parts, read):
    """CER and WER, and the same without diacritics, of one page."""
    return {"cer": characters(lines, parts, read), "wer": words(lines, parts, read),
            "cer_bare": characters([bare(line) for line in lines], parts, bare(read)),
            "wer_bare": words([bare(line) for line in lines], parts, bare(read))}


def ranks(values):
    """The rank of each, from 1; equal ones share their average rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    rank, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for at in order[start:end]:
            rank[at] = (start + end + 1) / 2
        start = end
    return rank


def spearman(pairs):
    """Rank correlation of [(x, y)]; None for fewer than three pairs or where either never changes."""
    if len(pairs) < 3:
        return None
    x, y = (ranks(values) for values in zip(*pairs))
    mean = (len(pairs) + 1) / 2
    xx, yy = sum((a - mean) ** 2 for a in x), sum((b - mean) ** 2 for b in y)
    return sum((a - mean) * (b - mean) for a, b in zip(x, y)) / (xx * yy) ** 0.5 if xx and yy else None


def _main(results_dir, truth_dir):
    """A line a page on stdout, the sums last as JSON: for results of `sohoa run`, or anything in folders like them."""
    import json
    sums = {name: Tally() for name in ("cer", "wer", "cer_bare", "wer_bare")}
    print("file\tpage\tdamage\trotation_deg\tcer_body\tcer")
    for row in truth_table(Path(truth_dir) / "pages.tsv"):
        text = Path(results_dir) / row["file"] / "text.txt"
        if row["duplicate_of"] or not text.exists():
            continue
        number = int(row["page"]) - 1
        lines, parts = truth_pages(truth_dir, row["file"])[number]
        scores = score_page(lines, parts, text.read_text(encoding="utf-8").split("\f")[number])
        for name, tally in scores.items():
            sums[name].add(tally)
        rate = [scores["cer"].rate("body"), scores["cer"].rate()]
        print(row["file"], row["page"], row["damage"], row["rotation_deg"],
              *("" if r is None else f"{r:.4f}" for r in rate), sep="\t")
    print(json.dumps({name + end: tally.rate(*parts) for name, tally in sums.items()
                      for end, parts in (("", ()), ("_body", ("body",)), ("_head", ("head",)))}))


if __name__ == "__main__":
    import sys
    if len(sys.argv) != 3:
        sys.exit("usage: /usr/bin/python3 bench/score.py RESULTS TRUTH")
    _main(*sys.argv[1:])
