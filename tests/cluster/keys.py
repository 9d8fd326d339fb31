# SPDX-License-Identifier: AGPL-3.0-or-later
"""CURVE between a coordinator and real workers by TCP: who has no key, a key of nobody, another worker's name, or sends a frame twice is
refused and told in the log; keys are taken back and changed on both sides while pages are read, and none is lost or read twice.

usage: keys.py STORE-URL FOLDER
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import BIN, Host, Process, backlog, fail, free_port, main, say, wait, worker_store  # noqa: E402
from keys import Keys, Relay, key_make, refusals, told  # noqa: E402

DOCUMENTS = 16


class Cluster:
    def __init__(self, store, folder):
        self.store, self.folder, self.keys = store, folder, Keys(f"{folder}/keys")
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.host = Host("c1", store, folder, (f"--bind={self.address}", f"--curve_file={self.keys.own}", f"--curve_workers={self.keys.allowed}"))
        self.api = self.host.api

    def worker(self, name, key=None, called=None, address=None, known=None):
        keys = (f"--curve_file={key}", f"--curve_coordinators={known or self.keys.known}") if key else ()
        return Process(called or f"worker-{name}", [
            f"{BIN}/sohoa-worker", f"--name={name}", f"--store={worker_store(self.store)}", f"--connect={address or self.address}", "--slots=1", "--log=debug",
            *keys], self.folder, {"OMP_THREAD_LIMIT": "1"}).start()

    def connected(self):
        return {worker["name"] for worker in self.api.get("status")["workers"] if worker["connected"]}

    def refusals(self, event, why):
        return refusals(self.host.coordinator, event, why)

    def told(self, what, event, why):
        told(what, self.host.coordinator, event, why)

    def stored(self):
        found = self.api.try_get("batches/b")
        return found["pages"]["stored"] if found else 0


def refuses_to_start(c, wanted, *settings):
    """A second coordinator, on a store of its own."""
    done = subprocess.run([f"{BIN}/sohoa-coordinator", f"--store=dir:{c.folder}/none", f"--redis={c.host.redis.socket}", f"--bind=tcp://127.0.0.1:{free_port()}",
                           f"--http=unix:{c.folder}/none.http", *settings], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    if not done.returncode or wanted not in done.stderr:
        fail(f"{settings}: {done.returncode}, {done.stderr}")


def check_settings(c):
    """What would leave a door open is no setting."""
    again = subprocess.run([f"{BIN}/sohoa", "key", "c1", "--out", f"{c.folder}/keys/coordinator"], capture_output=True, text=True, check=False)
    if not again.returncode or "E_EXISTS" not in again.stderr:
        fail(f"a key was made over another: {again.stderr}")
    if os.stat(c.keys.own).st_mode & 0o777 != 0o600:
        fail("a secret key can be read by others")
    refuses_to_start(c, "needs curve_file", f"--bind=tcp://0.0.0.0:{free_port()}")
    refuses_to_start(c, "needs curve_workers", f"--bind=tcp://0.0.0.0:{free_port()}", f"--curve_file={c.keys.own}")
    open_key = shutil.copy(c.keys.own, f"{c.folder}/keys/open.key")
    os.chmod(open_key, 0o644)
    refuses_to_start(c, "can be read by everybody", f"--curve_file={open_key}", f"--curve_workers={c.keys.allowed}")
    http = f"--http=0.0.0.0:{free_port()}"
    refuses_to_start(c, "needs http_cert_file", http)
    refuses_to_start(c, "belong together", http, f"--http_cert_file={c.folder}/cert.pem")
    refuses_to_start(c, "do http_cert_file and http_key_file hold", http, f"--http_cert_file={c.keys.own}", f"--http_key_file={c.keys.own}")
    with open(f"{c.keys.allowed}/README", "w", encoding="utf-8") as file:
        file.write("not a key\n")
    wait("a file that is no key to be told", lambda: any(c.host.coordinator.events("key_unread")), 10)
    away = subprocess.run([f"{BIN}/sohoa-worker", f"--store={c.store}", "--connect=tcp://192.0.2.1:7700"], capture_output=True, text=True, check=False, timeout=60)
    if not away.returncode or "needs curve_file" not in away.stderr:
        fail(f"a worker without a key goes elsewhere: {away.stderr}")
    say("nothing is left open")


def check_strangers(c):
    good = c.worker("a", c.keys.worker("a"))
    wait("worker a to join", lambda: c.connected() == {"a"}, 30)
    plain = c.worker("plain")
    c.told("a worker that does not encrypt", "peer_refused", "does not encrypt")
    nobody = c.worker("nobody", c.keys.worker("nobody", allowed=False))
    c.told("a key that is nobody's", "peer_refused", "curve_workers")
    key_make("elsewhere", f"{c.folder}/keys/elsewhere")
    os.unlink(f"{c.folder}/keys/elsewhere/elsewhere.key")
    lost = c.worker("lost", c.keys.worker("lost"), known=f"{c.folder}/keys/elsewhere")
    c.told("a worker that knows another coordinator", "peer_refused", "another key of this coordinator")
    for stranger in (plain, nobody, lost):
        wait("the worker to say so, too", lambda: "event=link_refused" in stranger.text(), 30)
        stranger.kill()
    thief = c.worker("a", c.keys.worker("thief"), called="thief")
    c.told("another worker's name", "worker_refused", "that of thief")
    thief.kill()
    wait("worker a to be back", lambda: c.connected() == {"a"}, 60)
    return good


def check_replay(c):
    relay = Relay(("127.0.0.1", c.port))
    relay.start()
    worker = c.worker("relayed", c.keys.worker("relayed"), address=relay.address)
    wait("the relayed worker to join", lambda: "relayed" in c.connected(), 30)
    relay.repeat = True
    c.told("a frame that came twice", "peer_refused", "came twice")
    if not relay.repeated:
        fail("nothing was repeated")
    wait("it to join again", lambda: len(list(worker.events("link"))) and worker.text().count("state=joined") >= 2, 30)
    worker.kill()


def check_changes(c, worker):
    sources, pages = backlog(c.folder, "--documents", str(DOCUMENTS), "--pages-mean", "1", "--seed", "10")
    c.api.post("batches?id=b", "".join('{"source":"%s"}\n' % source for source in sources))
    wait("the first page", lambda: c.stored() >= 1)

    new = key_make("a", f"{c.folder}/keys/a-new")
    shutil.copy(new[1], f"{c.keys.allowed}/a-new.pub")
    wait("the new key to be known", lambda: c.refusals("keys_allowed", "keys=5"), 10)
    os.replace(new[0], f"{c.folder}/keys/a/a.key")
    wait("the worker to take its new key", lambda: worker.text().count("state=joined") >= 3, 30)
    os.unlink(f"{c.keys.allowed}/a.pub")
    wait("the old key to be gone", lambda: c.refusals("keys_allowed", "keys=4") >= 2, 10)
    at = c.stored()
    wait("another page with the new key", lambda: c.stored() > at)
    say("a worker's key was changed")

    joined = worker.text().count("state=joined")
    shutil.copy(c.keys.next[1], f"{c.keys.known}/next.pub")
    wait("the worker to know it, too", lambda: worker.text().count("state=joined") > joined, 30)
    joined, at = worker.text().count("state=joined"), c.stored()
    os.replace(c.keys.next[0], c.keys.own)
    wait("the coordinator to take its new key", lambda: c.refusals("own_key", "key="), 10)
    wait("the worker to come again", lambda: worker.text().count("state=joined") > joined, 30)
    wait("another page", lambda: c.stored() > at)
    say("the coordinator's key was changed")

    os.rename(f"{c.keys.allowed}/a-new.pub", f"{c.folder}/keys/taken")
    c.told("a key that was taken back while it worked", "worker_refused", "not allowed any more")
    wait("its worker to be gone", lambda: c.connected() == set(), 30)
    at = c.stored()
    if worker.text().count("state=closed") < 1 or at == pages:
        fail("it went on without a key")
    os.rename(f"{c.folder}/keys/taken", f"{c.keys.allowed}/a-new.pub")
    done = wait("the batch to finish", lambda: (found := c.api.get("batches/b")) and found["state"] != "running" and found, 300)
    if done["pages"]["stored"] + done["pages"]["duplicate"] != pages or done["pages_read"] != done["pages"]["stored"]:
        fail(f"of {pages} pages: {done}")
    say(f"{pages} pages stored")


def run(store, folder):
    c = Cluster(store, folder)
    c.host.start()
    wait("the coordinator to answer", lambda: c.api.try_get("status"), 60)
    check_settings(c)
    worker = check_strangers(c)
    check_replay(c)
    check_changes(c, worker)
    for process in Process.all:
        if "secret" in process.text().replace("secrecy", ""):
            fail(f"{process.name} told a secret key")


main(run)
