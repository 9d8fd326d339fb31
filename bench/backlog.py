# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/backlog: a backlog of very many pages in a real coordinator: how long its admission takes and how much memory, and what
a kill -9 costs: until the first job goes out again, and whether any job that a worker holds goes out twice.

With --done a share of the pages is read (by workers that do nothing) before all that.

usage: backlog.py [--pages N] [--mean PAGES-A-DOCUMENT] [--done SHARE] [--hold JOBS] [--folder DIR]
"""
import argparse
import os
import time

import stand
from cluster import wait
from stand import manifest, result, say

WORKERS = 8


def admit(bench, path):
    """Seconds, and how long it took until the first job went out."""
    size, began = os.path.getsize(path), time.monotonic()
    first = []

    def each(sent):
        leases = sum(worker["leases"] for worker in bench.api.get("status")["workers"]) if not first else 0
        if leases and not first:
            first.append(time.monotonic() - began)
        rate = sent / (time.monotonic() - began)
        say(f"admitted {sent >> 20} of {size >> 20} MiB, {rate / 1e6:.0f} MB/s, {(size - sent) / rate:.0f} s to go")

    batch = bench.admit("backlog", path, each)
    return time.monotonic() - began, first[0] if first else None, batch


def hold(bench, jobs):
    """Workers that take jobs and keep them."""
    return bench.noop(f"--workers={WORKERS}", f"--hold={jobs // WORKERS}")


def read(bench, pages):
    """So many pages at least."""
    workers, began, stored = bench.noop(f"--workers={WORKERS}", "--window=1024"), time.monotonic(), 0
    while stored < pages:
        time.sleep(1)
        stored = bench.api.get("batches/backlog")["pages"]["stored"]
        rate = stored / (time.monotonic() - began)
        say(f"{stored} of {pages} pages read, {rate:.0f}/s, {max(pages - stored, 0) / max(rate, 1):.0f} s to go")
    workers.terminate()
    result(workers)
    return stored


def leases(bench):
    status = bench.api.try_get("status")
    return sum(worker["leases"] for worker in status["workers"]) if status else 0


def measure(options, folder):
    path = manifest(folder, options.pages, options.mean)
    bench = stand.Stand(os.path.join(folder, "stand"))
    bench.start()
    workers = hold(bench, options.hold)
    try:
        admit_s, first_s, batch = admit(bench, path)
        stored = 0
        if options.done:
            workers.terminate()
            result(workers)
            stored = read(bench, int(options.pages * options.done))
            workers = hold(bench, options.hold)
        held = options.hold // WORKERS * WORKERS
        wait("the workers to hold their jobs", lambda: leases(bench) == held, 30)
        rss, peak = bench.rss_bytes(), bench.rss_bytes("VmHWM")
        say(f"{batch['documents']['total']} documents in {admit_s:.1f} s, the first job went out after {first_s or 0:.2f} s; "
            f"{rss >> 20} MiB, at most {peak >> 20}")
        bench.coordinator.kill()
        killed = time.monotonic()
        bench.start_coordinator()
        again = WORKERS * 100
        wait("jobs to go out again", lambda: leases(bench) >= held + again, 60)
        workers.terminate()
        seen = result(workers)
    finally:
        workers.kill()
    if batch["documents"]["total"] != bench.api.get("batches/backlog")["documents"]["total"]:
        raise RuntimeError("the restart lost documents")
    if seen["held"] != held or seen["granted_again"] < again:
        raise RuntimeError(f"the workers did not hold what they should: {seen}")
    return {"pages": options.pages, "documents": batch["documents"]["total"], "admit_s": round(admit_s, 2),
            "first_grant_s": first_s and round(first_s, 3), "rss_bytes": rss, "rss_peak_bytes": peak,
            "restart_to_first_grant_s": round(seen["first_again_us"] / 1e6 - killed, 3),
            "rss_restarted_bytes": bench.rss_bytes(), "held": seen["held"], "dropped": seen["dropped"],
            "double_grants": seen["granted_twice"], "pages_stored": stored}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=94000000)
    parser.add_argument("--mean", type=float, default=7, help="pages a document")
    parser.add_argument("--done", type=float, default=0, help="share of the pages that is read first")
    parser.add_argument("--hold", type=int, default=2000, help="jobs that workers hold over the kill -9")
    parser.add_argument("--folder", help="for manifest and store: 4 GB at 94 million pages, 9 when they are read [a temporary one]")
    options = parser.parse_args()
    stand.run("backlog", options.folder, lambda folder: measure(options, folder))


if __name__ == "__main__":
    main()
