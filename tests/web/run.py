# SPDX-License-Identifier: AGPL-3.0-or-later
"""tests/web/run: the dashboard in a real Chromium, against a real running cluster with real scans.

usage: run.py FOLDER (screenshots land in FOLDER/shots). Needs SOHOA_BIN, chromium, node and what package-lock.json names. drive.mjs
opens the pages; this starts the cluster and says what there is to be seen. The last line is one JSON object.
"""
import json
import os
import shutil
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from cluster import BIN, Cluster, backlog, fail, say, stop_all, wait  # noqa: E402
from receiver import Receiver  # noqa: E402

PASSWORD = "a password that is long"


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def prepare():
    for program in ("chromium", "node", "npm"):
        if not shutil.which(program):
            skip(f"{program} is not installed (deploy/deps test)")
    modules = os.path.join(HERE, "node_modules")
    if not os.path.isdir(os.path.join(modules, "axe-core")) or not os.path.isdir(os.path.join(modules, "playwright-core")):
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, capture_output=True, text=True)
        if done.returncode:
            fail(f"npm ci: {done.stderr[-500:]}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def admit(cluster, folder):
    """Batches of real scans; one has a source that can't be opened and another that will be put right."""
    sources, _ = backlog(os.path.join(folder, "scans"), "--documents", "8", "--seed", "5", "--pages-mean", "2")
    mended = os.path.join(folder, "mended.pdf")
    broken = os.path.join(folder, "broken.pdf")
    for path in (mended, broken):
        with open(path, "w", encoding="utf-8") as out:
            out.write("%PDF-1.7 nothing that makes sense " + path)
    rows = [{"source": source, "unit": "district:001", "deadline": "2030-01-31"} for source in sources[:5]]
    rows.append({"source": mended, "unit": "district:001", "deadline": "2030-01-31"})
    cluster.api.post("batches?id=ba-dinh", "".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"source": source, "unit": "old:00037", "deadline": "2026-01-31"} for source in sources[5:]] + [
        {"source": broken, "unit": "old:00037"}]
    cluster.api.post("batches?id=phuc-tan", "".join(json.dumps(row) + "\n" for row in rows))
    cluster.api.post("batches?id=ngoc-ha", json.dumps({"source": sources[0], "unit": "new:00008"}) + "\n") # since the mergers
    for batch in ("ba-dinh", "phuc-tan", "ngoc-ha"):
        cluster.finish(batch)
    shutil.copyfile(next(source for source in sources if source.endswith(".pdf")), mended)
    cluster.api.post("targets", json.dumps([{"unit": "district:006", "deadline": "2026-12-31", "pages": 5000000},
                                            {"unit": "old:00001", "pages": 900}]))


def drive(part, url, shots, script="drive.mjs"):
    done = subprocess.run(["node", os.path.join(HERE, script), part, url, shots, PASSWORD], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, timeout=400)
    lines = done.stdout.strip().splitlines()
    for line in lines[:-1]:
        say(line)
    if done.returncode or not lines:
        fail(f"{script} {part} ended with {done.returncode}: {lines[-1:] or 'nothing said'}")
    return json.loads(lines[-1])


def accounts(cluster):
    for name, role, units in (("root", "administrator", []), ("lan", "operator", ["district:001"])):
        token = ["--token-file", accounts.token] if name != "root" else []
        password = os.path.join(cluster.folder, f"{name}.password")
        with open(password, "w", encoding="utf-8") as out:
            out.write(PASSWORD)
        command = [f"{BIN}/sohoa", "--api", cluster.http, *token, "account", name, "--role", role, "--password-file", password]
        command += [word for unit in units for word in ("--unit", unit)] + (["--token"] if name == "root" else [])
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            fail(f"{' '.join(command)}: {done.stderr}")
        if name == "root":
            accounts.token = os.path.join(cluster.folder, "root.token")
            with open(accounts.token, "w", encoding="utf-8") as out:
                out.write(done.stdout.split()[-1])
            os.chmod(accounts.token, 0o600)


def run(folder):
    shutil.rmtree(folder, ignore_errors=True)
    shots = os.path.join(folder, "shots")
    os.makedirs(shots)
    receiver = Receiver()
    cluster = Cluster(f"dir:{folder}/store", folder, http_at=f"127.0.0.1:{free_port()}", settings=(f"--notify_url={receiver.url}",))
    cluster.start()
    admit(cluster, folder)
    wait("the units", lambda: len(cluster.api.get("units")["units"]) >= 4, 20)
    url = f"http://{cluster.http}/"
    seen = drive("local", url, shots)
    if len(receiver.of("test", "test")) != 1 or receiver.wrong:
        fail(f"the button for a test sent {receiver.messages}, {receiver.wrong}")
    accounts(cluster)
    bound = drive("bound", url, shots)
    merged = drive("merged", url, shots)
    result = {key: seen[key] + bound[key] + merged[key] for key in ("views", "console_errors", "outside_requests", "axe_serious")}
    result["first_paint_ms"] = seen["first_paint_ms"]
    if result["console_errors"] or result["outside_requests"] or result["axe_serious"]:
        fail(f"what must not be was seen: {json.dumps(result)}")
    print(json.dumps(result))


if __name__ == "__main__":
    prepare()
    try:
        run(sys.argv[1])
    except AssertionError as why:
        sys.exit(f"FAILED: {why}")
    finally:
        stop_all()
