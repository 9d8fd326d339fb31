# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/month: a ledger of a month's work in 30 districts and 526 communes, and a coordinator that starts with it: how long reports take,
whether they say what was written, and what the weekly one is as PDF (its pages are left in --out as pictures, too).

usage: month.py [--days N] [--documents N] [--folder DIR] [--out DIR]
"""
import argparse
import glob
import json
import os
import statistics
import subprocess
import time

import stand
from cluster import BIN, fail, wait
from stand import say

CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-pdf-header-footer",
            "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def timed(call, times=10):
    took = []
    for _ in range(times):
        began = time.monotonic()
        call()
        took.append((time.monotonic() - began) * 1000)
    return took


def pdf(folder, name):
    page, out = os.path.join(folder, f"{name}.html"), os.path.join(folder, f"{name}.pdf")
    subprocess.run([*CHROMIUM, f"--user-data-dir={folder}/chromium", f"--print-to-pdf={out}", f"file://{page}"], check=True, capture_output=True)
    subprocess.run(["pdftoppm", "-r", "60", "-png", out, os.path.join(folder, name)], check=True)
    return len(glob.glob(os.path.join(folder, f"{name}-*.png")))


def measure(options, folder):
    bench = stand.Stand(folder)
    written = json.loads(subprocess.run([f"{BIN}/bench-month", f"dir:{folder}/store", str(options.days), str(options.documents)], check=True,
                                        capture_output=True, text=True).stdout)
    say(f"written: {written}")
    began = time.monotonic()
    bench.start()
    start_s = time.monotonic() - began
    api = bench.api
    wait("the units", lambda: len(api.get("units")["units"]) == written["units"], 60)
    days = ["--from", time.strftime("%Y-%m-%d", time.gmtime(time.time() - (options.days + 1) * 86400))]
    run = lambda *words: subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{bench.http}", "report", *words], check=True, capture_output=True, text=True).stdout  # noqa: E731
    month = json.loads(run(*days, "--json"))
    if month["all"]["documents"] != written["documents"] - written["refused"] or month["all"]["pages"] != written["pages"] or month["all"]["a4"] != written["a4"]:
        fail(f"the report says {month['all']}, written was {written}")
    took = timed(lambda: api.get(f"reports?from={month['from']}&to={month['to']}"))
    out = os.path.abspath(options.out or folder)
    os.makedirs(out, exist_ok=True)
    for lang in ("vi", "en"):
        run("--html", os.path.join(out, f"week-{lang}.html"), "--csv", os.path.join(out, f"week-{lang}.csv"), "--lang", lang)
    pages = pdf(out, "week-vi")
    return {**written, "days": options.days, "start_s": round(start_s, 2), "report_p50_ms": round(statistics.median(took), 1), "report_max_ms": round(max(took), 1),
            "week_pdf_pages": pages}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--folder", help="for the store [a temporary one]")
    parser.add_argument("--out", help="for the reports [in the store's]")
    options = parser.parse_args()
    stand.run("month", options.folder, lambda folder: measure(options, folder))


if __name__ == "__main__":
    main()
