# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/soak: an hour's worth of traffic, and what memory coordinator, Redis and a worker have on the way. The coordinator and its
Redis: the same documents are run again and again by workers that do nothing, 5,000 jobs for each second of the hour. The worker, a
real one with real slots: small sources that the store has the results of, as many as one node of 32 cores reads in an hour.

usage: soak.py [--hours H] [--folder DIR]
"""
import argparse
import json
import os
import shutil
import statistics
import time

import stand
from cluster import Process, backlog, wait
from stand import manifest, result, say

JOBS_A_SECOND = 5000     # of a cluster
NODE_JOBS_A_SECOND = 4   # of one worker: 32 cores, 7 pages a document, a second a page
PAGES, MEAN = 300000, 7  # of the batch that is run again and again; of a document
WORKERS = 8
SOURCES = 20


def growth(samples):
    """From the mean of the second quarter, when all is warm, to that of the last one: in percent."""
    quarter = max(1, len(samples) // 4)
    warm, last = samples[quarter:2 * quarter] or samples, samples[-quarter:]
    return round((statistics.mean(last) / statistics.mean(warm) - 1) * 100, 2)


def redis_bytes(bench):
    fields = dict(line.split(":", 1) for line in bench.redis.command("INFO", "memory").splitlines() if ":" in line)
    return int(fields["used_memory"]), stand.memory_bytes(bench.redis.process.child.pid)


def coordinator(folder, jobs):
    bench = stand.Stand(os.path.join(folder, "stand"))
    bench.start()
    workers = bench.noop(f"--workers={WORKERS}")
    bench.admit("soak", manifest(folder, PAGES, MEAN))
    own, redis, redis_rss, done, began = [], [], [], 0, time.monotonic()
    while done < jobs:
        wait("a round to end", lambda: bench.api.get("batches/soak")["state"] == "finished", 120)
        batch = bench.api.get("batches/soak")
        done += batch["documents"]["total"]
        own.append(bench.rss_bytes())
        used, rss = redis_bytes(bench)
        redis.append(used)
        redis_rss.append(rss)
        rate = done / (time.monotonic() - began)
        say(f"{done} of {jobs} documents, {rate:.0f}/s, {max(jobs - done, 0) / rate:.0f} s to go: coordinator "
            f"{own[-1] / 1e6:.1f} MB, Redis {used / 1e6:.1f} MB")
        bench.api.post("batches/soak/rerun", json.dumps({"where": "state=stored"}))
    workers.terminate()
    result(workers)
    bench.stop()
    return {"documents": done, "coordinator_bytes": own[-1], "coordinator_growth_percent": growth(own),
            "redis_bytes": redis[-1], "redis_growth_percent": growth(redis), "redis_rss_growth_percent": growth(redis_rss)}


def worker(folder, jobs):
    sources, _ = backlog(folder, "--documents", str(SOURCES), "--pages-mean", "1", "--formats", "pdf", "--seed", "3",
                         "--duplicates", "0")
    bench = stand.Stand(os.path.join(folder, "stand"))
    bench.start()
    program = Process("worker", [f"{stand.BIN}/sohoa-worker", "--name=real", f"--store=dir:{bench.folder}/store",
                                 f"--connect={bench.endpoint}", "--log=warn"], folder, {"OMP_THREAD_LIMIT": "1"})
    program.start()
    lines = "".join(json.dumps({"source": source, "pages": 1}) + "\n" for source in sources)
    bytes_, done, number = [], 0, 0
    while done < jobs:
        bench.api.post(f"batches?id=soak-{number}", lines)
        wait("a batch to end", lambda: bench.api.get(f"batches/soak-{number}")["state"] == "finished", 300)
        done, number = done + len(sources), number + 1
        bytes_.append(stand.memory_bytes(program.child.pid))
        if number % 50 == 0:
            say(f"{done} of {jobs} documents through a real worker: {bytes_[-1] / 1e6:.1f} MB")
    program.kill(15)
    bench.stop()
    return {"worker_documents": done, "worker_bytes": bytes_[-1], "worker_growth_percent": growth(bytes_)}


def measure(options, folder):
    seen = coordinator(folder, int(JOBS_A_SECOND * 3600 * options.hours))
    shutil.rmtree(os.path.join(folder, "stand"))
    return {**seen, **worker(folder, int(NODE_JOBS_A_SECOND * 3600 * options.hours))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--folder", help="for stores and manifests: 6 GB an hour [a temporary one]")
    options = parser.parse_args()
    stand.run("soak", options.folder, lambda folder: measure(options, folder))


if __name__ == "__main__":
    main()
