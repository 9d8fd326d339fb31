# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/capacity: what pages really cost in processors, memory, store, network and Redis, beside what `sohoa plan --size` says of
as many pages in as many documents of that size, all else as it is preset.

Needs SOHOA_BIN, the folder of the programs. Flow: one backlog; for each store a coordinator and two workers with
CURVE over TCP that read it; report. README.md tells the method.
"""
import argparse
import collections
import json
import math
import os
import re
import resource
import statistics
import subprocess
import threading
import time

import stand
from cluster import BIN, Process, backlog, free_port, wait
from keys import Keys
from stand import say

STORES = ("dir", "replicated", "erasure")
WORKERS = ("a", "b")
COPIES, CHUNKS, CODING = 3, 2, 1   # what three OSDs can hold
JOB_PAGES = 8                      # so many does a coordinator put into one job that knows nothing of pages yet (range_ms)
JOINED = 4                         # documents that become a long one
OSD_BYTES = 8 << 30                # sparse
IDLE_S = 5                         # so long heartbeats are counted by themselves
SETTLE_S = 7                       # Ceph's manager hears of the OSDs' counters every five seconds
SAMPLE_S = 0.05
QUIET = ("--lock_ttl_ms=600000",)  # the lock's renewals would be counted with what pages write
CEPH = os.path.join(os.path.dirname(stand.__file__), "..", "tests", "lib", "ceph")


def output(*words):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(str(word) for word in words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


# ---- stores: what is in them, by pool ----

class Folder:
    def __init__(self, folder):
        self.url, self.path = f"dir:{folder}", folder

    def contents(self):
        """Blobs and bytes of each kind: src, out/pdf, rec, ..."""
        found = collections.defaultdict(lambda: [0, 0])
        for path, _, names in os.walk(self.path):
            for name in names:
                parts = os.path.relpath(os.path.join(path, name), self.path).split("/")
                kind = found["/".join((parts[0], parts[-1])) if parts[0] == "out" else parts[0]]
                kind[0] += 1
                kind[1] += os.path.getsize(os.path.join(path, name))
        return dict(found)


class Ceph:
    """Two pools of one Ceph: that of data erasure-coded, or not."""

    def __init__(self, conf, name, erasure):
        self.conf, self.data, self.meta = conf, f"{name}-data", f"{name}-meta"
        self.url = f"rados:{conf}?user=client.admin&meta={self.meta}&data={self.data}"
        if erasure:
            self.ceph("osd", "erasure-code-profile", "set", name, f"k={CHUNKS}", f"m={CODING}", "crush-failure-domain=osd")
            self.ceph("osd", "pool", "create", self.data, 8, 8, "erasure", name)
        else:
            self.ceph("osd", "pool", "create", self.data, 8, 8)
        self.ceph("osd", "pool", "create", self.meta, 8, 8)
        for pool in (self.data, self.meta):
            self.ceph("osd", "pool", "application", "enable", pool, "sohoa")
        wait("active placement groups", lambda: self.active(), 60)

    def ceph(self, *words):
        return output("ceph", "-c", self.conf, "--format", "json", *words)

    def active(self):
        stat = json.loads(self.ceph("pg", "stat"))
        states = {state["name"]: state["num"] for state in stat.get("pg_summary", stat)["num_pg_by_state"]}
        return states.keys() == {"active+clean"}

    def counters(self):
        """Of both pools: objects, bytes on the OSDs, what clients asked for."""
        pools = {pool["name"]: pool for pool in json.loads(output("rados", "-c", self.conf, "--format", "json", "df"))["pools"]}
        stored = {pool["name"]: pool["stats"] for pool in json.loads(self.ceph("df", "detail"))["pools"]}
        return {kind: {"objects": int(stored[pool]["objects"]), "raw_bytes": int(stored[pool]["bytes_used"]),
                       "bytes": int(stored[pool]["stored"]),
                       **{key: int(pools[pool][key]) for key in ("read_ops", "read_bytes", "write_ops", "write_bytes")}}
                for kind, pool in (("data", self.data), ("meta", self.meta))}

    def settled(self):
        """The counters, as soon as they stand still."""
        before, end = self.counters(), time.monotonic() + 120
        while time.monotonic() < end:
            time.sleep(SETTLE_S)
            now = self.counters()
            if now == before:
                return now
            before = now
        raise RuntimeError("Ceph's counters do not stand still")


# ---- one reading of the backlog ----

class Peak(threading.Thread):
    """The most memory that any slot had while this ran."""

    def __init__(self, workers):
        super().__init__(daemon=True)
        self.workers, self.bytes, self.over = workers, 0, threading.Event()

    def run(self):
        while not self.over.wait(SAMPLE_S):
            for slot in (slot for worker in self.workers for warm in children(worker) for slot in children(warm)):
                try:
                    self.bytes = max(self.bytes, stand.memory_bytes(slot, "VmHWM"))
                except (OSError, RuntimeError):  # it has just ended
                    pass

    def end(self):
        self.over.set()
        self.join()
        return self.bytes


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def wire_bytes(port):
    """What the coordinator has sent to and received from its workers so far, TCP's own headers not counted."""
    text = output("ss", "-tinH", "state", "established", f"sport = :{port}")
    return sum(int(count) for count in re.findall(r"\bbytes_(?:sent|received):(\d+)", text))


def idle_wire_bytes_s(port):
    before, began = wire_bytes(port), time.monotonic()
    time.sleep(IDLE_S)
    return (wire_bytes(port) - before) / (time.monotonic() - began)


def end_cpu_s(process):
    """Ends it. The CPU of it and of all it had started and waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process.kill(15)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def redis_bytes(redis):
    fields = dict(line.split(":", 1) for line in redis.command("INFO", "memory").splitlines() if ":" in line)
    return int(fields["used_memory"])


def workers_start(folder, store, port, keys):
    return [Process(name, [f"{BIN}/sohoa-worker", f"--name={name}", "--slots=1", f"--store={store.url}", f"--connect=tcp://127.0.0.1:{port}",
                           f"--curve_file={keys.worker(name)}", f"--curve_coordinators={keys.known}", "--log=warn"],
                    folder, {"OMP_THREAD_LIMIT": "1"}).start() for name in WORKERS]


def read(folder, store, sources):
    """Reads the sources into the store. What that took, all in all."""
    port = free_port()
    keys = Keys(f"{folder}/keys")
    bench = stand.Stand(folder, (f"--store={store.url}", f"--bind=tcp://127.0.0.1:{port}", f"--curve_file={keys.own}",
                                 f"--curve_workers={keys.allowed}", *QUIET))
    bench.start()
    workers = workers_start(folder, store, port, keys)
    wait("the workers to join", lambda: sum(w["connected"] for w in bench.api.get("status")["workers"]) == len(WORKERS), 60)
    idle_s, wire, cpu_s = idle_wire_bytes_s(port), wire_bytes(port), bench.cpu_s()
    peak = Peak([worker.child.pid for worker in workers])
    peak.start()
    began = time.monotonic()
    bench.api.post("batches?id=capacity", "".join(json.dumps(source) + "\n" for source in sources))
    wait("the batch to end", lambda: bench.api.get("batches/capacity")["state"] == "finished" and bench.settled("capacity"), 1200)
    wall_s = time.monotonic() - began
    batch = bench.api.get("batches/capacity")
    if sum(batch["documents"][state] for state in ("stored", "quarantined")) != len(sources):
        raise RuntimeError(f"not all was read: {batch}")
    took = {"pages": batch["pages_read"], "wall_s": wall_s, "slot_bytes": peak.end(), "wire_bytes": wire_bytes(port) - wire - idle_s * wall_s,
            "worker_bytes": max(stand.memory_bytes(worker.child.pid, "VmHWM") for worker in workers), "coordinator_bytes": bench.rss_bytes(),
            "redis_bytes": redis_bytes(bench.redis), "coordinator_cpu_s": bench.cpu_s() - cpu_s}
    took["cpu_s"] = sum(end_cpu_s(worker) for worker in workers)
    bench.stop()
    return took


# ---- beside what is computed ----

def computed(page_counts, source_bytes):
    pages, split = sum(page_counts), sum(count for count in page_counts if count > JOB_PAGES)
    return json.loads(output(f"{BIN}/sohoa", "plan", "--size", "--json", "--days", 1, "--pages", pages,
                             "--pages-a-document", pages / len(page_counts), "--source-bytes-page", source_bytes / pages,
                             "--split-percent", 100 * split / pages, "--replicas", COPIES, "--erasure", f"{CHUNKS}+{CODING}"))


def grown(before, after, pool, key):
    return after[pool][key] - before[pool][key]


def folder_rows(contents, said):
    """What became files: name, measured, computed."""
    blobs = {kind: found for kind, found in contents.items() if kind == "src" or kind.startswith("out/")}
    return [("source_bytes", contents["src"][1], said["all"]["source_bytes"]),
            ("result_bytes", sum(size for kind, (_, size) in blobs.items() if kind != "src"), said["all"]["result_bytes"]),
            ("data_objects", sum(count for count, _ in blobs.values()), said["all"]["data_objects"])]


def ceph_rows(name, before, after, said):
    """What the OSDs and their clients counted. Each scheme has its own raw bytes; the rest is alike."""
    both = ("data", "meta")
    rows = [(f"{pool}_raw_bytes", grown(before, after, pool, "raw_bytes"), said[name][f"{pool}_raw_bytes"]) for pool in both]
    rows += [(key, grown(before, after, pool, counter), said["all"][key]) for key, pool, counter in (
        ("data_objects", "data", "objects"), ("data_writes", "data", "write_ops"), ("meta_writes", "meta", "write_ops"),
        ("data_reads", "data", "read_ops"), ("ceph_out_bytes", "data", "read_bytes"))]
    rows.append(("ceph_in_bytes", sum(grown(before, after, pool, "write_bytes") for pool in both), said["all"]["ceph_in_bytes"]))
    return [(f"{name}_{key}", measured, expected) for key, measured, expected in rows]


def reading_rows(runs, said):
    """Of all readings together."""
    pages, assumed = sum(took["pages"] for took in runs), said["assumed"]
    return [("cpu_s_page", sum(took["cpu_s"] for took in runs) / pages, assumed["cpu_s_page"]),
            ("slot_bytes", max(took["slot_bytes"] for took in runs), assumed["slot_bytes"]),
            ("wire_bytes", sum(took["wire_bytes"] for took in runs) / len(runs), said["all"]["wire_bytes"]),
            ("redis_bytes", max(took["redis_bytes"] for took in runs), said["all"]["redis_bytes"]),
            ("coordinator_bytes", max(took["coordinator_bytes"] for took in runs), said["all"]["coordinator_bytes"])]


def read_all(chosen, folder, sources, said):
    """Each store in turn: what all readings took, and the rows of the stores."""
    runs, rows = [], []
    if "dir" in chosen:
        store = Folder(f"{folder}/store")
        runs.append(read(f"{folder}/dir", store, sources))
        rows += folder_rows(store.contents(), said)
    schemes = [name for name in chosen if name != "dir"]
    if not schemes:
        return runs, rows
    conf = output(CEPH, "up", f"{folder}/ceph", "--size", COPIES, "--osd-bytes", OSD_BYTES).strip()
    try:
        for name in schemes:
            store = Ceph(conf, name, name == "erasure")
            before = store.settled()
            runs.append(read(f"{folder}/{name}", store, sources))
            rows += ceph_rows(name, before, store.settled(), said)
    finally:
        output(CEPH, "down", f"{folder}/ceph")
    return runs, rows


def joined(paths, folder):
    """The first half of them as long documents, which are read by several jobs; the rest as they are."""
    half = len(paths) // 2 // JOINED * JOINED
    longs = []
    for at in range(0, half, JOINED):
        longs.append(f"{folder}/long-{at}.pdf")
        output("qpdf", "--empty", "--pages", *paths[at:at + JOINED], "--", longs[-1])
    return longs + paths[half:]


def scans(options, folder):
    """Rows of a manifest. Of every second document it says how many pages it has."""
    if options.scans:
        paths = sorted(os.path.join(options.scans, name) for name in os.listdir(options.scans) if name.endswith(".pdf"))
    else:
        drawn, _ = backlog(folder, "--documents", str(options.documents), "--pages-mean", "4", "--formats", "pdf", "--duplicates", "0",
                           "--seed", str(options.seed))
        paths = joined(drawn, folder)
    pages = [int(output("qpdf", "--show-npages", path)) for path in paths]
    rows = [{"source": os.path.abspath(path), **({} if i % 2 else {"pages": pages[i]})} for i, path in enumerate(paths)]
    return rows, pages


def measure(options, folder):
    sources, page_counts = scans(options, folder)
    pages, source_bytes = sum(page_counts), sum(os.path.getsize(source["source"]) for source in sources)
    said = computed(page_counts, source_bytes)
    say(f"{pages} pages in {len(sources)} documents, {source_bytes / pages:.0f} bytes a page")
    runs, rows = read_all(options.stores, folder, sources, said)
    rows = reading_rows(runs, said) + rows
    say(f"{'':<28} {'measured':>16} {'computed':>16}    ratio")
    for name, measured, expected in rows:
        say(f"{name:<28} {measured:>16,.6g} {expected:>16,.6g} {measured / expected if expected else math.nan:>8.2f}")
    return {"pages": pages, "documents": len(sources), "source_bytes_page": round(source_bytes / pages), "readings": len(runs),
            "wall_s_page": round(statistics.mean(took["wall_s"] for took in runs) / pages, 3),
            "coordinator_cpu_s_page": round(statistics.mean(took["coordinator_cpu_s"] for took in runs) / pages, 5),
            "worker_bytes": max(took["worker_bytes"] for took in runs),
            "measured": {name: round(measured, 4) for name, measured, _ in rows},
            "ratio": {name: round(measured / expected, 3) for name, measured, expected in rows if expected}}


def stores_named(text):
    chosen = text.split(",")
    if set(chosen) - set(STORES):
        raise argparse.ArgumentTypeError(f"of {', '.join(STORES)}")
    return chosen


def main():
    parser = argparse.ArgumentParser(prog="bench/capacity", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("scans", nargs="?", metavar="DIR", help="PDFs to read [synthetic ones]")
    parser.add_argument("--documents", type=int, default=24, help="that are drawn; of the first half four become one [24]")
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--stores", type=stores_named, default=STORES, help="of dir,replicated,erasure [all]")
    parser.add_argument("--folder", help="for scans, stores and a Ceph: 2 GB [a temporary one]")
    options = parser.parse_args()
    stand.run("capacity", options.folder, lambda folder: measure(options, folder))


if __name__ == "__main__":
    main()
