# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command line in front of a running cluster: every command's --json is what a schema says, wrong use of each ends with 2 and a hint,
why explains what waits, is paused, broken or late, and top and events are looked at in a terminal.

usage: console.py STORE-URL FOLDER
"""
import csv
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, backlog, fail, main, say, wait  # noqa: E402
from openapi import Document  # noqa: E402

LAST_YEAR, LATER = "2025-12-31", "2099-12-31"
ADDED = {"type": "object", "properties": {"orders": {"type": "integer", "minimum": 1}}, "required": ["orders"]}
TOP = {"type": "object", "required": ["overview", "units", "workers"], "additionalProperties": False,
       "properties": {"overview": {"$ref": "#/components/schemas/Overview"}, "units": {"type": "object"}, "workers": {"type": "object"}}}
EVENT = {"$ref": "#/components/schemas/Event"}


class Console:
    def __init__(self, cluster):
        self.cluster, self.used = cluster, set()

    def run(self, *words, code=0):
        done = subprocess.run([f"{BIN}/sohoa", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "SOHOA_API": f"unix:{self.cluster.http}"}, timeout=120)
        if done.returncode != code:
            fail(f"sohoa {' '.join(words)}: exit code {done.returncode}, not {code}: {done.stdout}{done.stderr}")
        return done

    def json(self, *words, code=0):
        self.used.add(words[0])
        return [json.loads(line) for line in self.run(*words, "--json", code=code).stdout.splitlines()]


COUNTED = {"type": "object", "properties": {"documents": {"type": "integer", "minimum": 1}}, "required": ["documents"], "additionalProperties": False}


def written(folder, name, *rows):
    """A table of a re-organisation."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write("old_commune_code,old_commune_name,old_district_code,old_district_name,new_commune_code,new_commune_name,coverage\n")
        out.writelines(f"{row}\n" for row in rows)
    return path


def check_json(console, document, folder):
    """Every command, against the schema of what it shows."""
    def of(method, path, status=200):
        return document.schema(method, path, status, "application/json")

    manifest = os.path.join(folder, "more.csv")
    with open(manifest, "w", encoding="utf-8") as out:
        out.write(f"source,unit\n{folder}/none.pdf,old:00004\n")
    table = written(folder, "renamed.csv", "00004,Phường Ba Đình,,,00004,Phường Hoàng Thành,whole")
    calls = [
        (("status",), of("GET", "/status")), (("status", "done"), of("GET", "/batches/{batch}")),
        (("units", "--kind", "old"), of("GET", "/units")), (("units", "--by", "new"), {"$ref": "#/components/schemas/UnitsBy"}),
        (("unit", "00004"), of("GET", "/places")), (("reorganise", "--list"), of("GET", "/reorganisations")),
        (("reorganise", table, "--day", "2027-07-01", "--preview"), of("POST", "/reorganisations")), (("batches", "--state", "finished"), of("GET", "/batches")),
        (("failures",), of("GET", "/failures")), (("workers",), of("GET", "/workers")),
        (("duplicates",), of("GET", "/duplicates")), (("duplicates", "done", "--kind", "scan", "--unit", "old:00004"), of("GET", "/duplicates")),
        (("why", "late"), of("GET", "/units/{word}/why")), (("why", "done/0"), of("GET", "/units/{word}/why")),
        (("why", "old:00004"), of("GET", "/units/{word}/why")), (("trace", "done/0/1"), of("GET", "/batches/{batch}/documents/{doc}/trace")), (("events",), EVENT), (("top",), TOP),
        (("plan",), of("GET", "/forecast")), (("plan", "--add-cores", "8"), of("POST", "/forecast")),
        (("plan", "--size", "--pages", "1M"), {"type": "object", "required": ["assumed", "million", "all", "paces", "replicated", "erasure"]}),
        (("targets",), of("GET", "/targets")), (("calendar",), of("GET", "/calendar")),
        (("report", "--week", "2026-11-27"), of("GET", "/reports")), (("history", "late"), of("GET", "/history")), (("account",), of("GET", "/accounts")),
        (("rerun", "--list"), of("GET", "/reruns")), (("rerun", "--where", "batch=done", "--dry-run"), of("POST", "/reruns")),
        (("review", "round", "done"), of("POST", "/batches/{batch}/review/round")), (("review", "list", "--batch", "done"), of("GET", "/reviews")),
        (("review", "show", "done"), of("GET", "/batches/{batch}/review")), (("review", "show", "done/0"), of("GET", "/batches/{batch}/documents/{doc}/review")),
        (("review", "correct", "done/0", "signer=Nguyễn Văn An", "place="), of("POST", "/batches/{batch}/documents/{doc}/review")),
        (("review", "accept", "done/0"), of("POST", "/batches/{batch}/documents/{doc}/review")),
        (("review", "reject", "done/0", "--reason", "upside down"), of("POST", "/batches/{batch}/documents/{doc}/review")),
        (("review", "close", "done"), of("POST", "/batches/{batch}/review/close")),
        (("review", "reject", "done", "--reason", "upside down"), of("POST", "/batches/{batch}/review/reject")),
        (("pause", "late"), ADDED), (("resume", "late"), ADDED), (("priority", "late=2"), ADDED),
        (("deadline", f"late={LAST_YEAR}"), ADDED), (("drain", "a"), ADDED), (("undrain", "a"), ADDED),
        (("submit", manifest, "--id", "more"), of("POST", "/batches", 201)), (("withdraw", "more"), {"type": "object"}),
        (("get", "done", "--out", os.path.join(folder, "out")), {"type": "object", "required": ["documents"]}),
        (("quarantine", "list", "done"), of("GET", "/quarantine")), (("quarantine", "stop", "late/0", "--reason", "a test"), COUNTED),
        (("quarantine", "release", "late/0", "--file", "--reason", "a test"), COUNTED),
        (("ledger", "show", "--limit", "3"), {"$ref": "#/components/schemas/LedgerEntry"}), (("ledger", "key"), of("GET", "/ledger/key")),
        (("ledger", "checkpoint"), of("POST", "/ledger/checkpoints")), (("ledger", "verify"), {"$ref": "#/components/schemas/LedgerVerdict"}),
        (("prove", "done/0"), of("GET", "/batches/{batch}/documents/{doc}/proof")),
        (("rebuild",), {"type": "object"}),
    ]
    for words, schema in calls:
        for answer in console.json(*words):
            document.validate(answer, schema, f"sohoa {' '.join(words)} --json")
    known = set(re.findall(r"^  (\w+) ", console.run("--help").stdout, re.M)) - {"run", "notify", "package", "records", "key", "backup", "restore"}  # which have no cluster, no receiver (cluster/notify), and their own test (cluster/handover, cluster/keys, cluster/backup)
    if known != console.used:
        fail(f"not looked at: {known - console.used}; not in the help: {console.used - known}")
    say(f"{len(calls)} calls of {len(known)} commands print the JSON that they should")
    return known


def check_wrong_use(console, known):
    """Too much, and an option that there is not."""
    for command in known | {"run", "notify", "package", "records", "key", "backup", "restore"}:
        done = console.run(command, "--no-such-option", code=2)
        if f"sohoa {command} --help" not in done.stderr:
            fail(f"sohoa {command}: no hint: {done.stderr}")
    for words in (("top", "x"), ("package",), ("package", "done"), ("package", "done", "--profile", "x", "--out", "x"), ("package", "--check"), ("records",), ("records", "done", "--csv", "--jsonl"),
                  ("quarantine",), ("quarantine", "x"), ("quarantine", "release", "done/0"), ("quarantine", "release", "done", "--reason", "x"),
                  ("quarantine", "purge", "done/0", "--reason", "x"), ("quarantine", "stop", "done/0", "--file", "--reason", "x"), ("units", "x"), ("batches", "x"), ("failures", "x"), ("workers", "x"), ("events", "x"), ("why",),
                  ("why", "a", "b"), ("why", "x:1"), ("why", "done/x"), ("top", "--interval", "0"), ("events", "-x"), ("trace", "done"), ("trace", "done/0/x"), ("trace",), ("report", "x"), ("report", "--day", "x"), ("ledger",), ("ledger", "x"), ("ledger", "verify", "--key", "x"), ("prove", "done"),
                  ("report", "--day", "2026-01-01", "--month", "2026-01"), ("report", "--month", "2026-13"), ("report", "--lang", "fr"),
                  ("report", "--from", "2026-02-01", "--to", "2026-01-01"), ("events", "-ff"), ("backup",), ("backup", "dir:x"), ("backup", "dir:x", "dir:y", "--check"),
                  ("backup", "--check", "dir:x", "--repair"), ("backup", "dir:x", "dir:y", "--threads", "0"), ("restore", "dir:x")):
        if "usage: sohoa" not in console.run(*words, code=2).stderr:
            fail(f"sohoa {' '.join(words)}: no usage")
    say("wrong use of each command ends with 2 and a hint")


def reasons(console, subject):
    return [reason["kind"] for reason in console.json("why", subject)[0]["reasons"]]


def check_why(console, cluster):
    """What waits, is paused, broken, late, failed, done; and what nobody can read."""
    wait("the forecast", lambda: "late" in reasons(console, "old:00004"), 30)
    for subject, kind in (("late", "late"), ("paused", "paused"), ("old:00006", "paused"), ("broken", "broken"),
                          ("shelf/0", "probe"), ("broken/0", "broken"), ("done/1", "failed"), ("done", "done"), ("done/0", "done")):
        if kind not in reasons(console, subject):
            fail(f"why {subject}: {reasons(console, subject)}, without '{kind}'")
    text = console.run("why", "broken").stdout
    if "E_SOURCE_MISSING" not in text or "sohoa resume broken" not in text:
        fail(f"why broken: {text}")
    if "drained" not in reasons(console, "late"):
        fail(f"with drained workers: {reasons(console, 'late')}")
    for worker in cluster.workers:
        worker.kill()
    wait("the workers to be missed", lambda: "no workers" in reasons(console, "late"), 60)
    if "busy" in console.run("status").stdout or " of 1" in console.run("workers").stdout:
        fail(f"workers that are gone are told to be busy or not: {console.run('workers').stdout}")
    for worker in cluster.workers:
        worker.start()
    wait("the workers to join", lambda: cluster.connected() == 2, 60)
    for worker in ("a", "b"):
        console.run("undrain", worker)
    if "no intake" not in reasons(console, "shelf"):
        fail(f"why shelf: {reasons(console, 'shelf')}, without 'no intake'")
    console.run("resume", "late")
    wait("late to run or be next", lambda: {"running", "next", "done", "turn"} & set(reasons(console, "late")), 60)
    say("why tells of what is late, paused, broken, without intake, failed and done, of drained and of lost workers")


def check_trace(console, cluster):
    """A page's lines come from the coordinator and from its worker, in order; none has a word of the page."""
    lines = console.json("trace", "done/0/1")[0]["lines"]
    parts, events = {re.search(r" part=(\w+) ", line)[1] for line in lines}, [re.search(r" event=(\w+)", line)[1] for line in lines]
    if parts != {"coordinator", "worker"} or lines != sorted(lines) or not {"page_read", "document", "job_begins", "job_ended"} <= set(events):
        fail(f"the story of a page: {lines}")
    if [line for line in console.json("trace", "done/0/9999")[0]["lines"] if "page_read" in line]:
        fail("a page that there is not was read")
    text = cluster.api.call("GET", "batches/done/documents/0/text").decode()
    source = cluster.api.get("batches/done/documents/0")["source"]
    words = {word for word in re.findall(r"\w{5,}", text) if word not in source and not word.isascii()}
    logs = "".join(process.text() for process in (cluster.coordinator, *cluster.workers))
    if len(words) < 10 or any(word in logs for word in words):
        fail(f"of {len(words)} words of a page the logs have {[word for word in words if word in logs]}")
    say(f"a page's story has {len(lines)} lines of {', '.join(sorted(parts))}; none of its {len(words)} words is in a log")


def check_report(console, cluster, folder):
    """What the report says came out is what is stored; the spreadsheet says the same, and so does a coordinator that has just started."""
    cluster.finish("done")  # a review sent a document of it back to work
    report = console.json("report")[0]
    units = {unit["unit"]: unit["values"] for unit in report["units"]}
    for batch, unit in (("done", "district:001"), ("late", "old:00004")):
        pages = cluster.api.get(f"batches/{batch}")["pages"]["stored"]
        if units[unit]["pages"] != pages or units[unit]["a4"] < pages or not pages:
            fail(f"of {unit} the report has {units[unit]}; {pages} pages are stored")
    if report["all"]["pages"] != sum(values["pages"] for values in units.values()) or units["district:001"]["rejects"] != 1:
        fail(f"all of it is {report['all']} of {units}")
    if sum(day["pages"] for day in report["days"]) != report["all"]["pages"] or len(report["days"]) != 7:
        fail(f"the days are {report['days']}")
    sheet, page = os.path.join(folder, "report.csv"), os.path.join(folder, "report.html")
    console.run("report", "--csv", sheet, "--html", page, "--lang", "en")
    with open(sheet, encoding="utf-8-sig", newline="") as lines:
        rows = {row["Code"]: row for row in csv.DictReader(lines)}
    if float(rows["old:00004"]["Pages"]) != units["old:00004"]["pages"] or rows["old:00004"]["Unit"] != "Phường Trúc Bạch":
        fail(f"the spreadsheet says {rows['old:00004']}")
    with open(page, encoding="utf-8") as text:
        html = text.read()
    if "Phường Trúc Bạch (old:00004)" not in html or "<script" in html or 'src="' in html or "Digitisation report" not in html:
        fail(f"the page is {html[:500]}")
    cluster.coordinator.kill()
    cluster.coordinator.start()
    wait("the units to be known again", lambda: len((cluster.api.try_get("units") or {"units": []})["units"]) >= len(units), 60)
    again = console.json("report")[0]
    if again["all"]["pages"] != report["all"]["pages"] or again["days"] != report["days"]:
        fail(f"after a restart the report has {again['all']}, not {report['all']}")
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)
    say(f"the report has the {report['all']['pages']:.0f} pages that are stored, as JSON, CSV and HTML, also after a restart")


def by(console, kind):
    """Units by those of one time; what is told adds up."""
    answer = console.json("units", "--by", kind)[0]
    for key in ("documents", "pages", "pages_done", "pages_left"):
        if answer["all"][key] != answer["sure"][key] + answer["undecided"][key]:
            fail(f"{key} by {kind}: {answer['all']} is not {answer['sure']} and {answer['undecided']}")
        if sum(unit["sure"][key] for unit in answer["units"]) != answer["sure"][key]:
            fail(f"{key} by {kind}: the units have not {answer['sure']} together")
    return answer["all"], {unit["unit"]: unit for unit in answer["units"]}


def quiet(console):
    """The units, once what runs is done with in them, too."""
    units = {unit["unit"]: unit for unit in console.json("units")[0]["units"]}
    return units if not any(units[unit]["pages_left"] for unit in ("old:00004", "old:00007", "new:00008")) else None


def check_old_and_new(console, cluster):
    """Progress by units of each time, a split commune with each candidate, and batches by any of them."""
    for batch in ("split", "since"):
        cluster.finish(batch)
    units = wait("nothing to change any more", lambda: quiet(console), 30)
    split, whole = units["old:00007"], units["old:00004"]
    (all_, new), (_, old), (_, district) = (by(console, kind) for kind in ("new", "old", "district"))
    if all_["documents"] != sum(unit["documents"] for unit in units.values()) or all_["pages_left"] != sum(unit["pages_left"] for unit in units.values()):
        fail(f"all by new is {all_}, of {units}")
    if new["new:00025"]["perhaps"]["documents"] != split["documents"] + units["district:001"]["documents"] or new["new:00025"]["sure"]["documents"]:
        fail(f"old:00007 was split, and new:00025 has {new['new:00025']}")
    if new["new:00004"]["sure"]["documents"] != whole["documents"] + units["old:00013"]["documents"] or old["old:00004"]["sure"]["pages"] != whole["pages"]:
        fail(f"of the whole old:00004 ({whole}) new:00004 has {new['new:00004']}, and {old['old:00004']}")
    since = units["new:00008"]["documents"]  # which took over from communes of two districts
    if {unit: (heap["sure"]["documents"], heap["perhaps"]["documents"]) for unit, heap in district.items()} != {
            "district:001": (all_["documents"] - since, since), "district:005": (0, since)} or not district["district:001"]["old"]:
        fail(f"by district: {district}; all of it is {all_}")
    for unit, expected in (("new:00004", {"late": "sure", "broken": "sure", "more": "sure", "done": "perhaps"}),
                           ("new:00025", {"split": "perhaps", "done": "perhaps"}), ("old:00007", {"split": "sure", "done": "perhaps", "since": "perhaps"}),
                           ("district:001", dict.fromkeys(("done", "paused", "late", "shelf", "broken", "more", "split"), "sure") | {"since": "perhaps"})):
        found = {batch["id"]: batch["belongs"] for batch in console.json("batches", "--unit", unit)[0]["batches"]}
        if found != expected:
            fail(f"batches of {unit}: {found}")
    if "(perhaps)" not in console.run("batches", "--unit", "new:00025").stdout or "undecided: documents" not in console.run("units", "--by", "new").stdout:
        fail("the tables don't tell what is not sure")
    batch = cluster.api.get("batches/late")
    if not batch["unit_old"] or [unit["unit"] for unit in batch["became"]] != ["new:00004"]:
        fail(f"the batch of an old unit is {batch}")
    say(f"{all_['documents']} documents add up by old district, old commune and new commune; those of a split one are with each candidate")


def named(console, text):
    return {place["unit"]: place for place in console.json("unit", text)[0]["places"]}


def check_names(console):
    """An old identifier is found, and what it became."""
    for text, units in (("00004", {"old:00004", "new:00004"}), ("truc bach", {"old:00004"}), ("Ba Đình", {"district:001", "new:00004"})):
        if set(named(console, text)) != units:
            fail(f"sohoa unit {text}: {named(console, text)}")
    old = named(console, "old:00004")["old:00004"]
    if (old["until"], old["old"], old["district"]["name"], old["became"][0]["coverage"]) != ("2025-06-30", True, "Quận Ba Đình", "whole"):
        fail(f"sohoa unit old:00004: {old}")
    if "until 2025-06-30 (old)" not in console.run("unit", "truc bach").stdout or "E_ABSENT" not in console.run("unit", "nowhere", code=1).stderr:
        fail("sohoa unit does not say what is old, or what there is not")
    say("an old code or name is found with what it became")


def restarted(cluster):
    cluster.coordinator.kill()
    cluster.coordinator.start()
    wait("the units to be known again", lambda: (cluster.api.try_get("units") or {"units": []})["units"], 60)


def check_reorganisation(console, cluster, folder):
    """Looked through, ordered, kept over a restart and a rebuild, stood on, taken back."""
    before = {text: named(console, text) for text in ("00004", "00008", "00025", "truc bach")}
    _, new_before = by(console, "new")
    bad = written(folder, "bad.csv", "00004,Phường Trúc Bạch,,,00004,Phường Hoàng Thành,whole", "00008,,,,00025,Phường Ngọc Hà,part")
    lines = [error["line"] for error in console.json("reorganise", bad, "--day", "2026-01-01", "--preview", code=3)[0]["errors"]]
    if lines != [2] or "line 2: the commune in force with the code 00004 is 'Phường Ba Đình'" not in console.run("reorganise", bad, "--day", "2026-01-01", code=1).stderr:
        fail(f"a wrong table has errors in lines {lines}")
    for name, more in (("root", ("--role", "administrator", "--token")), ("mai", ("--role", "viewer", "--unit", "new:00004"))):
        console.run("account", name, *more)
    table = written(folder, "merger.csv", "00004,Phường Ba Đình,,,00008,Phường Hoàng Thành,whole", "00008,,,,00008,Phường Hoàng Thành,whole",
                    "00025,,,,00008,Phường Hoàng Thành,part", "00025,,,,00004,Phường Giảng Võ,part")
    preview = console.json("reorganise", table, "--day", "2026-01-01", "--preview")[0]
    ends = {end["unit"]: end for end in preview["ends"]}
    if set(ends) != {"new:00004", "new:00008", "new:00025"} or [unit for unit in ends if ends[unit]["split"]] != ["new:00025"]:
        fail(f"the preview says that these end: {ends}")
    if (ends["new:00008"]["documents"], ends["new:00004"]["accounts"], preview["filed"]["batches"]) != (1, 1, 1):
        fail(f"filed under what ends: {preview['filed']}, {ends}")
    if {one["code"]: one["was"]["name"] for one in preview["renamed"]} != {"00008": "Phường Ngọc Hà", "00004": "Phường Ba Đình"}:
        fail(f"the preview says that these are renamed: {preview['renamed']}")
    if named(console, "00004") != before["00004"]:
        fail("a preview changed something")
    ordered = console.json("reorganise", table, "--day", "2026-01-01")[0]
    if ordered != {**preview, "number": 1}:
        fail(f"ordered is {ordered}, looked through was {preview}")
    console.run("reorganise", written(folder, "name.csv", "00008,Phường Hoàng Thành,,,00008,Phường Thăng Long,whole"), "--day", "2026-02-01")
    refused = console.run("reorganise", "--undo", "1", code=1).stderr
    if "re-organisation 2 stands on 1" not in refused or "E_STATE" not in refused:
        fail(f"what another stands on was taken back: {refused}")

    def check():
        places = named(console, "00004")
        if set(places) != {"old:00004", "new:00004", "new:00004@2026-01-01"} or places["new:00004"]["until"] != "2025-12-31":
            fail(f"00004 is {places}")
        if [unit["unit"] for unit in places["old:00004"]["now"]] != ["new:00008@2026-02-01"] or not places["old:00004"]["sure"]:
            fail(f"old:00004 is now in {places['old:00004']['now']}")
        _, new = by(console, "new")
        sure = sum(new_before[unit]["sure"]["documents"] for unit in ("new:00004", "new:00008"))
        if new["new:00008@2026-02-01"]["sure"]["documents"] != sure or "new:00004" in new:
            fail(f"by new units: {new}; before {new_before}")
        if successions() != [("new:00008@2026-01-01", "2026-01-01", "proposed")]:
            fail(f"proposed is {successions()}")

    def successions():
        mai = next(account for account in cluster.api.get("accounts")["accounts"] if account["name"] == "mai")
        return [(one["unit"], one["since"], one["state"]) for one in mai["successions"]]

    check()
    restarted(cluster)
    check()
    console.run("rebuild")
    check()
    console.run("account", "mai", "--confirm", "new:00008@2026-01-01")
    if successions() != [("new:00008@2026-01-01", "2026-01-01", "confirmed"), ("new:00008@2026-02-01", "2026-02-01", "proposed")]:
        fail(f"behind the one that was confirmed there is {successions()}")
    if "known no more" in console.run("reorganise", "--undo", "2").stdout:
        fail("nothing is filed under what the second began, and it is said to be")
    cluster.api.post("batches?id=future", json.dumps({"source": f"{folder}/missing-0.pdf", "unit": "new:00004@2026-01-01", "intake": "shelf"}) + "\n")
    if "known no more: documents 1, pages 0, batches 1, targets 0, accounts 1" not in console.run("reorganise", "--undo", "1").stdout:
        fail("what is filed under units that are known no more is not told")
    console.run("withdraw", "future")
    for _ in range(2):
        if {text: named(console, text) for text in before} != before or by(console, "new")[1] != new_before:
            fail("what was taken back is still there")
        listed = console.json("reorganise", "--list")[0]["reorganisations"]
        if [(one["number"], one["day"], bool(one["undone_ms"])) for one in listed] != [(1, "2026-01-01", True), (2, "2026-02-01", True)]:
            fail(f"the list is {listed}")
        restarted(cluster)
    kinds = [event["kind"] for event in console.json("history")[0]["events"] if event["kind"].startswith("reorganis")]
    if kinds != ["reorganised", "reorganised", "reorganisation_undone", "reorganisation_undone"]:
        fail(f"the history has {kinds}")
    wait("the workers to come back", lambda: cluster.connected() == 2, 60)
    say("a re-organisation was looked through, ordered, kept over a restart and a rebuild, and taken back as if it had never been")


class Terminal:
    """A real one, in tmux, whose screen can be looked at."""

    count = 0

    def __init__(self, cluster, command, columns=110, lines=30):
        Terminal.count += 1  # a server that ends still has its socket
        self.socket = os.path.join(os.path.dirname(cluster.http), f"tmux-{Terminal.count}")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), "-e", f"SOHOA_API=unix:{cluster.http}",
                  f"{BIN}/sohoa {command}; echo ended with $?; exec sleep 600")

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], check=True, capture_output=True, text=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def shows(self, *texts):
        wait(f"the terminal to show {texts}", lambda: all(text in self.screen() for text in texts), 20)
        return self.screen()

    def end(self):
        self.tmux("kill-server")


def check_terminal(cluster, console):
    terminal = Terminal(cluster, "top --interval 1")
    try:
        screen = terminal.shows("sohoa top", "pages/s", "UNIT", "WORKER", "Phường Trúc Bạch", "connected")
        if len(screen.splitlines()) > 30 or max(map(len, screen.splitlines())) > 110:
            fail(f"the frame is larger than the terminal:\n{screen}")
        terminal.tmux("resize-window", "-x", "60", "-y", "16")
        wait("a smaller frame", lambda: "... and" in terminal.screen() or len(terminal.screen().splitlines()) <= 16, 10)
        terminal.tmux("send-keys", "q")
        terminal.shows("ended with 0")
    finally:
        terminal.end()
    terminal = Terminal(cluster, "events -f")
    try:
        terminal.shows("batches", "admitted")
        console.run("pause", "late")
        terminal.shows("standing")
        cluster.coordinator.kill()
        terminal.shows("lost")
        cluster.coordinator.start()
        terminal.shows("back  ")
        terminal.tmux("send-keys", "C-c")
        terminal.shows("ended with 0")
    finally:
        terminal.end()
    say("top fits its terminal, also a smaller one, and ends with q; events -f follows over a restart of the coordinator")
    return screen


def run(store, folder):
    sources, _ = backlog(folder, "--documents", "6", "--seed", "5", "--duplicates", "0", "--pages-mean", "2")
    cluster = Cluster(store, folder, settings=("--worker_lost_ms=2000", "--breaker_failures=3"))
    cluster.start()
    api, console = cluster.api, Console(cluster)
    missing = [f"{folder}/missing-{i}.pdf" for i in range(5)]
    torn = f"{folder}/torn.pdf"
    with open(torn, "w", encoding="utf-8") as out:
        out.write("%PDF-1.7 nothing")
    admit = {"done": [{"source": source, "unit": "district:001", "deadline": LATER} for source in (sources[0], torn)],
             "paused": [{"source": sources[1], "unit": "old:00006"}],
             "late": [{"source": source, "unit": "old:00004", "deadline": LAST_YEAR} for source in sources[2:]],
             "shelf": [{"source": sources[1], "unit": "old:00008", "intake": "shelf"}],
             "split": [{"source": sources[1], "unit": "old:00007"}], "since": [{"source": sources[1], "unit": "new:00008"}],
             "broken": [{"source": source, "unit": "old:00013"} for source in missing]}
    for batch in ("done", "broken"):
        api.post(f"batches?id={batch}", "".join(json.dumps(row) + "\n" for row in admit[batch]))
    cluster.finish("done")
    wait("the breaker", lambda: api.get("batches/broken")["paused_by"], 60)
    for worker in ("a", "b"):  # what waits is to wait
        console.run("drain", worker)
    for batch in ("paused", "late", "shelf", "split", "since"):
        api.post(f"batches?id={batch}", "".join(json.dumps(row) + "\n" for row in admit[batch]))
    console.run("pause", "paused")
    document = Document(api)
    check_trace(console, cluster)
    check_why(console, cluster)
    known = check_json(console, document, folder)
    check_wrong_use(console, known)
    cluster.finish("late")
    check_report(console, cluster, folder)
    check_names(console)
    check_old_and_new(console, cluster)
    check_reorganisation(console, cluster, folder)
    check_terminal(cluster, console)


if __name__ == "__main__":
    main(run)
