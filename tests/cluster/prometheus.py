# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real Prometheus with the sample configuration and the rules that operators get, in front of a cluster that reads a backlog: every target is
up, every rule is evaluated, every expression of the dashboards has an answer, and alerts come when a worker and then the coordinator dies.

usage: prometheus.py STORE-URL FOLDER
"""
import glob
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Cluster, Process, backlog, fail, free_port, main, say, wait  # noqa: E402

SOURCE = os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
PROMETHEUS = os.path.join(SOURCE, "deploy", "prometheus")
# What has no answer in a cluster that is well: it is only there when something is not.
MAY_BE_EMPTY = re.compile(r"ALERTS|> 0|< \+Inf|> 20|sohoa_unit_(slack|deadline|forecast|pages_expected)|cores_needed|label_values")


class Prometheus:
    def __init__(self, folder, targets, token, ca):
        """The sample configuration with other targets, that asks every second."""
        os.makedirs(folder)
        with open(os.path.join(PROMETHEUS, "prometheus.yml"), encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        for job in config["scrape_configs"]:
            job["static_configs"] = [{"targets": targets[job["job_name"]]}]
            if "authorization" in job:
                job["authorization"]["credentials_file"] = os.path.join(folder, "token")
                job["tls_config"]["ca_file"] = ca
        with open(os.path.join(folder, "token"), "w", encoding="utf-8") as file:
            file.write(token + "\n")
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            yaml.safe_dump(config, file)
        shutil.copy(os.path.join(PROMETHEUS, "sohoa.rules.yml"), folder)
        self.address = f"127.0.0.1:{free_port()}"
        self.process = Process("prometheus", ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                              f"--web.listen-address={self.address}"], folder)

    def get(self, path):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", f"/api/v1/{path}")
            answer = connection.getresponse()
            text = answer.read()
        except OSError:
            return None
        finally:
            connection.close()
        if answer.status == 503:  # it starts
            return None
        answer = json.loads(text)
        if answer["status"] != "success":
            fail(f"Prometheus: {path}: {answer}")
        return answer["data"]

    def query(self, expression):
        return self.get("query?query=" + urllib.parse.quote(expression))["result"]

    def up(self):
        """How many targets are."""
        found = self.get("targets?state=active")
        return sum(target["health"] == "up" for target in found["activeTargets"]) if found else 0

    def rules(self):
        found = self.get("rules")
        return [rule for group in found["groups"] for rule in group["rules"]] if found else []

    def alerting(self, name, **labels):
        """It fires, or would if that lasted."""
        return [alert for alert in self.get("alerts")["alerts"]
                if alert["labels"].items() >= {"alertname": name, **labels}.items()]


def expressions():
    for path in sorted(glob.glob(os.path.join(SOURCE, "deploy", "grafana", "dashboards", "*.json"))):
        with open(path, encoding="utf-8") as file:
            for panel in json.load(file)["panels"]:
                for target in panel.get("targets", []):
                    expression = re.sub(r"\$__(?:rate_)?interval", "30s", target["expr"])
                    yield f"{os.path.basename(path)}: {panel['title']}", re.sub(r"\$\w+", ".*", expression)


def check_rules(prometheus):
    """All were evaluated, and nothing is wrong with them."""
    wait("all rules to be evaluated", lambda: (rules := prometheus.rules()) and all(rule["health"] != "unknown" for rule in rules), 30)
    for rule in prometheus.rules():
        if rule["health"] != "ok":
            fail(f"rule {rule['name']}: {rule}")
    firing = [alert for alert in prometheus.get("alerts")["alerts"] if alert["state"] == "firing"]
    if firing:
        fail(f"all is well, and these fire: {firing}")
    return len(prometheus.rules())


def check_dashboards(prometheus):
    """Each has an answer, if not at once: rules follow the samples by a second, on a busy machine by more."""
    asked = 0
    for where, expression in expressions():
        if not MAY_BE_EMPTY.search(expression):
            wait(f"{where}: an answer to {expression}", lambda: prometheus.query(expression), 20)
        asked += 1
    for expression in ('sohoa_unit_slack_seconds', 'sohoa_unit_deadline_timestamp_seconds', 'sohoa_unit_pages_expected', 'sohoa_unit_cores_needed',
                       'sohoa_unit_forecast_finish_timestamp_seconds{probability="0.9"}', 'sohoa_unit_forecast_finish_timestamp_seconds{probability="0.5"}'):
        if not prometheus.query(f"max_over_time({expression}[10m])"):
            fail(f"nothing answers to {expression}")
    return asked


def admit(cluster, token, lines):
    connection = cluster.api.connect()
    connection.request("POST", "/api/v1/batches?id=watched", lines, {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    if answer.status != 201:
        fail(f"the batch was not admitted: {answer.status} {answer.read()}")
    connection.close()


def run(store, folder):
    if not shutil.which("prometheus"):
        print("skipped: Prometheus is not here: deploy/deps test installs it", flush=True)
        sys.exit(77)
    sources, _ = backlog(folder, "--documents", "6", "--seed", "5", "--pages-mean", "1")
    cluster = Cluster(store, folder, http_at=f"127.0.0.1:{free_port()}", https=True)
    nodes = {worker.name: f"127.0.0.1:{free_port()}" for worker in cluster.workers}
    for worker in cluster.workers:
        worker.argv.append(f"--metrics={nodes[worker.name]}")
    cluster.start()
    deadline = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 40 * 86400))
    cluster.api.post("targets", json.dumps([{"unit": "district:001", "deadline": deadline, "pages": 700}]))
    token = subprocess.run([f"{BIN}/sohoa", "--api", f"https://{cluster.http}", "--ca", cluster.host.ca, "account", "root", "--role", "administrator", "--token"], check=True,
                           capture_output=True, text=True).stdout.split()[-1]
    prometheus = Prometheus(os.path.join(folder, "prometheus"), {"sohoa-coordinator": [cluster.http], "sohoa-worker": list(nodes.values())}, token, cluster.host.ca)
    prometheus.process.start()
    wait("all targets to be up", lambda: prometheus.up() == 3, 60)
    say("a coordinator and two workers are scraped")
    admit(cluster, token, "".join(json.dumps({"source": source, "unit": "district:001"}) + "\n" for source in sources))
    wait("pages that were read", lambda: prometheus.query("sohoa:pages_read:rate5m > 0"), 120)
    wait("a forecast", lambda: prometheus.query("sohoa_unit_slack_seconds"), 60)
    wait("two samples of all that is counted", lambda: prometheus.query("sum(rate(sohoa_node_jobs_total[30s])) > 0"), 60)
    say(f"{check_rules(prometheus)} rules are evaluated, and no alert fires")
    say(f"{check_dashboards(prometheus)} expressions of dashboards were asked for")
    cluster.workers[0].kill()
    wait("the alert of a lost worker", lambda: prometheus.alerting("SohoaWorkerLost", worker="a"), 30)
    wait("the alert of its metrics", lambda: prometheus.alerting("SohoaWorkerUnreachable", instance=nodes["worker-a"]), 30)
    cluster.coordinator.kill()
    wait("the alert of no coordinator", lambda: prometheus.alerting("SohoaCoordinatorDown"), 30)
    say("alerts come when a worker and the coordinator are killed")


if __name__ == "__main__":
    main(run)
