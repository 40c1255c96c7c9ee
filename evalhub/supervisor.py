"""The supervisor of embedded mode: prepares the data folder, starts web and worker."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from evalhub import local
from evalhub.home import HomeError, prepare

WEB_READY_SECONDS = 30.0
QUICK_SECONDS = 5.0
QUICK_DEATHS = 5  # a child that so often in a row lives for less than that is not started again


def up() -> None:
    """Start everything, print a sign-in link, and stay until Ctrl-C or SIGTERM.

    Raises HomeError with one line to act on when something is in the way.
    """
    if not settings.EMBEDDED:
        raise HomeError(
            "DATABASE_URL is set: this is a server. Start its processes one by one (see "
            "README.md), or unset DATABASE_URL and CELERY_BROKER_URL."
        )
    prepare(settings.EVALHUB_HOME)
    lock = local.hold(settings.EVALHUB_HOME)
    if lock is None:
        raise HomeError(
            f"evalhub is running on {settings.EVALHUB_HOME} already. Stop it first, or set "
            "EVALHUB_HOME to another folder."
        )
    with lock:
        _refuse_taken_port(settings.PORT)
        local.migrate()
        local.ensure_defaults()
        collect_static()
        _drop_old_messages()
        children = [Child("worker", local.start_worker), Child("web", _start_web)]
        stop = _Stop()
        try:
            for child in children:
                child.start()
            going_to = load_demo() if demo_wanted() else ""
            _wait_for_web(children[1], stop)
            if not stop.asked:
                _announce(going_to)
            while not stop.asked:
                for child in children:
                    child.revive()
                time.sleep(0.3)
        finally:
            print("\nStopping …", flush=True)
            for child in children:
                child.signal()
            for child in children:
                child.stop()


@dataclass(slots=True)
class Child:
    """A child process that is started again when it dies."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        self.process = self.launch()
        self.started_at = time.monotonic()

    def revive(self) -> None:
        """Start the child again when it is dead. Raises HomeError when it dies at every start.

        One that dies later, over its work, is always started again: an item that kills its worker
        becomes an error in time (see runs_app/engine), and the pages stay up.
        """
        if self.process is None or self.process.poll() is None:
            return
        quick = time.monotonic() - self.started_at < QUICK_SECONDS
        self.quick_deaths = self.quick_deaths + 1 if quick else 0
        log = settings.EVALHUB_HOME / f"{self.name}.log"
        if self.quick_deaths >= QUICK_DEATHS:
            raise HomeError(f"The {self.name} keeps ending. The reason is at the end of {log}.")
        print(f"The {self.name} ended (exit {self.process.returncode}); starting it again.")
        self.start()

    def signal(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        if self.process is not None:
            local.stop_worker(self.process)


class _Stop:
    """Set by the first Ctrl-C or SIGTERM."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def _start_web() -> subprocess.Popen[bytes]:
    with (settings.EVALHUB_HOME / "web.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "evalhub.server", "serve", "--port", str(settings.PORT)],
            env=local.child_environment(),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OverflowError as error:
            raise HomeError(f"PORT={port} is no port. Use 1 to 65535.") from error
        except OSError as error:
            raise HomeError(
                f"Port {port} is taken ({error.strerror}). Stop what uses it, or choose another: "
                f"PORT={port + 1} make up"
            ) from error


def _wait_for_web(web: Child, stop: _Stop) -> None:
    url = f"http://127.0.0.1:{settings.PORT}{reverse('health')}"
    end = time.monotonic() + WEB_READY_SECONDS
    while time.monotonic() < end and not stop.asked:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url):
            return
        web.revive()
        time.sleep(0.05)
    if not stop.asked:
        log = settings.EVALHUB_HOME / "web.log"
        raise HomeError(f"The web server does not answer. The reason is at the end of {log}.")


def _announce(going_to: str) -> None:
    from evalhub.access.actions import make_sign_in_link
    from evalhub.access.models import User

    administrator = User.objects.get(username=local.ADMINISTRATOR)
    secret = make_sign_in_link(user=administrator, next=going_to)
    print(
        f"\nevalhub is running. Sign in (once, within {settings.SIGN_IN_LINK_MINUTES} minutes):\n\n"
        f"  {settings.PUBLIC_URL}{reverse('use_link', args=[secret])}\n\n"
        f"Data: {settings.EVALHUB_HOME}. Stop with Ctrl-C.",
        flush=True,
    )


def demo_wanted() -> bool:
    """True on an empty database, unless EVALHUB_DEMO=0 says no."""
    from evalhub.access.models import AuditEntry, Project

    if os.environ.get("EVALHUB_DEMO", "1") == "0":
        return False
    used = AuditEntry.objects.exclude(action="project.created").exists()
    return not used and Project.objects.count() == 1


def load_demo() -> str:
    """Load the demo; the path of its comparison."""
    from evalhub.access.models import User
    from evalhub.demo.load import load

    return load(by=User.objects.get(username=local.ADMINISTRATOR))


def collect_static() -> None:
    """Gather static files when they have changed since the last time."""
    sources = sorted(path for path in (settings.BASE_DIR / "static").rglob("*") if path.is_file())
    digest = hashlib.sha256(importlib.metadata.version("django-htmx").encode())
    for path in sources:
        state = path.stat()
        digest.update(f"{path}:{state.st_mtime_ns}:{state.st_size}".encode())
    stamp = settings.STATIC_ROOT / ".stamp"
    if stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest.hexdigest())


def _drop_old_messages() -> None:
    """Wake-ups from before are worth nothing: the worker sweeps when it starts."""
    for message in (settings.EVALHUB_HOME / "broker").iterdir():
        message.unlink(missing_ok=True)
