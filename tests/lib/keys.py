# SPDX-License-Identifier: AGPL-3.0-or-later
"""CURVE keys for the cluster tests, and one who sends a frame twice."""
import os
import select
import shutil
import socket
import subprocess
import threading

from cluster import BIN, fail, say, wait


def key_make(name, folder):
    os.makedirs(folder, exist_ok=True)
    made = subprocess.run([f"{BIN}/sohoa", "key", name, "--out", folder], capture_output=True, text=True, check=False)
    if made.returncode:
        fail(f"sohoa key {name}: {made.stderr}")
    return f"{folder}/{name}.key", f"{folder}/{name}.pub"


class Keys:
    """The coordinator's key, the folder of workers that it lets in, and the one of what these know of it."""

    def __init__(self, folder):
        self.folder, self.allowed, self.known = folder, f"{folder}/allowed", f"{folder}/known"
        os.makedirs(self.allowed)
        os.makedirs(self.known)
        self.own, public = key_make("c1", f"{folder}/coordinator")
        self.next = key_make("c1", f"{folder}/coordinator-next")
        shutil.copy(public, self.known)

    def worker(self, name, allowed=True):
        secret, public = key_make(name, f"{self.folder}/{name}")
        if allowed:
            shutil.copy(public, self.allowed)
        return secret


class Relay(threading.Thread):
    """Between a worker and the coordinator at (address, port); once asked it sends a message of the worker's twice."""

    def __init__(self, coordinator, own_address="127.0.0.1"):
        super().__init__(daemon=True)
        self.coordinator, self.repeat, self.repeated = coordinator, False, False
        self.server = socket.create_server((own_address, 0))
        self.address = f"tcp://{own_address}:{self.server.getsockname()[1]}"

    def run(self):
        while True:
            worker, _ = self.server.accept()
            with worker, socket.create_connection(self.coordinator) as coordinator:
                self.carry(worker, coordinator)

    def carry(self, worker, coordinator):
        other = {worker: coordinator, coordinator: worker}
        while True:
            for ready in select.select(list(other), [], [])[0]:
                try:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    again = self.repeat and ready is worker and b"\x07MESSAGE" in data[:12]
                    other[ready].sendall(data + data if again else data)
                except OSError:
                    return
                if again:
                    self.repeat, self.repeated = False, True


def refusals(coordinator, event, why):
    """How often its log has this event for that reason."""
    return sum(why in line for line in coordinator.text().splitlines() if f"event={event}" in line)


def told(what, coordinator, event, why):
    wait(f"the coordinator to tell of {what}", lambda: refusals(coordinator, event, why), 30)
    say(f"refused and told: {what}")
