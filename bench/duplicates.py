# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/duplicates: documents of bench/scans are scanned twice and read; how many are found to be the same, and are others kept apart?

Needs SOHOA_BIN, the folder of the programs. Flow: draw the scans, read both with `sohoa run`, ask a coordinator on what that stored for the
groups, measure how the words were read, and have bench-duplicates make many more documents that are read as well. README.md tells the method.
"""
import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path
from xml.sax.saxutils import unescape

import stand
from cluster import BIN, stop_all, wait

SURE, SURE_BARE = 0.90, 0.95   # as worker/gist.c
PAGES_MEAN = "1.5"
WORD = re.compile(r'CONTENT="([^"]*)"[^>]*?WC="([0-9.]+)"')


def say(text):
    print(f"duplicates: {text}", file=sys.stderr, flush=True)


def options(argv):
    parser = argparse.ArgumentParser(prog="bench/duplicates", description=__doc__.split("\n\n")[0])
    parser.add_argument("--documents", type=int, default=100, metavar="N", help="that are scanned twice (100)")
    parser.add_argument("--different", type=int, default=10000, metavar="N", help="that are all different (10000)")
    parser.add_argument("--near", type=int, default=2000, metavar="N", help="certificates of one form, and likewise notices that differ by a date (2000)")
    parser.add_argument("--many", type=int, default=1000000, metavar="N", help="that time and memory are measured with (1000000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="(1)")
    parser.add_argument("--damage", default="mixed", help="as of bench/scans (mixed)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave what was made and read in DIR, a new folder")
    chosen = parser.parse_args(argv)
    if chosen.documents < 1:
        parser.error("--documents is at least 1")
    if chosen.keep and chosen.keep.exists():
        parser.error(f"--keep: '{chosen.keep}' is there already")
    return chosen


# ---- scanned twice ----

def draw(folder, chosen, scan):
    out = folder / f"scan{scan}"
    subprocess.run([f"{BIN}/bench-scans", "--out", out, "--documents", str(chosen.documents), "--seed", str(chosen.seed), "--scan", str(scan),
                    "--damage", chosen.damage, "--duplicates", "0", "--pages-mean", PAGES_MEAN], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return out


def read(folder, scans):
    done = subprocess.run([f"{BIN}/sohoa", "run", *[scan / "manifest.csv" for scan in scans], "--out", folder / "out"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    if done.returncode not in (0, 3):
        raise SystemExit(f"duplicates: sohoa run ended with {done.returncode}")


def groups_of(folder):
    """What a coordinator says that starts on what the run has stored."""
    os.rename(folder / "out/.sohoa/store", folder / "store")
    with tempfile.TemporaryDirectory() as short:  # a socket's path may not be long
        os.symlink(folder / "store", f"{short}/store")
        here = stand.Stand(short)
        here.start()
        wait("all documents to be compared", lambda: here.api.get("duplicates")["waiting"] == 0)
        found, after = [], ""
        while True:
            page = here.api.get(f"duplicates?limit=500{after}")
            found += page["groups"]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        here.stop()
    return [[member["document"] for member in group["members"]] for group in found], [group["kind"] for group in found]


def rescans(groups, documents):
    """How many documents are in a group with their other scan, and how many groups have others, too."""
    found, wrong = set(), 0
    for group in groups:
        numbers = {number % documents for number in group}
        wrong += len(numbers) > 1
        found |= {number for number in numbers if {number, number + documents} <= set(group)}
    return len(found), wrong


# ---- how words were read ----

def plain(word):
    """As worker/gist.c compares words."""
    letters = unicodedata.normalize("NFD", word.lower()).replace("đ", "d")
    letters = "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
    return "".join(letter for letter in letters if letter.isdigit()) or letters


def words_read(folder):
    """(plain, is sure) of each word of a document."""
    alto = (folder / "alto.xml").read_text()
    read_words = []
    for text, confidence in WORD.findall(alto):
        text = unescape(text, {"&quot;": '"'})
        if plain(text):
            bare = not any(letter.isalpha() for letter in text)
            read_words.append((plain(text), float(confidence) >= (SURE_BARE if bare else SURE)))
    return read_words


def count_words(truth, read_words, counts):
    want = [plain(word) for word in truth.split() if plain(word)]
    matcher = difflib.SequenceMatcher(None, want, [word for word, _ in read_words], autojunk=False)
    right = set()
    for block in matcher.get_matching_blocks():
        right |= set(range(block.b, block.b + block.size))
    for i, (_, sure) in enumerate(read_words):
        counts[i in right, sure] += 1


def reader_faults(folder, scans):
    counts = {(right, sure): 0 for right in (True, False) for sure in (True, False)}
    for record in sorted((folder / "out").rglob("record.json")):
        source = json.loads(record.read_text())["manifest"]["source"]
        for scan in scans:
            if source.startswith(f"{scan}/scans/"):
                truth = scan / "truth" / (os.path.relpath(source, scan / "scans") + ".txt")
                count_words(truth.read_text(), words_read(record.parent), counts)
    right, wrong = counts[True, True] + counts[True, False], counts[False, True] + counts[False, False]
    return {"wrong": wrong / (right + wrong), "wrong_sure": counts[False, True] / max(1, wrong), "right_sure": counts[True, True] / max(1, right)}


# ---- many more ----

def apart(chosen, faults):
    words = [f"--{name.replace('_', '-')}={value:.5f}" for name, value in faults.items()]
    done = subprocess.run([f"{BIN}/bench-duplicates", f"--different={chosen.different}", f"--near={chosen.near}", f"--many={chosen.many}", f"--seed={chosen.seed}", *words],
                          check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(folder, chosen):
    scans = [draw(folder, chosen, scan) for scan in (0, 1)]
    say(f"{chosen.documents} documents were drawn twice")
    read(folder, scans)
    groups, kinds = groups_of(folder)
    found, wrong = rescans(groups, chosen.documents)
    say(f"{found} of them were found again, {kinds.count('scan')} by their pictures, too; {wrong} groups have others")
    faults = reader_faults(folder, scans)
    say("read wrongly: {wrong:.2%} of words, {wrong_sure:.1%} of these surely; {right_sure:.1%} of the others surely".format(**faults))
    more = apart(chosen, faults)
    return {"rescans": chosen.documents, "found": found, "by_picture": kinds.count("scan"), "wrong_groups": wrong,
            "different": more["different"], "false_groups": more["false_groups"],
            "near_misses": more["certificates"] + more["notices"], "false_near": more["false_certificates"] + more["false_notices"],
            "certificates": more["certificates"], "false_certificates": more["false_certificates"],
            "many": more["many"], "bytes_per_document": more["bytes_per_document"], "us_per_add": more["us_per_add"],
            **{name: round(value, 4) for name, value in faults.items()}}


def main(argv):
    chosen = options(argv)
    try:
        if chosen.keep:
            chosen.keep.mkdir(parents=True)
            result = run(chosen.keep.resolve(), chosen)
        else:
            with tempfile.TemporaryDirectory(prefix="duplicates-") as folder:
                result = run(Path(folder), chosen)
    finally:
        stop_all()
    print(json.dumps(result))


main(sys.argv[1:])
