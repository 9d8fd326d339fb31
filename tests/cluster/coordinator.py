# SPDX-License-Identifier: AGPL-3.0-or-later
"""A coordinator without workers on a folder and a real Redis: what bad requests do to it, and what it knows again after a
kill -9 of what operators had ordered before.

usage: coordinator.py STORE-URL FOLDER
"""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Api, Process, Redis, UnixConnection, fail, say, stop_all, wait  # noqa: E402


class Coordinator:
    def __init__(self, store, folder):
        self.redis = Redis(folder)
        self.http = f"{folder}/http"
        self.api = Api(self.http)
        self.process = Process("coordinator", [
            f"{BIN}/sohoa-coordinator", "--name=c1", f"--store={store}", f"--redis={self.redis.socket}",
            f"--bind=ipc://{folder}/zmq", f"--http=unix:{self.http}", "--reconnect_grace_ms=0"], folder)

    def start(self):
        self.process.start()
        wait("the API", lambda: self.api.try_get("status"), 20)

    def restart(self):
        self.process.kill()
        self.start()

    def ask(self, method, path, body=None):
        """Status and JSON of the answer, errors included."""
        connection = UnixConnection(self.http)
        try:
            connection.request(method, "/api/v1/" + path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def refused(self, status, code, method, path, body=None):
        got, answer = self.ask(method, path, body)
        if got != status or answer.get("code") != code:
            fail(f"{method} {path[:80]}: {got} {answer}, expected {status} {code}")

    def states(self, batch):
        return [document["state"] for document in self.api.documents(batch)]

    def redis_hash(self, batch):
        return {key: int(value) for key, value in self.redis.hash(f"sohoa:batch:{batch}").items()
                if key.startswith(("docs", "pages"))}


def rows(*documents):
    return "".join(json.dumps(document) + "\n" for document in documents)


def check_pieces(c):
    """A manifest in pieces: documents are there piece by piece, over a kill -9 between them."""
    pieces = [rows(*({"source": f"/nowhere/{piece}/{i}.pdf", "file_code": f"HS-{i % 2}"} for i in range(3)))
              for piece in range(3)]
    at = [0, len(pieces[0]), len(pieces[0]) + len(pieces[1])]

    def send(piece, more):
        return c.api.post(f"batches?id=parts&offset={at[piece]}&more={more:d}", pieces[piece])

    c.refused(400, "E_USAGE", "POST", "batches?more=1", pieces[0])
    c.refused(409, "E_STATE", "POST", f"batches?id=parts&offset={at[1]}", pieces[1])
    for created in (True, False):
        answer = send(0, True)
        if (answer["created"], answer["documents"], answer["more"]) != (created, 3, True):
            fail(f"the first piece: {answer}")
    if c.api.get("batches/parts")["state"] != "running":
        fail("a batch that is not complete is not running")
    c.restart()
    c.refused(409, "E_STATE", "POST", f"batches?id=parts&offset={at[2]}", pieces[2])
    c.refused(409, "E_EXISTS", "POST", "batches?id=parts&offset=0", pieces[1])
    c.refused(400, "E_MANIFEST", "POST", f"batches?id=parts&offset={at[1]}&more=1", pieces[1] + "{}\n")
    if send(1, True)["manifest_bytes"] != at[2] or send(2, False)["more"]:
        fail("the pieces behind the first")
    c.refused(409, "E_STATE", "POST", f"batches?id=parts&offset={at[2] + len(pieces[2])}", pieces[2])
    c.api.post("batches/parts/documents/0/quarantine", "{}")  # documents 0, 2, 3, 5, 6, 8 are of one file
    for again in (False, True):
        if c.states("parts") != ["quarantined", "open", "quarantined"] * 3:
            fail(f"a file over three pieces: {c.states('parts')}")
        if [document["source"] for document in c.api.documents("parts")] != \
                [f"/nowhere/{piece}/{i}.pdf" for piece in range(3) for i in range(3)]:
            fail("the sources of a manifest in pieces")
        if not again:
            c.restart()
    say("a manifest in three pieces, over a kill -9: every piece once, and a file found in all of them")


def check_bad_requests(c):
    one = rows({"source": "/nowhere/1.pdf"})
    c.refused(400, "E_MANIFEST", "POST", "batches?id=" + "x" * 200, one)
    c.refused(400, "E_MANIFEST", "POST", "batches?id=check:1-1", one)
    c.refused(400, "E_MANIFEST", "POST", "batches?id=bad", b'{"source": "\xff\xfe"}\n')
    c.refused(404, "E_ABSENT", "GET", "batches/%ff%fe")
    c.refused(404, "E_ABSENT", "GET", "%ff")
    for created in (True, False):  # the same manifest again is the same batch
        if c.api.post("batches?id=one", one)["created"] != created:
            fail("the same manifest again made another batch")
    named = [c.api.post("batches", one + one) for _ in range(2)]
    if named[0]["id"] != named[1]["id"] or named[1]["created"]:
        fail(f"a batch without an id: {named}")
    c.refused(409, "E_EXISTS", "POST", "batches?id=one", one + one)
    for bad in ("after=-1", "after=x", "limit=-18446744073709551615", "state=lost"):
        c.refused(400, "E_USAGE", "GET", "batches/one/documents?" + bad)
    c.refused(404, "E_ABSENT", "POST", "batches/one/documents/-18446744073709551616/quarantine", "{}")
    c.refused(413, "E_LIMIT", "POST", "batches/one/documents/0/quarantine", json.dumps({"reason": "r" * (5 << 20)}))
    c.refused(400, "E_WHERE", "POST", "batches/one/rerun", json.dumps({"where": "state=dead" + " " * (5 << 20)}))
    say("bad requests are refused, and the coordinator goes on")


def check_checks(c):
    """A check is no batch, and is not taken for one of before a restart."""
    first = c.api.post("checks", rows({"source": "/nowhere/1.pdf"}))["id"]
    c.refused(404, "E_ABSENT", "GET", f"batches/{first}")
    c.restart()
    second = c.api.post("checks", rows({"source": "/nowhere/2.pdf"}))["id"]
    if first == second:
        fail(f"a check after a restart is called {second} as one before it")
    c.api.call("DELETE", f"checks/{second}")
    c.refused(404, "E_ABSENT", "GET", f"checks/{second}")
    say(f"checks {first} and {second}")


def check_orders_survive(c):
    file = {"fonds": "F1", "file_code": "00012"}
    c.api.post("batches?id=two", rows({"source": "/nowhere/a.pdf", **file}, {"source": "/nowhere/b.pdf"},
                                      {"source": "/nowhere/c.pdf", **file}))
    c.restart()  # no worker was ever known: the batch is not pinned yet
    c.api.post("batches/two/documents/0/quarantine", '{"reason": "test"}')
    want = ["quarantined", "open", "quarantined"]
    if c.states("two") != want:
        fail(f"quarantine of a file after a restart: {c.states('two')}, expected {want}")
    c.api.post("batches/two/documents/2/release")
    want = ["quarantined", "open", "open"]
    counts = wait("Redis", lambda: (counts := c.redis_hash("two")).get("docs_quarantined") == 1 and counts, 20)
    c.restart()
    if c.states("two") != want:
        fail(f"after a restart {c.states('two')}, expected {want}")
    c.api.post("rebuild")
    if c.redis_hash("two") != counts:
        fail(f"rebuilt {c.redis_hash('two')}, before {counts}")
    c.api.post("batches/two/withdraw")
    wait("Redis", lambda: c.redis_hash("two").get("docs_withdrawn") == 2, 20)
    c.restart()
    if c.states("two") != ["quarantined", "withdrawn", "withdrawn"]:
        fail(f"after the withdrawal and a restart: {c.states('two')}")
    say("quarantine of a file, release and withdrawal survive kills")


def check_terms_survive(c):
    """Lots, targets and what stands of batches: the nearest word counts, over kills."""
    deadline = {"2030-01-31": 1896109199999, "2029-01-31": 1864573199999, "2028-01-31": 1832950799999}
    terms = [{"unit": "district:001", "priority": 2, "deadline": "2030-01-31"}] * 2 + [{"unit": "district:002"}]
    c.api.post("batches?id=terms", rows(*({"source": f"/nowhere/t{i}.pdf", **said} for i, said in enumerate(terms))))

    def expect(priority, day, state="running"):
        for again in (False, True):
            batch = c.api.get("batches/terms")
            want = (priority, deadline.get(day, 0), state)
            if (batch["priority"], batch["deadline_ms"], batch["state"]) != want:
                fail(f"{batch}, expected {want}{' after a kill' if again else ''}")
            if not again:
                c.restart()

    expect(2, "2030-01-31")
    c.api.post("targets", json.dumps([{"unit": "district:001", "deadline": "2029-01-31", "pages": 1000},
                                      {"unit": "district:002", "priority": 1}]))
    expect(1, "2029-01-31")
    c.api.post("batches/terms/standing", json.dumps({"deadline": "2028-01-31", "priority": 4, "paused": True}))
    expect(4, "2028-01-31", "paused")
    c.api.post("batches/terms/standing", json.dumps({"deadline": None, "priority": None, "paused": False}))
    expect(1, "2029-01-31")
    c.api.post("targets", json.dumps([{"unit": "district:001", "pages": 2000}]))
    targets = c.api.get("targets")["targets"]
    if [(t["unit"], t["pages"], t["deadline_ms"]) for t in targets] != \
            [("district:001", 2000, deadline["2029-01-31"]), ("district:002", 0, 0)]:
        fail(f"targets: {targets}")
    for body in ("{}", "[]", '[{"unit": "ward:1"}]', '[{"unit": "district:001", "prio": 1}]',
                 '[{"unit": "district:001", "priority": 6}]', '[{"unit": "district:001", "deadline": "soon"}]'):
        status, answer = c.ask("POST", "targets", body)
        if status != 400:
            fail(f"targets {body}: {status} {answer}")
    nights = "workers,cores,days,from,to\nnight-*,64,all,20:00,06:00\n"
    c.api.post("calendar", nights)
    c.restart()
    if c.api.get("calendar")["csv"] != nights or not c.api.get("forecast")["all"]["p50_ms"]:
        fail(f"the calendar after a kill: {c.api.get('calendar')}, {c.api.get('forecast')['all']}")
    c.refused(400, "E_MANIFEST", "POST", "calendar", "workers,cores,days\nx,1,never\n")
    c.refused(400, "E_USAGE", "POST", "batches/terms/standing", '{"paused": 1}')
    c.refused(404, "E_ABSENT", "POST", "workers/nobody", '{"drained": true}')
    mixed = rows(*({"source": f"/nowhere/m{i}.pdf", "priority": 1 + i % 2} for i in range(4097)))
    c.refused(413, "E_LIMIT", "POST", "batches?id=mixed", mixed)
    say("terms, targets and standing orders survive kills; the nearest word counts")


def check_end(c):
    c.process.child.terminate()
    if c.process.child.wait(20):
        fail(f"the coordinator ended with {c.process.child.returncode}: {c.process.text()[-2000:]}")
    say("an orderly end")


def run(store, folder):
    c = Coordinator(store, folder)
    c.redis.start()
    c.start()
    check_bad_requests(c)
    check_pieces(c)
    check_checks(c)
    check_orders_survive(c)
    check_terms_survive(c)
    check_end(c)


def main():
    store, folder = sys.argv[1], os.path.abspath(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    try:
        run(store, folder)
    finally:
        stop_all()


if __name__ == "__main__":
    main()
