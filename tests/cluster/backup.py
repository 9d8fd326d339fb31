# SPDX-License-Identifier: AGPL-3.0-or-later
"""Back-up and restore: a cluster is backed up while it reads, again and again, killed over it; what people purge goes from the back-up, too; a
damaged byte is named and repaired. Then the store is wiped, brought back to an empty one with a new Redis, and everything is as it was, and the work goes on. What was
copied in the middle of the work is a store as well, and its batch is finished.

usage: backup.py STORE-URL FOLDER. The back-up is in a folder; with a store in Ceph what is restored goes there, and from pool to pool, too.
"""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, backlog, fail, main, say, wait  # noqa: E402
from counts import check_counts  # noqa: E402
from letters import letters  # noqa: E402

DOCUMENTS, LETTERS = 10, 4
FILES = ("pdf", "alto", "text", "record", "source")


class Stores:
    """Where stores are: folders, or pools of their own in a Ceph."""

    def __init__(self, url, folder):
        self.conf = url.removeprefix("rados:") if url.startswith("rados:") else None
        self.folder = folder

    def pool(self, *words):
        done = subprocess.run(["ceph", "-c", self.conf, "osd", "pool", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            fail(f"ceph osd pool {' '.join(words)}: {done.stderr}")

    def empty(self, name):
        """The URL of an empty store; what was in it is gone."""
        if not self.conf:
            shutil.rmtree(f"{self.folder}/{name}", ignore_errors=True)
            return f"dir:{self.folder}/{name}"
        pools = [f"backup-{name}-{kind}" for kind in ("meta", "data")]
        for pool in pools:
            self.pool("delete", pool, pool, "--yes-i-really-really-mean-it")
            self.pool("create", pool, "8")
        return f"rados:{self.conf}?meta={pools[0]}&data={pools[1]}"


def sohoa(*words, code=0):
    done = subprocess.run([f"{BIN}/sohoa", *words, "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != code:
        fail(f"sohoa {' '.join(words)}: exit code {done.returncode}, not {code}: {done.stdout[:800]}{done.stderr}")
    return json.loads(done.stdout) if done.stdout else done.stderr


def back_up(live, copy, *options):
    report = sohoa("backup", live, copy, *options)
    if report["findings_total"]:
        fail(f"the back-up finds {report['findings']}")
    return report


def check(copy, code=0):
    return sohoa("backup", "--check", copy, code=code)


def blobs(copy):
    """Names of what lies in a folder's store."""
    base = copy.removeprefix("dir:")
    return {os.path.relpath(os.path.join(path, name), base) for path, _, names in os.walk(base) for name in names}


def killed(live, copy):
    """It dies in the middle; the next goes on."""
    with subprocess.Popen([f"{BIN}/sohoa", "backup", live, copy, "--threads", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as run:
        wait("the back-up to have something", lambda: any(name.startswith(("src/", "out/")) for name in blobs(copy)), 60)
        run.send_signal(signal.SIGKILL)


def state_of(cluster):
    """What must be the same afterwards: batches, documents, their files by hash, accounts."""
    found = {"batches": {}, "accounts": cluster.api.get("accounts")["accounts"], "targets": cluster.api.get("targets")}
    for batch in cluster.api.get("batches")["batches"]:
        name = batch["id"]
        documents = cluster.api.documents(name)
        files = {f"{document['document']}/{part}": hashlib.sha256(cluster.api.call("GET", f"batches/{name}/documents/{document['document']}/{part}")).hexdigest()
                 for document in documents if document["state"] == "stored" for part in FILES}
        found["batches"][name] = {"pages": batch["pages"], "documents": batch["documents"], "state": batch["state"], "list": documents, "files": files}
    return found


def ledger_verified(store, key):
    verdict = sohoa("ledger", "verify", "--store", store, "--key", key)
    if not verdict["good"] or not verdict["checkpoints"]["good"]:
        fail(f"the ledger of {store}: {verdict}")
    return verdict


def other_place(cluster, store, folder, name):
    """Another cluster on that store, with a Redis of its own, and the key of the ledger as it was kept."""
    os.makedirs(f"{folder}/{name}")
    shutil.copy(f"{cluster.folder}/ledger.key", f"{folder}/{name}")
    other = Cluster(store, f"{folder}/{name}")
    other.start()
    return other


def stop(cluster):
    for process in (*cluster.workers, cluster.coordinator, cluster.redis.process):
        process.kill(signal.SIGTERM)


def at_work(cluster, live, copy, folder, sources):
    """Two back-ups of a cluster that reads, the first cut short; what they are at some moment is kept aside."""
    cluster.api.post("batches?id=one", "".join(json.dumps({"source": source}) + "\n" for source in sources))
    wait("pages to be read", lambda: cluster.stored("one") >= 3)
    killed(live, copy)
    first = back_up(live, copy, "--read-back")
    if cluster.batch("one")["state"] != "running":
        fail("the batch was done before it was backed up")
    if not first["copied"] or check(copy)["findings_total"]:
        fail(f"the first back-up: {first}")
    shutil.copytree(copy.removeprefix("dir:"), f"{folder}/half-copy")
    cluster.finish("one")
    second = back_up(live, copy)
    third = back_up(live, copy)
    if not 0 < second["copied"] < second["same"] + second["copied"] or third["copied"] > 2:
        fail(f"the second back-up: {second}, the third: {third}")
    say(f"at work: {first['copied']} blobs ({first['copied_bytes']} bytes) were copied first, {second['copied']} new ones then, {third['copied']} when nothing had "
        f"changed; {third['same']} were there")


def purge(cluster, live, copy, document):
    sha256 = cluster.api.documents("one")[document]["sha256"]
    cluster.api.post(f"batches/one/documents/{document}/quarantine", json.dumps({"reason": "it may be secret"}))
    stopped = back_up(live, copy)
    left = {name for name in blobs(copy) if sha256 in name or name == f"rec/one/{document:08}"}
    if left != {f"stop/{sha256}", f"src/{sha256}"}:
        fail(f"of a quarantined document the back-up has {left}: {stopped}")
    cluster.api.post(f"batches/one/documents/{document}/purge", json.dumps({"reason": "it is secret"}))
    purged = back_up(live, copy)
    left = {name for name in blobs(copy) if sha256 in name}
    if left != {f"stop/{sha256}"} or purged["removed"] != 1 or check(copy)["findings_total"]:
        fail(f"of a purged document the back-up has {left}: {purged}")
    say(f"a quarantine took {stopped['removed']} blobs out of the back-up, a purge the source")


def damage(live, copy):
    name = sorted(name for name in blobs(copy) if name.startswith("out/") and name.endswith("/pdf"))[0]
    path = os.path.join(copy.removeprefix("dir:"), name)
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.seek(100)
        byte = file.read(1)[0]
        file.seek(100)
        file.write(bytes([byte ^ 1]))
    found = check(copy, code=3)
    if [(one["kind"], one["blob"]) for one in found["findings"]] != [("damaged", name)]:
        fail(f"one byte of {name} was changed, and found is {found}")
    repaired = back_up(live, copy, "--repair")
    if repaired["copied"] > 2 or check(copy)["findings_total"]:
        fail(f"repaired: {repaired}")
    say(f"one changed byte is told ({name[:20]}...) and repaired")


def refused(live, copy):
    """The wrong way round, with a coordinator in its store; and to a place that is in use."""
    said = sohoa("backup", copy, live, code=1)
    if "E_LOCKED" not in said or "c1" not in said:
        fail(f"a back-up into a store that is in use: {said}")
    if "E_STATE" not in sohoa("restore", copy, copy, code=1):
        fail("a restore into what is not empty")


def restored(cluster, before, live, copy, stores, folder, key):
    back = stores.empty("live") if stores.conf else live
    if not stores.conf:
        shutil.rmtree(live.removeprefix("dir:"))
    report = sohoa("restore", copy, back)
    if report["findings_total"] or report["entries"] < 1:
        fail(f"restored: {report}")
    verdict = ledger_verified(back, key)
    other = other_place(cluster, back, folder, "other")
    after = state_of(other)
    for part, value in before.items():
        if after[part] != value:
            fail(f"{part} before {json.dumps(value)[:1500]}\nand after {json.dumps(after[part])[:1500]}")
    files = sum(len(batch["files"]) for batch in after["batches"].values())
    say(f"wiped and restored: {report['copied']} blobs; {verdict['entries']} ledger entries verify with {verdict['checkpoints']['good']} checkpoints; {len(after['accounts'])} accounts and "
        f"{files} files are as before")
    path = f"{folder}/later.pdf"
    letters(path, [{"number": "77", "subject": "sau khi khôi phục"}])
    other.api.post("batches?id=two", json.dumps({"source": path}) + "\n")
    other.finish("two")
    check_counts(other, "two", 1, 1)
    if back_up(back, copy)["copied"] < 8:
        fail("the back-up does not go on behind what was restored")
    stop(other)
    return back


def half_way(cluster, stores, folder, documents, pages):
    """What was copied in the middle of the work: all of it is read in the end."""
    half = stores.empty("half")
    sohoa("restore", f"dir:{folder}/half-copy", half)
    other = other_place(cluster, half, folder, "half-way")
    stored = other.stored("one")
    other.finish("one")
    check_counts(other, "one", documents, pages)
    stop(other)
    say(f"restored from the middle of the work: {stored} pages were stored, all {pages} are now")


def run(store, folder):
    stores = Stores(store, folder)
    live, copy = stores.empty("live"), f"dir:{folder}/copy"
    sources, pages = backlog(folder, "--documents", str(DOCUMENTS), "--seed", "21", "--duplicates", "0", "--pages-mean", "2")
    for number in range(LETTERS):
        sources.insert(number, f"{folder}/letter-{number}.pdf")
        letters(sources[number], [{"number": str(number), "subject": f"lá thư {number}"}])
    cluster = Cluster(live, folder)
    cluster.start()
    cluster.api.post("accounts/root", json.dumps({"role": "administrator", "password": "một mật khẩu rất dài"}))
    cluster.api.post("accounts/mai", json.dumps({"role": "operator", "units": ["district:001"], "password": "một mật khẩu dài", "token": True}))
    cluster.api.post("targets", json.dumps([{"unit": "district:001", "deadline": "2031-01-31", "pages": 90000}]))
    at_work(cluster, live, copy, folder, sources)
    refused(live, copy)
    purge(cluster, live, copy, 1)
    damage(live, copy)
    before = state_of(cluster)
    key = cluster.api.get("ledger/key")["key"]
    stop(cluster)
    back_up(live, copy)
    ledger_verified(copy, key)
    back = restored(cluster, before, live, copy, stores, folder, key)
    half_way(cluster, stores, folder, DOCUMENTS + LETTERS, pages + LETTERS)
    if stores.conf:
        other = stores.empty("copy")
        back_up(back, other)
        say(f"from pool to pool: {check(other)['same']} blobs")


if __name__ == "__main__":
    main(run)
