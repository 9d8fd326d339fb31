# SPDX-License-Identifier: AGPL-3.0-or-later
"""State secrets: a page with the word MẬT stops its document and its file, over kills; what was read of it before is nowhere any more; people
release or purge it for good.

usage: secrecy.py STORE-URL FOLDER
"""
import ctypes
import ctypes.util
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, fail, main, say, wait  # noqa: E402
from letters import letters  # noqa: E402

PAGES, SECRET_PAGE = 12, 11
MAGIC = b"\x28\xb5\x2f\xfd"
zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
zstd.ZSTD_getFrameContentSize.restype = ctypes.c_uint64
zstd.ZSTD_decompress.restype = ctypes.c_size_t


def document(folder, name, pages, word, secret_page=0):
    """Letters of one page each, one after another; word is on each page and nowhere else."""
    path = os.path.join(folder, name)
    letters(path, [{"number": str(page), "subject": f"{word} trang {page}", "stamp": "MẬT" if page == secret_page else ""}
                   for page in range(1, pages + 1)])
    return path


def rows(*documents):
    return "".join(json.dumps(document) + "\n" for document in documents)


def states(cluster, batch):
    return [document["state"] for document in cluster.api.documents(batch)]


def await_states(cluster, batch, want):
    return wait(f"{batch} to be {want}", lambda: states(cluster, batch) == want, 60)


def plain(data):
    """The bytes, and what is compressed in them."""
    yield data
    at = data.find(MAGIC)
    while at >= 0:
        size = zstd.ZSTD_getFrameContentSize(data[at:], len(data) - at)
        if 0 < size < 1 << 30:
            room = ctypes.create_string_buffer(size)
            if zstd.ZSTD_decompress(room, size, data[at:], len(data) - at) == size:
                yield room.raw
        at = data.find(MAGIC, at + 1)


def holders(folder, word, skipped):
    """Files below the folder with that word in them."""
    found, looked = [], 0
    for path, _, names in os.walk(folder):
        for name in names:
            place = os.path.join(path, name)
            if any(place.startswith(skip) for skip in skipped) or not os.path.isfile(place):
                continue
            with open(place, "rb") as file:
                looked += 1
                if any(word.encode() in part for part in plain(file.read())):
                    found.append(place)
    return found, looked


def search(cluster, folder, words, left):
    """Nowhere: in the store but for sources, in all that Redis was ever told (its AOF), in logs, in what get brings. A word that is left
    is found."""
    out = os.path.join(folder, "out")
    for batch in [found["id"] for found in cluster.api.get("batches")["batches"]]:
        subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "get", batch, "--out", os.path.join(out, batch)],
                       capture_output=True, check=False)
    skipped = [os.path.join(folder, "scans"), os.path.join(folder, "store", "src")]
    for word in words:
        found, looked = holders(folder, word, skipped)
        if found:
            fail(f"{word} is in {found}")
    if not holders(folder, left, skipped)[0]:
        fail("the search finds nothing at all")
    say(f"of {len(words)} documents no word is in {looked} files of store, Redis, logs and output")


def first_hit(cluster, folder, scans):
    """Pages before the secret one were stored; then the file stops, and nothing else."""
    words = [f"tu{n}quynh{n * 7919}" for n in range(6)]
    paths = [document(scans, f"{n}.pdf", PAGES if n == 1 else 2, words[n], SECRET_PAGE if n == 1 else 0) for n in range(6)]
    files = ["HS-A", "HS-A", "HS-A", "HS-B", "HS-B", None]
    cluster.api.post("batches?id=one", rows(*({"source": path, "fonds": "F1", **({"file_code": file} if file else {})}
                                             for path, file in zip(paths, files))))
    await_states(cluster, "one", ["quarantined"] * 3 + ["stored"] * 3)
    read = {fields["page"].rsplit("/", 1)[1] for worker in cluster.workers for fields in worker.events("page_read")
            if fields["page"].startswith(cluster.api.get("batches/one/documents/1")["sha256"][:16])}
    if len(read) < SECRET_PAGE // 2:
        fail(f"only pages {read} were read before")
    listed = cluster.api.get("quarantine?batch=one")["quarantined"]
    raised = [one["raised"] for one in listed if one["document"] == 1][0]
    if len(listed) != 3 or [one["raised"] for one in listed if one["document"] != 1] != [None, None] or \
            [(s["page"], s["kind"], s["words"]) for s in raised["suspicions"]] != [(SECRET_PAGE, "mat", True)]:
        fail(f"the list is {listed}")
    alerts = [alert for alert in cluster.api.get("overview")["alerts"] if alert["kind"] == "quarantined"]
    if [(alert["subject"], alert["count"]) for alert in alerts] != [("one", 3)]:
        fail(f"alerts are {alerts}")
    say(f"page {SECRET_PAGE} of {PAGES} stopped its file of 3 documents, {len(read)} pages had been read, 3 others are stored")
    wait("what was derived to go", lambda: not os.path.exists(f"{folder}/store/bundle") or
         not any(names for _, _, names in os.walk(f"{folder}/store/bundle")), 20)
    search(cluster, folder, words[:3], words[3])
    return paths, words


def restart(cluster):
    cluster.coordinator.kill()
    cluster.coordinator.start()
    wait("the coordinator to answer", lambda: cluster.api.try_get("status"), 60)
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)


def killed_between(cluster, scans):
    """The coordinator dies as it stops a file: whole afterwards. Documents of it that come later stop, too."""
    paths = [document(scans, f"k{n}.pdf", 2, f"ket{n}thuc{n}", 1 if n == 3 else 0) for n in range(5)]
    cluster.api.post("batches?id=two", rows(*({"source": path, "fonds": "F1", "file_code": "HS-C"} for path in paths)))
    before = sum(1 for _ in cluster.coordinator.events("quarantined"))
    wait("the second hit", lambda: sum(1 for _ in cluster.coordinator.events("quarantined")) > before, 60)
    restart(cluster)
    await_states(cluster, "two", ["quarantined"] * 5)
    late = document(scans, "late.pdf", 1, "denmuon")
    cluster.api.post("batches?id=late", rows({"source": late, "fonds": "F1", "file_code": "HS-C"}))
    await_states(cluster, "late", ["quarantined"])
    say("a coordinator that was killed over it stopped the whole file; what was admitted later stopped, too")


def unseen(cluster, scans):
    """A page that can neither be read nor looked at stops its document, alone, until a person has said what it is; then it is dead."""
    path, other = os.path.join(scans, "unseen.pdf"), document(scans, "beside.pdf", 1, "benhcanh")
    letters(path, [{"number": "1", "subject": "khongthay 1"}, {"number": "2", "subject": "khongthay 2", "box": "0 0 90000000 90000000"}])
    cluster.api.post("batches?id=dark", rows(*({"source": source, "fonds": "F1", "file_code": "HS-D"} for source in (path, other))))
    await_states(cluster, "dark", ["quarantined", "stored"])
    told = cluster.api.get("quarantine?batch=dark")["quarantined"][0]["raised"]["suspicions"]
    if [(one["page"], one["kind"]) for one in told] != [(2, "unseen")]:
        fail(f"of a page that can't be looked at: {told}")
    if sohoa(cluster, "release", "dark/0", "--reason", "empty paper").returncode:
        fail("its release")
    await_states(cluster, "dark", ["dead", "stored"])
    say("a page that can't be looked at stopped its document alone; released, it is dead with its evidence")


def sohoa(cluster, *arguments):
    return subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "quarantine", *arguments], capture_output=True, text=True,
                          check=False)


def people_decide(cluster, folder, scans, paths):
    said = sohoa(cluster, "release", "two/3", "--file", "--reason", "looked at")
    if said.returncode:
        fail(f"release: {said}")
    await_states(cluster, "two", ["stored"] * 5)
    await_states(cluster, "late", ["stored"])
    again = document(scans, "again.pdf", 1, "lanhai")
    with open(paths[1], "rb") as file, open(os.path.join(scans, "same.pdf"), "wb") as copy:
        copy.write(file.read())
    if sohoa(cluster, "purge", "one/1", "--reason", "gone").returncode != 2:
        fail("a purge without --yes")
    sha256 = cluster.api.get("batches/one/documents/1")["sha256"]
    said = sohoa(cluster, "purge", "one/1", "--reason", "gone", "--yes")
    source = os.path.join(folder, "store", "src", sha256)
    if said.returncode or not wait("the source to go", lambda: not os.path.exists(source), 20):
        fail(f"purge: {said}")
    restart(cluster)
    cluster.api.post("batches?id=again", rows({"source": os.path.join(scans, "same.pdf")}, {"source": again}))
    await_states(cluster, "again", ["quarantined", "stored"])
    for subject in ("one/1", "again/0"):
        said = sohoa(cluster, "release", subject, "--reason", "no")
        if said.returncode != 1 or "gone for good" not in said.stderr:
            fail(f"release of {subject}, which was purged: {said}")
    listed = {(one["batch"], one["document"]): one["purged"] for one in cluster.api.get("quarantine")["quarantined"]}
    if listed != {("one", 0): False, ("one", 1): True, ("one", 2): False, ("again", 0): True}:
        fail(f"the list is {listed}")
    kinds = [event["kind"] for event in cluster.api.get("history?subject=one")["events"]]
    if "quarantined" not in kinds or "purged" not in kinds:
        fail(f"the history is {kinds}")
    say("a file was released and read; a document was purged for good, and came back to nothing under another name")


def run(store, folder):
    scans = os.path.join(folder, "scans")
    os.makedirs(scans)
    cluster = Cluster(store, folder, settings=("--range_pages=2",))
    cluster.start()
    paths, words = first_hit(cluster, folder, scans)
    killed_between(cluster, scans)
    people_decide(cluster, folder, scans, paths)
    unseen(cluster, scans)
    search(cluster, folder, words[:3], words[3])


if __name__ == "__main__":
    main(run)
