# SPDX-License-Identifier: AGPL-3.0-or-later
"""What Prometheus reads: promtool has no complaint, what is told is what the API says, and who may not see it does not.

usage: metrics.py STORE-URL FOLDER
"""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, Host, backlog, fail, free_port, main, say, slots_of, wait  # noqa: E402

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def ask(connection, path, headers=None, method="GET"):
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def ready(api):
    """Not while nobody answers."""
    try:
        return ask(api.connect(), "/readyz")[0].status == 200
    except OSError:
        return False


class Scrape:
    """Samples by name and labels: value("sohoa_pages", state="stored")."""

    def __init__(self, connection, headers=None):
        answer, self.text = ask(connection, "/metrics", headers)
        if answer.status != 200 or answer.headers["Content-Type"] != "text/plain; version=0.0.4; charset=utf-8":
            fail(f"/metrics: {answer.status} {answer.headers['Content-Type']}")
        self.samples, self.types = {}, {}
        for line in self.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                key = (name, tuple(sorted(LABEL.findall(labels or ""))))
                if key in self.samples:
                    fail(f"there are two of {line}")
                self.samples[key] = float(value)

    def value(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def named(self, name, label):
        """The values of a label that there are samples of."""
        return {dict(labels)[label] for known, labels in self.samples if known == name}


def check_promtool(scrape):
    if not shutil.which("promtool"):
        print("skipped: promtool is not here, so the text was not linted: deploy/deps test installs it (package prometheus)", flush=True)
        return
    said = subprocess.run(["promtool", "check", "metrics"], input=scrape.text, capture_output=True, text=True, check=False)
    if said.returncode or said.stdout or said.stderr:
        fail(f"promtool check metrics: {said.returncode} {said.stdout} {said.stderr}")


def check_families(scrape, program):
    """Those of the table, each with HELP and TYPE, and no others."""
    listed = subprocess.run([f"{BIN}/metrics-list"], capture_output=True, text=True, check=True).stdout
    part = next(part for part in re.split(r"^(?=`sohoa-)", listed, flags=re.M) if part.startswith(f"`{program}`"))
    wanted = dict(re.findall(r"^\| `(\w+)(?:\{.*\})?` \| (\w+) \|", part, re.M))
    if wanted != scrape.types or len(wanted) < 10:
        fail(f"{program} told {scrape.types}, its table has {wanted}")
    return int(re.search(r"at most (\d+) series", part).group(1))


def check_same(what, told, said):
    if told != said:
        fail(f"{what}: /metrics says {told}, the API {said}")


def check_values(cluster, scrape):
    status, overview = cluster.api.get("status"), cluster.api.get("overview")
    for state in ("open", "stored", "dead", "duplicate", "quarantined", "withdrawn", "refused"):
        check_same(f"documents {state}", scrape.value("sohoa_documents", state=state), overview["documents"][state])
    for state in ("queued", "leased", "stored", "dead", "duplicate", "quarantined", "withdrawn"):
        check_same(f"pages {state}", scrape.value("sohoa_pages", state=state), overview["pages"][state])
    for state in ("running", "paused", "finished", "withdrawn"):
        check_same(f"batches {state}", scrape.value("sohoa_batches", state=state), overview["batches"][state])
    check_same("the epoch", scrape.value("sohoa_epoch"), status["epoch"])
    check_same("readiness", (scrape.value("sohoa_ready"), scrape.value("sohoa_redis_ok"), scrape.value("sohoa_active")), (1, 1, 1))
    disk = os.statvfs(cluster.folder)  # the store is a folder in it
    check_same("the store's bytes", scrape.value("sohoa_store_total_bytes"), disk.f_blocks * disk.f_frsize)
    used, now = scrape.value("sohoa_store_used_bytes"), (disk.f_blocks - disk.f_bavail) * disk.f_frsize
    if not used or abs(used - now) > now / 2:
        fail(f"of the store {used} bytes are used, of its disk {now}")
    check_same("workers", scrape.value("sohoa_workers_connected"), overview["workers"]["connected"])
    check_same("slots", scrape.value("sohoa_slots"), overview["workers"]["slots"])
    for worker in status["workers"]:
        check_same(f"slots of {worker['name']}", scrape.value("sohoa_worker_slots", worker=worker["name"]), worker["slots"])
    check_same("pages read", scrape.value("sohoa_pages_read_total"), cluster.api.get("batches/told")["pages_read"])
    failed = {group["code"]: group["documents"] for group in cluster.api.get("failures")["groups"]}
    for code in scrape.named("sohoa_documents_failed", "code"):
        check_same(f"documents with {code}", scrape.value("sohoa_documents_failed", code=code), failed.get(code, 0))
    if not scrape.value("sohoa_failures_total", code="E_SOURCE_BROKEN") or not scrape.value("sohoa_commit_duration_seconds_count"):
        fail("no failure was counted, or no commit timed")


def check_units(cluster, scrape):
    units = cluster.api.get("units")["units"]
    check_same("units", scrape.named("sohoa_unit_pages_done", "unit"), {unit["unit"] or "none" for unit in units})
    for unit in units:
        name = unit["unit"] or "none"
        check_same(f"{name}'s pages done", scrape.value("sohoa_unit_pages_done", unit=name), unit["pages_done"])
        check_same(f"{name}'s pages left", scrape.value("sohoa_unit_pages_left", unit=name), unit["pages_left"])
        check_same(f"{name}'s verdict", scrape.value("sohoa_unit_verdict", unit=name, verdict=unit["verdict"]), 1)
        for key, metric in (("expected", "sohoa_unit_pages_expected"), ("deadline_ms", "sohoa_unit_deadline_timestamp_seconds")):
            wanted = unit[key] and unit[key] / (1000 if key == "deadline_ms" else 1)
            check_same(f"{name}'s {key}", scrape.value(metric, unit=name), wanted or None)
        finish = scrape.value("sohoa_unit_forecast_finish_timestamp_seconds", unit=name, probability="0.9")
        check_same(f"{name}'s P90", finish if finish != float("inf") else None, unit["p90_ms"] and unit["p90_ms"] / 1000)


def check_most(cluster):
    """More units than are told one by one: the others are counted."""
    units, most = 1100, 1024
    cluster.api.post("targets", json.dumps([{"unit": f"new:{code:05d}", "pages": 5, "deadline": "2031-01-31"} for code in range(1, units + 1)]))
    wait("so many units", lambda: len(cluster.api.get("units")["units"]) > units, 20)
    scrape = Scrape(cluster.api.connect())
    told, known = scrape.named("sohoa_unit_pages_left", "unit"), len(cluster.api.get("units")["units"])
    check_same("units not told", (len(told), scrape.value("sohoa_metrics_omitted", label="unit")), (most, known - most))
    check_same("all units", sum(scrape.value("sohoa_units", verdict=verdict) for verdict in scrape.named("sohoa_units", "verdict")), known)
    check_same("workers not told", scrape.value("sohoa_metrics_omitted", label="worker"), 0)
    check_promtool(scrape)
    say(f"of {known} units {len(told)} are told one by one: {len(scrape.samples)} series, {len(scrape.text)} bytes")


def check_words(cluster, broken):
    for path, status, text in (("/healthz", 200, "ok\n"), ("/readyz", 200, "ok\n")):
        answer, said = ask(cluster.api.connect(), path)
        if (answer.status, said) != (status, text):
            fail(f"{path}: {answer.status} {said!r}")
    answer, said = ask(cluster.api.connect(), "/readyz", method="HEAD")
    if (answer.status, said) != (200, ""):
        fail(f"HEAD /readyz: {answer.status} {said!r}")
    cluster.redis.process.kill()
    cluster.api.post("batches?id=unseen", json.dumps({"source": broken}) + "\n")
    wait("not to be ready without Redis", lambda: not ready(cluster.api), 20)
    check_same("Redis", Scrape(cluster.api.connect()).value("sohoa_redis_ok"), 0)
    if ask(cluster.api.connect(), "/healthz")[0].status != 200:
        fail("not healthy without Redis")
    cluster.redis.start()
    wait("to be ready again", lambda: ready(cluster.api), 20)


def check_worker(worker, address, counted):
    """What a worker counted is what the coordinator heard, and a scraper that does not read holds nobody."""
    connection = http.client.HTTPConnection(address, timeout=10)
    scrape = Scrape(connection)
    check_promtool(scrape)
    most = check_families(scrape, "sohoa-worker")
    say(f"{worker}: {len(scrape.samples)} series of at most {most}")
    check_same("slots", (scrape.value("sohoa_node_slots"), scrape.value("sohoa_node_joined")), (1, 1))
    counted["read"] += scrape.value("sohoa_node_pages_read_total")
    counted["broken"] += scrape.value("sohoa_node_failures_total", code="E_SOURCE_BROKEN")
    for stage in scrape.named("sohoa_node_stage_seconds_count", "stage"):
        counted[stage] = counted.get(stage, 0) + scrape.value("sohoa_node_stage_seconds_count", stage=stage)
    if ask(http.client.HTTPConnection(address, timeout=10), "/elsewhere")[0].status != 404:
        fail("a worker answers what it does not know")
    if ask(http.client.HTTPConnection(address, timeout=10), "/readyz")[0].status != 200:
        fail("a worker that has joined is not ready")


def check_workers(cluster, addresses):
    pages, counted = cluster.api.get("batches/told")["pages_read"], {"read": 0, "broken": 0}
    for worker, address in addresses.items():
        check_worker(worker, address, counted)
    check_same("pages that workers read", counted["read"], pages)
    check_same("pages that were timed", counted["page"], pages)
    if counted["broken"] != 1 or not counted["store"] or not counted["open"]:
        fail(f"workers counted {counted}")


def check_lost(cluster, addresses):
    """A slot that is killed over a page is counted by its worker, and the failed attempt by the coordinator, too."""
    def lost():
        """Kills what is at work, until one was counted."""
        for worker in cluster.workers:
            scrape = Scrape(http.client.HTTPConnection(addresses[worker.name], timeout=10))
            if scrape.value("sohoa_node_slots_lost_total"):
                return scrape
            for slot in slots_of(worker.child.pid) if scrape.value("sohoa_node_slots_busy") else ():
                os.kill(slot, signal.SIGKILL)
        return None
    stored = [row["document"] for row in cluster.api.documents("told") if row["state"] == "stored"]  # one of two is a duplicate
    cluster.api.post("batches/told/rerun", json.dumps({"documents": stored}))
    scrape = wait("a slot to be lost", lost, 60)
    cluster.finish("told")
    counted = scrape.value("sohoa_node_failures_total", code="E_SLOT")
    told = Scrape(cluster.api.connect()).value("sohoa_failures_total", code="E_SLOT")
    if not counted or not told or told < counted:
        fail(f"a slot was killed: the worker counted {counted}, the coordinator {told}")
    say("a slot that was killed is counted")


def check_slow(cluster, address, source):
    """Scrapers that send half a request, and some that don't read the answer: work goes on, and others are answered."""
    host, port = address.split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(12)]
    for number, one in enumerate(idle):
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + (b"\r\n" if number % 2 else b""))
    cluster.api.post("batches?id=meanwhile", json.dumps({"source": source}) + "\n")
    cluster.finish("meanwhile", 60)
    Scrape(http.client.HTTPConnection(address, timeout=10))
    for one in idle:
        one.close()
    say("slow scrapers hold nobody")


def check_standby(cluster):
    """It tells that it stands by, and nothing else; after a takeover its port is the API."""
    other = cluster.other
    wait("the other one to stand by", lambda: "event=standby" in other.coordinator.text(), 20)
    connect = other.api.connect
    scrape = Scrape(connect())
    check_promtool(scrape)
    check_same("who stands by", (scrape.value("sohoa_active"), len(scrape.samples)), (0, 2))
    for path, status in (("/healthz", 200), ("/readyz", 503), ("/api/v1/status", 503), ("/", 503)):
        answer, said = ask(connect(), path)
        if answer.status != status:
            fail(f"standby: {path}: {answer.status} {said}, expected {status}")
    told = subprocess.run([f"{BIN}/sohoa", "--api", f"https://{other.http}", "--ca", other.ca, "status"], capture_output=True, text=True, check=False)
    if told.returncode == 0 or "stands by" not in told.stderr:
        fail(f"sohoa status at a standby: {told}")
    lost = lambda api: [alert["subject"] for alert in api.get("overview")["alerts"] if alert["kind"] == "standby_lost"]  # noqa: E731
    wait("it to be known", lambda: not lost(cluster.api), 40)
    other.coordinator.kill()
    wait("it to be missed", lambda: lost(cluster.api) == [f"https://{other.http}"], 40)
    other.coordinator.start()
    wait("it to be back", lambda: not lost(cluster.api), 40)
    wait("it to stand by again", lambda: other.coordinator.text().count("event=standby") == 2, 20)
    cluster.coordinator.kill()
    wait("the other one to take over", lambda: ready(other.api), 60)
    if Scrape(connect()).value("sohoa_active") != 1:
        fail("it took over and is not active")
    say("a coordinator that stands by says so, and takes over on the same port")


def account(cluster, name, *options):
    """A new account's token."""
    return subprocess.run([f"{BIN}/sohoa", "--api", cluster.http, "account", name, "--token", *options], check=True,
                          capture_output=True, text=True, env={**os.environ, **cluster.login}).stdout.split()[-1]


def check_rights(cluster):
    """On a port: by a token, of an account that is bound to no unit; who is not known hears only whether we are well."""
    def connect():
        return http.client.HTTPConnection(cluster.http, timeout=60)

    cluster.login = {}
    root = account(cluster, "root", "--role", "administrator")
    cluster.login = {"SOHOA_TOKEN": root}
    prometheus = account(cluster, "prometheus", "--role", "viewer")
    bound = account(cluster, "bound", "--role", "viewer", "--unit", "district:001")
    for token, status in ((None, 401), ("sohoa_wrong", 401), (bound, 403)):
        answer, _ = ask(connect(), "/metrics", {"Authorization": f"Bearer {token}"} if token else {})
        if answer.status != status:
            fail(f"/metrics with {'no' if not token else 'a'} token: {answer.status}, expected {status}")
    scrape = Scrape(connect(), {"Authorization": f"Bearer {prometheus}"})
    if scrape.value("sohoa_http_requests_total", **{"class": "4xx"}) < 3:
        fail("refused requests were not counted")
    for path in ("/healthz", "/readyz"):
        if ask(connect(), path)[0].status != 200:
            fail(f"{path} asked for a login")
    say("on a port only who has a token of all units is told")


def run(store, folder):
    sources, _ = backlog(folder, "--documents", "4", "--seed", "5", "--pages-mean", "1")
    broken = os.path.join(folder, "broken.pdf")
    with open(broken, "w", encoding="utf-8") as out:
        out.write("%PDF-1.7 nothing")
    cluster = Cluster(store, folder)
    addresses = {worker.name: f"127.0.0.1:{free_port()}" for worker in cluster.workers}
    for worker in cluster.workers:
        worker.argv.append(f"--metrics={addresses[worker.name]}")
    standby_at = f"127.0.0.1:{free_port()}"
    cluster.coordinator.argv += [f"--others=https://{standby_at}", f"--http_ca_file={folder}/other/http.pem"]
    cluster.start()
    rows = [{"source": source, "unit": "district:001", "deadline": "2031-01-31"} for source in sources]
    rows += [{"source": broken, "unit": "old:00004"}, {"source": sources[0]}]
    cluster.api.post("targets", json.dumps([{"unit": "new:00004", "deadline": "2031-01-31", "pages": 700}]))
    cluster.api.post("batches?id=told", "".join(json.dumps(row) + "\n" for row in rows))
    cluster.finish("told")
    cluster.api.post("batches/told/documents/1/quarantine", json.dumps({"reason": "its pages are neither done nor left"}))
    wait("the units", lambda: any(unit["verdict"] == "done" and unit["pages"] > unit["pages_done"] > 0
                                  for unit in cluster.api.get("units")["units"]), 20)
    scrape = Scrape(cluster.api.connect())
    check_promtool(scrape)
    most = check_families(scrape, "sohoa-coordinator")
    say(f"{len(scrape.samples)} series of at most {most}, {len(scrape.text)} bytes")
    check_values(cluster, scrape)
    check_units(cluster, scrape)
    say("what is told is what the API says")
    check_workers(cluster, addresses)
    check_slow(cluster, addresses["worker-a"], sources[0])
    check_lost(cluster, addresses)
    check_most(cluster)
    check_words(cluster, broken)
    cluster.other = Host("other", store, f"{folder}/other", http_at=standby_at, https=True)
    cluster.other.start()
    check_standby(cluster)
    cluster.other.coordinator.kill(15)
    cluster.http = f"127.0.0.1:{free_port()}"
    cluster.coordinator.argv = [f"--http={cluster.http}" if option.startswith("--http=") else option
                                for option in cluster.coordinator.argv]
    cluster.api.address = cluster.http
    cluster.coordinator.start()
    wait("the coordinator on its port", lambda: cluster.api.try_get("status"), 60)
    check_rights(cluster)


if __name__ == "__main__":
    main(run)
