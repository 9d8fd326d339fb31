# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/plan: the real scheduler and planner over a made-up Hanoi, beside the fluid optimum, FIFO and strict priority.

Needs SOHOA_BIN, the folder of the programs. bench-plan simulates; optimum.py has the bound; README.md tells the method.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

from optimum import optimum

BIN = os.environ["SOHOA_BIN"]
LOADS = (0.90, 0.98, 1.10)
SLOW_PAGES, SLOW_PERCENT, SLOW_TIMES = 2_000_000, 5, 8


def say(text):
    print(f"plan: {text}", file=sys.stderr, flush=True)


def run(*words):
    command = [f"{BIN}/bench-plan", *(str(word) for word in words)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed ({done.returncode})")
    return json.loads(done.stdout)


def city(chosen, load, policy):
    said = run("city", chosen.pages, chosen.seed, load, policy)
    say(f"load {load}, {policy}: {said}")
    return said


def options(argv):
    parser = argparse.ArgumentParser(prog="bench/plan", description=__doc__.split("\n\n")[0])
    parser.add_argument("--pages", type=int, default=94_000_000, metavar="N", help="of the city (94,000,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the city (1)")
    return parser.parse_args(argv)


def main(argv):
    chosen = options(argv)
    ours = {load: city(chosen, load, "ours") for load in LOADS}
    others = {policy: city(chosen, LOADS[-1], policy) for policy in ("fifo", "priority", "deadline")}
    lots = run("lots", chosen.pages, chosen.seed, LOADS[-1])
    least = optimum(lots["lots"], lots["cores"])
    say(f"the fluid optimum at load {LOADS[-1]}: {least:.6g}")
    slow = run("slow", SLOW_PAGES, chosen.seed, SLOW_PERCENT, SLOW_TIMES)
    print(json.dumps({
        "pages": ours[0.90]["pages"],
        "late_share_90": ours[0.90]["late_share"],
        "late_share_98": ours[0.98]["late_share"],
        "tardiness_ratio_110": round(ours[1.10]["tardiness"] / least, 3),
        "deadline_ratio_110": round(others["deadline"]["tardiness"] / least, 1),
        "fifo_ratio_110": round(others["fifo"]["tardiness"] / least, 1),
        "priority_ratio_110": round(others["priority"]["tardiness"] / least, 1),
        "p90_coverage": round(statistics.mean(said["p90_coverage"] for said in ours.values()), 3),
        "p90_coverage_by_load": {str(load): said["p90_coverage"] for load, said in ours.items()},
        "replan_ms": max(said["replan_ms"] for said in ours.values()),
        "makespan_ratio": slow["makespan_ratio"],
        "extra_cpu": slow["extra_cpu"],
    }))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (RuntimeError, OSError) as why:
        sys.exit(f"plan: {why}")
    except KeyboardInterrupt:
        sys.exit("plan: interrupted")
