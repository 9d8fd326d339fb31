# SPDX-License-Identifier: AGPL-3.0-or-later
"""Debian 12 in a folder, and the packages of the build to be installed there. Needs root."""
import glob
import os
import shutil
import subprocess
import sys

MIRROR = "http://deb.debian.org/debian"
NAMES = ("sohoa", "sohoa-common", "sohoa-coordinator", "sohoa-worker")


def fail(text):
    print("FAILED: " + text, file=sys.stderr, flush=True)
    sys.exit(1)


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **options)
    if done.returncode:
        fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def packages_make(build, out, version=None):
    """Their paths. Packed fast: what they are packed with is no matter here."""
    own = ["-R", version] if version else []
    run("cpack", f"--config={build}/CPackConfig.cmake", "-B", out, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip", *own, cwd=build)
    debs = sorted(glob.glob(os.path.join(out, "*.deb")))
    found = sorted(os.path.basename(deb).split("_")[0] for deb in debs)
    if found != sorted(NAMES):
        fail(f"cpack made {found}")
    return debs


class Tree:
    def __init__(self, folder):
        self.folder = folder

    def path(self, *path):
        return os.path.join(self.folder, *path)

    def text(self, *path):
        with open(self.path(*path), encoding="utf-8") as file:
            return file.read()

    def write(self, text, *path):
        os.makedirs(os.path.dirname(self.path(*path)), exist_ok=True)
        with open(self.path(*path), "w", encoding="utf-8") as file:
            file.write(text)

    def make(self, *packages):
        """Where packages come from here they come from there; no service starts by itself while it is not booted."""
        run("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", "bookworm", self.folder, MIRROR)
        shutil.copytree("/etc/apt/apt.conf.d", self.path("etc/apt/apt.conf.d"), dirs_exist_ok=True)
        self.write("#!/bin/sh\nexit 101\n", "usr/sbin/policy-rc.d")
        os.chmod(self.path("usr/sbin/policy-rc.d"), 0o755)

    def inside(self, script):
        """With processes of its own, which end with it."""
        command = ("unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.folder}/proc", "chroot", self.folder, "/bin/sh", "-ec", script)
        return run(*command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})

    def install(self, debs, *others):
        for deb in debs:
            shutil.copy(deb, self.path("root"))
        self.inside("apt-get install -y --no-install-recommends " + " ".join([*("/root/" + os.path.basename(deb) for deb in debs), *others]))
