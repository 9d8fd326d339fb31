# SPDX-License-Identifier: AGPL-3.0-or-later
"""The Debian packages: made by cpack, clean to lintian, hardened, their units sound; installed in a bare Debian 12, where `sohoa run`
reads a page with nothing but them; upgraded, removed and purged without a loss of settings or data.

usage: packages.py BUILD FOLDER
"""
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from tree import NAMES, Tree, fail, packages_make, run  # noqa: E402

SOURCE = os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD, FOLDER = (os.path.abspath(path) for path in sys.argv[1:])
TREE = Tree(os.path.join(FOLDER, "tree"))
PROGRAMS = ("sohoa", "sohoa-coordinator", "sohoa-worker")
UNITS = ("sohoa-coordinator", "sohoa-worker", "sohoa-backup")
EXPOSURE = 25  # tenths: what `systemd-analyze security` may say of a unit at most
SETTING, DATA = "slots = 1\n", "the only copy\n"
SKIPPED = 77


def say(text):
    print(text, flush=True)


# ---- packages ----


def packages_lint(debs):
    said = run("lintian", "--fail-on=error,warning", "--tag-display-limit=0", *debs)
    say("lintian has nothing to say" if not re.search(r"^[EW]:", said, re.M) else said)


def program_check(path):
    """What makes it hard to take over: position independent, relocations read-only, nothing bound late, stack guarded, no executable
    stack, checked calls."""
    header, dynamic = run("readelf", "-hlW", path), run("readelf", "-dW", path)
    symbols = run("readelf", "--dyn-syms", "-W", path)
    wanted = {
        "PIE": re.search(r"Type:\s+DYN", header) and "FLAGS_1" in dynamic and re.search(r"FLAGS_1.*\bPIE\b", dynamic),
        "RELRO": "GNU_RELRO" in header,
        "BIND_NOW": re.search(r"FLAGS.*\b(BIND_NOW|NOW)\b", dynamic),
        "stack protector": "__stack_chk_fail" in symbols,
        "NX": re.search(r"GNU_STACK.*\bRW\b", header),
        "FORTIFY": re.search(r"__\w+_chk@", symbols),
    }
    missing = [name for name, there in wanted.items() if not there]
    if missing:
        fail(f"{path} lacks {', '.join(missing)}")
    say(f"{os.path.basename(path)}: {', '.join(wanted)}")


# ---- the tree ----


def tree_versions():
    return set(TREE.inside("dpkg-query -W -f '${Version}\\n' " + " ".join(NAMES)).split())


def units_check():
    for unit in UNITS:
        run("systemd-analyze", "verify", f"--root={TREE.folder}", "--man=no", f"{unit}.service")
        said = run("systemd-analyze", "security", f"--root={TREE.folder}", "--offline=yes", f"--threshold={EXPOSURE}", f"{unit}.service")
        say(said.strip().splitlines()[-1].strip("→ 🙂"))


def folder_is(path, owner, mode):
    said = TREE.inside(f"stat -c '%U:%G %a' {path}").strip()
    if said != f"{owner} {mode}":
        fail(f"{path} is {said}")


def reads_a_page():
    """As a user that may do nothing, with programs and models of the packages alone."""
    os.makedirs(TREE.path("srv/scans"), exist_ok=True)
    shutil.copy(os.path.join(SOURCE, "tests", "data", "golden.jpg"), TREE.path("srv/scans"))
    TREE.inside("chown -R nobody /srv")
    TREE.inside("HOME=/srv setpriv --reuid=nobody --regid=nogroup --clear-groups sohoa run /srv/scans --out /srv/out --slots 1")
    text = "".join(open(path, encoding="utf-8").read() for path in glob.glob(TREE.path("srv/out/**/text.txt"), recursive=True))
    if len(text.split()) < 20:
        fail(f"sohoa run read {text!r}")
    say(f"sohoa run in the tree read {len(text.split())} words")


TRIAL = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /root/trial
[Install]
WantedBy=default.target
"""
TRIED = """exec >/root/trial.log 2>&1
trap 'journalctl --no-pager -u sohoa-coordinator -u sohoa-worker -u sohoa-backup -u redis-server@sohoa; systemctl poweroff' EXIT
set -ex
systemctl enable --now sohoa-coordinator sohoa-worker
submit() { sohoa submit /srv/scans --id trial; }
for i in {1..100}; do ! submit || break; sleep 0.1; done
for i in {1..300}; do ! sohoa status trial | grep '^batch trial: finished' || break; sleep 0.1; done
sohoa status trial | tee /root/status
redis-cli -s /run/redis-sohoa/redis.sock flushall | grep NOPERM
install -d -o sohoa -g sohoa /srv/sohoa-backup
printf 'FROM=dir:/var/lib/sohoa/store\nTO=dir:/srv/sohoa-backup/store\n' >/etc/sohoa/backup.conf
systemctl start sohoa-backup.service
sohoa backup --check dir:/srv/sohoa-backup/store | grep -v ^0 | grep ' 0 findings'
rm /etc/sohoa/backup.conf
systemctl is-active sohoa-coordinator sohoa-worker redis-server@sohoa
systemctl stop sohoa-worker sohoa-coordinator
systemctl is-failed sohoa-worker sohoa-coordinator && exit 1
touch /root/stopped
"""


def boots():
    """The services as systemd starts them, in a system of their own, with all that keeps them in: they read the page, too."""
    TREE.write(TRIAL, "etc/systemd/system/trial.service")
    TREE.write(TRIED, "root/trial")
    TREE.inside("systemctl enable trial.service; systemctl disable redis-server")
    command = ["systemd-nspawn", "--boot", f"--directory={TREE.folder}", "--register=no", "--keep-unit", "--private-network", "--machine=sohoa-trial"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=180, check=False)
    if not os.path.exists(TREE.path("root/trial.log")):
        fail(f"the tree did not boot: {done.stdout[-2000:]}")
    said = TREE.text("root/trial.log")
    if not os.path.exists(TREE.path("root/stopped")) or "1 stored" not in TREE.text("root/status"):
        fail(f"the services did not read the page:\n{said[-6000:]}")
    if "level=error" in said or "slots-share-network" in said:
        fail(f"the services complain:\n{said[-6000:]}")
    say("booted: the services read the page and back it up, hardened as they are")


def main():
    if not shutil.which("debootstrap") or os.geteuid():
        print("skipped: needs root and debootstrap")
        sys.exit(SKIPPED)
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    debs, later = packages_make(BUILD, f"{FOLDER}/packages"), packages_make(BUILD, f"{FOLDER}/packages-later", "9.9.9")
    packages_lint(debs)
    TREE.make("systemd-sysv")
    TREE.install(debs)
    for program in PROGRAMS:
        program_check(TREE.path("usr/bin", program))
    units_check()
    folder_is("/etc/sohoa", "root:sohoa", "750")
    folder_is("/var/lib/sohoa", "sohoa:sohoa", "750")
    reads_a_page()
    boots()
    if "\n## Steps\n" not in TREE.text("usr/share/doc/sohoa-common/runbooks/node-lost.md"):
        fail("the runbook that alerts lead to is not there")
    if "_sohoa" not in TREE.text("usr/share/bash-completion/completions/sohoa"):
        fail("there is no completion")

    TREE.write(SETTING, "etc/sohoa/worker.conf")
    TREE.write(DATA, "var/lib/sohoa/store/src/kept")
    TREE.install(later)
    if tree_versions() != {"9.9.9"} or TREE.text("etc/sohoa/worker.conf") != SETTING:
        fail("the upgrade did not take, or it took the settings")
    TREE.inside("dpkg --remove " + " ".join(NAMES))
    if TREE.text("etc/sohoa/worker.conf") != SETTING:
        fail("a removal took the settings")
    TREE.inside("dpkg --purge " + " ".join(NAMES))
    if TREE.text("var/lib/sohoa/store/src/kept") != DATA:
        fail("a purge took data")
    left = [path for pattern in ("usr/bin/sohoa*", "etc/sohoa/*", "lib/systemd/system/sohoa*") for path in glob.glob(TREE.path(pattern))]
    if left:
        fail(f"a purge left {left}")
    say("upgraded, removed and purged: settings and data as they should be")
    shutil.rmtree(FOLDER)


main()
