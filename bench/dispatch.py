# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/dispatch: how many jobs a coordinator admits, grants and commits (store in a folder, Redis with AOF everysec) for workers
that do nothing, beside beanstalkd and BullMQ doing full durable cycles of as many tiny jobs for as many clients; what a page
costs it; and how long a ready worker waits for its job, with few and with very many pages queued.

usage: dispatch.py [--jobs N] [--pages N] [--queued N] [--clients N] [--rounds N] [--folder DIR]
"""
import argparse
import os
import shutil
import statistics
import time
from functools import partial

import queues
import stand
from stand import manifest, result, say

MEAN = 7            # pages a document, as real ones have
RATE = 5000         # jobs a second, where the wait for one is measured
FEW_PAGES = 10000
ROUND_S = 8         # of that


def flat_out(folder, path, clients, window):
    """From the first byte of the manifest to the last document's end, all of it durable; the coordinator's CPU in it."""
    bench = stand.Stand(folder)
    bench.start()
    workers = bench.noop(f"--workers={clients}", f"--window={window}")
    began, cpu_s = time.monotonic(), bench.cpu_s()
    bench.admit("flat", path)
    while bench.api.get("batches/flat")["state"] == "running" or not bench.settled("flat"):
        time.sleep(0.02)
    seconds, cpu_s = time.monotonic() - began, bench.cpu_s() - cpu_s
    workers.terminate()
    jobs = result(workers)["jobs"]
    batch = bench.api.get("batches/flat")
    if batch["documents"]["stored"] != batch["documents"]["total"]:
        raise RuntimeError(f"not everything was stored: {batch}")
    bench.stop()
    shutil.rmtree(folder)
    return {"jobs_per_s": jobs / seconds, "pages_per_s": batch["pages"]["stored"] / seconds,
            "cpu_us_per_page": cpu_s / batch["pages"]["stored"] * 1e6, "seconds": seconds, "jobs": jobs}


class Waits:
    """How long ready workers wait on one coordinator, whose queue is kept at its length."""

    def __init__(self, folder, clients, path, documents):
        self.bench, self.clients, self.rounds = stand.Stand(folder), clients, []
        self.path, self.documents, self.admitted = path, documents, 0
        self.bench.start()
        self.fill()

    def fill(self):
        if self.bench.api.get("status")["documents"]["open"] < self.documents:
            self.bench.admit(f"waits-{self.admitted}", self.path)
            self.admitted += 1

    def round(self):
        workers = self.bench.noop(f"--workers={self.clients}", f"--rate={RATE}", f"--seconds={ROUND_S}")
        while workers.poll() is None:
            self.fill()
            time.sleep(0.1)
        seen = result(workers)
        if seen["jobs"] < RATE * ROUND_S * 0.9:
            raise RuntimeError(f"{seen['jobs']} of {RATE * ROUND_S} jobs in {ROUND_S} s")
        self.rounds.append(seen["delay_p99_ms"])

    def p99_ms(self):
        return statistics.median(self.rounds)


def waits(folder, options):
    """Rounds by turns on two coordinators: what else the machine does hits both."""
    say(f"admitting {options.queued} pages")
    few = Waits(f"{folder}/few", options.clients, manifest(folder, FEW_PAGES, MEAN), FEW_PAGES // MEAN)
    many = Waits(f"{folder}/many", options.clients, manifest(folder, options.queued, MEAN), 1)
    for number in range(options.rounds):
        few.round()
        many.round()
        say(f"round {number + 1} of {options.rounds}: a ready worker waits {few.rounds[-1]:.2f} and "
            f"{many.rounds[-1]:.2f} ms at most, 99 times of 100")
    few.bench.stop()
    many.bench.stop()
    return few.p99_ms(), many.p99_ms()


def measure(options, folder):
    one = flat_out(f"{folder}/one", manifest(folder, options.jobs, 1), options.clients, options.window)
    say(f"one page a job: {one['jobs_per_s']:.0f} jobs/s, {one['cpu_us_per_page']:.2f} us of the coordinator's CPU each")
    ranges = flat_out(f"{folder}/ranges", manifest(folder, options.pages, MEAN), options.clients, options.window)
    say(f"{MEAN} pages a document: {ranges['pages_per_s']:.0f} pages/s in {ranges['jobs_per_s']:.0f} jobs/s, "
        f"{ranges['cpu_us_per_page']:.2f} us a page")
    peers = {}
    for name, run in (("beanstalkd", partial(queues.beanstalkd, stand.BIN)), ("bullmq", queues.bullmq)):
        seen = run(os.path.join(folder, name), options.jobs, options.clients, "unix")
        peers[name] = round(seen["jobs_per_s"])
        say(f"{name}: {peers[name]} jobs/s")
    few_ms, many_ms = waits(folder, options)
    return {"pages_per_s": round(ranges["pages_per_s"]), "jobs_per_s": round(one["jobs_per_s"]), "peers": peers,
            "ratio": round(one["jobs_per_s"] / max(peers.values()), 2),
            "cpu_us_per_page": round(ranges["cpu_us_per_page"], 2),
            "cpu_us_per_page_alone": round(one["cpu_us_per_page"], 2),
            "grant_p99_ms": round(few_ms, 3), "grant_p99_ms_94m": round(many_ms, 3),
            "grant_ratio": round(many_ms / few_ms, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=400000, help="of one page, for us and for the peers")
    parser.add_argument("--pages", type=int, default=4000000, help="in ranges")
    parser.add_argument("--queued", type=int, default=94000000, help="pages in the long queue")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--window", type=int, default=1024, help="jobs of a client that are not acknowledged, at most")
    parser.add_argument("--rounds", type=int, default=5, help="of waits, on either side")
    parser.add_argument("--folder", help="for stores and manifests: 4 GB [a temporary one]")
    options = parser.parse_args()
    stand.run("dispatch", options.folder, lambda folder: measure(options, folder))


if __name__ == "__main__":
    main()
