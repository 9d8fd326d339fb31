# SPDX-License-Identifier: AGPL-3.0-or-later
"""The durable queues that the coordinator is compared with: beanstalkd with its log of jobs, BullMQ on a Redis with its own.

Each is started alone in a fresh folder, asked by the client made for it (beanstalk.c, bull.mjs), and stopped. What keeps
one from running is an Error that says so: no peer is ever left out. By hand:

    python3 bench/queues.py beanstalkd|bullmq --jobs N --clients N --folder DIR [--transport tcp|unix]

Over a Unix socket both do more than over TCP, beanstalkd by half: compare them over what Sohoa itself is asked over.
"""
import argparse
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = {"bullmq": "6.7.0", "redis": "5.12.1"}
TRANSPORTS = ("tcp", "unix")
SYNC_MS = 50          # beanstalkd's longest time between two fsyncs; Redis has a second
START_S = 20
STOP_S = 20
LIMIT_S = 900         # of a client, and of npm
SOCKET_PATH_MAX = 107


class Error(RuntimeError):
    """Says which peer could not run, and why."""


class Address:
    """Where a server listens: a free port of 127.0.0.1, or a socket in a folder."""

    def __init__(self, transport, folder):
        if transport not in TRANSPORTS:
            raise Error(f"there is no transport '{transport}'")
        self.path, self.port = None, None
        if transport == "unix":
            self.path = str(folder / "socket")
            if len(os.fsencode(self.path)) > SOCKET_PATH_MAX:
                raise Error(f"the path of a socket is at most {SOCKET_PATH_MAX} bytes: {self.path}")
        else:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]

    def options(self):
        """Of both clients."""
        return ["--socket", self.path] if self.path else ["--port", str(self.port)]

    def answers(self, ask, answer):
        with socket.socket(socket.AF_UNIX if self.path else socket.AF_INET) as asked:
            asked.settimeout(START_S)
            try:
                asked.connect(self.path or ("127.0.0.1", self.port))
                asked.sendall(ask)
                return asked.recv(1000).startswith(answer)
            except OSError:
                return False


def _program(name):
    found = shutil.which(name)
    if not found:
        raise Error(f"{name} is not installed (deploy/deps queues)")
    return found


def _last_words(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def _stop(child):
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextlib.contextmanager
def _server(argv, folder, address, ask, answer):
    """A server that answers, as its process; stopped at the end."""
    log = folder / "log"
    with open(log, "wb") as into:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=into, stderr=into)
    try:
        end = time.monotonic() + START_S
        while not address.answers(ask, answer):
            if child.poll() is not None or time.monotonic() > end:
                raise Error(f"{argv[0]} did not start: {_last_words(log.read_text(errors='replace'))}")
            time.sleep(0.02)
        yield child
    finally:
        _stop(child)


def _cpu_s(pid):
    """Processor time of a running process."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def _run(argv):
    """What a program printed; an Error when it failed."""
    try:
        ran = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                             timeout=LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as why:
        raise Error(f"{argv[0]}: {why}") from why
    if ran.returncode:
        raise Error(f"{argv[0]}: exit status {ran.returncode}: {_last_words(ran.stderr)}")
    return ran.stdout


def _ask(server, argv):
    """The client's JSON, with the CPU time that it and the server took from the server's start."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = _run(argv)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        found = json.loads(printed.splitlines()[-1])
    except (IndexError, ValueError) as why:
        raise Error(f"{argv[0]} printed no JSON: {_last_words(printed)}") from why
    found["server_cpu_s"] = round(_cpu_s(server.pid), 2)
    found["client_cpu_s"] = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)
    return found


@contextlib.contextmanager
def _fresh(folder, name):
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as fresh:
        yield Path(fresh).resolve()


def beanstalkd(programs, folder, jobs, clients, transport="tcp"):
    """The JSON of bench-beanstalk, which is in the folder programs; folder should be on the disk that Sohoa uses."""
    with _fresh(folder, "beanstalkd") as fresh:
        address = Address(transport, fresh)
        where = ["-l", f"unix:{address.path}"] if address.path else ["-l", "127.0.0.1", "-p", str(address.port)]
        argv = [_program("beanstalkd"), "-b", str(fresh), f"-f{SYNC_MS}", *where]
        with _server(argv, fresh, address, b"list-tube-used\r\n", b"USING") as server:
            return _ask(server, [str(Path(programs) / "bench-beanstalk"), *address.options(),
                                 "--jobs", str(jobs), "--clients", str(clients)])


def _installed(package, packages):
    try:
        return json.loads((packages / "node_modules" / package / "package.json").read_text("utf-8"))["version"]
    except OSError:
        return None


def _install(packages):
    """BullMQ and its driver, unless that folder has them. Native parts come prebuilt, so no script of a package is run."""
    if any(_installed(package, packages) != version for package, version in PACKAGES.items()):
        _run([_program("npm"), "install", "--prefix", str(packages), "--no-audit", "--no-fund", "--ignore-scripts",
              *(f"{package}@{version}" for package, version in PACKAGES.items())])
    return packages


def bullmq(folder, jobs, clients, transport="tcp"):
    """The JSON of bull.mjs. The packages stay in folder/npm for the next run."""
    node, redis = _program("node"), _program("redis-server")
    with _fresh(folder, "redis") as fresh:
        packages = _install(Path(folder).resolve() / "npm")
        address = Address(transport, fresh)
        where = ["--port", "0", "--unixsocket", address.path] if address.path else [
            "--bind", "127.0.0.1", "--port", str(address.port)]
        argv = [redis, *where, "--dir", str(fresh), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        with _server(argv, fresh, address, b"PING\r\n", b"+PONG") as server:
            return _ask(server, [node, str(HERE / "bull.mjs"), "--lib", str(packages), *address.options(),
                                 "--jobs", str(jobs), "--clients", str(clients)])


def main(argv):
    parser = argparse.ArgumentParser(prog="bench/queues.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("peer", choices=("beanstalkd", "bullmq"))
    parser.add_argument("--jobs", type=int, default=20000)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True, metavar="DIR", help="for logs, data and packages")
    parser.add_argument("--transport", choices=TRANSPORTS, default="tcp")
    chosen = parser.parse_args(argv)
    how = (chosen.folder, chosen.jobs, chosen.clients, chosen.transport)
    programs = os.environ.get("SOHOA_BIN", HERE.parent / "build" / "release" / "bin")
    print(json.dumps(beanstalkd(programs, *how) if chosen.peer == "beanstalkd" else bullmq(*how)))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("queues: terminated"))  # as an exception, which stops the server
    try:
        main(sys.argv[1:])
    except (Error, OSError) as why:
        sys.exit(f"queues: {why}")
    except KeyboardInterrupt:
        sys.exit("queues: interrupted")
