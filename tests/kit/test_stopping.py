"""The flag that tells the tasks of a worker to leave."""

from __future__ import annotations

import subprocess
import sys

IN_A_PROCESS = """
import os, signal, sys, time
from evalhub.kit.stopping import ask_to_stop, stopping
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
