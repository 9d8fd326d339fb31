# SPDX-License-Identifier: AGPL-3.0-or-later
"""A coordinator to be measured: with a store in a folder, a Redis of its own (AOF everysec) and the API on a unix socket; the
manifests and no-op workers that it is measured with, and what the benches that do so have in common."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "lib"))
from cluster import BIN, Api, Process, Redis, UnixConnection, cpu_ticks, stop_all, wait  # noqa: E402

PIECE_BYTES = 8 << 20
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Stand:
    def __init__(self, folder, settings=()):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.redis = Redis(folder)
        self.endpoint, self.http = f"ipc://{folder}/zmq", f"{folder}/http"
        self.api = Api(self.http)
        self.coordinator = Process("coordinator", [
            f"{BIN}/sohoa-coordinator", "--name=bench", f"--store=dir:{folder}/store", f"--redis={self.redis.socket}",
            f"--bind={self.endpoint}", f"--http=unix:{self.http}", "--log=warn", *settings], folder)

    def start(self):
        self.redis.start()
        self.start_coordinator()

    def start_coordinator(self, limit_s=60):
        self.coordinator.start()
        wait("the coordinator to answer", lambda: self.api.try_get("status"), limit_s)

    def stop(self):
        for process in (self.coordinator, self.redis.process):
            process.child.terminate()
            process.child.wait(60)

    def settled(self, batch):
        """Whether Redis, which is written last, has heard of the batch's end."""
        return self.redis.command("HGET", f"sohoa:batch:{batch}", "docs_open") == "0"

    def cpu_s(self):
        """Of the coordinator so far."""
        return cpu_ticks(self.coordinator.child.pid) * TICK_S

    def rss_bytes(self, field="VmRSS"):
        return memory_bytes(self.coordinator.child.pid, field)

    def noop(self, *options):
        """Workers that read nothing, until they are terminated."""
        return subprocess.Popen([f"{BIN}/bench-noop", f"--connect={self.endpoint}", *options], stdout=subprocess.PIPE,
                                text=True)

    def admit(self, batch, manifest, each=None):
        """Sends the manifest in pieces of whole lines; each(bytes) is told after every one. The batch as it is then."""
        size = os.path.getsize(manifest)
        connection = UnixConnection(self.http)
        offset, answer = 0, None
        with open(manifest, "rb") as file:
            while offset < size:
                file.seek(offset)
                piece = file.read(PIECE_BYTES)
                if offset + len(piece) < size:
                    piece = piece[:piece.rindex(b"\n") + 1]
                more = offset + len(piece) < size
                connection.request("POST", f"/api/v1/batches?id={batch}&offset={offset}&more={more:d}", piece)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status >= 400:
                    raise RuntimeError(f"batch {batch} at byte {offset}: {answer.status} {text[:300]!r}")
                offset += len(piece)
                if each:
                    each(offset)
        connection.close()
        return self.api.get(f"batches/{batch}")


def result(noop):
    """What workers that have ended, or end now, have counted."""
    text = noop.communicate(timeout=60)[0]
    if noop.returncode:
        raise RuntimeError("bench-noop failed")
    return json.loads(text)


def manifest(folder, pages, mean):
    """Of so many pages in documents of mean pages."""
    path = os.path.join(folder, f"manifest-{pages}-{mean}.jsonl")
    with open(path, "wb") as file:
        subprocess.run([f"{BIN}/bench-manifest", f"--pages={pages}", f"--mean={mean}"], stdout=file,
                       stderr=subprocess.DEVNULL, check=True)
    return path


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(name, folder, measure):
    """Prints what measure(folder) gives, in a folder of its own, and leaves nothing running."""
    folder = tempfile.mkdtemp(prefix=f"sohoa-bench-{name}-", dir=folder)
    try:
        print(json.dumps(measure(folder)))
    finally:
        stop_all()
        shutil.rmtree(folder, ignore_errors=True)


def memory_bytes(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no {field}")
