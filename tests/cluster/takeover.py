# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two coordinators, each with its own Redis, and two workers on one store: again and again the active coordinator is killed
(or, on Ceph, stopped and woken later) while pages are read. The other takes over, the workers find it and go on with what
they hold; a woken one's next write is refused and it ends. At the end every page is stored exactly once.

usage: takeover.py STORE-URL FOLDER
"""
import collections
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from cluster import Cluster, backlog, fail, main, say, wait  # noqa: E402
from counts import check_counts  # noqa: E402

BATCH = "takeover"
TAKEOVERS = int(os.environ.get("SOHOA_TEST_TAKEOVERS", "6"))
SETTINGS = ["--lock_ttl_ms=1000", "--heartbeat_ms=300"]  # how long a stopped holder, and a silent one, is waited for
PATIENT_S = 30  # a busy machine's; what a takeover took is printed


def progress(cluster):
    """A page more than there was, or the end."""
    before = cluster.stored(BATCH)
    wait("more pages", lambda: (found := cluster.batch(BATCH)) and
         (found["pages"]["stored"] > before or found["state"] == "finished"))


def take_over(cluster, number):
    """Ends the active coordinator; returns the seconds until the other answers, and until both workers are there."""
    old, new = cluster.host, next(host for host in cluster.hosts if host is not cluster.host)
    old.coordinator.child.send_signal(number)
    began = time.monotonic()
    if number == signal.SIGKILL:
        old.coordinator.child.wait(60)
    cluster.use(new)
    wait("the other to take over", lambda: new.api.try_get("status"), PATIENT_S)
    answered = time.monotonic() - began
    wait("the workers to find it", lambda: cluster.connected() == 2, PATIENT_S)
    joined = time.monotonic() - began
    if number == signal.SIGSTOP:
        wake(old)
    old.coordinator.start()
    wait("it to wait for the lock", lambda: old.coordinator.text().rstrip().splitlines()[-1].find("event=standby") >= 0)
    return answered, joined


def wake(host):
    """A holder that slept over its time ends at its next write, by itself."""
    host.coordinator.child.send_signal(signal.SIGCONT)
    wait("the woken one to end", lambda: not host.coordinator.alive(), PATIENT_S)
    if host.coordinator.child.returncode != 1:
        fail(f"the woken coordinator ended with {host.coordinator.child.returncode}")
    why = list(host.coordinator.events("stopped"))[-1]
    if why.get("err") not in ("E_FENCED", "E_LOCKED"):
        fail(f"the woken coordinator stopped for another reason: {why}")


def check_reads(cluster, takeovers):
    """Running work survives: what was read before a takeover is not read again."""
    reads = collections.Counter(event["page"] for worker in cluster.workers for event in worker.events("page_read"))
    again = sum(reads.values()) - len(reads)
    say(f"{len(reads)} pages read, {again} of them again, over {takeovers} takeovers")
    if again:
        fail("pages were read twice though no worker was touched")


def check_goes(standby):
    """Who stands by and is told to go has not failed."""
    standby.coordinator.kill(signal.SIGTERM)
    if standby.coordinator.child.returncode or list(standby.coordinator.events("stopped"))[-1].get("why") != "signal":
        fail(f"a standby that was told to go ended with {standby.coordinator.child.returncode}")


def run(store, folder):
    sources, pages = backlog(folder, "--documents", str(8 * TAKEOVERS), "--seed", "12", "--duplicates", "0", "--pages-mean", "2")
    cluster = Cluster(store, folder, hosts=2, settings=SETTINGS)
    cluster.start()
    cluster.api.post(f"batches?id={BATCH}", "".join(json.dumps({"source": source}) + "\n" for source in sources))
    took = []
    for i in range(TAKEOVERS):
        progress(cluster)
        # A stopped holder of a folder's flock keeps it: only Ceph's lock has an end.
        number = signal.SIGSTOP if i % 2 and store.startswith("rados:") else signal.SIGKILL
        answered, joined = take_over(cluster, number)
        took.append(joined)
        say(f"{signal.Signals(number).name} {i + 1}: {cluster.host.coordinator.argv[1]} answers after {answered:.2f} s, "
            f"has both workers after {joined:.2f} s; {cluster.stored(BATCH)} pages stored")
    cluster.finish(BATCH)
    check_counts(cluster, BATCH, len(sources), pages)
    check_reads(cluster, TAKEOVERS)
    check_goes(next(host for host in cluster.hosts if host is not cluster.host))
    say(f"{TAKEOVERS} takeovers, the slowest in {max(took):.2f} s with its workers")


if __name__ == "__main__":
    main(run)
