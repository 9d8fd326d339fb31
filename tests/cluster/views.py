# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages for people, of a running cluster: pictures and words arrive, are made once, outlive a worker that is killed over
them, and are gone with a quarantine or a restart.

usage: views.py STORE-URL FOLDER (the store is a dir: one, since the test looks into it)
"""
import json
import os
import signal
import struct
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import Cluster, UnixConnection, backlog, fail, main, say, wait  # noqa: E402

WIDTHS = (240, 800, 1600)


def ask(cluster, path):
    """Status, content type and bytes of the answer."""
    connection = UnixConnection(cluster.http)
    try:
        connection.request("GET", "/api/v1/" + path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()


def page(document, page_no, what):
    return f"batches/first/documents/{document['document']}/pages/{page_no}/{what}"


def jpeg_size(data):
    at = 2
    while data[at] == 0xFF:
        if 0xC0 <= data[at + 1] <= 0xC3:
            height, width = struct.unpack(">HH", data[at + 5:at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    fail("a JPEG without a frame")


def picture_size(kind, data):
    if kind == "image/png" and data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xae\x42\x60\x82"):
        return struct.unpack(">II", data[16:24])
    if kind == "image/jpeg" and data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9"):
        return jpeg_size(data)
    fail(f"{len(data)} bytes are no whole {kind}: {data[:80]!r}")


def jobs(cluster):
    """VIEW jobs so far."""
    return sum(1 for _ in cluster.coordinator.events("view"))


def view_blobs(store):
    root = os.path.join(store.removeprefix("dir:"), "view")
    return [name for _, _, names in os.walk(root) for name in names]


def check_pictures(cluster, document, folder):
    for width in WIDTHS:
        status, kind, data = ask(cluster, page(document, 1, f"picture?width={width}"))
        got, height = picture_size(kind, data) if status == 200 else (0, 0)
        if got != width or not 0.5 < height / width < 2:
            fail(f"a picture {width} wide: {status} {kind}, {got} x {height}: {data[:300]!r}")
        with open(os.path.join(folder, f"page-{document['document']}-{width}.{kind[6:]}"), "wb") as out:
            out.write(data)
    return kind


def pictures(cluster, documents, folder):
    kinds = [check_pictures(cluster, document, folder) for document in documents]
    for path, want in ((page(documents[0], 1, "picture?width=777"), 400), (page(documents[0], 1, "picture"), 400),
                       (page(documents[0], documents[0]["pages"] + 1, "picture?width=240"), 404),
                       (page(documents[0], "x", "words"), 404)):
        if ask(cluster, path)[0] != want:
            fail(f"{path}: {ask(cluster, path)}")
    say(f"pages of {len(documents)} documents were drawn at {len(WIDTHS)} widths: {', '.join(sorted(set(kinds)))}")


def words(cluster, document):
    said = []
    for page_no in range(1, document["pages"] + 1):
        status, kind, data = ask(cluster, page(document, page_no, "words"))
        found = json.loads(data) if status == 200 else fail(f"words: {status} {data!r}")
        if kind != "application/json" or found["page"] != page_no:
            fail(f"words of page {page_no}: {kind} {found}")
        for word in found["words"]:
            if not (0 <= word["conf"] <= 100 and word["w"] and 0 <= word["x"] < found["width"] and
                    0 <= word["y"] < found["height"]):
                fail(f"page {page_no} is {found['width']} x {found['height']}, and has the word {word}")
            said.append(word["text"])
    text = cluster.api.call("GET", f"batches/first/documents/{document['document']}/text").decode().split()
    if not said or said != text:
        fail(f"{len(said)} words, the text has {len(text)}: {said[:20]} {text[:20]}")
    say(f"the {len(said)} words of {document['pages']} pages are those of the text")


def png_rows(data):
    """The rows of a gray PNG, a byte a pixel (PNG, 9: filters)."""
    (width, height), at, packed = struct.unpack(">II", data[16:24]), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    raw, before, rows = zlib.decompress(packed), bytearray(width), []
    for y in range(height):
        how, row = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            left, up, corner = (row[x - 1], before[x], before[x - 1]) if x else (0, before[x], 0)
            near = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            row[x] = (row[x] + (0, left, up, (left + up) // 2, near)[how]) & 255
        rows.append(row)
        before = row
    return rows


def ink_is_in_words(cluster, documents):
    """A bilevel scan that lies upside down: its picture is upright, and black where its words are said to be."""
    for document in documents:
        found = json.loads(ask(cluster, page(document, 1, "words"))[2])
        _, kind, data = ask(cluster, page(document, 1, "picture?width=800"))
        if kind == "image/png" and data[25] == 0 and found["rotation"]:
            break
    else:
        fail("no bilevel page has to be turned")
    rows, scale = png_rows(data), 800 / found["width"]
    ink = {(x, y) for y, row in enumerate(rows) for x, shade in enumerate(row) if shade < 128}
    boxes = [tuple(round(value * scale) for value in (word["x"], word["y"], word["x"] + word["w"],
                                                      word["y"] + word["h"])) for word in found["words"]]
    inside = sum((x, y) in ink for x0, y0, x1, y1 in boxes for x in range(x0, x1) for y in range(y0, y1))
    if abs(len(rows) - found["height"] * scale) > 1 or inside < 0.7 * len(ink):
        fail(f"of {len(ink)} black pixels {inside} are in the boxes of words")
    if boxes[0][1] > boxes[-1][1]:
        fail("the first word is below the last")
    say(f"a page turned by {found['rotation']} degrees has {100 * inside // len(ink)} % of its ink where its words are")


def again(cluster, documents):
    before = jobs(cluster)
    for document in documents:
        for width in WIDTHS:
            if ask(cluster, page(document, 1, f"picture?width={width}"))[0] != 200:
                fail("a picture that was there is not")
    if jobs(cluster) != before:
        fail(f"{jobs(cluster) - before} jobs for pictures that were there")
    together = [Asker(cluster, page(documents[0], 2, "picture?width=800")) for _ in range(8)]
    answers = [asker.answer() for asker in together]
    if len(set(answers)) != 1 or answers[0][0] != 200 or jobs(cluster) != before + 1:
        fail(f"8 requests for the same picture: {[answer[0] for answer in answers]}, {jobs(cluster) - before} jobs")
    say("what is there costs no job, and 8 requests at once one")


def busy(cluster, document, folder):
    """All slots read pages: a picture does not wait until one has ended its range."""
    sources, _ = backlog(os.path.join(folder, "busy"), "--documents", "4", "--seed", "9", "--duplicates", "0", "--pages-mean", "12",
                         "--blank", "0")
    cluster.api.post("batches?id=busy", "".join(json.dumps({"source": source}) + "\n" for source in sources))
    wait("all slots to read", lambda: cluster.api.get("batches/busy")["pages"]["leased"] > 8 and
         all(worker["leases"] for worker in cluster.api.get("workers")["workers"]), 60)
    began = time.monotonic()
    status, _, data = ask(cluster, page(document, 2, "picture?width=1600"))
    took = time.monotonic() - began
    if status != 200 or cluster.api.get("batches/busy")["state"] != "running":
        fail(f"a picture while all slots read: {status} {data[:200]!r}")
    cluster.api.post("batches/busy/withdraw")
    say(f"while all slots read pages, a picture took {took * 1000:.0f} ms")


class Asker(threading.Thread):
    def __init__(self, cluster, path):
        super().__init__()
        self.cluster, self.path, self.got = cluster, path, None
        self.start()

    def run(self):
        self.got = ask(self.cluster, self.path)

    def answer(self):
        self.join()
        return self.got


def signal_all(workers, number):
    for worker in workers:
        worker.child.send_signal(number)


def killed(cluster, document):
    """Both workers stand still; the one that got the job is killed, the other goes on and answers."""
    before = jobs(cluster)
    signal_all(cluster.workers, signal.SIGSTOP)
    asker = Asker(cluster, page(document, 3, "picture?width=800"))
    wait("the job to go out", lambda: jobs(cluster) > before)
    name = list(cluster.coordinator.events("view"))[-1]["worker"]
    victim = next(worker for worker in cluster.workers if worker.name == f"worker-{name}")
    other = next(worker for worker in cluster.workers if worker is not victim)
    victim.kill()
    signal_all([other], signal.SIGCONT)
    status, kind, data = asker.answer()
    if status != 200 or picture_size(kind, data)[0] != 800:
        fail(f"after worker {name} was killed: {status} {data[:300]!r}")
    if list(cluster.coordinator.events("view"))[-1]["worker"] == name:
        fail("the picture came from a worker that is dead")
    other.kill()
    status, kind, data = ask(cluster, page(document, 3, "picture?width=1600"))
    if status != 503 or json.loads(data)["code"] != "E_TIME":
        fail(f"without workers: {status} {data!r}")
    for worker in cluster.workers:
        worker.start()
    wait("the workers to join", lambda: cluster.connected() == 2, 60)
    say(f"worker {name} was killed over a picture, another made it; without workers: 503, {json.loads(data)['detail']}")


def restart(cluster, document, store):
    if not view_blobs(store):
        fail("nothing is kept")
    cluster.coordinator.kill()
    cluster.coordinator.start()
    wait("what was kept to be gone", lambda: not view_blobs(store))
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)
    if ask(cluster, page(document, 1, "picture?width=240"))[0] != 200 or len(view_blobs(store)) != 1:
        fail("after a restart there are no pictures")
    say("a restart begins with an empty cache")


def quarantine(cluster, document, store):
    """Also of a view that is being made: its worker stands still meanwhile."""
    kept = ask(cluster, page(document, 1, "words"))
    if kept[0] != 200 or not view_blobs(store):
        fail(f"before the quarantine: {kept}")
    before = jobs(cluster)
    signal_all(cluster.workers, signal.SIGSTOP)
    asker = Asker(cluster, page(document, 2, "picture?width=240"))
    wait("the job to go out", lambda: jobs(cluster) > before)
    cluster.api.post(f"batches/first/documents/{document['document']}/quarantine", json.dumps({"reason": "test"}))
    waited = asker.answer()  # at once, whatever its worker does
    signal_all(cluster.workers, signal.SIGCONT)
    answers = [waited, ask(cluster, page(document, 1, "picture?width=240")),
               ask(cluster, page(document, 1, "words"))]
    if [answer[0] for answer in answers] != [409, 409, 409] or json.loads(answers[0][2])["code"] != "E_STOPPED":
        fail(f"of a quarantined document: {answers}")
    wait("the worker to end that job",
         lambda: any(event["lease"] == list(cluster.coordinator.events("view"))[-1]["lease"]
                     for worker in cluster.workers for event in worker.events("job_failed")))
    wait("its pictures and words to be gone", lambda: not view_blobs(store))
    cluster.api.post(f"batches/first/documents/{document['document']}/release")
    cluster.finish("first")
    if ask(cluster, page(document, 1, "picture?width=240"))[0] != 200:
        fail("after the release there are no pictures")
    say("quarantine: 409 for who asks and for who waited, nothing kept; after the release it is shown again")


def run(store, folder):
    sources, _ = backlog(folder, "--documents", "4", "--seed", "5", "--duplicates", "0", "--pages-mean", "3")
    cluster = Cluster(store, folder, settings=("--worker_lost_ms=3000",))
    cluster.start()
    cluster.api.post("batches?id=first", "".join(json.dumps({"source": source}) + "\n" for source in sources))
    cluster.finish("first")
    states = cluster.api.get("batches/first")["pages"]
    documents = [document for document in cluster.api.documents("first") if document["state"] == "stored"]
    long = next(document for document in documents if document["pages"] >= 3)
    pictures(cluster, [long, *(document for document in documents if document is not long)], folder)
    words(cluster, long)
    ink_is_in_words(cluster, documents)
    again(cluster, [long])
    busy(cluster, long, folder)
    killed(cluster, long)
    restart(cluster, long, store)
    quarantine(cluster, long, store)
    if cluster.api.get("batches/first")["pages"] != states:
        fail("pages count otherwise after they were shown")


if __name__ == "__main__":
    main(run)
