# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/store: our store beside `rados bench`, our commits beside plain Redis commands, and Redis with 94 million pages.

Needs SOHOA_BIN, the folder of the programs. Flow: a private Ceph, each size in rounds of ours and theirs; a private Redis,
each order of commits in rounds; one fill; report. bench-store measures, README.md tells the method.
"""
import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import cluster  # noqa: E402

RESULTS = {16 << 10: "alto", 64 << 10: "bundle", 1 << 20: "pdf"}  # bytes: which result is about that large
POOL = "sohoa-data"
RUN = "bench-store"          # what rados bench calls its blobs
TRIAL_SECONDS = 2            # how fast this Ceph is, and to warm it up
MOST_BYTES = 1 << 30         # of one side, at a time
OSD_BYTES = 8 << 30          # sparse; a full Ceph hangs
ORDERS = ("near", "scattered")
COMMITS = ("script", "setbit", "bitfield")
BACKLOG_PAGES, BACKLOG_BATCHES = 94_000_000, 700


def say(text):
    print(f"store: {text}", file=sys.stderr, flush=True)


def options(argv):
    parser = argparse.ArgumentParser(prog="bench/store", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of which the median counts (5)")
    parser.add_argument("--seconds", type=int, default=3, metavar="N", help="about so long takes one measurement (3)")
    parser.add_argument("--threads", type=int, default=16, metavar="N", help="blobs under way at a time (16)")
    parser.add_argument("--port", type=int, default=3600, help="of Ceph's monitor (3600)")
    chosen = parser.parse_args(argv)
    for name in ("rounds", "seconds", "threads"):
        if getattr(chosen, name) < 1:
            parser.error(f"--{name} is at least 1")
    return chosen


def output(*command):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(str(word) for word in command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def measure(*words):
    """One run of bench-store: what it counted, a second, and all it said."""
    said = json.loads(output(f"{cluster.BIN}/bench-store", *words))
    return said["done"] / said["seconds"] if "done" in said else None, said


# ---- the store ----

class Ours:
    def __init__(self, conf, threads):
        self.url, self.threads = f"rados:{conf}", threads

    def run(self, what, size, count, *more):
        return measure(what, self.url, RESULTS[size], size, self.threads, count, *more)[0]

    def write(self, size, count):
        return self.run("write", size, count)

    def read(self, size, count, seconds):
        return self.run("read", size, count, seconds)

    def remove(self, size, count):
        self.run("remove", size, count)


class Rados:
    """Debian's `rados bench`."""

    def __init__(self, conf, threads):
        self.base, self.threads = ("rados", "-c", conf, "-p", POOL), threads

    def bench(self, seconds, *words):
        said = output(*self.base, "bench", seconds, *words, "-t", self.threads, "--run-name", RUN)
        done = int(re.search(r"^Total (?:writes|reads) made: +(\d+)", said, re.M)[1])
        return done, done / float(re.search(r"^Total time run: +([\d.]+)", said, re.M)[1])

    def write(self, size, count):
        done, rate = self.bench(600, "write", "-b", size, "--no-cleanup", "--max-objects", count)
        if done != count:
            raise RuntimeError(f"rados bench wrote {done} of {count} objects")
        return rate

    def read(self, _size, _count, seconds):
        """Without its check of what it reads, which would cost it time."""
        return self.bench(seconds, "rand", "--no-verify")[1]

    def remove(self, _size, _count):
        output(*self.base, "cleanup", "--run-name", RUN)

    def trial(self, size):
        """Blobs a second, roughly."""
        rate = self.bench(TRIAL_SECONDS, "write", "-b", size, "--no-cleanup")[1]
        self.remove(size, 0)
        return rate


def one_round(sides, size, count, seconds, rates):
    for what in ("write", "read"):
        for name, side in sides:
            rate = side.write(size, count) if what == "write" else side.read(size, count, seconds)
            rates[what][name].append(rate)
            say(f"{size} bytes, {what}, {name}: {rate:.0f}/s")
    for _, side in sides:
        side.remove(size, count)


def beside(ours, theirs, key):
    """Medians, and that of the ratios of each round."""
    return {"ours_per_s": round(statistics.median(ours)), key: round(statistics.median(theirs)),
            "ratio": round(statistics.median(a / b for a, b in zip(ours, theirs)), 3)}


def store_compare(chosen, conf):
    sides = [("ours", Ours(conf, chosen.threads)), ("rados bench", Rados(conf, chosen.threads))]
    report = {"write": {}, "read": {}}
    for size in RESULTS:
        count = max(int(sides[1][1].trial(size) * chosen.seconds), 2 * chosen.threads)
        count = min(count, MOST_BYTES // size)
        rates = {what: {name: [] for name, _ in sides} for what in report}
        for number in range(chosen.rounds):
            one_round(sides[::-1] if number % 2 else sides, size, count, chosen.seconds, rates)
        for what in report:
            report[what][str(size)] = beside(rates[what]["ours"], rates[what]["rados bench"], "rados_per_s")
    return report


def store_report(chosen, folder):
    conf = output(ROOT / "tests/lib/ceph", "up", folder, "--port", chosen.port, "--osd-bytes", OSD_BYTES).strip()
    try:
        return store_compare(chosen, conf)
    finally:
        output(ROOT / "tests/lib/ceph", "down", folder)


# ---- Redis ----

def info(redis, section):
    return dict(line.split(":", 1) for line in redis.command("INFO", section).splitlines() if ":" in line)


def aof_rewrite(redis):
    redis.command("BGREWRITEAOF")
    cluster.wait("the AOF to be rewritten", lambda: info(redis, "persistence")["aof_rewrite_in_progress"].strip() == "0"
                 and info(redis, "persistence")["aof_rewrite_scheduled"].strip() == "0")


def commit_rate(redis, order, kind, seconds):
    """Pages and commands (ours: ranges) a second, into an empty Redis."""
    redis.command("FLUSHALL")
    aof_rewrite(redis)
    pages, said = measure("commit", redis.socket, kind, order, seconds)
    say(f"commits, {order}, {kind}: {pages:.0f} pages/s")
    return pages, pages if kind == "setbit" else said["ranges"] / said["seconds"]


def commits_compare(chosen, redis, order):
    rates = {kind: [] for kind in COMMITS}
    for number in range(chosen.rounds):
        for kind in COMMITS[::-1] if number % 2 else COMMITS:
            rates[kind].append(commit_rate(redis, order, kind, chosen.seconds))
    report = {}
    for kind, rounds in rates.items():
        report[kind] = {"pages_per_s": round(statistics.median(pages for pages, _ in rounds)),
                        "ops_per_s": round(statistics.median(ops for _, ops in rounds))}
    for kind in COMMITS[1:]:
        report[f"ratio_{kind}"] = round(
            statistics.median(ours / plain for (ours, _), (plain, _) in zip(rates["script"], rates[kind])), 3)
    return report


def backlog_bytes(redis):
    redis.command("FLUSHALL")
    _, said = measure("fill", redis.socket, BACKLOG_PAGES, BACKLOG_BATCHES)
    aof_rewrite(redis)
    return {"redis_bytes_94m": int(info(redis, "memory")["used_memory"]),
            "redis_aof_bytes_94m": int(info(redis, "persistence")["aof_current_size"]), "dead_94m": said["dead"]}


def redis_report(chosen, folder):
    redis = cluster.Redis(folder)
    redis.start()
    redis.command("CONFIG", "SET", "auto-aof-rewrite-percentage", "0")  # it would run while the next one is measured
    report = {"commits": {order: commits_compare(chosen, redis, order) for order in ORDERS}}
    say("filling Redis")
    return {**report, **backlog_bytes(redis)}


def main(argv):
    chosen = options(argv)
    with tempfile.TemporaryDirectory(prefix="sohoa-bench-store-") as folder:
        report = store_report(chosen, f"{folder}/ceph")
        report["ratio"] = min(row["ratio"] for what in ("write", "read") for row in report[what].values())
        try:
            report.update(redis_report(chosen, folder))
        finally:
            cluster.stop_all()
    print(json.dumps(report))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (RuntimeError, OSError, AssertionError, subprocess.CalledProcessError) as why:
        sys.exit(f"store: {why}")
    except KeyboardInterrupt:
        sys.exit("store: interrupted")
