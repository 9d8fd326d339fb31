# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people watch: every call of the API answers as its OpenAPI document says, every route is in that document, events tell what
changes, what has not changed is not sent again, and documents that were scanned again are named.

usage: watch.py STORE-URL FOLDER
"""
import csv
import json
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, backlog, fail, main, say, wait  # noqa: E402
from openapi import Document  # noqa: E402

SOURCE = os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))


def check_routes(document):
    """Those of the source, and no others."""
    with open(os.path.join(SOURCE, "coordinator", "api.c"), encoding="utf-8") as source:
        routes = set(re.findall(r'^ +\{"([A-Z]+)", *"([^"]+)", ', source.read(), re.M))
    described = {(method.upper(), path[1:]) for path, operations in document.document["paths"].items()
                 for method in operations}
    described.discard(("GET", "openapi.json"))
    if routes != described or len(routes) < 30:
        fail(f"described and not there: {described - routes}; there and not described: {routes - described}")
    say(f"{len(routes)} routes are described")


class Events(threading.Thread):
    """Follows GET events."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.connection = api.connect()
        self.connection.request("GET", "/api/v1/events")
        self.answer = self.connection.getresponse()
        self.overviews = []
        self.start()

    def run(self):
        kind = ""
        try:
            for line in self.answer:
                text = line.decode().rstrip("\n")
                kind = text[7:] if text.startswith("event: ") else kind
                if text.startswith("data: ") and kind == "overview":
                    self.overviews.append(json.loads(text[6:]))
        except (OSError, ValueError, AttributeError):
            pass  # the coordinator was stopped


def check_tags(api):
    def get(tag=None):
        connection = api.connect()
        connection.request("GET", "/api/v1/targets", headers={"If-None-Match": tag} if tag else {})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers["ETag"], body
    status, tag, body = get()
    again, same, nothing = get(tag)
    if (status, again, nothing) != (200, 304, b"") or same != tag or not body:
        fail(f"a tag was answered by {again}, {same}, {nothing!r}")
    api.post("targets", json.dumps([{"unit": "old:00007", "pages": 5}]))
    if get(tag)[0] != 200:
        fail("what changed is said to be the same")
    say("what has not changed is a 304")


def check_static(api):
    for path, kind in (("/", "text/html"), ("/index.html", "text/html"), ("/lib/chart.js", "text/javascript")):
        connection = api.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200 or not answer.headers["Content-Type"].startswith(kind) or len(answer.read()) < 100:
            fail(f"{path}: {answer.status} {answer.headers['Content-Type']}")
        connection.close()


def check_handover(document, api):
    batch = "/batches/watched/packages"
    told = document.check(api, "GET", "/batches/{batch}/handover", "/batches/watched/handover")
    if told["ready"] or told["review"] == "accepted":
        fail(f"before a hand-over is {told}")
    said = {"file": "HS-1", "profile": "aip-05-2025", "package": "urn:F:uuid-0", "sha256": "ab" * 32, "bytes": 1, "documents": 1, "pages": 1}
    document.check(api, "POST", "/batches/{batch}/packages", batch, json.dumps(said))
    for wrong in ({"bytes": -1}, {"sha256": "x"}, {"file": None}, {"more": 1}):
        document.check(api, "POST", "/batches/{batch}/packages", batch, json.dumps({**said, **wrong}), 400)
    listed = document.check(api, "GET", "/packages", "/packages?batch=watched&limit=1")["packages"]
    if [(one["file"], one["actor"], one["sha256"]) for one in listed] != [("HS-1", "local", "ab" * 32)]:
        fail(f"packages are {listed}")
    document.check(api, "GET", "/packages", "/packages?after=x", status=400)


def check_quarantine(document, api):
    of = "/batches/again/documents/0/"
    document.check(api, "POST", "/batches/{batch}/documents/{doc}/release", of + "release", "{}", 409)
    document.check(api, "POST", "/batches/{batch}/documents/{doc}/purge", of + "purge", "{}", 409)
    document.check(api, "POST", "/batches/{batch}/documents/{doc}/quarantine", of + "quarantine", json.dumps({"why": "a test"}), 400)
    document.check(api, "POST", "/batches/{batch}/documents/{doc}/quarantine", of + "quarantine", json.dumps({"reason": "a test"}))
    listed = document.check(api, "GET", "/quarantine", "/quarantine?batch=again&limit=1")
    if [(one["document"], one["raised"]["reason"]) for one in listed["quarantined"]] != [(0, "a test")] or listed["next"] != "again/0":
        fail(f"what is quarantined is {listed}")
    document.check(api, "GET", "/quarantine", "/quarantine?after=again/0")
    document.check(api, "GET", "/quarantine", "/quarantine?after=again", status=400)


def check_review(document, api, stored):
    """A round, decisions of each kind, and the batch that goes back to work."""
    batch, of = "/batches/watched/review", f"/batches/watched/documents/{stored}/review"
    document.check(api, "GET", "/batches/{batch}/review", batch)
    document.check(api, "POST", "/batches/{batch}/documents/{doc}/review", of, json.dumps({"decision": "accept"}), 409)
    document.check(api, "POST", "/batches/{batch}/review/round", batch + "/round?dry_run=1", json.dumps({"percent": 50, "seed": 7}))
    drawn = document.check(api, "POST", "/batches/{batch}/review/round", batch + "/round", "{}")["drawn"]
    document.check(api, "GET", "/reviews", "/reviews?batch=watched&field=signer&limit=1")
    document.check(api, "GET", "/batches/{batch}/documents/{doc}/review", of + "?hold=1")
    for wrong, status in (({"decision": "like"}, 400), ({"decision": "reject"}, 400), ({"decision": "accept", "corrections": {"signed": "An"}}, 400),
                          ({"decision": "accept", "corrections": {"issuedDate": "2023-02-29"}}, 400), ({"decision": "accept", "generation": 7}, 409), ({"decision": "accept", "decided_ms": 7}, 409),
                          ({"decision": "accept", "corrections": {"codeNotation": "x" * 31}}, 413), ({"decision": "accept", "reasons": ""}, 400)):
        document.check(api, "POST", "/batches/{batch}/documents/{doc}/review", of, json.dumps(wrong), status)
    document.check(api, "POST", "/batches/{batch}/review/close", batch + "/close", "{}", 409)
    for doc in drawn:
        document.check(api, "POST", "/batches/{batch}/documents/{doc}/review", f"/batches/watched/documents/{doc}/review",
                       json.dumps({"decision": "accept", "corrections": {"signer": "Nguyễn Văn An"}} if doc == stored else
                                  {"decision": "reject", "reason": "upside down"}))
    one = document.check(api, "GET", "/batches/{batch}/documents/{doc}/review", of)
    signer = next(field for field in one["fields"] if field["name"] == "signer")
    if one["state"] != "corrected" or (signer["value"], signer["corrected"]["by"]) != ("Nguyễn Văn An", "local"):
        fail(f"a corrected document is {one}")
    document.check(api, "GET", "/reviews", "/reviews?decided=1")
    closed = document.check(api, "POST", "/batches/{batch}/review/close", batch + "/close", json.dumps({"reason": "seen"}))
    if closed["state"] != "failed" or "rejected" not in closed["rounds"][0]["reason"]:
        fail(f"a round of rejected documents ends as {closed}")
    document.check(api, "POST", "/batches/{batch}/review/reject", batch + "/reject", "{}", 400)
    back = document.check(api, "POST", "/batches/{batch}/review/reject", batch + "/reject", json.dumps({"reason": "upside down"}))
    if back["documents"] != len(drawn) - 1:
        fail(f"{len(drawn) - 1} documents were rejected: {back}")


def check_answers(document, api, stored):
    for path, where in (("/status", ""), ("/overview", ""), ("/series", "/series?span=86400"), ("/workers", ""),
                        ("/units", "/units?q=ba"), ("/units", "/units?by=new"), ("/places", "/places?q=00004"), ("/places", "/places?q=district:001"), ("/reorganisations", ""), ("/failures", "/failures?unit=old:00004"), ("/failures", ""),
                        ("/batches", "/batches?state=finished&limit=1"), ("/batches/{batch}", "/batches/watched"),
                        ("/batches/{batch}/documents", "/batches/watched/documents?limit=3"), ("/reruns", ""),
                        ("/batches/{batch}/documents/{doc}", "/batches/watched/documents/0"),
                        ("/batches/{batch}/documents/{doc}/trace", f"/batches/watched/documents/{stored}/trace?page=1"),
                        ("/batches/{batch}/why", "/batches/watched/why"), ("/units/{word}/why", "/units/old:00004/why"),
                        ("/batches/{batch}/documents/{doc}/why", "/batches/watched/documents/0/why"),
                        ("/units/{word}", "/units/old:00004"), ("/units/{word}", "/units/old:00016"),
                        ("/history", ""), ("/reports", "/reports?from=2026-01-01&to=2026-02-01"), ("/forecast", ""), ("/targets", ""), ("/calendar", ""), ("/session", ""),
                        ("/accounts", ""), ("/ledger", "/ledger?order=newest&limit=5&kind=outcome&batch=watched"), ("/ledger/key", ""),
                        ("/ledger/verify", ""), ("/batches/{batch}/documents/{doc}/proof", f"/batches/watched/documents/{stored}/proof")):
        document.check(api, "GET", path, where)
    document.check(api, "GET", "/batches/{batch}/documents/{doc}/pages/{word}/words", f"/batches/watched/documents/{stored}/pages/1/words")
    document.check(api, "POST", "/ledger/checkpoints")
    document.check(api, "GET", "/ledger/checkpoints", "/ledger/checkpoints?limit=2")
    document.check(api, "POST", "/ledger/verify")
    wait("the ledger to be verified", lambda: api.get("ledger/verify")["state"] == "done", 60)
    verdict = document.check(api, "GET", "/ledger/verify")["result"]
    if not verdict["good"] or not verdict["checkpoints"]["good"]:
        fail(f"the ledger is found to be {verdict}")
    document.check(api, "GET", "/ledger", "/ledger?from=2026-02-30", status=400)
    document.check(api, "GET", "/batches/{batch}", "/batches/nowhere", status=404)
    document.check(api, "GET", "/units/{word}", "/units/old:99999", status=404)
    document.check(api, "GET", "/series", "/series?span=x", status=400)
    what_if = {"add_cores": 8, "changes": [{"subject": "district:001", "deadline": "2030-01-31", "paused": False}]}
    document.check(api, "POST", "/forecast", body=json.dumps(what_if))
    check_review(document, api, stored)
    check_handover(document, api)
    document.check(api, "POST", "/reruns", "/reruns?dry_run=1", json.dumps({"where": "batch=watched"}))
    order = document.check(api, "POST", "/reruns", body=json.dumps({"where": f"batch=watched and document={stored}"}))
    document.check(api, "DELETE", "/reruns/{word}", f"/reruns/{order['number']}")
    document.check(api, "POST", "/batches/{batch}/standing", "/batches/watched/standing", json.dumps({"priority": 2}))
    document.check(api, "POST", "/targets", body=json.dumps([{"unit": "district:001", "deadline": "2030-01-31"}]))
    document.check(api, "POST", "/calendar", body="workers,cores,days\nnight-*,8,mon-fri\n")
    document.check(api, "POST", "/workers/{word}", "/workers/a", json.dumps({"drained": True}))
    table = "old_commune_code,new_commune_code,new_commune_name,coverage\n00004,00004,Hoang Thanh,whole\n"
    document.check(api, "POST", "/reorganisations", "/reorganisations?day=2099-07-01&dry_run=1", table)
    document.check(api, "POST", "/reorganisations", "/reorganisations?day=2099-07-01&dry_run=1", table + "99999,00004,A,whole\n")
    document.check(api, "POST", "/reorganisations", "/reorganisations?day=2099-07-01", table + "99999,00004,A,whole\n", 400)
    document.check(api, "POST", "/reorganisations", "/reorganisations?day=2099-02-30", table, 400)
    order = document.check(api, "POST", "/reorganisations", "/reorganisations?day=2099-07-01", table)
    document.check(api, "GET", "/places", "/places?q=Hoang+Thanh")
    document.check(api, "DELETE", "/reorganisations/{word}", f"/reorganisations/{order['number']}")
    document.check(api, "DELETE", "/reorganisations/{word}", f"/reorganisations/{order['number']}", status=409)
    document.check(api, "GET", "/places", "/places?q=Hoang+Thanh", status=404)
    document.check(api, "GET", "/places", status=400)
    document.check(api, "GET", "/units", "/units?by=city", status=400)
    say(f"{len(document.seen)} calls answered as they are described")


def units_done(api):
    """All units, which are taken every few seconds, once all of the district's pages count as done."""
    units = {unit["unit"]: unit for unit in api.get("units")["units"]}
    district = units.get("district:001", {"pages": 0})
    return units if district["pages"] and district["pages_done"] == district["pages"] else None


def check_units(api):
    units = wait("the units to be done", lambda: units_done(api), 20)
    district, commune = units["district:001"], units["old:00004"]
    if (district["name"], district["parent"], commune["parent"]) != ("Quận Ba Đình", "", "district:001"):
        fail(f"units are {district} and {commune}")
    if commune["successors"] != ["new:00004"] or district["pages_done"] != district["pages"] or not district["pages"]:
        fail(f"units are {district} and {commune}")
    groups = api.get("failures")["groups"]
    if [(group["code"], group["documents"]) for group in groups] != [("E_SOURCE_BROKEN", 1)]:
        fail(f"failures are {groups}")
    if api.get("failures?unit=old:00004")["groups"][0]["batches"] != ["watched"] or api.get(
            "failures?unit=district:001")["groups"]:
        fail("failures are of other units")


def drawn(base):
    """The sources that bench/scans wrote, document by document."""
    with open(os.path.join(base, "manifest.csv"), encoding="utf-8") as rows:
        return [os.path.join(base, row["source"]) for row in csv.DictReader(rows)]


def twins_told(api, wanted, where="duplicates?batch=again"):
    """Each document of the batch `again` is in a group with the one that it is another scan of."""
    wait("all documents to be compared", lambda: api.get("duplicates")["waiting"] == 0, 20)
    groups = api.get(where)["groups"]
    got = {frozenset(member["source"] for member in group["members"]) for group in groups}
    if got != wanted or any([member["master"] for member in group["members"]] != [True, False] for group in groups):
        fail(f"scanned again are {groups}, not {wanted}")
    if {group["kind"] for group in groups} - {"scan", "document"} or min(group["similarity"] for group in groups) < 0.5:
        fail(f"scanned again are {groups}")
    return groups


def check_twins(cluster, document, folder):
    """Two documents are scanned again: the report names them, also after a restart; one that is stopped is in no group."""
    api = cluster.api
    before = api.get("batches/watched")["pages"]
    if api.get("duplicates")["groups"]:
        fail("documents of one batch are said to be the same")
    first = drawn(os.path.join(folder, "backlog"))[:2]
    backlog(os.path.join(folder, "again"), "--documents", "4", "--seed", "5", "--pages-mean", "1", "--scan", "1")
    second = drawn(os.path.join(folder, "again", "backlog"))[:2]
    api.post("batches?id=again", "".join(json.dumps({"source": source, "unit": "old:00004"}) + "\n" for source in second))
    cluster.finish("again")
    wanted = {frozenset(pair) for pair in zip(first, second)}
    groups = twins_told(api, wanted)
    after, again = api.get("batches/watched")["pages"], api.get("batches/again")["documents"]
    if after != before or again["stored"] != 2:
        fail(f"a re-scan has changed what is counted: {before} is {after}, and {again}")
    document.check(api, "GET", "/duplicates", "/duplicates?kind=bytes&limit=1")
    document.check(api, "GET", "/duplicates", "/duplicates?kind=x", status=400)
    document.check(api, "GET", "/duplicates", "/duplicates?batch=nowhere", status=404)
    told = document.check(api, "GET", "/batches/{batch}/documents/{doc}/duplicates", "/batches/again/documents/0/duplicates")
    if told["group"] not in groups or api.get("duplicates?unit=district:001")["groups"] != groups or api.get("duplicates?kind=bytes")["groups"]:
        fail(f"of document 0 the same are {told}, of all {groups}")
    said = subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "duplicates", "again"], check=True, capture_output=True, text=True).stdout
    if said.count("master") != 2 or any(os.path.basename(source) not in said for source in first + second):
        fail(f"sohoa duplicates says {said}")
    say("documents that were scanned again are found to be the same")
    return wanted


def check_twins_again(cluster, wanted, document):
    api = cluster.api
    twins_told(api, wanted)
    check_quarantine(document, api)
    groups = api.get("duplicates")["groups"]
    if len(groups) != 1 or [member for member in groups[0]["members"] if member["document"] == 0 and member["batch"] == "again"]:
        fail(f"with one stopped the same are {groups}")
    if api.get("batches/again/documents/0/duplicates")["group"] is not None:
        fail("a document that is stopped is in a group")
    say("they are found again after a restart, and one that is stopped is in no group")


def run(store, folder):
    sources, _ = backlog(folder, "--documents", "4", "--seed", "5", "--pages-mean", "1")
    broken = os.path.join(folder, "broken.pdf")
    with open(broken, "w", encoding="utf-8") as out:
        out.write("%PDF-1.7 nothing")
    cluster = Cluster(store, folder)
    cluster.start()
    api, document = cluster.api, Document(cluster.api)
    check_routes(document)
    check_static(api)
    events = Events(api)
    wait("the first event", lambda: events.overviews, 10)
    rows = [{"source": source, "unit": "district:001"} for source in sources]
    rows.append({"source": broken, "unit": "old:00004"})
    document.check(api, "POST", "/batches", "/batches?id=watched", "".join(json.dumps(row) + "\n" for row in rows), 201)
    cluster.finish("watched")
    wait("the event that tells so", lambda: events.overviews and events.overviews[-1]["batches"]["finished"] == 1, 10)
    if len(events.overviews) < 2 or events.overviews[0]["documents"]["total"]:
        fail(f"events began with {events.overviews[:1]}")
    told = len(events.overviews)
    say(f"{told} events told of a batch from its admission to its end")
    wait("pages in the series", lambda: sum(api.get("series?span=60")["pages"]), 30)
    done = cluster.api.get("batches/watched")["pages"]["stored"]
    check_units(api)
    stored = next(row["document"] for row in api.documents("watched") if row["state"] == "stored")
    check_tags(api)
    twins = check_twins(cluster, document, folder)
    check_answers(document, api, stored)
    cluster.coordinator.kill()
    cluster.coordinator.start()
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)
    wait("the pages of before in the series", lambda: sum(api.get("series?span=60")["pages"]) >= done, 30)
    say(f"after a restart the series still have the {done} pages of before")
    check_twins_again(cluster, twins, document)


if __name__ == "__main__":
    main(run)
