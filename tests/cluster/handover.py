# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hand-over: files become packages that check out by themselves and validate as METS; what is missing is named; the same content gives the same
bytes; a flipped byte in any member is found and named.

usage: handover.py STORE-URL FOLDER. Real scans and METS' schema are taken from ../shared where that is.
"""
import csv
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import zipfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, fail, main, say, wait  # noqa: E402

SHARED = os.path.join(os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")), "..", "shared")
SCANS = [os.path.join(SHARED, "data", "scans", name) for name in ("qn-02.pdf", "qn-06.pdf")]


def sohoa(cluster, *arguments, code=0):
    done = subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "--json", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != code:
        fail(f"sohoa {' '.join(arguments)}: {done.returncode}, expected {code}: {done.stdout[:600]} {done.stderr[-600:]}")
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def picture(path, number):
    """A page with as many lines that look like nothing much."""
    width, height = 600, 800
    row = [bytes([0] + [255] * width), bytes([0] + [255] * 100 + [0] * 300 + [255] * 200)]
    lines = b"".join(row[y % 40 == 0 and 40 < y <= 40 * number + 40] for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
                  chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def admit(cluster, folder):
    """Three files: one in order, one with holes, one of real scans if they are there; and a document without a file."""
    scans, rows = os.path.join(folder, "scans"), []
    os.makedirs(scans)

    def add(name, code, ordinal, **said):
        path = os.path.join(scans, name)
        picture(path, len(rows) + 1)
        row = {"source": path, "fonds": "F01", "file_code": code, "ordinal": ordinal, "retention": "vĩnh viễn", "title": "Hồ sơ kinh phí", "mode": "01",
               "language": "Tiếng Việt", "typeName": "Quyết định", "codeNumber": str(ordinal), "codeNotation": "QĐ-UBND", "issuedDate": f"{ordinal:02d}/02/1999",
               "organName": "Ủy ban nhân dân quận Ba Đình", "subject": f"phê duyệt kinh phí năm {1990 + ordinal}", **said}
        rows.append({key: value for key, value in row.items() if value})
    for i in (1, 2, 3):
        add(f"a{i}.png", "H26.01/2024", i)
    add("b1.png", "H26.02", 1)
    add("b2.png", "H26.02", 2, issuedDate="", subject="=1+1")
    add("c1.png", None, 7)
    real = [path for path in SCANS if os.path.exists(path)]
    for i, path in enumerate(real, 1):
        rows.append({"source": os.path.abspath(path), "fonds": "F01", "file_code": "QN", "ordinal": i, "retention": "20 năm", "title": "Bản quét", "mode": "01"})
    cluster.api.post("batches?id=one", "".join(json.dumps(row) + "\n" for row in rows))
    documents = cluster.finish("one")["documents"]
    if documents["stored"] != len(rows):
        fail(f"documents are {documents}")
    return len(real)


def pack(cluster, out, real):
    """Only an accepted batch; what keeps a file back is told by document and field."""
    why = sohoa(cluster, "package", "one", "--profile", "aip-05-2025", "--out", out, code=1)
    if "not accepted" not in why:
        fail(f"a batch that nobody accepted: {why}")
    said = sohoa(cluster, "package", "one", "--profile", "aip-05-2025", "--out", out, "--unreviewed", "--dry-run", code=3)
    if os.path.exists(out):
        fail("a dry run wrote something")
    said = sohoa(cluster, "package", "one", "--profile", "aip-05-2025", "--out", out, "--unreviewed", code=3)
    blocked = {(file["file"], it["document"], it["field"]) for file in said["blocked"] for it in file["findings"]}
    missing = {("H26.02", 4, "issuedDate")}
    if not missing <= blocked or not any(field == "file_code" for _, _, field in blocked) or any(file == "H26.01/2024" for file, _, _ in blocked):
        fail(f"what keeps files back: {said['blocked']}")
    if len(said["packages"]) != 1 + bool(real):
        fail(f"packages are {said}")
    told = cluster.api.get("packages?batch=one")["packages"]
    if [(one["file"], one["sha256"]) for one in told] != [(one["file"], one["sha256"]) for one in said["packages"]]:
        fail(f"the ledger knows of {told}")
    again = sohoa(cluster, "package", "one", "--profile", "aip-05-2025", "--out", out, "--unreviewed", code=3)
    if again["packages"] or again["there"] != len(told):
        fail(f"the same again: {again}")
    other = out + "-other"
    sohoa(cluster, "package", "one", "--profile", "aip-05-2025", "--out", other, "--unreviewed", code=3)
    for name in sorted(os.listdir(out)):
        with open(os.path.join(out, name), "rb") as first, open(os.path.join(other, name), "rb") as second:
            if first.read() != second.read():
                fail(f"{name} is not the same twice")
    if cluster.api.get("packages?batch=one")["packages"] != told:
        fail("the ledger has packages twice that were made with the same bytes")
    say(f"{len(told)} packages, the same bytes twice; {len(blocked)} findings named document and field")
    return sorted(os.path.join(out, name) for name in os.listdir(out) if name.endswith(".zip"))


def records(cluster, folder, count):
    """A row for each document; what a spreadsheet would take for a formula is none."""
    path = os.path.join(folder, "records.csv")
    for way in ("--csv", "--jsonl"):
        done = subprocess.run([f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "records", "one", way, "--out", path], capture_output=True, text=True, check=False)
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file)) if way == "--csv" else [json.loads(line) for line in file]
        if done.returncode or len(rows) != count or rows[0]["subject"] != "phê duyệt kinh phí năm 1991" or rows[4]["subject"] not in ("=1+1", "'=1+1"):
            fail(f"records {way}: {done.stderr}, {rows[:5]}")
        if (rows[4]["subject"] == "'=1+1") != (way == "--csv"):
            fail(f"a formula in {way}: {rows[4]['subject']}")
    say(f"{count} records as CSV and as lines of JSON")


def submission(cluster, folder):
    out = os.path.join(folder, "sip")
    said = sohoa(cluster, "package", "one", "--profile", "sip-05-2025", "--file", "H26.02", "--unreviewed", "--out", out, code=3)
    if {file["file"] for file in said["blocked"]} != {"H26.02"}:
        fail(f"of one file: {said}")
    said = sohoa(cluster, "package", "one", "--profile", "sip-05-2025", "--file", "H26.01/2024", "--unreviewed", "--out", out)
    if not said["packages"][0]["package"].startswith("uuid-"):
        fail(f"a submission is called {said}")
    sohoa(cluster, "package", "--check", *(os.path.join(out, name) for name in os.listdir(out) if name.endswith(".zip")))
    say("a submission of one file was packed")


def killed(cluster, folder):
    """Whoever packs is killed at any point, once with the coordinator before it could tell that: the same command goes on, and the ledger knows
    all that there is, once."""
    out = os.path.join(folder, "killed")
    command = [f"{BIN}/sohoa", "--api", f"unix:{cluster.http}", "package", "one", "--profile", "sip-05-2025", "--unreviewed", "--out", out,
               "--set", "description=của lần bị dừng"]

    def seen():
        return os.listdir(out) if os.path.isdir(out) else []

    def told():
        return [one["package"] for one in cluster.api.get("packages?batch=one&limit=1000")["packages"] if one["profile"] == "sip-05-2025"]

    def gone_on(when):
        sohoa(cluster, *command[3:], code=3)
        zips, known = {name[:-4] for name in seen() if name.endswith(".zip")}, told()
        if not zips or not zips <= set(known) or len(known) != len(set(known)) or any(name.endswith(".part") for name in seen()):
            fail(f"killed {when}: {seen()}, the ledger has {known}")

    def start_until(ending):
        shutil.rmtree(out, ignore_errors=True)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not any(name.endswith(ending) for name in seen()):
            pass
        return process
    process = start_until(".sha256")
    cluster.coordinator.child.send_signal(signal.SIGSTOP)
    wait("a package that is whole", lambda: process.poll() is not None or any(name.endswith(".zip") for name in seen()), 20)
    process.kill()
    process.wait()
    cluster.coordinator.kill()
    cluster.coordinator.start()
    wait("the coordinator to answer", lambda: cluster.api.try_get("status"), 60)
    untold = len({name[:-4] for name in seen() if name.endswith(".zip")} - set(told()))
    gone_on("with the coordinator")
    for ending in (".part", ".zip"):
        process = start_until(ending)
        process.kill()
        process.wait()
        gone_on(f"at {ending}")
    say(f"packing was killed three times and went on; {untold} packages had not been told")


def validate(folder, zips):
    schemas = os.path.join(SHARED, "schemas")
    if not os.path.exists(schemas):
        say("METS is not validated: ../shared/schemas is not there")
        return
    count = 0
    for path in zips:
        place = os.path.join(folder, "unpacked")
        shutil.rmtree(place, ignore_errors=True)
        with zipfile.ZipFile(path) as whole:
            whole.extractall(place)
            names = whole.namelist()
        root = names[0].split("/")[0]
        for name in names:
            schema = os.path.join(schemas, "mets.xsd") if name.endswith("METS.xml") else \
                os.path.join(place, root, "schemas", "EAD.xsd") if name.endswith("EAD.xml") else \
                os.path.join(place, root, "schemas", "EAD_doc.xsd") if "EAD_doc_" in name else None
            if not schema:
                continue
            done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, os.path.join(place, name)], capture_output=True, text=True,
                                  env={**os.environ, "XML_CATALOG_FILES": os.path.join(schemas, "catalog.xml")}, check=False)
            if done.returncode:
                fail(f"{name}: {done.stderr[-600:]}")
            count += 1
    say(f"{count} METS and records validate against their schemas")


def flipped(cluster, folder, path):
    """A byte in the middle of each member's data, one after another."""
    with open(path, "rb") as file:
        whole = file.read()
    broken = os.path.join(folder, "broken", os.path.basename(path))
    os.makedirs(os.path.dirname(broken))
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    for info in infos:
        name_bytes, extra_bytes = struct.unpack("<HH", whole[info.header_offset + 26:info.header_offset + 30])
        at = info.header_offset + 30 + name_bytes + extra_bytes + info.compress_size // 2
        with open(broken, "wb") as out:
            out.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        said = sohoa(cluster, "package", "--check", broken, code=3)
        member = info.filename.split("/", 1)[1]
        if not any(it["member"] == member for it in said["packages"][0]["findings"]):
            fail(f"a flipped byte in {member}: {said}")
    say(f"a flipped byte in each of {len(infos)} members was found, and the member named")


def tampered(cluster, folder, path):
    """Whoever makes the CRCs right again is found by the hashes."""
    place = os.path.join(folder, "tampered")
    os.makedirs(place)
    copy = os.path.join(place, os.path.basename(path))
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    root = members[0][0].split("/")[0]

    def check(changed, member):
        with zipfile.ZipFile(copy, "w") as out:
            for name, data in changed:
                out.writestr(name, data)
        said = sohoa(cluster, "package", "--check", copy, code=3)["packages"][0]["findings"]
        if not any(it["member"] == member for it in said):
            fail(f"{member}: {said}")
    ead = root + "/metadata/descriptive/EAD.xml"
    check([(name, data.replace(b"kinh", b"KINH") if name == ead else data) for name, data in members], "metadata/descriptive/EAD.xml")
    check([(name, data) for name, data in members if name != ead], "metadata/descriptive/EAD.xml")
    check(members + [(root + "/extra.txt", b"x")], "extra.txt")
    check(members + [(root + "/../out.txt", b"x")], root + "/../out.txt")
    check([(name, data.replace(b"<title>", b"<title>" + b"x" * 1001)) if name == ead else (name, data) for name, data in members],
          "metadata/descriptive/EAD.xml")
    check([(name.replace(root, "other", 1), data) for name, data in members], "METS.xml")
    with open(copy, "wb") as out:
        out.write(b"no ZIP at all")
    sohoa(cluster, "package", "--check", copy, code=3)
    with open(path, "rb") as file, open(copy, "wb") as out:
        out.write(file.read())
    shutil.copy(path + ".sha256", copy + ".sha256")
    with open(copy + ".sha256", "r+", encoding="ascii") as beside:
        beside.write("0" * 8)
    sohoa(cluster, "package", "--check", copy, code=3)
    say("members that were changed, added, taken away or led out of the package were found")


def run(store, folder):
    cluster = Cluster(store, folder)
    cluster.start()
    real = admit(cluster, folder)
    zips = pack(cluster, os.path.join(folder, "out"), real)
    whole = sohoa(cluster, "package", "--check", *zips)
    if sum(one["documents"] for one in whole["packages"]) != 3 + real:
        fail(f"the check says {whole}")
    if not real:
        say("real scans are not packed: ../shared/data/scans is not there")
    records(cluster, folder, 6 + real)
    submission(cluster, folder)
    killed(cluster, folder)
    validate(folder, zips)
    small = min(zips, key=os.path.getsize)
    flipped(cluster, folder, small)
    tampered(cluster, folder, small)


if __name__ == "__main__":
    main(run)
