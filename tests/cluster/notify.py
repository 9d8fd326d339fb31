# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alerts go out: a real receiver on loopback hears of each once, and of its end once; over its being down, slow or refusing, and over
a coordinator that is killed. Nobody else waits for it.

usage: notify.py STORE-URL FOLDER
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
sys.path.insert(0, os.path.dirname(__file__))
from cluster import BIN, Cluster, Process, backlog, fail, main, say, wait  # noqa: E402
from receiver import Receiver  # noqa: E402
from watch import Document  # noqa: E402

HOLD_MS, PROGRESS_MS, BREAKER = 1500, 20000, 5
TOKEN, KEY = "token-that-nobody-may-see", "key-that-nobody-may-see"


def sohoa(cluster, *arguments):
    return subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", *arguments], capture_output=True, text=True)


def wrong_starts(folder):
    """What is wrong with the settings shows at once, and says where."""
    empty = os.path.join(folder, "empty")
    with open(empty, "w", encoding="utf-8") as out:
        out.write("\n")
    for settings, why in ((("--notify_url=http://127.0.0.1/", "--notify_token_file=/nowhere/token"), "/nowhere/token: No such file"),
                          (("--notify_url=http://127.0.0.1/", f"--notify_token_file={empty}"), "its first line is no token"),
                          ((f"--notify_token_file={empty}",), "but no notify_url"),
                          ((f"--notify_url=ftp://127.0.0.1/{KEY}",), "neither http nor https"),
                          ((f"--notify_url=http://[{KEY}",), "notify_url: ")):
        started = subprocess.run([f"{BIN}/sohoa-coordinator", f"--store=dir:{folder}/other", "--http=unix:/nowhere/http", *settings],
                                 capture_output=True, text=True, timeout=30)
        if started.returncode != 1 or why not in started.stderr or "err=E_CONFIG" not in started.stderr or KEY in started.stderr:
            fail(f"{settings}: {started.returncode} {started.stderr}")
    say("five wrong settings were refused at the start, by name")


def check_tests(cluster, receiver, document):
    answer = document.check(cluster.api, "POST", "/notify/test")
    sent = receiver.once("test", "test", None)
    if answer["status"] != 204 or "thử" not in sent["text"]["vi"]:
        fail(f"a test was answered {answer}: {sent}")
    said = sohoa(cluster, "notify", "--test")
    if said.returncode or not said.stdout.startswith("the receiver of alerts answered 204 in "):
        fail(f"notify --test: {said}")
    said = sohoa(cluster, "--json", "notify", "--test")
    if said.returncode or json.loads(said.stdout)["status"] != 204:
        fail(f"--json notify --test: {said}")
    receiver.status = 500
    problem = document.check(cluster.api, "POST", "/notify/test", status=503)
    said = sohoa(cluster, "notify", "--test")
    receiver.status = 204
    if problem["code"] != "E_NET" or "answered 500" not in problem["detail"] or said.returncode != 1 or "answered 500" not in said.stderr:
        fail(f"a receiver that refuses: {problem}, {said}")
    receiver.down()
    problem = document.check(cluster.api, "POST", "/notify/test", status=503)
    receiver.up()
    if problem["code"] != "E_NET" or KEY in problem["detail"]:
        fail(f"a receiver that is down: {problem}")
    if len(receiver.of("test", "test")) != 3:
        fail(f"tests arrived: {receiver.messages}")
    say("a test is sent at once, and what the receiver says is told")


def worker_lost(cluster, receiver):
    """b dies, and comes back."""
    cluster.workers[1].kill()
    told = receiver.once("worker_lost", "firing", "b")
    if (told["subject"], told["count"], told["url"]) != ("b", 1, "/#workers") or "b" not in told["text"]["en"]:
        fail(f"told of a worker: {told}")
    cluster.workers[1].start()
    over = receiver.once("worker_lost", "resolved", "b")
    if over["since_ms"] != told["since_ms"]:
        fail(f"it is over since {over}, began {told}")
    say("a killed worker was told once, and once that it is back")


def breaker(cluster, receiver, folder):
    paths = []
    for i in range(BREAKER + 6):
        paths.append(os.path.join(folder, f"broken-{i}.pdf"))
        with open(paths[-1], "w", encoding="utf-8") as out:
            out.write(f"%PDF-1.7 broken {i}\n")
    cluster.api.post("batches?id=broken", "".join(json.dumps({"source": path}) + "\n" for path in paths))
    told = receiver.once("batch_paused", "firing", "broken")
    if told["url"] != "/#batches/broken" or "E_SOURCE_BROKEN" not in told["text"]["vi"] or "pdf" in told["text"]["en"]:
        fail(f"told of the breaker: {told}")
    cluster.api.post("batches/broken/withdraw")
    receiver.once("batch_paused", "resolved", "broken")
    say("a batch that paused itself was told once, and once that it was given up")


def quarantine(cluster, receiver):
    document = next(row["document"] for row in cluster.api.documents("first") if row["state"] == "stored")
    cluster.api.post(f"batches/first/documents/{document}/quarantine", json.dumps({"reason": "test"}))
    receiver.once("quarantined", "firing", "first")
    if [alert["count"] for alert in cluster.api.get("overview")["alerts"] if alert["kind"] == "quarantined"] != [1]:
        fail(f"the overview has {cluster.api.get('overview')['alerts']}")
    cluster.api.post(f"batches/first/documents/{document}/release")
    receiver.once("quarantined", "resolved", "first")
    say("a quarantine was told once, and once that it was released")


def receiver_down(cluster, receiver):
    """It is tried again, ever later, and hears of it once."""
    receiver.down()
    cluster.workers[1].kill()
    failed = wait("three failures", lambda: (found := [f for f in cluster.coordinator.events("notify_failed") if f["kind"] == "worker_lost"])
                  and len(found) >= 3 and found, 60)
    if [f["retry_ms"] for f in failed[:3]] != ["1000", "2000", "4000"]:
        fail(f"it was tried again after {failed}")
    receiver.up()
    receiver.once("worker_lost", "firing", "b")
    say("a receiver that was down heard of it once it was back")


def killed(cluster, receiver):
    """b stands told: a coordinator after this one does not tell it again, though it never met b; and knows when it is over."""
    wait("Redis to have it", lambda: "worker_lost b" in cluster.redis.hash("sohoa:told"), 20)
    for wipe in (False, True):
        receiver.forget()
        cluster.coordinator.kill()
        cluster.coordinator.start()
        wait("a to come back, and b to be waited for no longer",
             lambda: cluster.connected() == 1 and cluster.api.get("status")["ready"], 60)
        if [alert["subject"] for alert in cluster.api.get("overview")["alerts"] if alert["kind"] == "worker_lost"] != ["b"]:
            fail(f"the overview has {cluster.api.get('overview')['alerts']}")
        if wipe:  # nothing is written, and yet it is missed
            cluster.redis.process.kill()
        else:
            cluster.workers[0].kill()
        kind, subject = ("redis_lost", "") if wipe else ("worker_lost", "a")
        receiver.once(kind, "firing", subject)
        again = [m for m in receiver.messages if "b" in m["subjects"] or m["kind"] == "store_full"]
        if again:
            fail(f"told again after a restart: {again}")
        if wipe:  # and it comes back empty
            data = os.path.join(cluster.folder, "redis")
            shutil.rmtree(data)
            os.makedirs(data)
            cluster.redis.start()
        else:
            cluster.workers[0].start()
        receiver.once(kind, "resolved", subject)
    wait("Redis to have it again", lambda: set(cluster.redis.hash("sohoa:told")) == {"worker_lost b", "store_full "}, 20)
    cluster.workers[1].start()
    receiver.once("worker_lost", "resolved", "b")
    wait("Redis to have forgotten it", lambda: set(cluster.redis.hash("sohoa:told")) == {"store_full "}, 20)
    if receiver.of("worker_lost", "firing", "b"):
        fail("b was told again")
    say("over two kills of the coordinator and one of Redis nothing was told again, and its end was")


def slow(cluster, receiver):
    """Five seconds for each: nobody else waits, and each is told once."""
    receiver.forget()
    receiver.begun.clear()
    receiver.delay_s = 5
    cluster.workers[0].kill()
    cluster.workers[1].kill()
    if not receiver.begun.wait(60):
        fail("nothing came")
    longest, asked, until = 0, 0, time.monotonic() + 4
    while time.monotonic() < until:
        begun = time.monotonic()
        cluster.api.get("overview")
        longest, asked = max(longest, time.monotonic() - begun), asked + 1
    if longest > 1 or receiver.messages:
        fail(f"while the receiver took its time, of {asked} questions the longest took {longest:.2f} s: {receiver.messages}")
    for kind, subject in (("no_workers", ""), ("worker_lost", "a"), ("worker_lost", "b")):
        receiver.once(kind, "firing", subject)
    receiver.delay_s = 0
    say(f"a receiver took 5 s for each: {asked} questions meanwhile, the longest {longest * 1000:.0f} ms")


def late(cluster, receiver, sources):
    """Its deadline is over, and there is no worker; then there are."""
    row = {"source": sources[0], "unit": "district:001", "deadline": "2026-01-31"}
    cluster.api.post("batches?id=late", json.dumps(row) + "\n")
    told = receiver.once("unit_late", "firing", "district:001")
    if told["url"] != "/#units?q=district%3A001":
        fail(f"told of a unit: {told}")
    for worker in cluster.workers:
        worker.start()
    cluster.finish("late")
    for kind, subject in (("unit_late", "district:001"), ("no_workers", ""), ("worker_lost", "a"), ("worker_lost", "b")):
        receiver.once(kind, "resolved", subject)
    say("a unit that is late was told once, and once that it is done")


def stuck(cluster, receiver, sources):
    """Nobody sees the scan, so nothing moves."""
    receiver.forget()
    cluster.api.post("batches?id=stuck", json.dumps({"source": sources[0], "intake": "nowhere"}) + "\n")
    receiver.once("no_progress", "firing", "", PROGRESS_MS / 1000 + 60)
    cluster.api.post("batches/stuck/standing", json.dumps({"paused": True}))
    receiver.once("no_progress", "resolved", "")
    say("no progress was told once, and once that nothing is to be read")


def ends(cluster, receiver, document):
    """A coordinator that is stopped does not wait for who takes a minute."""
    receiver.delay_s = 60
    receiver.begun.clear()
    asking = cluster.api.connect()
    asking.request("POST", "/api/v1/notify/test")
    if not receiver.begun.wait(20):
        fail("the test did not come")
    if document.check(cluster.api, "POST", "/notify/test", status=429)["code"] != "E_TRIES":
        fail("there were two tests at once")
    begun = time.monotonic()
    cluster.coordinator.kill(signal.SIGTERM)
    took = time.monotonic() - begun
    asking.close()
    if took > 5 or cluster.coordinator.child.returncode:
        fail(f"it took {took:.1f} s to stop, and ended with {cluster.coordinator.child.returncode}")
    say(f"while a receiver took its time the coordinator stopped within {took:.1f} s")


def run(store, folder):
    wrong_starts(folder)
    sources, _ = backlog(folder, "--documents", "2", "--seed", "5", "--pages-mean", "1", "--duplicates", "0")
    receiver, token = Receiver(f"/hook?key={KEY}", TOKEN), os.path.join(folder, "token")
    with open(token, "w", encoding="utf-8") as out:
        out.write(TOKEN + "\n")
    quiet = Cluster(store, os.path.join(folder, "quiet"))
    quiet.start()
    problem = Document(quiet.api).check(quiet.api, "POST", "/notify/test", status=409)
    if problem["code"] != "E_STATE" or "no notify_url" not in problem["detail"]:
        fail(f"without a receiver: {problem}")
    for process in (*quiet.workers, quiet.coordinator, quiet.redis.process):
        process.kill()
    cluster = Cluster(store, folder, settings=(
        f"--notify_url={receiver.url}", f"--notify_token_file={token}", f"--notify_hold_ms={HOLD_MS}",
        f"--notify_progress_ms={PROGRESS_MS}", "--notify_full_percent=1", f"--breaker_failures={BREAKER}"))
    cluster.start()
    check_tests(cluster, receiver, Document(cluster.api))
    receiver.once("store_full", "firing", "")
    cluster.api.post("batches?id=first", "".join(json.dumps({"source": source}) + "\n" for source in sources))
    cluster.finish("first")
    worker_lost(cluster, receiver)
    breaker(cluster, receiver, folder)
    quarantine(cluster, receiver)
    receiver.forget()
    receiver_down(cluster, receiver)
    killed(cluster, receiver)
    slow(cluster, receiver)
    late(cluster, receiver, sources)
    stuck(cluster, receiver, sources)
    ends(cluster, receiver, Document(cluster.api))
    if receiver.wrong:
        fail(f"what came was wrong: {receiver.wrong}")
    if any(secret in process.text() for process in Process.all for secret in (TOKEN, KEY)):
        fail("a secret is in a log")


if __name__ == "__main__":
    main(run)
