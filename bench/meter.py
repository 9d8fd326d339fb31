# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs a program on one core and says what it and everything it started cost.

The program's whole family counts: whoever is left by his parent (a daemon that forked twice, say) falls to the meter, a
process of its own that asked to be the one who buries orphans (PR_SET_CHILD_SUBREAPER) and waits until none is left. Only a child
whose parent ignores SIGCHLD escapes: nobody waits for it, and the kernel adds its time to nobody's.
"""
import ctypes
import json
import os
import signal
import time
from dataclasses import dataclass

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LINGER_S = 60  # a family may outlive the program by as much
FAILED_TO_START = 127


@dataclass
class Usage:
    """CPU (user and system) of the family, wall time until the program ended, and its exit status; 128 + n after signal n."""

    cpu_s: float
    wall_s: float
    status: int
    timed_out: bool = False  # the program, or what it left running, was killed


def run(argv, core, log, limit_s, env=None):
    """Runs argv on that core, its stdout and stderr in the file log; all of it is killed after limit_s."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(out)
            usage = _measure(argv, core, log, limit_s, {**os.environ, **(env or {})})
            os.write(into, json.dumps(usage.__dict__).encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    if not text:
        raise OSError(f"the meter of {argv[0]} died")
    return Usage(**json.loads(text))


def _children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def _measure(argv, core, log, limit_s, env):
    prctl = ctypes.CDLL(None).prctl
    usage = Usage(0.0, 0.0, FAILED_TO_START)

    def kill_all(*_):
        usage.timed_out = True
        for pid in _children():
            os.kill(pid, signal.SIGKILL)
        signal.alarm(1)  # their orphans

    signal.signal(signal.SIGALRM, kill_all)
    signal.signal(signal.SIGINT, kill_all)
    if prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) or prctl(PR_SET_PDEATHSIG, int(signal.SIGALRM), 0, 0, 0):
        raise OSError("prctl")
    os.sched_setaffinity(0, {core})
    signal.alarm(int(limit_s) or 1)
    with open(log, "wb", buffering=0) as file:
        start = time.monotonic()
        try:
            program = os.posix_spawnp(argv[0], argv, env, file_actions=[
                (os.POSIX_SPAWN_DUP2, file.fileno(), 1), (os.POSIX_SPAWN_DUP2, file.fileno(), 2)])
        except OSError as why:
            file.write(f"{argv[0]}: {why.strerror}\n".encode())
            return usage
    _bury(program, start, usage)
    signal.alarm(0)
    return usage


def _bury(program, start, usage):
    """Waits for all there are and will be. What a process waited for is in its own figures already."""
    while True:
        try:
            pid, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            return
        usage.cpu_s += used.ru_utime + used.ru_stime
        if pid == program:
            usage.wall_s = time.monotonic() - start
            usage.status = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
            signal.alarm(1 if usage.timed_out else LINGER_S)
