# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/grade: whether the error that Sohoa expects of a page, and the grade it gives, follow the real one.

Needs SOHOA_BIN, the folder of the programs. Flow: draw scans with truth, read them with `sohoa run`, compare. README.md tells
the method.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import figures
import ocr
import readers
import score

PAGES_MEAN = 3             # printed pages of a PDF or TIFF
DRAWN_PAGES = 2            # pages that a document has at the least, in the mean: a JPEG or PNG has one
TABLE = ("pages", "cer_mean", "cer_most", "cer_body_mean", "cer_body_most")


def say(text):
    print(f"grade: {text}", file=sys.stderr, flush=True)


def options(argv):
    parser = argparse.ArgumentParser(prog="bench/grade", description=__doc__.split("\n\n")[0])
    parser.add_argument("--pages", type=int, default=100, metavar="N", help="about as many pages (100)")
    parser.add_argument("--seed", type=int, default=921, help="of the scans (921): none that the formula was fitted on")
    parser.add_argument("--damage", default="mixed", choices=("none", "light", "mixed", "heavy"), help="(mixed)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), metavar="N", help="the core to run on")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave what was made and read in DIR, a new folder")
    chosen = parser.parse_args(argv)
    if chosen.pages < 1:
        parser.error("--pages is at least 1")
    if chosen.core not in os.sched_getaffinity(0):
        parser.error(f"--core: there is no core {chosen.core} here")
    if chosen.keep and chosen.keep.exists():
        parser.error(f"--keep: '{chosen.keep}' is there already")
    return chosen


def draw(chosen, programs, folder):
    say(f"draws about {chosen.pages} pages")
    subprocess.run([programs / "bench-scans", "--out", folder, "--damage", chosen.damage, "--seed", str(chosen.seed),
                    "--documents", str(max(chosen.pages // DRAWN_PAGES, 1)), "--pages-mean", str(PAGES_MEAN), "--blank", "0",
                    "--duplicates", "0"], check=True, stdout=subprocess.DEVNULL)
    return ocr.up_to(ocr.documents_of(folder / "scans", folder / "truth"), chosen.pages)


def by_grade(pages):
    """{grade: {figure: value}}; pages is [(row, record, tally)]."""
    found = {}
    for grade in sorted({record["grade"] for _, record, _ in pages}):
        tallies = [tally for _, record, tally in pages if record["grade"] == grade]
        rates = [tally.rate() for tally in tallies]
        body = [rate for rate in (tally.rate("body") for tally in tallies) if rate is not None]
        found[grade] = {"pages": len(rates), "cer_mean": statistics.fmean(rates), "cer_most": max(rates),
                        "cer_body_mean": statistics.fmean(body) if body else None, "cer_body_most": max(body, default=None)}
    return found


def correlation(pages, *parts):
    return score.spearman([(record["error_expected"], tally.rate(*parts)) for _, record, tally in pages
                           if tally.rate(*parts) is not None])


def compare(scored):
    """Figures of the pages of which something was read; nothing is expected of the others."""
    pages = [(row, record, found["sohoa"]["cer"]) for row, record, found in scored if record.get("grade")]
    upright = [page for page in pages if figures.page_class(page[0]) != "rotated"]
    return {"pages": len(pages), "unread": len(scored) - len(pages), "spearman": correlation(pages),
            "spearman_body": correlation(pages, "body"), "spearman_not_rotated": correlation(upright),
            "spearman_body_not_rotated": correlation(upright, "body"),
            "expected_mean": statistics.fmean(record["error_expected"] for _, record, _ in pages) if pages else None,
            "cer_mean": statistics.fmean(tally.rate() for _, _, tally in pages) if pages else None,
            "grades": by_grade(pages)}


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return round(value, 5) if isinstance(value, float) else value


def table(found):
    lines = ["grade" + "".join(f"{name:>15}" for name in TABLE)]
    for grade, row in found["grades"].items():
        cells = ["-" if row[name] is None else str(row[name]) if name == "pages" else f"{row[name]:.2%}" for name in TABLE]
        lines.append(f"{grade:<5}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines + [f"{name}: {value}" for name, value in found.items() if name != "grades"])


def measure(chosen, programs, folder):
    documents = draw(chosen, programs, folder / "synthetic")
    pages = sum(document.pages for document in documents)
    say(f"reads {len(documents)} documents, {pages} pages")
    (folder / "read").mkdir()
    reading = readers.Sohoa(programs).run(documents, folder / "read", chosen.core)
    for key, why in reading.failed.items():
        say(f"{key} failed: {why}")
    kept = [document for document in documents if document.key not in reading.failed]
    return {"seed": chosen.seed, **compare(figures.scores(kept, {"sohoa": reading}))}


def main(argv):
    chosen = options(argv)
    programs = Path(os.environ.get("SOHOA_BIN", "build/release/bin")).resolve()
    if chosen.keep:
        chosen.keep.mkdir(parents=True)
        found = measure(chosen, programs, chosen.keep.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="sohoa-grade-") as folder:
            found = measure(chosen, programs, Path(folder))
    found = rounded(found)
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (RuntimeError, OSError, subprocess.CalledProcessError) as why:
        sys.exit(f"grade: {why}")
    except KeyboardInterrupt:
        sys.exit("grade: interrupted")
