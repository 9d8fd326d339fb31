# SPDX-License-Identifier: AGPL-3.0-or-later
"""Real parts for the cluster tests: processes that are started, killed and waited for by pid, and the coordinator's API.

Nothing here sleeps for luck: wait() polls a condition and fails with what it waited for.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

BIN = os.environ["SOHOA_BIN"]


def say(text):
    print(f"[{time.monotonic() - BEGAN:7.2f} s] {text}", flush=True)


BEGAN = time.monotonic()


def wait(what, condition, limit_s=120.0):
    """The first true value of condition()."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {limit_s} s in vain for: {what}")


class Process:
    """A program with its log in a file; a second start appends to it."""

    all = []

    def __init__(self, name, argv, folder, env=None):
        self.name, self.argv, self.env = name, argv, {**os.environ, **(env or {})}
        self.log = os.path.join(folder, name + ".log")
        self.child = None
        Process.all.append(self)

    def on(self, machine):
        """There, in the place of here (machine.py)."""
        self.argv = machine.argv(*self.argv)
        return self

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        return self

    def kill(self, number=signal.SIGKILL):
        self.child.send_signal(number)
        self.child.wait(60)

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def events(self, name):
        """The fields of each log line of this event."""
        for line in self.text().splitlines():
            fields = dict(part.split("=", 1) for part in line.split(" ") if "=" in part)
            if fields.get("event") == name:
                yield fields


def stop_all():
    for process in reversed(Process.all):
        if process.alive():
            process.child.terminate()
            try:
                process.child.wait(20)
            except subprocess.TimeoutExpired:
                process.child.kill()
                process.child.wait(20)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """At a unix socket's path, or at ADDRESS:PORT, by HTTPS where ca says what it is checked with; with a token where that is not this host's."""

    def __init__(self, address, ca=None):
        self.address, self.ca, self.token = address, ca, None

    def connect(self):
        if self.ca:
            return http.client.HTTPSConnection(self.address, timeout=60, context=ssl.create_default_context(cafile=self.ca))
        if self.address.startswith("/"):
            return UnixConnection(self.address)
        return http.client.HTTPConnection(self.address, timeout=60)

    def call(self, method, path, body=None):
        connection = self.connect()
        try:
            connection.request(method, "/api/v1/" + path, body, {"Authorization": f"Bearer {self.token}"} if self.token else {})
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status == 503:  # it starts, or stands by
            raise ConnectionError(f"{method} {path}: {data[:300]!r}")
        if answer.status >= 400:
            raise AssertionError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def get(self, path):
        return json.loads(self.call("GET", path))

    def post(self, path, body=""):
        return json.loads(self.call("POST", path, body.encode()))

    def try_get(self, path):
        """None while nobody answers."""
        try:
            return self.get(path)
        except OSError: # of a certificate that is not made yet, too
            return None

    def documents(self, batch):
        documents, after = [], ""
        while True:
            page = self.get(f"batches/{batch}/documents?limit=1000{after}")
            documents += page["documents"]
            if page["next"] is None:
                return documents
            after = f"&after={page['next']}"


def children(pid):
    """Direct children of a process, by /proc."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry))
    return found


def cpu_ticks(pid):
    """Processor time of a process so far; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def slots_of(worker_pid):
    """Slots are the children of the warm process, which is the worker's child."""
    return [slot for warm in children(worker_pid) for slot in children(warm)]


def redis_user():
    """What the packages' Redis lets a coordinator do, so that every test shows that it is enough."""
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "deploy", "debian", "redis-sohoa.conf"), encoding="utf-8") as conf:
        return next(line.split()[1:] for line in conf if line.startswith("user default "))


class Redis:
    def __init__(self, folder):
        self.socket = os.path.join(folder, "redis.sock")
        data = os.path.join(folder, "redis")
        os.makedirs(data, exist_ok=True)
        self.process = Process("redis", ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", data,
                                         "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
                                         "--user", *redis_user(), "--user", "tests", "on", "nopass", "~*", "&*", "+@all"], folder)

    def start(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process.start()
        wait("Redis to answer", lambda: self.command("PING") == "PONG", 20)

    def command(self, *words):
        answer = subprocess.run(["redis-cli", "-s", self.socket, "--user", "tests", "--pass", "tests", "--no-auth-warning", *words], capture_output=True, text=True)
        return answer.stdout.strip()

    def hash(self, key):
        lines = self.command("HGETALL", key).splitlines()
        return dict(zip(lines[::2], lines[1::2]))


class Host:
    """A coordinator, and the Redis of its own beside it. http_at: 127.0.0.1:PORT, in the place of a unix socket in the folder; by
    HTTPS where that is asked for."""

    def __init__(self, name, store, folder, settings=(), http_at="", https=False):
        os.makedirs(folder, exist_ok=True)
        self.redis = Redis(folder)
        self.endpoint, self.http = f"ipc://{folder}/zmq", http_at or f"{folder}/http"
        self.ca = f"{folder}/http.pem" if https else None
        self.api = Api(self.http, self.ca)
        settings = (*settings, f"--http_cert_file={self.ca}", f"--http_key_file={folder}/http.key") if https else settings
        self.coordinator = Process("coordinator", [
            f"{BIN}/sohoa-coordinator", f"--name={name}", f"--store={store}", f"--redis={self.redis.socket}",
            f"--bind={self.endpoint}", f"--http={http_at or 'unix:' + self.http}", "--worker_lost_ms=3000", "--reconnect_grace_ms=3000",
            "--log=debug", *settings], folder)

    def start(self):
        self.redis.start()
        self.coordinator.start()


def worker_store(store):
    """The store as a worker has it: of Ceph its user may write content alone."""
    return store.replace("user=client.coordinator", "user=client.worker")


class Cluster:
    """One host, or several of which one is active, and two workers of one slot each, on one store."""

    def __init__(self, store, folder, hosts=1, settings=(), http_at="", https=False):
        self.folder = folder
        settings = (*settings, f"--ledger_key_file={folder}/ledger.key")
        self.hosts = [Host(f"c{i + 1}", store, folder if hosts == 1 else f"{folder}/c{i + 1}", settings, http_at, https)
                      for i in range(hosts)]
        self.use(self.hosts[0])
        endpoints = ",".join(host.endpoint for host in self.hosts)
        self.workers = [Process(f"worker-{name}", [
            f"{BIN}/sohoa-worker", f"--name={name}", f"--store={worker_store(store)}", f"--connect={endpoints}", "--slots=1",
            "--log=debug"], folder, {"OMP_THREAD_LIMIT": "1"}) for name in ("a", "b")]

    def use(self, host):
        """The host to ask: the active one."""
        self.host, self.redis, self.http, self.api = host, host.redis, host.http, host.api
        self.coordinator = host.coordinator

    def start(self):
        self.host.start()
        wait("the coordinator to answer", lambda: self.api.try_get("status"), 60)
        for host in self.hosts[1:]:
            host.start()
        for worker in self.workers:
            worker.start()
        wait("two workers to join", lambda: self.connected() == 2, 60)

    def connected(self):
        status = self.api.try_get("status")
        return sum(worker["connected"] for worker in status["workers"]) if status else 0

    def batch(self, batch):
        return self.api.try_get(f"batches/{batch}")

    def stored(self, batch):
        found = self.batch(batch)
        return found["pages"]["stored"] if found else 0

    def finish(self, batch, limit_s=400):
        return wait(f"batch {batch} to finish",
                    lambda: (found := self.batch(batch)) and found["state"] != "running" and found, limit_s)


def backlog(folder, *options):
    """A synthetic backlog: its sources in order of name, and how many pages they have."""
    base = os.path.join(folder, "backlog")
    os.makedirs(folder, exist_ok=True)
    made = subprocess.run([f"{BIN}/bench-scans", "--out", base, *options], check=True, capture_output=True, text=True)
    sources = sorted(os.path.join(path, name) for path, _, names in os.walk(os.path.join(base, "scans"))
                     for name in names)
    return sources, json.loads(made.stdout.splitlines()[-1])["pages"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fail(text):
    print("FAILED: " + text, file=sys.stderr, flush=True)
    sys.exit(1)


def main(run):
    """A test's main: run(store, folder) in a fresh folder, and nothing left running."""
    store, folder = sys.argv[1], os.path.abspath(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    try:
        run(store, folder)
    finally:
        stop_all()
