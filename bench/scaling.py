# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/scaling: the same backlog read by a real worker with one slot and with two; and how busy a real coordinator keeps the slots
of a whole data centre, whose nodes speak the real protocol and sleep over each page as long as reading it would take.

usage: scaling.py [DIR] [--pages N] [--rounds N] [--slots N,N...] [--steady S] [--page-ms MS] [--fetch-ms MS] [--prefetch N]
                  [--mean N,N...] [--folder DIR]
"""
import argparse
import json
import os
import resource
import shutil
import time
from datetime import datetime

import stand
from cluster import Process, backlog, wait
from stand import manifest, result, say

SUFFIXES = (".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png")
NODE_SLOTS = 50
PAGES_MEAN = 2        # of a generated document: the last ones of a run are short
OTHERS_MOST = 0.1     # cores, in a round of real slots: with more it tells of them, not of us
MARGIN_S = 20         # of work beyond the steady state, for ramp and tail
GRANTED_MOST = 0.97   # of all pages, when the steady state ends: then there was always something to grant


class Machine:
    """What others take of this machine's cores meanwhile, with what a hypervisor keeps from us: a bench wants it quiet."""

    def __init__(self):
        self.began, self.busy, self.own = time.monotonic(), self.busy_s(), self.own_s()

    @staticmethod
    def busy_s():
        with open("/proc/stat", encoding="ascii") as stat:
            user, nice, system, _, _, irq, softirq, steal = map(int, stat.readline().split()[1:9])
        return (user + nice + system + irq + softirq + steal) * stand.TICK_S

    @staticmethod
    def own_s():
        """Of this process and of children that have ended, and theirs."""
        return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))

    def seen(self):
        """Cores of others; seconds of our own. Once all that was started has ended."""
        own = self.own_s() - self.own
        return (self.busy_s() - self.busy - own) / (time.monotonic() - self.began), own


# ---- one slot and two ----

def when(event):
    return datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def read(folder, sources, slots):
    """All sources from an empty store: seconds from the first lease to the last document's end, and what it cost."""
    machine = Machine()
    bench = stand.Stand(folder, ["--log=info"])
    bench.start()
    worker = Process("worker", [f"{stand.BIN}/sohoa-worker", "--name=real", f"--store=dir:{folder}/store", f"--connect={bench.endpoint}",
                                f"--slots={slots}", "--log=info"], folder, {"OMP_THREAD_LIMIT": "1"})
    worker.start()
    wait("the worker to join", lambda: bench.api.get("status")["workers"])
    bench.api.post("batches?id=scans", "".join(json.dumps({"source": source}) + "\n" for source in sources))
    while bench.api.get("batches/scans")["state"] == "running":
        time.sleep(0.5)  # often enough: the log has the times
    batch = bench.api.get("batches/scans")
    worker.kill(15)
    bench.stop()
    wall_s = max(map(when, bench.coordinator.events("document"))) - min(map(when, worker.events("job_begins")))
    others, cpu_s = machine.seen()
    shutil.rmtree(folder)
    if batch["pages"]["dead"] or not batch["pages"]["stored"]:
        raise RuntimeError(f"pages were not read: {batch}")
    pages = batch["pages"]["stored"] + batch["pages"].get("duplicate", 0)
    say(f"{slots} slots: {pages} pages in {wall_s:.1f} s, {cpu_s / pages:.3f} s of CPU a page; others had {others:.2f} cores")
    return {"pages": pages, "wall_s": wall_s, "cpu_s": cpu_s, "others": others}


def real(options, folder):
    """By turns: what else the machine does hits both alike."""
    sources, drawn = backlog(folder, "--documents", str(max(options.pages // PAGES_MEAN, 1)), "--pages-mean", str(PAGES_MEAN),
                             "--duplicates", "0", "--seed", "7")
    own = [os.path.join(path, name) for path, _, names in os.walk(options.dir or os.devnull) for name in names]
    own = sorted(name for name in own if name.lower().endswith(SUFFIXES))
    say(f"{drawn} generated pages and {len(own)} documents of {options.dir or 'nobody'}")
    seen = {1: [], 2: []}
    for number in range(options.rounds):
        for slots, runs in seen.items():
            runs.append(read(os.path.join(folder, f"real-{number}-{slots}"), own + sources, slots))
    rounds = list(zip(*seen.values()))
    ratios = [round(one["wall_s"] / two["wall_s"], 3) for one, two in rounds]
    quiet = [both for both in rounds if max(run["others"] for run in both) <= OTHERS_MOST]
    if len(quiet) < len(rounds):
        say(f"{len(rounds) - len(quiet)} of {len(rounds)} rounds don't count: others took more than {OTHERS_MOST} cores")
    ratio = round(sum(one["wall_s"] for one, _ in quiet) / sum(two["wall_s"] for _, two in quiet), 3) if quiet else None
    total = {slots: {key: sum(run[key] for run in runs) for key in runs[0]} for slots, runs in seen.items()}
    shares = {f"{name}_{slots}": round(total[slots][key] / of(slots), 3) for slots in seen for name, key, of in (
        ("wall_s", "wall_s", lambda _: options.rounds), ("cpu_s_per_page", "cpu_s", lambda n: total[n]["pages"]),
        ("others_cores", "others", lambda _: options.rounds))}
    return {"ratio": ratio, "ratios": ratios, "pages": total[1]["pages"] // options.rounds, **shares}


# ---- a data centre ----

def cluster(options, folder, slots, mean):
    machine = Machine()
    bench = stand.Stand(folder)
    bench.start()
    a_node = min(slots, NODE_SLOTS)
    if slots % a_node:
        raise RuntimeError(f"{slots} slots are no nodes of {a_node}")
    workers = bench.noop(f"--workers={slots // a_node}", f"--slots={a_node}", f"--page-ms={options.page_ms}", f"--fetch-ms={options.fetch_ms}",
                         f"--prefetch={options.prefetch}", f"--steady={options.steady}")
    wait("the nodes to join", lambda: len(bench.api.get("status")["workers"]) == slots // a_node)
    pages = int(slots * (options.steady + MARGIN_S) / options.page_ms * 1000)
    began, cpu_s = time.monotonic(), bench.cpu_s()
    bench.admit("centre", manifest(folder, pages, mean))
    while bench.api.get("batches/centre")["state"] == "running" or not bench.settled("centre"):
        if workers.poll() is not None:
            raise RuntimeError(f"the simulated workers have ended; the coordinator's last words: {bench.coordinator.text()[-1000:]}")
        time.sleep(0.5)
    seconds, cpu_s = time.monotonic() - began, bench.cpu_s() - cpu_s
    batch = bench.api.get("batches/centre")
    workers.terminate()
    seen = result(workers)
    bench.stop()
    shutil.rmtree(folder)
    if batch["pages"]["stored"] != pages:
        raise RuntimeError(f"not everything was stored: {batch}")
    if not seen["efficiency"] or seen["pages_steady"] > GRANTED_MOST * pages:
        raise RuntimeError(f"there was not always something to grant: {seen}")
    say(f"{slots} slots, {mean} pages a document: busy {seen['efficiency']:.2%} of the steady state, {seen['efficiency_whole']:.2%} of all; {seen['jobs_per_s']:.0f} leases/s; "
        f"between two jobs {seen['wait_p50_ms']:.2f} ms, 99 times of 100 at most {seen['wait_p99_ms']:.2f}; coordinator {cpu_s / seconds:.3f} cores, "
        f"simulated workers {seen['cpu_s'] / seconds:.3f}, others {machine.seen()[0]:.2f}")
    return {"slots": slots, "pages_a_document": mean, **{key: seen[key] for key in ("efficiency", "efficiency_whole", "ramp_s", "whole_s", "jobs_per_s", "wait_p50_ms",
                                                           "wait_p99_ms", "wait_max_ms", "abandoned")},
            "pages": pages, "coordinator_cores": round(cpu_s / seconds, 3), "workers_cores": round(seen["cpu_s"] / seconds, 3),
            "others_cores": round(machine.seen()[0], 2)}


def measure(options, folder):
    seen = real(options, folder) if options.rounds else {}
    sizes = [(slots, options.mean[0]) for slots in options.slots] + [(max(options.slots, default=0), mean) for mean in options.mean[1:]]
    clusters = [cluster(options, os.path.join(folder, f"cluster-{slots}-{mean}"), slots, mean) for slots, mean in sizes if slots]
    least = min((one["efficiency"] for one in clusters), default=None)
    return {**seen, "efficiency": least, "clusters": clusters}


def numbers(text):
    return [int(number) for number in text.split(",") if number]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dir", nargs="?", help="scans that are read with the generated ones")
    parser.add_argument("--pages", type=int, default=150, help="generated, about")
    parser.add_argument("--rounds", type=int, default=2, help="with one slot and with two; 0: none")
    parser.add_argument("--slots", type=numbers, default=[10, 100, 1000, 5000],
                        help="simulated, in all; '': none")
    parser.add_argument("--steady", type=float, default=60, help="seconds that are looked at once all slots are busy")
    parser.add_argument("--page-ms", type=float, default=770, help="that a slot sleeps over a page, in the mean: what bench/ocr measured")
    parser.add_argument("--fetch-ms", type=float, default=100, help="from a grant until its source is there")
    parser.add_argument("--prefetch", type=int, default=0, help="jobs that a node fetches ahead of its slots; 0: as many as a worker does")
    parser.add_argument("--mean", type=numbers, default=[7, 1], help="pages of a document; all but the first only with the most slots")
    parser.add_argument("--folder", help="for stores and manifests [a temporary one]")
    options = parser.parse_args()
    stand.run("scaling", options.folder, lambda folder: measure(options, folder))


if __name__ == "__main__":
    main()
