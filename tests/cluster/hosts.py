# SPDX-License-Identifier: AGPL-3.0-or-later
"""Seven hosts, each with its own address and its own sockets: two coordinators, one of which stands by, each with its Redis, four workers and a
stranger; on a real Ceph, with CURVE, HTTPS and Redis's rights. While pages are read strangers try, a worker is added, one is drained and its key
taken back, a link is cut and heals, and everything there is is restarted. Then every page is stored once.

usage: hosts.py rados FOLDER; SOHOA_TEST_PAGES: at least so many pages are read
"""
import collections
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Host, Process, backlog, fail, main, say, wait  # noqa: E402
from counts import check_counts  # noqa: E402
from keys import Keys, Relay, told  # noqa: E402
from machine import Network  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CEPH = os.path.join(HERE, "..", "lib", "ceph")
REPLICA_CONF = os.path.join(HERE, "..", "..", "ansible", "roles", "redis", "templates", "redis-sohoa.replica.conf.j2")
SCANS = os.path.join(HERE, "..", "..", "..", "shared", "data", "scans")
PAGES = int(os.environ.get("SOHOA_TEST_PAGES", "60"))
SUBNET = "10.98.77"
CUT_S = 30
DOCUMENTS = 10  # of a batch
ZMQ, HTTP, REDIS, METRICS = 7700, 7780, 7781, 7790
PLAIN_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)  # of ZMTP 3.0
SETTINGS = ("--heartbeat_ms=500",)
PATIENT_S = 60
SKIPPED = 77


class Ceph:
    def __init__(self, folder, network):
        self.folder = folder
        subprocess.run([CEPH, "up", folder, "--size=2", f"--address={network.address}"], check=True, stdout=subprocess.DEVNULL)

    def user(self, machine, name):
        """The store as one of its users has it on that host: where Ceph is, and a key of its own alone."""
        said = subprocess.run(["ceph", "-c", f"{self.folder}/ceph.conf", "auth", "get", f"client.{name}"], check=True, capture_output=True, text=True).stdout
        keyring = f"{machine.folder}/keyring"
        with open(keyring, "w", encoding="utf-8") as file:
            file.write(said)
        shutil.copy(f"{self.folder}/client.conf", f"{machine.folder}/ceph.conf")
        with open(f"{machine.folder}/ceph.conf", "a", encoding="utf-8") as conf:
            conf.write(f"keyring = {keyring}\n")
        return f"rados:{machine.folder}/ceph.conf?user=client.{name}&meta=sohoa-meta&data=sohoa-data"

    def restart(self):
        subprocess.run([CEPH, "restart", self.folder], check=True)

    def down(self):
        subprocess.run([CEPH, "down", self.folder], check=True)


class Cluster:
    def __init__(self, folder, network, ceph):
        self.folder, self.network, self.ceph, self.keys = folder, network, ceph, Keys(f"{folder}/keys")
        names = ",".join(f"IP:{address}" for address in ("127.0.0.1", *(f"{SUBNET}.{i}" for i in (1, 2))))
        self.certificate = self.certificate_make("http", "-addext", f"subjectAltName={names}")
        self.redis_certificate = self.certificate_make("redis")
        self.token, self.workers, self.machines, self.work = None, {}, {}, Work(folder, self)
        self.hosts = [self.coordinator_make(name) for name in ("c1", "c2")]
        self.use(self.hosts[0])

    def certificate_make(self, name, *options):
        """Of HTTPS as the city's authority would, for the addresses that coordinators will have; of Redis as the playbook does."""
        made = [f"{self.folder}/keys/{name}.key", f"{self.folder}/keys/{name}.pem"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=sohoa", "-days", "2", *options,
                        "-keyout", made[0], "-out", made[1]], check=True, capture_output=True)
        return made

    def redis_options(self, machine):
        """The playbook's, with this host's address and folder."""
        with open(REPLICA_CONF, encoding="utf-8") as file:
            conf = file.read()
        for name, value in (("ansible_managed", "for a test"), ("ansible_host", machine.address), ("redis_tls_port", str(REDIS))):
            conf = conf.replace("{{ %s }}" % name, value)
        with open(f"{machine.folder}/replica.conf", "w", encoding="utf-8") as file:
            file.write(conf.replace("/etc/redis/sohoa", f"{machine.folder}/redis"))
        return "--include", f"{machine.folder}/replica.conf"

    def coordinator_make(self, name):
        machine = self.machines[name] = self.network.machine(name)
        for path in (*self.certificate, *self.redis_certificate, self.keys.own):
            shutil.copy(path, machine.folder)
        shutil.copytree(self.keys.allowed, f"{machine.folder}/allowed")
        host = Host(name, self.ceph.user(machine, "coordinator"), machine.folder, (
            *SETTINGS, f"--bind=tcp://{machine.address}:{ZMQ}", f"--http=0.0.0.0:{HTTP}", f"--curve_file={machine.folder}/c1.key",
            f"--curve_workers={machine.folder}/allowed", f"--ledger_key_file={machine.folder}/ledger.key",
            f"--redis_others=c1={SUBNET}.1:{REDIS},c2={SUBNET}.2:{REDIS}"), https=True)
        host.api.address = f"{machine.address}:{HTTP}"
        host.redis.process.argv += self.redis_options(machine)
        host.redis.process.on(machine)
        host.coordinator.on(machine)
        host.machine = machine
        return host

    def use(self, host):
        self.host, self.redis, self.api = host, host.redis, host.api
        self.api.token = self.token

    def other(self):
        return next(host for host in self.hosts if host is not self.host)

    def start(self):
        """The first account is made by who is on the host; the ledger's key is one for both."""
        self.host.start()
        root = wait("the coordinator to answer on its host", self.root_make, PATIENT_S)
        self.token = root.split()[-1]
        self.use(self.host)
        first, second = (host.machine.folder for host in self.hosts)
        shutil.copy(f"{first}/ledger.key", second)
        self.hosts[1].start()

    def root_make(self):
        machine = self.host.machine
        try:
            return machine.run(f"{BIN}/sohoa", "--api", f"https://127.0.0.1:{HTTP}", "--ca", f"{machine.folder}/http.pem", "account", "root", "--role", "administrator", "--token")
        except subprocess.CalledProcessError:
            return None

    def allow(self, name, is_allowed=True):
        for host in self.hosts:
            at = f"{host.machine.folder}/allowed/{name}.pub"
            if is_allowed:
                shutil.copy(f"{self.keys.folder}/{name}/{name}.pub", at)
            else:
                os.unlink(at)

    def worker(self, name, called=None, connect=None, allowed=True):
        """On a host of its own, with a key of its own; called: as it says that it is called."""
        machine = self.machines[name] = self.network.machine(name)
        shutil.copytree(self.keys.known, f"{machine.folder}/known")
        shutil.copy(self.keys.worker(name, allowed=False), machine.folder)
        if allowed:
            self.allow(name)
        endpoints = connect or ",".join(f"tcp://{host.machine.address}:{ZMQ}" for host in self.hosts)
        worker = machine.process("worker", f"{BIN}/sohoa-worker", f"--name={called or name}", f"--store={self.ceph.user(machine, 'worker')}",
                                 f"--connect={endpoints}", "--slots=1", "--log=debug", f"--metrics={machine.address}:{METRICS}",
                                 f"--curve_file={machine.folder}/{name}.key", f"--curve_coordinators={machine.folder}/known", env={"OMP_THREAD_LIMIT": "1"})
        return worker.start()

    def join(self, name):
        self.workers[name] = self.worker(name)
        wait(f"{name} to join", lambda: name in self.connected(), PATIENT_S)

    def status(self):
        found = self.api.try_get("status")
        return {worker["name"]: worker for worker in found["workers"]} if found else {}

    def connected(self):
        return {name for name, worker in self.status().items() if worker["connected"]}

    def batch(self, name):
        return self.api.try_get(f"batches/{name}")

    def reads(self, name):
        """How many pages a worker read so far."""
        return sum(1 for _ in self.workers[name].events("page_read"))

    def goes_on(self, *names):
        """Each of them reads one page more."""
        before = {name: self.reads(name) for name in names}
        wait(f"a page more of {', '.join(names)}", lambda: self.work.feed() and all(self.reads(name) > count for name, count in before.items()), 240)


# ---- what is read ----


def pages_of(path):
    said = subprocess.run(["pdfinfo", path], check=True, capture_output=True, text=True).stdout
    return int(re.search(r"Pages:\s+(\d+)", said).group(1))


class Work:
    """Batches of drawn documents, in each a real scan while there are any left; there is always more when it is asked for."""

    def __init__(self, folder, cluster):
        self.folder, self.cluster, self.batches = folder, cluster, {}
        self.real = sorted(glob.glob(os.path.join(SCANS, "*.pdf")))
        if not self.real:
            say("no real scans here: all pages are drawn")

    def submit(self):
        name = f"b{len(self.batches)}"
        sources, pages = backlog(f"{self.folder}/{name}", "--documents", str(DOCUMENTS), "--seed", str(len(self.batches)), "--pages-mean", "2", "--duplicates", "10")
        if self.real:
            sources.append(self.real.pop())
            pages += pages_of(sources[-1])
        self.batches[name] = (len(sources), pages)
        self.cluster.api.post(f"batches?id={name}", "".join(json.dumps({"source": os.path.abspath(source)}) + "\n" for source in sources))

    def pages(self):
        return sum(pages for _, pages in self.batches.values())

    def feed(self):
        """Enough for everybody to have something."""
        found = self.cluster.api.try_get("overview")
        if found and found["documents"]["open"] < DOCUMENTS:
            self.submit()
        return found

    def release(self, name):
        """What the secrecy pass stopped, as a person would who looked at the paper: none of these is secret."""
        for document in self.cluster.api.documents(name):
            if document["state"] == "quarantined":
                self.cluster.api.post(f"batches/{name}/documents/{document['document']}/release", json.dumps({"reason": "a seal, no secret"}))
                say(f"{document['source']} was stopped, and is released")

    def ended(self, name):
        wait(f"{name} to finish", lambda: (found := self.cluster.batch(name)) and found["state"] == "finished", 1200)

    def finish(self):
        while self.pages() < PAGES:
            self.submit()
        for name, (documents, pages) in self.batches.items():
            self.ended(name)
            self.release(name)
            self.ended(name)
            check_counts(self.cluster, name, documents, pages)
        say(f"{self.pages()} pages in {len(self.batches)} batches, none lost")


# ---- what happens ----


def check_ports(cluster, stranger):
    """What another host finds open: of each host the ports of its services, and no more."""
    expected = {"c1": {ZMQ, HTTP, REDIS}, "c2": {HTTP, REDIS}, "w1": {METRICS}, "w2": {METRICS}, "w3": {METRICS}}  # who stands by takes no workers
    for name, wanted in expected.items():
        address = cluster.machines[name].address
        said = stranger.run("nmap", "-n", "-Pn", "-sT", "-sU", "-p", "T:1-65535,U:1-200", "--min-rate", "20000", "--max-retries", "1", "-oG", "-", address)
        found = set(re.findall(r"(\d+)/open/(\w+)", said))
        if found != {(str(port), "tcp") for port in wanted}:
            fail(f"on {name} is open {found}: {said}")
        say(f"{name} ({address}): {', '.join(sorted(f'{port}/{kind}' for port, kind in found))}")


def check_strangers(cluster):
    coordinator = cluster.host.coordinator
    with socket.create_connection((cluster.host.machine.address, ZMQ)) as plain:
        plain.sendall(PLAIN_GREETING)
        told("a host that does not encrypt", coordinator, "peer_refused", "does not encrypt")
    nobody = cluster.worker("nobody", allowed=False)
    told("a key that is nobody's", coordinator, "peer_refused", "curve_workers")
    nobody.kill()
    check_ports(cluster, cluster.machines["nobody"])
    thief = cluster.worker("thief", called="w1")
    told("another worker's name", coordinator, "worker_refused", "that of thief")
    thief.kill()
    cluster.allow("thief", False)
    relay = Relay((cluster.host.machine.address, ZMQ), cluster.network.address)
    relay.start()
    relayed = cluster.worker("relayed", connect=relay.address)
    wait("the relayed worker to join", lambda: "relayed" in cluster.connected(), PATIENT_S)
    relay.repeat = True
    told("a frame that came twice", coordinator, "peer_refused", "came twice")
    relayed.kill()
    cluster.allow("relayed", False)
    cluster.goes_on("w1", "w2", "w3")


def copies(redis, of):
    said = redis.command("INFO", "replication")
    return "role:slave" in said and f"master_host:{of.machine.address}" in said and "master_link_status:up" in said


def hours(redis):
    """Pages by the hour, which nothing but Redis knows."""
    return sum(int(pages) for pages in redis.hash("sohoa:rate:hours").values())


def check_replica(cluster):
    """The standby's Redis copies the active one's; who has not their key gets nothing."""
    cluster.goes_on("w1", "w2", "w3")
    other = cluster.other()
    wait("its Redis to copy the active one's", lambda: copies(other.redis, cluster.host), PATIENT_S)
    wait("the same pages in it", lambda: 0 < hours(cluster.redis) == hours(other.redis), PATIENT_S)
    nobody = cluster.machines["nobody"]
    key, certificate = cluster.certificate_make("nobody")
    for path in (key, certificate):
        shutil.copy(path, nobody.folder)
    for options in ((), ("--cert", f"{nobody.folder}/nobody.pem", "--key", f"{nobody.folder}/nobody.key")):
        said = subprocess.run(nobody.argv("redis-cli", "-h", cluster.host.machine.address, "-p", str(REDIS), "--tls", "--insecure", *options, "hgetall", "sohoa:workers"),
                              capture_output=True, text=True, check=False)
        if "w1" in said.stdout or not said.stdout + said.stderr:
            fail(f"Redis answers a stranger: {said.stdout}{said.stderr}")
    say("the standby's Redis copies the active one's, and answers no stranger")


def check_nodes(cluster):
    """One more, one less."""
    cluster.join("w4")
    cluster.goes_on("w4")
    say("w4 was added and reads")
    cluster.api.post("workers/w1", json.dumps({"drained": True}))
    wait("w1 to have finished what it had", lambda: cluster.status()["w1"]["leases"] == 0, 240)
    before = cluster.reads("w1")
    cluster.goes_on("w2", "w3", "w4")
    if cluster.reads("w1") != before:
        fail("w1 was drained and read on")
    cluster.allow("w1", False)
    told("a key that was taken back while its worker is there", cluster.host.coordinator, "worker_refused", "not allowed any more")
    wait("w1 to be gone", lambda: "w1" not in cluster.connected(), PATIENT_S)
    cluster.workers["w1"].kill()
    say("w1 was drained, its key taken back")


def check_cut(cluster):
    """The plug of a worker that is in the middle of something: what it had is done by others, and it comes back by itself."""
    machine = cluster.machines["w2"]
    wait("w2 to have something", lambda: cluster.work.feed() and cluster.status()["w2"]["leases"], 240)
    machine.cut()
    began = time.monotonic()
    wait("the others to be told", lambda: "w2" not in cluster.connected(), PATIENT_S)
    cluster.goes_on("w3")
    wait("the time of the cut", lambda: time.monotonic() - began > CUT_S, CUT_S + 1)
    machine.cut(False)
    healed = time.monotonic()
    wait("w2 to come back", lambda: "w2" in cluster.connected(), 120)
    say(f"w2's link was cut for {healed - began:.0f} s; it was back {time.monotonic() - healed:.1f} s later")
    cluster.goes_on("w2")


def restart(process):
    process.kill(15)
    process.start()


def check_restarts(cluster):
    """Everything, one after the other; the coordinator that stood by takes over, and is taken over from."""
    for name in ("w2", "w3", "w4"):
        restart(cluster.workers[name])
        wait(f"{name} to go", lambda: name in cluster.connected(), PATIENT_S)  # the coordinator may not have missed it
        cluster.goes_on(name)
    say("workers were restarted")
    for _ in cluster.hosts:
        old, new = cluster.host, cluster.other()
        wait("the other's Redis to copy", lambda: copies(new.redis, old), PATIENT_S)
        pages = hours(old.redis)
        old.coordinator.kill(15)
        cluster.use(new)
        wait("the other to take over", lambda: new.api.try_get("status"), PATIENT_S)
        old.redis.process.kill(15)
        old.start()
        cluster.goes_on("w2")
        if hours(new.redis) < pages:
            fail(f"the takeover forgot pages of the last hours: {hours(new.redis)} of {pages}")
    say("coordinators and their Redis were restarted")
    cluster.ceph.restart()
    cluster.goes_on("w3", "w4")
    say("each daemon of Ceph was restarted")


def check_reads(cluster):
    reads = collections.Counter(event["page"] for worker in cluster.workers.values() for event in worker.events("page_read"))
    say(f"{len(reads)} pages read, {sum(reads.values()) - len(reads)} of them again by another worker")
    if any(count > 3 for count in reads.values()):
        fail(f"pages were read over and over: {reads.most_common(5)}")


def run(_store, folder):
    if os.geteuid() or not shutil.which("nmap"):
        print("skipped: needs root, for hosts of its own, and nmap (deploy/deps test)", flush=True)
        sys.exit(SKIPPED)
    network = Network(f"{folder}/hosts", SUBNET)
    ceph = None
    try:
        ceph = Ceph(f"{folder}/ceph", network)
        say("Ceph is there")
        cluster = Cluster(folder, network, ceph)
        cluster.start()
        for name in ("w1", "w2", "w3"):
            cluster.join(name)
        for check in (check_strangers, check_replica, check_nodes, check_cut, check_restarts):
            check(cluster)
        cluster.work.finish()
        check_reads(cluster)
    finally:
        for process in reversed(Process.all):
            if process.alive():
                process.kill(15)
        if ceph:
            ceph.down()
        network.close()


main(run)
