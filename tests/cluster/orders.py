# SPDX-License-Identifier: AGPL-3.0-or-later
"""What operators order of a running cluster: the same sources again, quarantine and release, re-run, withdrawal, a check
before anything starts. After each, every count adds up, and a restart from the store alone comes to the same.

usage: orders.py STORE-URL FOLDER (the store is a dir: one, since the test looks into it)
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, backlog, fail, main, say, wait  # noqa: E402


BREAKER = 10


def submit(cluster, batch, sources, said=0):
    """said: for every so many-th document the manifest says a page count (which may be wrong); 0: for none."""
    rows = [{"source": source, **({"pages": 1} if said and i % said == 0 else {})} for i, source in enumerate(sources)]
    cluster.api.post(f"batches?id={batch}", "".join(json.dumps(row) + "\n" for row in rows))


def check_read_on(cluster, batch, said):
    """Short documents whose pages the manifest says were read in the lease of their PROBE, and no others."""
    pages_granted = {int(grant["doc"]) for grant in cluster.coordinator.events("grant")
                     if grant["batch"] == batch and grant["kind"] == "pages"}
    for document in cluster.api.documents(batch):
        if document["state"] != "stored":
            continue
        read_on = document["document"] % said == 0 and document["pages"] <= 8
        if read_on == (document["document"] in pages_granted):
            fail(f"document {document['document']} with {document['pages']} pages was "
                 f"{'not ' if read_on else ''}read in the lease of its PROBE")


def reads(cluster):
    return sum(1 for worker in cluster.workers for _ in worker.events("page_read"))


def expect(cluster, batch, **documents):
    """The batch's documents by state, and its pages add up."""
    found = cluster.api.get(f"batches/{batch}")
    for state, count in documents.items():
        if found["documents"][state] != count:
            fail(f"batch {batch}: {found['documents'][state]} documents {state}, expected {count}: {found}")
    pages = found["pages"]
    if sum(count for state, count in pages.items() if state != "total") != pages["total"]:
        fail(f"batch {batch}: pages do not add up: {pages}")
    return found


def blobs(store, word):
    root = store.removeprefix("dir:")
    return [os.path.relpath(os.path.join(base, name), root) for base, _, names in os.walk(root) for name in names
            if word in os.path.relpath(os.path.join(base, name), root)]


def same_again(cluster, sources):
    submit(cluster, "first", sources, said=2)
    cluster.finish("first")
    check_read_on(cluster, "first", said=2)
    before = reads(cluster)
    submit(cluster, "again", sources)
    found = cluster.finish("again")
    if reads(cluster) != before:
        fail(f"{reads(cluster) - before} pages were read again for a second batch of the same sources")
    if found["pages"] != cluster.api.get("batches/first")["pages"]:
        fail("the second batch of the same sources counts otherwise")
    say(f"{found['pages']['stored']} pages stored; a second batch of the same sources found them all")


WORD, REASON = "Zyzzogeton", "Quixotry"  # no source has them


def holds(store, *words):
    """Names of blobs that have one of the words (bytes) in them, but for sources and manifests."""
    root = store.removeprefix("dir:")
    names = [name for name in blobs(store, "") if not name.startswith("src/") and "/manifest/" not in name]
    found = []
    for name in names:
        try:
            with open(os.path.join(root, name), "rb") as blob:
                data = blob.read()
        except FileNotFoundError:  # it was removed meanwhile
            continue
        found += [name] if any(word in data for word in words) else []
    return found


def check_changed(cluster, path, blob):
    """What somebody changed behind the ledger's back is not shown as what was said."""
    with open(blob, "r+b") as file:
        said = file.read()
        file.seek(0)
        file.write(said.replace(WORD.encode(), WORD.upper().encode()))
    try:
        fail(f"remarks that were changed are shown: {cluster.api.get(path)}")
    except AssertionError as refused:
        if "E_CORRUPT" not in str(refused) or path.split("/")[3] not in str(refused):
            fail(f"remarks that were changed: {refused}")
    with open(blob, "r+b") as file:
        file.write(said)


def review(cluster, store, document):
    """What a person says of the document is shown again after a restart, and is not in the ledger."""
    cluster.api.post("batches/first/review/round", "{}")
    path = f"batches/first/documents/{document['document']}/review"
    cluster.api.post(path, json.dumps({"decision": "accept", "corrections": {"signer": WORD}, "reason": REASON}))
    for _ in range(2):
        said = cluster.api.get(path)
        signer = next(field for field in said["fields"] if field["name"] == "signer")
        if (signer["value"], said["decided"]["reason"], said["state"]) != (WORD, REASON, "corrected"):
            fail(f"a corrected document is {said}")
        record = json.loads(cluster.api.call("GET", f"batches/first/documents/{document['document']}/record"))
        if record["metadata"]["signer"]["corrected"]["value"] != WORD:
            fail(f"its record has {record['metadata']['signer']}")
        restart(cluster)
    check_changed(cluster, path, os.path.join(store.removeprefix("dir:"), f"batch/first/remarks/{document['document']}"))
    found = holds(store, WORD.encode(), REASON.encode())
    if found != [f"batch/first/remarks/{document['document']}"]:
        fail(f"what was said of the document is in {found}")


def sketch_of(store, document):
    name = next(name for name in blobs(store, document["sha256"]) if name.endswith("/done"))
    with open(os.path.join(store.removeprefix("dir:"), name), encoding="utf-8") as done:
        return bytes.fromhex(json.load(done)["sketch"])


def check_index(cluster, store, document):
    """What a coordinator did not come to write into the index before it died is there after a start; else there is nothing to do."""
    documents, starts = len(cluster.api.documents("first")), len(list(cluster.coordinator.events("recovered")))
    for lost in (False, True):
        if lost:
            cluster.coordinator.kill()
            os.remove(os.path.join(store.removeprefix("dir:"), "batch/again/index/0"))
            starts += 1
            cluster.coordinator.start()
        recalled = wait("the index to be read", lambda: (read := list(cluster.coordinator.events("recalled"))) and len(read) == starts and read)[-1]
        if (int(recalled["documents"]), int(recalled["missing"])) != ((documents, documents) if lost else (2 * documents, 0)):
            fail(f"of the index of twice {documents} documents: {recalled}")
    wait("the index to be whole", lambda: "batch/again/index/0" in holds(store, bytes.fromhex(document["sha256"])))
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)


def quarantine(cluster, store):
    document = next(document for document in cluster.api.documents("first") if document["state"] == "stored")
    path = f"batches/first/documents/{document['document']}"
    sketch = sketch_of(store, document)
    review(cluster, store, document)
    if "batch/first/index/0" not in holds(store, sketch):
        fail("the index has no sketch of the document")
    check_index(cluster, store, document)
    before = cluster.api.get("batches/first")["pages"]
    cluster.api.post(path + "/quarantine", json.dumps({"reason": "test"}))
    for batch in ("first", "again"):
        if cluster.api.documents(batch)[document["document"]]["state"] != "quarantined":
            fail(f"batch {batch} still has the document")
    wait("everything derived to be gone", lambda: [name for name in blobs(store, document["sha256"])
                                                   if not name.startswith(("src/", "stop/"))] == [])
    wait("its records to be gone", lambda: blobs(store, f"rec/first/{document['document']:08d}") == [])
    wait("what was said of it to be gone, and its sketch", lambda: holds(store, WORD.encode(), REASON.encode(), sketch) == [])
    if not blobs(store, "stop/" + document["sha256"]):
        fail("there is no tombstone")
    expect(cluster, "first", quarantined=1)
    restart(cluster)
    expect(cluster, "first", quarantined=1)
    cluster.api.post(path + "/release")
    cluster.finish("first")
    cluster.finish("again")
    if blobs(store, "stop/" + document["sha256"]) or cluster.api.get("batches/first")["pages"] != before:
        fail("the release did not bring it back")
    cluster.api.call("GET", path + "/pdf")
    if "corrected" in json.loads(cluster.api.call("GET", path + "/record"))["metadata"]["signer"]:
        fail("a correction came back")
    say("quarantine: derived blobs, records, corrections and sketches gone, in both batches, over a restart; release: read and stored again")


def restart(cluster):
    cluster.coordinator.kill()
    cluster.redis.command("FLUSHALL")
    cluster.coordinator.start()
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)


def rerun(cluster):
    document = cluster.api.documents("first")[1]
    dry = cluster.api.post("batches/first/rerun?dry_run=1", json.dumps({"documents": [1]}))
    before = reads(cluster)
    cluster.api.post("batches/first/rerun", json.dumps({"documents": [1]}))
    cluster.api.call("GET", "batches/first/documents/1/pdf")  # the old one, until the new one is done
    cluster.finish("first")
    again = cluster.api.documents("first")[1]
    if reads(cluster) - before != dry["pages"] or dry["pages"] != document["pages"]:
        fail(f"the re-run read {reads(cluster) - before} pages, its price was {dry}")
    if again["generation"] != document["generation"] + 1 or again["state"] != "stored":
        fail(f"the re-run ended as {again}")
    if json.loads(cluster.api.call("GET", "batches/first/documents/1/record"))["generation"] != again["generation"]:
        fail("the record is of the old generation")
    say(f"re-run: {dry['pages']} pages read again, generation {again['generation']} in force")


def grades(cluster, batch):
    """(document, page) -> grade, as the records of stored documents say."""
    return {(document["document"], page["page"]): page["grade"] or "none"
            for document in cluster.api.documents(batch) if document["state"] == "stored"
            for page in json.loads(cluster.api.call(
                "GET", f"batches/{batch}/documents/{document['document']}/record"))["pages"]}


def chosen(cluster, where):
    return cluster.api.post("reruns?dry_run=1", json.dumps({"where": where}))["pages"]


def check_grades(cluster, batch):
    found = grades(cluster, batch)
    for grade in ("A", "B", "C", "none"):
        pages = sum(its == grade for its in found.values())
        if chosen(cluster, f"batch={batch} and grade={grade}") != pages:
            fail(f"batch {batch} has {pages} pages with grade {grade}, a re-run would read "
                 f"{chosen(cluster, f'batch={batch} and grade={grade}')}")
    return found


def check_readings(cluster, document, again):
    """The record tells of each page which reading it is of, and of those that were read again what they were before."""
    record = json.loads(cluster.api.call("GET", f"batches/graded/documents/{document}/record"))
    for page in record["pages"]:
        readings = [reading["generation"] for reading in page["history"]] + [page["reading"]["generation"]]
        if readings != ([0, 1] if page["page"] in again else [0]):
            fail(f"page {page['page']} of document {document} has the readings {readings}; {again} were read again")
        if any((before["grade"], before["confidence"]) != (page["grade"], page["confidence"]) for before in page["history"]):
            fail(f"page {page['page']} was read otherwise before: {page['history']}")


def rerun_pages(cluster, folder):
    """Pages by their grade: no other is read again, and what was not begun is undone, over a restart, too."""
    sources, _ = backlog(os.path.join(folder, "graded"), "--documents", "3", "--seed", "11", "--pages-mean", "3",
                         "--damage", "mixed", "--blank", "60", "--duplicates", "0", "--formats", "pdf")
    submit(cluster, "graded", sources)
    cluster.finish("graded")
    found = check_grades(cluster, "graded")
    restart(cluster)
    check_grades(cluster, "graded")
    mixed = {(doc, grade) for (doc, _), grade in found.items()
             if len({its for (other, _), its in found.items() if other == doc}) > 1}
    if not mixed:
        fail(f"no document has pages of several grades: {found}")
    document, grade = sorted(mixed)[0]
    where = f"batch=graded and document={document} and grade={grade}"
    price, before = chosen(cluster, where), reads(cluster)
    words = cluster.api.call("GET", f"batches/graded/documents/{document}/text")
    ordered = cluster.api.post("reruns", json.dumps({"where": where}))
    cluster.finish("graded")
    if reads(cluster) - before != price or not price or cluster.api.documents("graded")[document]["generation"] != 1:
        fail(f"{where}: {reads(cluster) - before} pages were read, its price was {price}")
    if cluster.api.call("GET", f"batches/graded/documents/{document}/text") != words:
        fail("the text is another, though the pipeline is the same")
    listed = cluster.api.get("reruns")["reruns"][-1]
    if (listed["number"], listed["finished"], listed["where"]) != (ordered["number"], 1, where):
        fail(f"the order is listed as {listed}")
    check_grades(cluster, "graded")
    check_readings(cluster, document, {page for (other, page), its in found.items() if (other, its) == (document, grade)})
    say(f"re-run by grade: {price} of {len(found)} pages read again, the other pages of the document were kept")


def effect(cluster):
    """A dry run tells which units' deadlines get worse, and orders nothing."""
    cluster.api.post("batches/graded/standing", json.dumps({"deadline": "2026-01-31"}))
    worse = cluster.api.post("reruns?dry_run=1", json.dumps({"where": "batch=graded"}))["deadlines"]["worse"]
    if [(unit["unit"], unit["verdict"], unit["before"]) for unit in worse] != [("", "late", None)]:
        fail(f"a re-run of a batch whose deadline is over would make worse: {worse}")
    answer = subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "rerun", "graded", "--where", "pages>0",
                             "--dry-run"], capture_output=True, text=True)
    if answer.returncode or "1 unit gets worse" not in answer.stdout or "late" not in answer.stdout:
        fail(f"rerun --dry-run: {answer.returncode} {answer.stdout} {answer.stderr}")
    cluster.api.post("batches/graded/standing", json.dumps({"deadline": None}))
    deadlines = cluster.api.post("reruns?dry_run=1", json.dumps({"where": "batch=graded"}))["deadlines"]
    if deadlines["worse"] or deadlines["ends_then_ms"] <= deadlines["ends_ms"]:
        fail(f"a re-run without a deadline: {deadlines}")
    if cluster.api.get("batches/graded")["documents"]["open"]:
        fail("a dry run opened documents")
    say(f"a dry run named the unit that gets worse: {answer.stdout.splitlines()[0]}")


def state(cluster, batch):
    found, redis = cluster.api.get(f"batches/{batch}"), cluster.redis.hash(f"sohoa:batch:{batch}")
    redis.pop("cpu_ms", None)  # since the coordinator's start
    return found["documents"], found["pages"], cluster.api.documents(batch), redis


def undo(cluster):
    """As long as nothing has begun, everything goes back: in memory, in Redis and after a restart."""
    cluster.api.post("batches/graded/standing", json.dumps({"paused": True}))
    wait("Redis to be told", lambda: cluster.api.get("status")["redis"])
    before = state(cluster, "graded")
    for restarts in ((), ("between",), ("after",)):
        number = cluster.api.post("reruns", json.dumps({"where": "batch=graded"}))["number"]
        if not cluster.api.get("batches/graded")["documents"]["open"]:
            fail("a re-run opened no document")
        if "between" in restarts:
            restart(cluster)
        answer = subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "rerun", "--undo", str(number)],
                                capture_output=True, text=True)
        if answer.returncode or not answer.stdout.startswith("3 documents are what they were before; 0 had begun"):
            fail(f"rerun --undo: {answer.returncode} {answer.stdout} {answer.stderr}")
        if "after" in restarts:
            restart(cluster)
        wait("Redis to be written again", lambda: state(cluster, "graded")[3] == before[3])
        if state(cluster, "graded") != before:
            fail(f"undone: {state(cluster, 'graded')}, before {before}")
    cluster.api.post("batches/graded/standing", json.dumps({"paused": False}))
    check_grades(cluster, "graded")
    say("three re-runs of a batch undone, over restarts: every document, count and grade as before")


def broken(cluster, sources, folder):
    """The same failure over and over pauses a batch, also over a kill -9; an operator goes on."""
    paths = []
    for i in range(BREAKER + 12):
        paths.append(os.path.join(folder, f"broken-{i}.pdf"))
        with open(paths[-1], "w", encoding="utf-8") as out:
            out.write(f"%PDF-1.7 broken {i}\n")
    submit(cluster, "broken", [*paths, sources[0]])
    wait("the breaker", lambda: cluster.api.get("batches/broken")["state"] == "paused", 120)
    wait("the ledger to have it", lambda: cluster.api.get("ledger?order=newest&kind=standing&batch=broken")["entries"], 20)
    restart(cluster)
    batch = cluster.api.get("batches/broken")
    if batch["state"] != "paused" or batch["paused_by"]["code"] != "E_SOURCE_BROKEN" or not batch["documents"]["open"]:
        fail(f"after a kill: {batch}")
    while cluster.api.get("batches/broken")["state"] != "finished":
        if cluster.api.get("batches/broken")["state"] == "paused":
            cluster.api.post("batches/broken/standing", json.dumps({"paused": False}))
        wait("the batch to end, or to pause again",
             lambda: cluster.api.get("batches/broken")["state"] in ("paused", "finished"), 120)
    expect(cluster, "broken", refused=len(paths), stored=1)
    say(f"{BREAKER} failures of one kind paused a batch; it was gone on with")


def mended(cluster, sources, folder):
    """A broken source is refused by reason; put right and re-run, it is stored."""
    path = os.path.join(folder, "mended.pdf")
    with open(path, "wb") as out:
        out.write(b"%PDF-1.7\nnothing that makes sense\n")
    submit(cluster, "mended", [path])
    cluster.finish("mended")
    refused = cluster.api.documents("mended")[0]
    if refused["state"] != "refused" or not refused["error"]:
        fail(f"a broken source ended as {refused}")
    shutil.copyfile(next(source for source in sources if source.endswith(".pdf")), path)
    cluster.api.post("batches/mended/rerun", json.dumps({"where": "state=refused"}))
    cluster.finish("mended")
    expect(cluster, "mended", stored=1)
    say(f"a broken source was refused ({refused['error']['code']}), put right, re-run and stored")


def withdraw(cluster, folder):
    sources, _ = backlog(os.path.join(folder, "more"), "--documents", "4", "--seed", "77", "--pages-mean", "3")
    submit(cluster, "withdrawn", sources)
    wait("its first lease", lambda: cluster.api.get("batches/withdrawn")["pages"]["leased"])
    cluster.api.post("batches/withdrawn/withdraw")
    found = cluster.api.get("batches/withdrawn")
    if found["state"] != "withdrawn" or found["pages"]["queued"] or found["pages"]["leased"]:
        fail(f"after withdrawal: {found}")
    wait("the workers to be idle", lambda: not sum(w["leases"] for w in cluster.api.get("status")["workers"]))
    expect(cluster, "withdrawn", open=0)
    say(f"withdrawn: {found['documents']['withdrawn']} of 4 documents, no lease left")


def check(cluster, sources, folder):
    lost = os.path.join(folder, "lost.pdf")
    manifest = os.path.join(folder, "check.csv")
    with open(manifest, "w") as out:
        out.write("source,pages\n")
        out.write(f'"{sources[0]}",999\n"{sources[1]}",\n{lost},3\n')
    known = len(cluster.api.get("batches")["batches"])
    answer = subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "submit", manifest, "--check"],
                            capture_output=True, text=True)
    if answer.returncode != 3 or "lost.pdf" not in answer.stdout or "999" not in answer.stdout:
        fail(f"submit --check: {answer.returncode} {answer.stdout} {answer.stderr}")
    if len(cluster.api.get("batches")["batches"]) != known:
        fail("a check admitted a batch")
    say("submit --check named the missing source and the wrong page count, and started nothing")


def run(store, folder):
    sources, _ = backlog(folder, "--documents", "6", "--seed", "5", "--duplicates", "20", "--pages-mean", "1")
    cluster = Cluster(store, folder, settings=(f"--breaker_failures={BREAKER}",))
    cluster.start()
    same_again(cluster, sources)
    quarantine(cluster, store)
    rerun(cluster)
    rerun_pages(cluster, folder)
    effect(cluster)
    undo(cluster)
    mended(cluster, sources, folder)
    broken(cluster, sources, folder)
    withdraw(cluster, folder)
    check(cluster, sources, folder)
    batches = ("first", "again", "graded", "mended", "broken", "withdrawn")
    before = {batch: cluster.api.get(f"batches/{batch}") for batch in batches}
    history = [(event["kind"], event["subject"], event["text"]) for event in cluster.api.get("history")["events"]]
    restart(cluster)
    if history != [(event["kind"], event["subject"], event["text"]) for event in cluster.api.get("history")["events"]]:
        fail(f"the history is another after a restart: {cluster.api.get('history')}, before {history}")
    if not {"admitted", "standing", "rerun", "undone", "quarantined", "released", "withdrawn"} <= {
            kind for kind, _, _ in history}:
        fail(f"the history lacks orders: {history}")
    for batch in batches:
        after = cluster.api.get(f"batches/{batch}")
        if (after["documents"], after["pages"], after["state"]) != (
                before[batch]["documents"], before[batch]["pages"], before[batch]["state"]):
            fail(f"batch {batch} after a restart from the store: {after}, before {before[batch]}")
    say("a restart from the store alone came to the same counts")


if __name__ == "__main__":
    main(run)
