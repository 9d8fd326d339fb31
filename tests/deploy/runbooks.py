# SPDX-License-Identifier: AGPL-3.0-or-later
"""The runbooks stay true: each has its fixed headings, each command of ours that one shows is there with its sub-commands and options, and so is
each alert, playbook, unit, file and link that one names; each alert of the rules leads to a runbook.

usage: runbooks.py
"""
import glob
import os
import re
import subprocess
import sys

import yaml

SOURCE = os.path.abspath(os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
BIN = os.environ["SOHOA_BIN"]
RUNBOOKS = os.path.join(SOURCE, "deploy", "runbooks")
HEADINGS = ["When", "What is not lost", "Steps", "Well again", "Whom to tell", "Tried"]
DAEMONS = ("sohoa-coordinator", "sohoa-worker")
INSTALLED = "file:///usr/share/doc/sohoa-common/runbooks/"  # deploy/CMakeLists.txt
TREE = ("ansible", "bench", "coordinator", "deploy", "proto", "storage", "tests", "worker")
found_wrong = []


def wrong(where, text):
    found_wrong.append(f"{where}: {text}")


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def said(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


class Programs:
    """What the programs say of themselves: each program is run with --help, each command of sohoa once."""

    def __init__(self):
        self.usage = said(f"{BIN}/sohoa", "--help")
        self.commands = set(re.findall(r"^  (\w+) ", self.usage, re.M))
        self.globals = set(re.findall(r"(--[\w-]+)", self.usage))
        self.keys = {daemon: set(re.findall(r"^  (--\w+)", text := said(f"{BIN}/{daemon}", "--help"), re.M)) | set(re.findall(r"--[a-z-]+", text.split("keys:")[0]))
                     for daemon in DAEMONS}
        self.helps = {}

    def help(self, command):
        if command not in self.helps:
            self.helps[command] = said(f"{BIN}/sohoa", command, "--help")
        return self.helps[command]

    def verbs(self, command):
        """The words of which one comes first: 'list|stop|release'. None: operands are anything."""
        first = re.match(rf"usage: sohoa {command} ([a-z]+(?:\|[a-z]+)+)(?: |$)", self.help(command))
        return first.group(1).split("|") if first else None

    def options(self, command):
        return set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", self.help(command), re.M)) | set(re.findall(r"(--[\w-]+)", self.help(command).splitlines()[0]))


# ---- commands ----


def words_of(line):
    """Of a shell's line, roughly: quoted text is one word."""
    return re.findall(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""", line)


def commands_of(line):
    """Each command of it, as words: parts of pipes and lists, what stands in $( ), without what is set before."""
    inner = re.findall(r"[$<]\(([^()]*)\)", line)
    line = re.sub(r"[$<]\([^()]*\)", "INNER", line)
    line = re.sub(r"\s[0-9&]?>>?\s*\S+", "", re.sub(r"\s#\s.*$", "", line))
    for part in re.split(r"\s*(?:\|\|?|&&|;)\s+(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)", line) + inner:
        words = words_of(part)
        while words and (re.match(r"^\w+=", words[0]) or words[0] in ("sudo", "time", "nohup", "while", "until", "do", "if", "then", "!")):
            words.pop(0)
        if words[:1] == ["timeout"]:
            words = words[2:]
        if words:
            yield words


def check_sohoa(where, words, programs):
    rest = words[1:]
    while rest and rest[0].startswith("--"):
        if rest[0].split("=")[0] not in programs.globals:
            wrong(where, f"sohoa has no option {rest[0]}")
        rest = rest[1 if "=" in rest[0] or rest[0] in ("--json", "--help", "--completion", "--manual") else 2:]
    if not rest:
        return
    command = rest[0]
    if command not in programs.commands:
        wrong(where, f"there is no command: sohoa {command}")
        return
    verbs = programs.verbs(command)
    operands = [word for word in rest[1:] if not word.startswith("-")]
    if verbs and len(words) > 2 and (not operands or operands[0] not in verbs):  # a bare `sohoa review` is what it is called
        wrong(where, f"sohoa {command} needs one of {'|'.join(verbs)}: {' '.join(words)}")
    for word in rest[1:]:
        if word.startswith("--") and word.split("=")[0] not in programs.options(command):
            wrong(where, f"sohoa {command} has no option {word}")
        elif re.fullmatch(r"-\w", word) and f"  {word}, --" not in programs.help(command):
            wrong(where, f"sohoa {command} has no option {word}")


def check_command(where, words, programs):
    program = os.path.basename(words[0])
    if program == "sohoa":
        check_sohoa(where, words, programs)
    elif program in DAEMONS:
        for word in words[1:]:
            if word.startswith("--") and word.split("=")[0] not in programs.keys[program]:
                wrong(where, f"{program} has no setting {word}")
    elif program == "ansible-playbook":
        for word in words[1:]:
            if word.endswith(".yml") and "inventory" not in word and not os.path.exists(os.path.join(SOURCE, "ansible", word)):
                wrong(where, f"there is no playbook {word}")
    elif program in ("systemctl", "journalctl"):
        for word in re.findall(r"\bsohoa-\w+", " ".join(words)):
            if not os.path.exists(os.path.join(SOURCE, "deploy", "systemd", f"{word}.service")):
                wrong(where, f"there is no unit {word}")


def check_commands(name, text, programs):
    """Of blocks what stands behind '$ ', and in running text what begins as a command of ours does."""
    shown = 0
    for number, line in enumerate(text.splitlines(), 1):
        command = re.match(r"^ *\$ (.*)$", line)
        for part in [command.group(1)] if command else [code for code in re.findall(r"`([^`]+)`", line) if re.match(r"(?:sohoa|sohoa-coordinator|sohoa-worker|ansible-playbook) ", code)]:
            for words in commands_of(part):
                check_command(f"{name}:{number}", words, programs)
            shown += bool(command)
    return shown


# ---- names ----


def alerts_of_rules():
    groups = yaml.safe_load(read("deploy", "prometheus", "sohoa.rules.yml"))["groups"]
    return {rule["alert"]: rule.get("annotations", {}).get("runbook_url", "") for group in groups for rule in group["rules"] if "alert" in rule}


def alerts_of_notices():
    return set(re.findall(r'^ +\[ALERT_\w+\] = \{"(\w+)"', read("coordinator", "alert.c"), re.M))


def check_names(name, text, alerts, notices):
    for alert in re.findall(r"\bSohoa[A-Z]\w+", text):
        if alert not in alerts:
            wrong(name, f"there is no alert {alert}")
    for listed in re.findall(r"notices? ((?:`\w+`(?:, | or )?)+)", text, re.I):
        for notice in re.findall(r"`(\w+)`", listed):
            if notice not in notices:
                wrong(name, f"there is no notice {notice}")
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not re.match(r"https?:", link) and not os.path.exists(os.path.join(RUNBOOKS, link)):
            wrong(name, f"the link {link} leads nowhere")
    for path in re.findall(rf"`((?:{'|'.join(TREE)})/[\w./-]+)`", text):
        if not os.path.exists(os.path.join(SOURCE, path)):
            wrong(name, f"there is no file {path}")


def check_headings(name, text):
    headings = re.findall(r"^## (.*)$", text, re.M)
    if headings != HEADINGS:
        wrong(name, f"its headings are {headings}, not {HEADINGS}")
    for heading, body in re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", text, re.M):
        if not body.strip():
            wrong(name, f"nothing stands under {heading}")


def check_index(names, alerts):
    """It names every runbook, and every alert beside its runbook."""
    index = read("deploy", "runbooks", "README.md")
    for name in names:
        if f"({name})" not in index:
            wrong("README.md", f"it does not lead to {name}")
    for alert, url in alerts.items():
        name = url.removeprefix(INSTALLED)
        if not url.startswith(INSTALLED) or name not in [*names, "README.md"]:
            wrong("sohoa.rules.yml", f"{alert} leads to '{url}'")
        elif not any(alert in line and f"({name})" in line for line in index.splitlines()):
            wrong("README.md", f"{alert} leads to {name} by the rules, and not here")


def main():
    programs, alerts, notices = Programs(), alerts_of_rules(), alerts_of_notices()
    names = sorted(os.path.basename(path) for path in glob.glob(f"{RUNBOOKS}/*.md") if not path.endswith("README.md"))
    shown = 0
    for name in [*names, "README.md"]:
        text = read("deploy", "runbooks", name)
        shown += check_commands(name, text, programs)
        check_names(name, text, alerts, notices)
        if name != "README.md":
            check_headings(name, text)
    check_index(names, alerts)
    if len(names) < 9 or shown < 50 or not notices or len(programs.commands) < 30:
        wrong("runbooks", f"{len(names)} with {shown} commands, {len(notices)} notices, {len(programs.commands)} commands of sohoa: something is not read")
    for text in found_wrong:
        print("FAILED: " + text, file=sys.stderr)
    if found_wrong:
        sys.exit(1)
    print(f"{len(names)} runbooks, {shown} commands, {len(alerts)} alerts")


if __name__ == "__main__":
    main()
