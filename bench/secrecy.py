# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs bench-secrecy on every core, each on its part of the pages, and adds up. Real scans are read where they are at hand
(SOHOA_SCANS, else ../shared/data/scans)."""
import argparse
import glob
import json
import os
import subprocess
import sys

root = sys.argv[1]
parser = argparse.ArgumentParser(prog="bench/secrecy")
parser.add_argument("--pages", type=int, default=2000, help="synthetic pages, every second one with a stamp")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--dump", help="folder for pictures of what went wrong")
asked = parser.parse_args(sys.argv[2:])

scans = sorted(glob.glob(os.path.join(os.environ.get("SOHOA_SCANS", f"{root}/../shared/data/scans"), "*.pdf")))
scans = [] if os.environ.get("SOHOA_SCANS_NONE") else scans
parts = os.cpu_count() or 1
command = [f"{root}/build/release/bin/bench-secrecy", f"--pages={asked.pages}", f"--seed={asked.seed}", f"--parts={parts}"]
if asked.dump:
    os.makedirs(asked.dump, exist_ok=True)
    command.append(f"--dump={asked.dump}")
running = [subprocess.Popen([*command, f"--part={part}", *scans], stdout=subprocess.PIPE) for part in range(parts)]
total = {}
for process in running:
    out, _ = process.communicate()
    if process.returncode:
        sys.exit(f"bench-secrecy ended with {process.returncode}")
    for name, count in json.loads(out).items():
        total[name] = total.get(name, 0) + count


def percent(part, whole):
    return round(100 * part / whole, 2) if whole else None


timed, ms = total.pop("timed"), total.pop("ms")
total["found_percent"] = percent(total["found"], total["stamps"])
total["false_percent"] = percent(total["false_alarms"], total["clean"])
total["ms_per_page"] = round(ms / timed, 2) if timed else None
print(json.dumps(total))
