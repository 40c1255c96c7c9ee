"""The flag that tells the tasks of a worker to leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

IN_A_PROCESS = """
import os, signal, sys, time
from evalhub.kit.stopping import ask_to_stop, stop_with_parent, stopping
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS + script],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


def test_a_child_sees_that_its_worker_was_asked_to_stop() -> None:
    said = run("""
if os.fork() == 0:
    while not stopping():
        time.sleep(0.01)
    print("child leaves", flush=True)
    os._exit(0)
assert not stopping()
ask_to_stop()
os.wait()
print(stopping())
""")
    assert said.stdout == "child leaves\nTrue\n"


def test_children_that_are_killed_while_they_look_leave_nothing_locked() -> None:
    said = run("""
for _ in range(100):
    child = os.fork()
    if child == 0:
        while True:
            stopping()
    time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
signal.alarm(5)
ask_to_stop()
print(stopping())
""")
    assert said.stdout == "True\n"


def test_a_child_whose_pool_was_killed_is_to_leave() -> None:
    pool = subprocess.Popen(
        [
            sys.executable,
            "-c",
            IN_A_PROCESS
            + """
if os.fork() == 0:
    stop_with_parent()
    assert not stopping()
    print("at work", flush=True)
    while not stopping():
        time.sleep(0.01)
    print("leaves", flush=True)
    os._exit(0)
time.sleep(30)
""",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert pool.stdout is not None
    assert pool.stdout.readline() == "at work\n"
    os.kill(pool.pid, signal.SIGKILL)
    pool.wait()
    began = time.monotonic()
    assert pool.stdout.readline() == "leaves\n"
    assert time.monotonic() - began < 5
    pool.stdout.close()
