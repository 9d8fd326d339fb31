# SPDX-License-Identifier: AGPL-3.0-or-later
"""bench/watch: a whole city in a real coordinator, 200 workers that read nothing, and dashboards that look on: how long the API takes,
what the dashboards cost, whether jobs go out later for it, and how soon a browser shows something.

usage: watch.py [--documents N] [--batches N] [--dashboards N] [--folder DIR]
"""
import argparse
import csv
import json
import os
import socket
import statistics
import subprocess
import threading
import time

import stand
from cluster import Api, wait
from stand import result, say

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
WORKERS, RATE, ROUND_S = 200, 500, 30
UNITS_S, OVERVIEW_S = 5, 10  # a dashboard asks this often
PAGES = 7


def units():
    with open(os.path.join(ROOT, "coordinator", "hanoi-units-2025.csv"), encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    return sorted({f"district:{row['old_district_code']}" for row in rows} | {f"old:{row['old_commune_code']}" for row in rows})


def admit(bench, documents, batches):
    names, each = units(), documents // batches
    began = time.monotonic()
    for i in range(batches):
        unit, day = names[i % len(names)], f"20{27 + i % 3}-{1 + i % 12:02d}-28"
        lines = "".join(f'{{"source":"/b{i}/{n}.pdf","unit":"{unit}","deadline":"{day}","priority":{1 + n * 5 // each},"pages":{PAGES}}}\n'
                        for n in range(each))
        bench.api.post(f"batches?id=b{i:05d}", lines)
        if i % 500 == 499:
            done_s = time.monotonic() - began
            say(f"{i + 1} of {batches} batches admitted, {done_s / (i + 1) * (batches - i - 1):.0f} s to go")
    return min(len(names), batches)


class Dashboard(threading.Thread):
    """Follows the events and asks again for units and what the overview shows, as the page does."""

    def __init__(self, address, until):
        super().__init__(daemon=True)
        self.address, self.until, self.events, self.took = address, until, 0, []

    def follow(self):
        connection = Api(self.address).connect()
        connection.request("GET", "/api/v1/events")
        answer = connection.getresponse()
        while time.monotonic() < self.until:
            line = answer.readline()
            self.events += line.startswith(b"event: overview")

    def ask(self, connection, path, tags):
        began = time.monotonic()
        connection.request("GET", "/api/v1/" + path, headers={"If-None-Match": tags[path]} if path in tags else {})
        answer = connection.getresponse()
        answer.read()
        tags[path] = answer.headers["ETag"]
        self.took.append((path, time.monotonic() - began))

    def run(self):
        threading.Thread(target=self.follow, daemon=True).start()
        connection, tags, turn = Api(self.address).connect(), {}, 0
        time.sleep(UNITS_S * (id(self) % 97) / 97)  # not all at once
        while time.monotonic() < self.until:
            self.ask(connection, "units", tags)
            if turn % (OVERVIEW_S // UNITS_S) == 0:
                self.ask(connection, "series?span=3600", tags)
                self.ask(connection, "failures", tags)
            turn += 1
            time.sleep(UNITS_S)


def load(bench, dashboards, address):
    """Workers that ask for jobs at a steady rate, with so many who look on: what they saw, and the coordinator's share of a core."""
    workers = bench.noop(f"--workers={WORKERS}", f"--rate={RATE}", f"--seconds={ROUND_S}")
    time.sleep(2)
    began, cpu = time.monotonic(), bench.cpu_s()
    watching = [Dashboard(address, began + ROUND_S - 4) for _ in range(dashboards)]
    for one in watching:
        one.start()
    time.sleep(ROUND_S - 4)
    share = (bench.cpu_s() - cpu) / (time.monotonic() - began)
    seen = result(workers)
    if dashboards and min(one.events for one in watching) < 2:
        raise RuntimeError("a dashboard heard of nothing")
    return seen, share, [took for one in watching for _, took in one.took]


def browse(address):
    done = subprocess.run(["node", os.path.join(ROOT, "tests", "web", "paint.mjs"), f"http://{address}/"], stdout=subprocess.PIPE, text=True,
                          timeout=120, check=True)
    return json.loads(done.stdout)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def timed(api, path, times=20):
    took = []
    for _ in range(times):
        began = time.monotonic()
        api.get(path)
        took.append((time.monotonic() - began) * 1000)
    return took


def scraped(bench, times=100):
    """Milliseconds that each scrape of /metrics took, each on a connection of its own; what one costs the coordinator; the last one's text."""
    took, began_cpu = [], bench.cpu_s()
    for _ in range(times):
        connection = bench.api.connect()
        connection.connect()
        began = time.monotonic()
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
        took.append((time.monotonic() - began) * 1000)
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"/metrics: {answer.status}")
    return took, (bench.cpu_s() - began_cpu) * 1000 / times, text


def measure_metrics(bench):
    """With 200 workers that are there and hardly ask for jobs, so that what it costs can be told."""
    workers = bench.noop(f"--workers={WORKERS}", "--rate=1", "--seconds=15")
    wait("the workers", lambda: bench.api.get("overview")["workers"]["connected"] == WORKERS, 20)
    time.sleep(6)  # so that there is a plan with them
    took, cpu_ms, text = scraped(bench)
    result(workers)
    series = sum(not line.startswith("#") for line in text.splitlines())
    return {"metrics_p50_ms": round(statistics.median(took), 1), "metrics_max_ms": round(max(took), 1), "metrics_cpu_ms": round(cpu_ms, 1),
            "metrics_series": series, "metrics_bytes": len(text)}


def measure(options, folder):
    address = f"127.0.0.1:{free_port()}"
    bench = stand.Stand(os.path.join(folder, "stand"), [f"--http={address}"])
    bench.api = Api(address)
    bench.start()
    count = admit(bench, options.documents, options.batches)
    wait("the units", lambda: len(bench.api.get("units")["units"]) == count, 60)
    say(f"{count} units; {bench.rss_bytes() >> 20} MiB")
    alone, share_alone, _ = load(bench, 0, address)
    say(f"alone: {share_alone:.3f} of a core, {alone['delay_p99_ms']} ms")
    watched, share, took = load(bench, options.dashboards, address)
    say(f"{options.dashboards} dashboards: {share:.3f} of a core, {watched['delay_p99_ms']} ms")
    metrics = measure_metrics(bench)
    say(f"metrics: {metrics}")
    unit_ms, batch_ms = timed(bench.api, "units"), timed(bench.api, "batches?limit=200")
    paint = browse(address)
    return {"documents": options.documents, "batches": options.batches, "units": count, "dashboards": options.dashboards,
            "units_p50_ms": round(statistics.median(unit_ms), 1), "units_max_ms": round(max(unit_ms), 1),
            "batches_p50_ms": round(statistics.median(batch_ms), 1), "asked": len(took),
            "asked_p99_ms": round(sorted(took)[int(len(took) * 0.99)] * 1000, 1), "dashboards_core": round(share - share_alone, 4),
            "grant_p99_ms_alone": alone["delay_p99_ms"], "grant_p99_ms": watched["delay_p99_ms"], **metrics, **paint}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--documents", type=int, default=10_000_000)
    parser.add_argument("--batches", type=int, default=5_000)
    parser.add_argument("--dashboards", type=int, default=50)
    parser.add_argument("--folder", help="for the store [a temporary one]")
    options = parser.parse_args()
    stand.run("watch", options.folder, lambda folder: measure(options, folder))


if __name__ == "__main__":
    main()
