# SPDX-License-Identifier: AGPL-3.0-or-later
"""A coordinator and two workers on a real Ceph (or a folder) and a real Redis: kill -9 of a slot, of a worker in the middle of storing
a big source, of the coordinator and of Redis while the work goes on. Then every page is stored exactly once and every
count adds up; Redis is emptied and rebuilt to the same counts; and a coordinator that finds the store alone gives nothing
out again.

usage: kills.py STORE-URL FOLDER
"""
import collections
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, backlog, cpu_ticks, fail, main, say, slots_of, wait  # noqa: E402
from counts import check_counts, redis_counts  # noqa: E402

BATCH = "kills"
BIG_BYTES = 160 << 20  # over STORE_PART_BYTES: stored in parts


def big_pdf(path):
    """A one-page PDF with a large stream that no page uses: slow to store, quick to read."""
    noise = random.Random(7).randbytes(1 << 20)
    stream = noise * (BIG_BYTES >> 20)
    text = b"BT /F1 24 Tf 72 700 Td (Large source of the test, read as it is: enough letters to be text) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    with open(path, "wb") as out:
        out.write(b"%PDF-1.7\n")
        offsets = []
        for number, body in enumerate(objects, 1):
            offsets.append(out.tell())
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
        out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
        out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))


def kill_slot(cluster):
    """One that is in the middle of a page: its processor time says so, the failed page afterwards."""
    def reading():
        return next(((worker, slot) for worker in cluster.workers for slot in slots_of(worker.child.pid)
                     if cpu_ticks(slot) >= 15), None)

    def failed(worker):
        return any(event.get("err") == "E_SLOT" for event in worker.events("page_failed"))
    for _ in range(5):
        worker, slot = wait("a page being read", reading)
        os.kill(slot, 9)
        try:
            wait("its page to fail", lambda: failed(worker), 3)
        except AssertionError:
            continue  # it had just ended its page
        say(f"kill 1: slot {slot} of {worker.name} in the middle of a page")
        return
    fail("five slots were killed and no page failed")


def kill_worker_while_storing(cluster):
    """Whoever has the big source: the step of its PROBE job says when it is being stored."""
    def storing():
        for worker in cluster.workers:
            steps = [event.get("step") for event in worker.events("step") if event.get("source", "").endswith("big.pdf")]
            if steps and steps[-1] == "keep":
                return worker
        return None
    worker = wait("the big source to be stored", storing)
    worker.kill()
    if storing() is not worker:
        fail(f"{worker.name} had stored the big source before it was killed: the test was too slow")
    say(f"kill 2: {worker.name} while it stored the big source")
    worker.start()


def kill_coordinator(cluster):
    before = cluster.stored(BATCH)
    wait("more pages", lambda: cluster.stored(BATCH) > before)
    cluster.coordinator.kill()
    say("kill 3: the coordinator")
    cluster.coordinator.start()
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)


def kill_redis(cluster):
    before = cluster.stored(BATCH)
    wait("more pages", lambda: cluster.stored(BATCH) > before)
    cluster.redis.process.kill()
    say("kill 4: Redis")
    before = cluster.stored(BATCH)
    wait("a page stored without Redis", lambda: cluster.stored(BATCH) > before)
    cluster.redis.start()


def check_reads(cluster, kills):
    """A page is read again only where a kill took its reader."""
    reads = collections.Counter(event["page"] for worker in cluster.workers for event in worker.events("page_read"))
    again = {page: count for page, count in reads.items() if count > 1}
    say(f"{len(reads)} pages read, {sum(again.values()) - len(again)} of them again after a kill")
    if any(count > 1 + kills for count in reads.values()):
        fail(f"pages read more often than readers were killed: {again}")


def check_files(cluster):
    """Every stored document's files come out of the store and are what their record says."""
    import hashlib
    for document in cluster.api.documents(BATCH):
        if document["state"] != "stored":
            continue
        base = f"batches/{BATCH}/documents/{document['document']}/"
        record = json.loads(cluster.api.call("GET", base + "record"))
        for name in ("pdf", "alto", "text"):
            data = cluster.api.call("GET", base + name)
            if hashlib.sha256(data).hexdigest() != record["outputs"][name]["sha256"]:
                fail(f"{base}{name} is not what its record says")
        if record["sha256"] != document["sha256"] or record["pages_stored"] != document["pages"]:
            fail(f"{base}record does not fit: {record['pages_stored']} pages")
    say("every document's PDF, ALTO and text are what its record says")


def check_rebuild(cluster, counts):
    cluster.redis.command("FLUSHALL")
    answer = subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "rebuild", "--json"], capture_output=True,
                            text=True)
    if answer.returncode:
        fail(f"sohoa rebuild: {answer.stdout} {answer.stderr}")
    again = redis_counts(cluster, BATCH)
    if again != counts:
        fail(f"after FLUSHALL and rebuild {again}, before {counts}")
    say(f"Redis emptied, `sohoa rebuild`: {answer.stdout.strip()}: the same counts")


def check_start_from_store(cluster, counts):
    grants = sum(1 for _ in cluster.coordinator.events("grant"))
    cluster.coordinator.kill()
    cluster.redis.command("FLUSHALL")
    cluster.coordinator.start()
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)
    wait("the counts to be back", lambda: redis_counts(cluster, BATCH) == counts, 30)
    again = sum(1 for _ in cluster.coordinator.events("grant")) - grants
    if again:
        fail(f"{again} leases were granted after the restart, of finished work")
    say("coordinator killed, Redis emptied: a new coordinator got every count from the store and granted nothing again")


def run(store, folder):
    sources, pages = backlog(folder, "--documents", "14", "--seed", "11", "--duplicates", "15", "--pages-mean", "2")
    big = os.path.join(folder, "big.pdf")
    big_pdf(big)
    sources.insert(len(sources) // 2, big)
    manifest = "".join(json.dumps({"source": source}) + "\n" for source in sources)
    cluster = Cluster(store, folder)
    cluster.start()
    cluster.api.post(f"batches?id={BATCH}", manifest)
    kill_slot(cluster)
    kill_worker_while_storing(cluster)
    kill_coordinator(cluster)
    kill_redis(cluster)
    wait("the batch to finish", lambda: (batch := cluster.batch(BATCH)) and batch["state"] == "finished", 400)
    counts = check_counts(cluster, BATCH, len(sources), pages + 1)
    check_reads(cluster, 4)
    check_files(cluster)
    check_rebuild(cluster, counts)
    check_start_from_store(cluster, counts)
    say("4 kills survived")


if __name__ == "__main__":
    main(run)
