# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hosts of a data centre on one machine: each has a network namespace with an address of its own on a bridge, and sees in its folder only
what is its own, sockets and keys included. Needs root."""
import os
import subprocess

from cluster import Process

# A bridge that was not told its own takes the least of its links', and changes it with the next host: who talks to it then waits.
BRIDGE_MAC = "02:50:4f:48:4f:41"

# Binds the host's folder where it is, and lays nothing over the others'.
ALONE = """mount --bind "$1/$2" "$1/.own" && mount -t tmpfs -o mode=755 own "$1/.hide" &&
mkdir "$1/.hide/$2" && mount --bind "$1/.own" "$1/.hide/$2" && mount --rbind "$1/.hide" "$1" && shift 2 && exec "$@"
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:
    """A bridge, with an address for what all hosts reach, as Ceph. Its name is of this process alone."""

    def __init__(self, folder, subnet):
        self.folder, self.subnet, self.bridge, self.machines = folder, subnet, f"so{os.getpid()}", []
        self.address = f"{subnet}.254"
        for path in (folder, f"{folder}/.own", f"{folder}/.hide"):
            os.makedirs(path, exist_ok=True)
        ip("link", "add", self.bridge, "address", BRIDGE_MAC, "type", "bridge")
        ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")

    def machine(self, name):
        self.machines.append(Machine(self, name, len(self.machines) + 1))
        return self.machines[-1]

    def close(self):
        for machine in self.machines:
            ip("netns", "del", machine.netns)
        ip("link", "del", self.bridge)


class Machine:
    def __init__(self, network, name, number):
        self.network, self.name, self.address = network, name, f"{network.subnet}.{number}"
        self.folder, self.netns, self.link = f"{network.folder}/{name}", f"{network.bridge}-{name}", f"{network.bridge}v{number}"
        os.makedirs(self.folder)
        ip("netns", "add", self.netns)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.netns)
        ip("link", "set", self.link, "master", network.bridge, "up")
        ip("-n", self.netns, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            ip("-n", self.netns, "link", "set", device, "up")

    def argv(self, *command):
        """The command on this host. It is the process itself, so that it can be signalled."""
        return ["ip", "netns", "exec", self.netns, "sh", "-c", ALONE, "sh", self.network.folder, self.name, *command]

    def process(self, name, *command, env=None):
        return Process(name, self.argv(*command), self.folder, env)

    def run(self, *command):
        return subprocess.run(self.argv(*command), check=True, capture_output=True, text=True).stdout

    def cut(self, is_cut=True):
        """Its link, as if somebody pulled the plug."""
        ip("link", "set", self.link, "down" if is_cut else "up")
