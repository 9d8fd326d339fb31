# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the tests in a browser share: a cluster on a port, its accounts, a script of node that drives Chromium. Needs SOHOA_BIN, chromium, node
and what package-lock.json names.
"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from cluster import BIN, Cluster, fail, free_port, say, stop_all  # noqa: E402

PASSWORD = "a password that is long"
SEEN = ("views", "console_errors", "outside_requests", "axe_serious")


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


class Stage:
    """An empty cluster, and what was seen of it: screenshots land in FOLDER/shots."""

    def __init__(self, folder, script, settings=()):
        shutil.rmtree(folder, ignore_errors=True)
        self.shots, self.script, self.seen = os.path.join(folder, "shots"), script, []
        os.makedirs(self.shots)
        self.cluster = Cluster(f"dir:{folder}/store", folder, http_at=f"127.0.0.1:{free_port()}", settings=settings)
        self.cluster.start()

    def drive(self, part):
        """What node says last."""
        done = subprocess.run(["node", os.path.join(HERE, self.script), part, f"http://{self.cluster.http}/", self.shots, PASSWORD],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=400)
        lines = done.stdout.strip().splitlines()
        for line in lines[:-1]:
            say(line)
        if done.returncode or not lines:
            fail(f"{self.script} {part} ended with {done.returncode}: {lines[-1:] or 'nothing said'}")
        self.seen.append(json.loads(lines[-1]))
        return self.seen[-1]

    def sohoa(self, *arguments):
        command = [f"{BIN}/sohoa", "--api", self.cluster.http, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            fail(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def accounts(self):
        """root, an administrator, and lan, an operator of one district: from now on it is asked who asks."""
        password = os.path.join(self.cluster.folder, "password")
        token = os.path.join(self.cluster.folder, "root.token")
        with open(password, "w", encoding="utf-8") as out:
            out.write(PASSWORD)
        said = self.sohoa("account", "root", "--role", "administrator", "--password-file", password, "--token")
        with open(token, "w", encoding="utf-8") as out:
            out.write(said.split()[-1])
        os.chmod(token, 0o600)
        self.sohoa("--token-file", token, "account", "lan", "--role", "operator", "--unit", "district:001", "--password-file", password)

    def end(self, **more):
        """Prints one JSON object: what was seen, and more."""
        result = {key: sum(seen[key] for seen in self.seen) for key in SEEN}
        if result["console_errors"] or result["outside_requests"] or result["axe_serious"]:
            fail(f"what must not be was seen: {json.dumps(result)}")
        print(json.dumps({**result, **more}))


def main(run):
    prepare()
    try:
        run(sys.argv[1])
    except AssertionError as why:
        sys.exit(f"FAILED: {why}")
    finally:
        stop_all()
