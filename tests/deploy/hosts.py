# SPDX-License-Identifier: AGPL-3.0-or-later
"""The playbooks against hosts: Debian 12, booted, each with an address of its own, on a real Ceph. Three become a cluster, and a second run and a
check change nothing; while they read one is added by a line of the inventory, one is taken out, and all are upgraded. Nothing is lost, and
what each leaves open is listed.

usage: hosts.py BUILD FOLDER; needs root, half an hour and 6 GB, so it is skipped unless SOHOA_TEST_HOSTS=1
"""
import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import backlog, say, wait  # noqa: E402
from machine import Network  # noqa: E402
from tree import NAMES, Tree, fail, packages_make, run  # noqa: E402

SOURCE = os.path.abspath(os.environ.get("SOHOA_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
SUBNET = "10.98.78"
STORE = "rados:/etc/ceph/ceph.conf?user=client.sohoa&meta=city-meta&data=city-data"
API = ("sohoa", "--api", "https://127.0.0.1:7780", "--ca", "/etc/sohoa/http.pem")
CEPH = {3300: "Ceph's monitor", **dict.fromkeys(range(6800, 6810), "Ceph's OSD or manager")}
OPEN = {**CEPH, 22: "ssh, for the playbooks", 7700: "workers, by CURVE", 7780: "API and dashboard, by HTTPS", 7781: "Redis, for the other coordinator's, by TLS", 7790: "a worker's metrics", 9090: "Prometheus", 9100: "node exporter"}
DOCUMENTS = 40 # of a batch: while one is read the next is made
PATIENT_S = 180
POLL_S = 2
SKIPPED = 77


class Booted:
    """A host with the base below its own files."""

    def __init__(self, machine, base, scans):
        self.machine, self.name, self.address, self.root = machine, machine.name, machine.address, f"{machine.folder}/root"
        for name in ("up", "work", "root"):
            os.makedirs(f"{machine.folder}/{name}")
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={base},upperdir={machine.folder}/up,workdir={machine.folder}/work", self.root)
        with open(f"{machine.folder}/console", "w", encoding="utf-8") as console:
            self.child = subprocess.Popen([
                "systemd-nspawn", "--boot", f"--directory={self.root}", "--register=no", "--keep-unit", f"--network-namespace-path=/run/netns/{machine.netns}",
                f"--machine={self.name}", f"--hostname={self.name}", f"--bind-ro={scans}:/srv/scans"], stdin=subprocess.DEVNULL, stdout=console, stderr=console)

    def halt(self):
        self.child.terminate()
        try:
            self.child.wait(60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(20)
        run("umount", self.root)


class Lab:
    def __init__(self, build, folder):
        self.build, self.folder, self.key = build, folder, f"{folder}/ssh"
        self.hosts, self.network, self.token = {}, None, None

    # ---- what is there before a playbook ----

    def base_make(self, debs):
        """With all that the packages need, but not them: hosts here reach no mirror."""
        base = Tree(f"{self.folder}/base")
        base.make("systemd-sysv", "dbus", "openssh-server", "python3", "python3-apt", "ca-certificates", "iproute2")
        base.install(debs, "ceph-common", "ceph-mon", "ceph-mgr", "ceph-osd", "prometheus", "prometheus-node-exporter")
        base.inside(f"dpkg --purge {' '.join(NAMES)}; rm -rf /root/*.deb /var/lib/sohoa; systemctl disable redis-server prometheus prometheus-node-exporter; rm /usr/sbin/policy-rc.d /etc/hostname")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        with open(f"{self.key}.pub", encoding="utf-8") as public:
            base.write(public.read(), "root/.ssh/authorized_keys")
        return base.folder

    def boot(self, name):
        self.hosts[name] = Booted(self.network.machine(name), f"{self.folder}/base", f"{self.folder}/scans")

    def certificate_make(self):
        names = ",".join(f"IP:{address}" for address in ("127.0.0.1", f"{SUBNET}.1", f"{SUBNET}.2"))
        run("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=sohoa", "-days", "2", "-addext", f"subjectAltName={names}",
            "-keyout", f"{self.folder}/http.key", "-out", f"{self.folder}/http.pem")

    # ---- playbooks ----

    def inventory(self, workers):
        at = {name: {"ansible_host": host.address} for name, host in self.hosts.items()}
        known = {
            "ansible_user": "root", "ansible_ssh_private_key_file": self.key, "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
            "sohoa_packages": f"{self.folder}/packages", "sohoa_keys": f"{self.folder}/keys", "sohoa_store": STORE, "sohoa_workers_at_once": 2, "worker_drain_s": 300,
            "ceph_client_conf": f"{self.folder}/ceph.conf", "ceph_lab_osd_bytes": 4 << 30, "ceph_client_meta_pool": "city-meta", "ceph_client_data_pool_name": "city-data",
            "coordinator_http_cert": f"{self.folder}/http.pem", "coordinator_http_key": f"{self.folder}/http.key", "monitoring_grafana": True,
            "monitoring_ca": f"{self.folder}/http.pem", **({"monitoring_token_file": f"{self.folder}/token", "worker_login": {"SOHOA_TOKEN": self.token}} if self.token else {}),
        }
        groups = {
            "coordinators": {"hosts": {name: at[name] for name in ("node-1", "node-2")}},
            "workers": {"hosts": {name: {**at[name], "sohoa_worker_slots": 1} for name in workers}},
            "ceph_lab": {"hosts": {name: at[name] for name in ("node-1", "node-2", "node-3")}},
            "ceph_admin": {"hosts": {"node-1": at["node-1"]}},
            "monitoring": {"hosts": {"node-3": at["node-3"]}},
        }
        with open(f"{self.folder}/inventory.yml", "w", encoding="utf-8") as file:
            yaml.safe_dump({"all": {"vars": known, "children": groups}}, file)

    def play(self, playbook, *options):
        """How much it changed."""
        env = {**os.environ, "ANSIBLE_VAULT_PASSWORD_FILE": f"{self.folder}/vault", "ANSIBLE_NOCOLOR": "1"}
        began = time.monotonic()
        said = run("ansible-playbook", "-i", f"{self.folder}/inventory.yml", f"{playbook}.yml", *options, cwd=f"{SOURCE}/ansible", env=env)
        with open(f"{self.folder}/plays.log", "a", encoding="utf-8") as log:
            log.write(said)
        recap = said[said.index("PLAY RECAP"):]
        changed = sum(int(count) for count in re.findall(r"changed=(\d+)", recap))
        say(f"{playbook} {' '.join(options)}: changed={changed} on {len(re.findall('changed=', recap))} hosts in {time.monotonic() - began:.0f} s")
        return changed

    def keeps(self, playbook, *options):
        if self.play(playbook, *options):
            fail(f"{playbook} {' '.join(options)} changed something:\n" + "\n".join(line for line in open(f"{self.folder}/plays.log", encoding="utf-8") if "changed" in line)[-3000:])

    # ---- what comes of it ----

    def ssh(self, name, *command, check=True):
        done = subprocess.run(["ssh", "-q", "-i", self.key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=5", f"root@{self.hosts[name].address}",
                               shlex.join(("env", f"SOHOA_TOKEN={self.token or ''}", *command))], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if check and done.returncode:
            fail(f"on {name}: {' '.join(command)}: {done.stdout}{done.stderr}")
        return None if done.returncode else done.stdout

    def ask(self, *words):
        """Of the coordinator that is active."""
        for name in ("node-1", "node-2"):
            said = self.ssh(name, *API, *words, check=False)
            if said is not None:
                return said
        return None

    def batch(self, batch):
        said = self.ask("--json", "status", batch)
        return json.loads(said) if said else None

    def is_read(self, batch):
        found = self.batch(batch)
        return found is not None and found["state"] == "finished"

    def connected(self):
        said = self.ask("--json", "workers")
        return {worker["name"] for worker in json.loads(said)["workers"] if worker["connected"]} if said else set()

    def close(self):
        for host in self.hosts.values():
            host.halt()
        if self.network:
            self.network.close()


def check_ports(lab):
    for name, host in lab.hosts.items():
        said = run("nmap", "-n", "-Pn", "-p-", "--min-rate", "20000", "-oG", "-", host.address)
        found = {int(port) for port in re.findall(r"(\d+)/open/tcp", said)}
        if found - set(OPEN):
            fail(f"{name} leaves open {found - set(OPEN)}")
        say(f"{name}: " + "; ".join(f"{port} ({OPEN[port]})" for port in sorted(found)))


def check_replica(lab):
    """Of two Redis one copies the other."""
    def roles():
        said = [lab.ssh(name, "redis-cli", "-s", "/run/redis-sohoa/redis.sock", "info", "replication") for name in ("node-1", "node-2")]
        return sorted("role:master" in text for text in said) == [False, True] and any("master_link_status:up" in text for text in said)
    wait("the standby's Redis to copy the active one's", roles, PATIENT_S)
    say("the standby's Redis copies the active one's")


def check_rights(lab):
    """A worker's user of Ceph, by name as by its key, reads no ledger and takes no lock."""
    for namespace, allowed in (("rec", True), ("ledger", False), ("lock", False), ("batch", False)):
        said = lab.ssh("node-3", "rados", "--name", "client.sohoa-worker", "-p", "city-meta", "-N", namespace, "ls", check=False)
        if (said is not None) != allowed:
            fail(f"client.sohoa-worker {'may not' if allowed else 'may'} read {namespace}")
    if lab.ssh("node-3", "ls", "/etc/ceph/ceph.client.sohoa.keyring", check=False):
        fail("a worker's node has the coordinators' key of Ceph")
    say("a worker's node reads no ledger, no batches and no lock in Ceph")


def check_monitoring(lab):
    def targets():
        with urllib.request.urlopen(f"http://{lab.hosts['node-3'].address}:9090/api/v1/targets", timeout=10) as answer:
            found = json.load(answer)["data"]["activeTargets"]
        return found if found and all(target["health"] == "up" for target in found) else None
    found = wait("Prometheus to reach everything", targets, PATIENT_S)
    say(f"Prometheus reaches {len(found)} targets")


def check_ceph(lab):
    lab.inventory(("node-1", "node-2", "node-3"))
    lab.play("lab_ceph")
    lab.keeps("lab_ceph")
    said = json.loads(lab.ssh("node-1", "ceph", "status", "--format=json"))
    if said["osdmap"]["num_up_osds"] != 3:
        fail(f"Ceph on three hosts: {said}")
    if any(lab.ssh(name, "ls", "/etc/ceph/ceph.client.admin.keyring", check=False) for name in ("node-2", "node-3")):
        fail("who administers Ceph has a key on other hosts, too")


def check_cluster(lab):
    lab.play("site")
    said = lab.ask("account", "root", "--role", "administrator", "--token")
    lab.token = said.split()[-1]
    with open(f"{lab.folder}/token", "w", encoding="utf-8") as file:
        file.write(lab.token + "\n")
    lab.inventory(("node-1", "node-2", "node-3"))
    lab.play("site")
    lab.keeps("site")
    for playbook in ("lab_ceph", "site"):
        lab.keeps(playbook, "--check")
    wait("three workers", lambda: lab.connected() == {"node-1", "node-2", "node-3"}, PATIENT_S)
    check_replica(lab)
    check_rights(lab)
    check_ports(lab)
    check_monitoring(lab)


def feed(lab, is_enough):
    """Batches one after the other, so that pages are read whatever is changed meanwhile: how many pages each has."""
    pages = {}
    while not is_enough.is_set():
        before, name = f"city-{len(pages) - 1}", f"city-{len(pages)}"
        _, pages[name] = backlog(f"{lab.folder}/scans/{name}", "--documents", str(DOCUMENTS), "--seed", str(len(pages)), "--pages-mean", "2", "--duplicates", "5")
        wait(f"{name} to be taken", lambda: lab.ask("submit", f"/srv/scans/{name}/backlog/scans", "--id", name) or lab.batch(name), PATIENT_S)
        while before in pages and not lab.is_read(before) and not is_enough.wait(POLL_S):
            pass
    return pages


def check_changes(lab, later):
    """While pages are read."""
    wait("the first page", lambda: (found := lab.batch("city-0")) and found["pages"]["stored"], PATIENT_S)
    lab.boot("node-4")
    wait("node-4 to be up", lambda: lab.ssh("node-4", "true", check=False) is not None, PATIENT_S)
    lab.inventory(("node-1", "node-2", "node-3", "node-4"))
    lab.play("scale_out")
    wait("node-4 to join", lambda: "node-4" in lab.connected(), PATIENT_S)
    lab.play("scale_in", "--limit", "node-2")
    lab.inventory(("node-1", "node-3", "node-4"))
    lab.play("site")
    wait("node-2 to be gone", lambda: lab.connected() == {"node-1", "node-3", "node-4"}, PATIENT_S)
    for deb in later:
        shutil.copy(deb, f"{lab.folder}/packages")
    for name in os.listdir(f"{lab.folder}/packages"):
        if "9.9.9" not in name:
            os.unlink(f"{lab.folder}/packages/{name}")
    lab.play("upgrade")
    versions = {lab.ssh(name, "dpkg-query", "-W", "-f", "${Version}", "sohoa-common") for name in ("node-1", "node-2", "node-3", "node-4")}
    if versions != {"9.9.9"}:
        fail(f"after the upgrade there are {versions}")
    wait("the workers", lambda: lab.connected() == {"node-1", "node-3", "node-4"}, PATIENT_S)


def check_batches(lab, pages):
    total = dict.fromkeys(("stored", "duplicate", "quarantined"), 0)  # a seal may look like that of a secret
    for name in pages:
        wait(f"{name} to be read", lambda: lab.is_read(name) or time.sleep(POLL_S), 900)
        found = {state: lab.batch(name)["pages"][state] for state in total}
        if sum(found.values()) != pages[name]:
            fail(f"of {pages[name]} pages of {name}: {found}")
        total = {state: total[state] + found[state] for state in total}
    say(f"{sum(pages.values())} pages of {len(pages)} batches, read while hosts came, went and were upgraded, none lost: {total}")


def main():
    build, folder = (os.path.abspath(path) for path in sys.argv[1:])
    if os.environ.get("SOHOA_TEST_HOSTS") != "1" or os.geteuid():
        print("skipped: it boots four hosts, which takes root and half an hour: SOHOA_TEST_HOSTS=1 runs it")
        sys.exit(SKIPPED)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    lab = Lab(build, folder)
    try:
        debs, later = packages_make(build, f"{folder}/packages"), packages_make(build, f"{folder}/later", "9.9.9")
        shutil.rmtree(f"{folder}/packages/_CPack_Packages", ignore_errors=True)
        lab.base_make(debs)
        os.makedirs(f"{folder}/scans")
        with open(f"{folder}/vault", "w", encoding="utf-8") as file:
            file.write("trial\n")
        lab.certificate_make()
        lab.network = Network(f"{folder}/hosts", SUBNET)
        for name in ("node-1", "node-2", "node-3"):
            lab.boot(name)
        for name in lab.hosts:
            wait(f"{name} to be up", lambda: lab.ssh(name, "true", check=False) is not None, PATIENT_S)
        say("three hosts are up")
        check_ceph(lab)
        check_cluster(lab)
        is_enough = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as feeder:
            fed = feeder.submit(feed, lab, is_enough)
            try:
                check_changes(lab, later)
            finally:
                is_enough.set()
            check_batches(lab, fed.result())
    finally:
        lab.close()
    shutil.rmtree(folder)


main()
