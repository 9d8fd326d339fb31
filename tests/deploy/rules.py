# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an operator copies into Prometheus, and what PROTOCOL.md says of metrics: promtool takes the rules and the sample configuration,
every alert was seen firing and not firing, expressions name only metrics and labels that there are, and the list in PROTOCOL.md is
that of the tables.
"""
import os
import re
import shutil
import subprocess
import sys

import yaml

SOURCE = os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.environ["SOHOA_BIN"]
PROMETHEUS = os.path.join(SOURCE, "deploy", "prometheus")
ALWAYS = {"instance", "job", "le", "alertname", "severity", "alertstate"}  # labels that Prometheus adds
SKIPPED = 77


def fail(text):
    print("FAILED: " + text, file=sys.stderr, flush=True)
    sys.exit(1)


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    if done.returncode or "FAILED" in done.stdout + done.stderr:
        fail(f"promtool {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def metrics():
    """The labels of each metric in the tables; of a histogram, of its parts."""
    listed, known = subprocess.run([f"{BIN}/metrics-list"], capture_output=True, text=True, check=True).stdout, {}
    for name, labels, kind in re.findall(r"^\| `(\w+)(?:\{(.*)\})?` \| (\w+) \|", listed, re.M):
        for part in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            known[name + part] = set(labels.split(", ")) - {""}
    if listed not in read("proto", "PROTOCOL.md"):
        fail("PROTOCOL.md does not list the metrics as bin/metrics-list does")
    return known


def check_names(where, expression, known):
    """Of metrics, and of labels that are matched or grouped by."""
    expression = re.sub(r'"[^"]*"', '""', expression)
    for name, matchers in re.findall(r"\b(sohoa[\w:]*)(?:\{([^}]*)\})?", expression):
        if name not in known:
            fail(f"{where}: there is no metric {name}")
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
            if label not in known[name] | ALWAYS:
                fail(f"{where}: {name} has no label {label}")
    labels = set().union(*known.values()) | ALWAYS
    for group in re.findall(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)", expression):
        for label in filter(None, re.split(r"[\s,]+", group)):
            if label not in labels:
                fail(f"{where}: no metric has a label {label}")


def check_rules(known):
    rules = [rule for group in yaml.safe_load(read("deploy", "prometheus", "sohoa.rules.yml"))["groups"] for rule in group["rules"]]
    known.update({rule["record"]: {"stage", "kind", "code"} for rule in rules if "record" in rule})
    for rule in rules:
        check_names(rule.get("alert") or rule["record"], rule["expr"], known)
    return {rule["alert"] for rule in rules if "alert" in rule}


def check_seen(alerts):
    """Each alert was seen firing and not firing."""
    seen = [(test["alertname"], bool(test.get("exp_alerts")))
            for case in yaml.safe_load(read("deploy", "prometheus", "sohoa.rules.test.yml"))["tests"]
            for test in case.get("alert_rule_test", [])]
    for alert in alerts:
        for firing in (True, False):
            if (alert, firing) not in seen:
                fail(f"{alert} was never seen {'' if firing else 'not '}firing")
    return len(seen)


def main():
    known = metrics()
    alerts = check_rules(known)
    seen = check_seen(alerts)
    if not shutil.which("promtool"):
        print("skipped: promtool is not here: deploy/deps test installs it (package prometheus)")
        sys.exit(SKIPPED)
    promtool("check", "rules", "sohoa.rules.yml")
    promtool("test", "rules", "sohoa.rules.test.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    print(f"{len(alerts)} alerts, seen {seen} times")


if __name__ == "__main__":
    main()
