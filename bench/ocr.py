# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/ocr: the same scans through Sohoa, tesseract and OCRmyPDF, on one core: what a page costs, and how well it is read.

Needs SOHOA_BIN, the folder of the programs. Flow: find the documents, deal them into groups, let each reader read group after
group, score what has truth, report. README.md tells the method.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import figures
import readers
from readers import Document, Reading

# Of --synthetic: share of the pages, options of bench/scans. More is drawn than read, as documents differ in length.
SYNTHETIC = {"clean": ("--damage", "none"), "damaged": ("--damage", "mixed")}
SYNTHETIC_FEWEST = 2       # pages a document at the least, in the mean
SYNTHETIC_ROTATED = "10"   # percent


def say(text):
    print(f"ocr: {text}", file=sys.stderr, flush=True)


def options(argv):
    parser = argparse.ArgumentParser(prog="bench/ocr", description=__doc__.split("\n\n")[0])
    parser.add_argument("dir", metavar="DIR", type=Path, nargs="?", help="a folder of scans, or of scans/ and truth/ beneath it")
    parser.add_argument("--truth", type=Path, metavar="DIR", help="what bench/scans wrote of DIR")
    parser.add_argument("--synthetic", type=int, metavar="N", help="instead of DIR: N new pages, half of them damaged")
    parser.add_argument("--seed", type=int, default=1, help="of --synthetic (1)")
    parser.add_argument("--peers", default="tesseract,ocrmypdf", metavar="LIST", help="of tesseract, ocrmypdf (both); '' for none")
    parser.add_argument("--pages", type=int, metavar="N", help="stop choosing documents at N pages")
    parser.add_argument("--groups", type=int, default=4, metavar="N", help="runs of sohoa, with the peers' between them (4)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), metavar="N", help="the core to run on")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave what was made and read in DIR, a new folder")
    parser.add_argument("--json", action="store_true", help="no table on stdout")
    chosen = parser.parse_args(argv)
    chosen.peers = [name for name in chosen.peers.split(",") if name]
    for name in chosen.peers:
        if name not in readers.PEERS:
            parser.error(f"--peers: there is no '{name}'")
    if (chosen.dir is None) == (chosen.synthetic is None):
        parser.error("either DIR or --synthetic N")
    if chosen.truth and chosen.synthetic is not None:
        parser.error("--synthetic has its own truth")
    for name in ("synthetic", "pages", "groups"):
        if getattr(chosen, name) is not None and getattr(chosen, name) < 1:
            parser.error(f"--{name} is at least 1")
    if chosen.core not in os.sched_getaffinity(0):
        parser.error(f"--core: there is no core {chosen.core} here")
    if chosen.dir and not chosen.dir.is_dir():
        parser.error(f"there is no folder '{chosen.dir}'")
    if chosen.keep and chosen.keep.exists():
        parser.error(f"--keep: '{chosen.keep}' is there already")
    return chosen


# ---- what is to be read ----

def documents_of(scans, truth, prefix=""):
    """The scans under a folder, by name. Other files and copies of earlier scans are left out."""
    known = (truth / "pages.tsv").exists() if truth else False
    seen, found = set(), []
    for path in sorted(path for path in scans.rglob("*") if path.is_file()):
        pages = readers.page_count(path)
        digest = hashlib.sha256(path.read_bytes()).digest()
        if pages and digest not in seen:
            file = path.relative_to(scans).as_posix()
            seen.add(digest)
            found.append(Document(prefix + file, file, path, pages, truth if known else None))
    return found


def up_to(documents, pages):
    """Documents until there are that many pages, in an order that favours no name."""
    chosen, total = [], 0
    for document in sorted(documents, key=lambda d: hashlib.sha256(d.file.encode()).digest()):
        if total < pages:
            chosen.append(document)
            total += document.pages
    return sorted(chosen, key=lambda d: d.key)


def synthesize(programs, pages, seed, folder):
    folder.mkdir()
    found = []
    for number, (name, option) in enumerate(SYNTHETIC.items()):
        part = (pages + 1 - number) // len(SYNTHETIC)
        say(f"draws about {part} {name} pages")
        subprocess.run([programs / "bench-scans", "--out", folder / name, *option, "--seed", str(seed + number), "--blank", "0",
                        "--documents", str(max(part // SYNTHETIC_FEWEST, 1)), "--duplicates", "0", "--rotated", SYNTHETIC_ROTATED],
                       check=True, stdout=subprocess.DEVNULL)
        found += up_to(documents_of(folder / name / "scans", folder / name / "truth", name + "/"), part)
    return found


def choose(chosen, programs, folder):
    if chosen.synthetic is not None:
        found = synthesize(programs, chosen.synthetic, chosen.seed, folder / "synthetic")
    else:
        below = (chosen.dir / "scans").is_dir() and (chosen.dir / "truth").is_dir()
        scans = chosen.dir / "scans" if below else chosen.dir
        found = documents_of(scans, chosen.truth or (chosen.dir / "truth" if below else None))
    return up_to(found, chosen.pages) if chosen.pages else found


def deal(documents, groups):
    """Groups of about as many pages each."""
    group = [[] for _ in range(min(groups, len(documents)))]
    for document in sorted(documents, key=lambda d: (-d.pages, d.key)):
        min(group, key=lambda g: sum(d.pages for d in g)).append(document)
    return group


# ---- reading ----

def peers_read(chosen, document, folder, into):
    """Every peer on this document; what it cost goes into {peer: {key: Reading}}."""
    for name in chosen.peers:
        place = folder / name
        place.mkdir(parents=True)
        peer = readers.PEERS[name]
        given = peer.prepare(document, place)
        reading = peer.run(document, given, place, chosen.core)
        into[name][document.key] = reading
        say(f"{name}: {document.key}: " + (reading.failed.get(document.key) or
            f"{document.pages} pages, {reading.cpu_s / document.pages:.2f} s of CPU a page"))
        if not chosen.keep:
            for path in place.iterdir():
                path.unlink()


def read(chosen, programs, documents, folder):
    """{reader: Reading} over the documents that all of them read, and {reader: {document: why}} of the others."""
    sohoa, ours, theirs = readers.Sohoa(programs), Reading(), {name: {} for name in chosen.peers}
    groups = deal(documents, chosen.groups)
    for number, group in enumerate(groups, 1):
        say(f"group {number} of {len(groups)}: {len(group)} documents, {sum(d.pages for d in group)} pages")
        for place, document in enumerate(group):
            peers_read(chosen, document, folder / f"{number}" / f"{place}", theirs)
        fit = [d for d in group if not any(theirs[name][d.key].failed for name in chosen.peers)]
        if fit:
            (folder / f"{number}" / "sohoa").mkdir(parents=True)
            reading = sohoa.run(fit, folder / f"{number}" / "sohoa", chosen.core)
            ours.add(reading)
            pages = sum(d.pages for d in fit)
            say(f"sohoa: {len(fit)} documents: {pages} pages, {reading.cpu_s / pages:.2f} s of CPU a page")
    failed = {"sohoa": ours.failed, **{name: {k: why for r in theirs[name].values() for k, why in r.failed.items()}
                                      for name in chosen.peers}}
    out = {key for why in failed.values() for key in why}
    sums = {"sohoa": ours}
    for name in chosen.peers:
        sums[name] = Reading()
        for key, reading in theirs[name].items():
            if key not in out:
                sums[name].add(reading)
    return sums, failed


def measure(chosen, programs, folder):
    documents = choose(chosen, programs, folder)
    if not documents:
        raise RuntimeError(f"there are no scans in {chosen.dir}")
    sums, failed = read(chosen, programs, documents, folder / "read")
    out = {key for why in failed.values() for key in why}
    kept = [d for d in documents if d.key not in out]
    if not kept:
        raise RuntimeError(f"no document was read by all: {failed}")
    return figures.figures(kept, sums, failed), figures.by_damage(kept, sums)


def main(argv):
    chosen = options(argv)
    absent = readers.missing(chosen.peers)
    programs = Path(os.environ.get("SOHOA_BIN", "build/release/bin")).resolve()
    if absent:
        raise RuntimeError(f"not installed: {', '.join(absent)} (deploy/deps bench)")
    if chosen.keep:
        chosen.keep.mkdir(parents=True)
        found, damage = measure(chosen, programs, chosen.keep.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="sohoa-ocr-") as folder:
            found, damage = measure(chosen, programs, Path(folder))
    print(figures.table(found, damage, chosen.peers), file=sys.stderr if chosen.json else sys.stdout)
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (RuntimeError, OSError, subprocess.CalledProcessError) as why:
        sys.exit(f"ocr: {why}")
    except KeyboardInterrupt:
        sys.exit("ocr: interrupted")
