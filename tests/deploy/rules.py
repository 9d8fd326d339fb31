# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an operator copies into Prometheus and Grafana, and what PROTOCOL.md says of metrics: promtool takes the rules and the sample
configuration, every alert was seen firing and not firing, expressions of rules and dashboards parse and name only metrics and labels that
there are, and the list in PROTOCOL.md is that of the tables.

usage: rules.py FOLDER
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

import yaml

SOURCE = os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.environ["SOHOA_BIN"]
PROMETHEUS = os.path.join(SOURCE, "deploy", "prometheus")
DASHBOARDS = os.path.join(SOURCE, "deploy", "grafana", "dashboards", "*.json")
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


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def check_dashboards(known, folder):
    """Their expressions, as rules so that promtool reads them."""
    rules, names = [], set()
    for path in sorted(glob.glob(DASHBOARDS)):
        with open(path, encoding="utf-8") as file:
            dashboard = json.load(file)
        where = os.path.basename(path)
        names.add((dashboard["uid"], dashboard["title"]))
        for panel in panels(dashboard):
            if panel["type"] != "row" and not panel.get("targets"):
                fail(f"{where}: panel {panel['title']} asks for nothing")
            for target in panel.get("targets", []):
                check_names(f"{where}: {panel['title']}", target["expr"], known)
                expression = re.sub(r"\$__(?:rate_)?interval|\$__range", "5m", target["expr"])
                rules.append({"record": f"dashboard:{len(rules)}", "expr": re.sub(r"\$\w+", "x", expression)})
        for variable in dashboard["templating"]["list"]:
            check_names(f"{where}: variable {variable['name']}", str(variable.get("query")), known)
    if len(names) != len(glob.glob(DASHBOARDS)) or len(rules) < 20:
        fail(f"dashboards are {names} with {len(rules)} expressions")
    path = os.path.join(folder, "dashboards.rules.yml")
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
    promtool("check", "rules", path)
    return len(rules)


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    known = metrics()
    alerts = check_rules(known)
    seen = check_seen(alerts)
    if not shutil.which("promtool"):
        print("skipped: promtool is not here: deploy/deps test installs it (package prometheus)")
        sys.exit(SKIPPED)
    promtool("check", "rules", "sohoa.rules.yml")
    promtool("test", "rules", "sohoa.rules.test.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    print(f"{len(alerts)} alerts, seen {seen} times; {check_dashboards(known, folder)} expressions of dashboards")


if __name__ == "__main__":
    main()
