"""The local data folder without a server: preparing it, the API in-process, a worker of our own.

The command line uses this when no --server is given. It speaks the same API, through WSGI instead
of a socket, as the local administrator.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from evalhub.home import HomeError
from evalhub.home import prepare as prepare_folder

ADMINISTRATOR = "admin"
DEFAULT_PROJECT = "default"
STOP_SECONDS = 15


def setup() -> None:
    """Load Django for the data folder in EVALHUB_HOME. Raises HomeError with one line to act on."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalhub.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise HomeError(str(error)) from error


def prepare() -> None:
    """Bring the data folder up to date: tables, default project, administrator.

    A folder that a running supervisor holds is left as it is: its own start has migrated it. Raises
    HomeError when the folder cannot be used or its database is of a newer evalhub.
    """
    setup()
    from django.conf import settings

    if settings.EMBEDDED:
        prepare_folder(settings.EVALHUB_HOME)
    lock = hold(settings.EVALHUB_HOME)
    if lock is None:
        refuse_newer_database()
        return
    with lock:
        migrate()
        ensure_defaults()


def hold(home: Path) -> IO[str] | None:
    """Take the data folder's lock, which a supervisor keeps while it runs; None when it is taken.

    The operating system lets go of it when its process ends, however it ends.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (home / "supervisor.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def unapplied() -> bool:
    """True when the database lacks a migration; HomeError when it knows one that we do not."""
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        known = set(executor.loader.disk_migrations)
        own = {app for app, _ in known}
        newer = [
            key for key in executor.loader.applied_migrations if key[0] in own and key not in known
        ]
        if newer:
            raise HomeError(
                f"The database comes from a newer evalhub (it knows {'.'.join(newer[0])}). "
                "Update evalhub, or point EVALHUB_HOME at another folder."
            )
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        raise HomeError(_unusable(error)) from error


def _unusable(error: Exception) -> str:
    from django.conf import settings

    if not settings.EMBEDDED:
        return f"The database cannot be used: {error}. Check DATABASE_URL."
    return (
        f"The database {settings.DATABASES['default']['NAME']} cannot be used: {error}. Put a "
        "backup in its place, or point EVALHUB_HOME at another folder."
    )


def refuse_newer_database() -> None:
    """Raise HomeError when the database comes from a newer evalhub."""
    unapplied()


def migrate() -> None:
    """Apply what is missing; a no-op on a database that is up to date."""
    if unapplied():
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)


def ensure_defaults() -> None:
    """Create the default project and the local administrator where they are missing."""
    from evalhub.access.actions import create_project
    from evalhub.access.models import Project, User

    everything = {"is_staff": True, "is_superuser": True}  # the admin at /admin/ is theirs
    user, made = User.objects.get_or_create(username=ADMINISTRATOR, defaults=everything)
    if not made:
        User.objects.filter(pk=user.pk, is_superuser=False).update(**everything)
    if not Project.objects.filter(is_demo=False).exists():
        create_project(name="Default", slug=DEFAULT_PROJECT, by=user)


StartResponse = Callable[..., Any]


def application() -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """The WSGI application, entered as the local administrator.

    The mark is a key of the environ that no HTTP header can set (those all begin with HTTP_).
    """
    from evalhub.wsgi import application as server

    def local(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ["evalhub.local_user"] = ADMINISTRATOR
        environ["HTTP_HOST"] = "127.0.0.1"
        answer: Iterable[bytes] = server(environ, start_response)
        return answer

    return local


def worker_needed() -> bool:
    """True when no worker has been seen in the last seconds, by the database clock."""
    from evalhub.kit.models import Worker

    return not Worker.objects.alive().exists()


def worker_command() -> list[str]:
    """The command of one worker: threads when embedded, processes on a server."""
    from django.conf import settings

    pool = ["--pool=threads", "--concurrency=4"] if settings.EMBEDDED else ["--concurrency=2"]
    options = ["--without-gossip", "--without-mingle", "--loglevel=WARNING"]
    return [sys.executable, "-m", "celery", "-A", "evalhub.celery", "worker", *pool, *options]


def child_environment() -> dict[str, str]:
    """The environment of a child: it ends when we do, and keeps its temporary files to itself."""
    from django.conf import settings

    environment = os.environ | {
        "CELERY_SKIP_CHECKS": "1",  # the parent has checked; it saves a third of the start
        "EVALHUB_PARENT": str(os.getpid()),
        "EVALHUB_HOME": str(settings.EVALHUB_HOME),
        "MALLOC_ARENA_MAX": "2",  # glibc keeps one heap a thread otherwise: 50 MB more in the web
        "PYTHONPATH": os.pathsep.join(
            [str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }
    if settings.EMBEDDED:
        environment["TMPDIR"] = str(settings.EVALHUB_HOME / "tmp")
    return environment


def start_worker() -> subprocess.Popen[bytes]:
    """Start a worker (embedded, it sweeps as well) as a child process; it logs into the folder."""
    from django.conf import settings

    with (settings.EVALHUB_HOME / "worker.log").open("ab") as log:
        return subprocess.Popen(
            worker_command(),
            env=child_environment(),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop our children in order
        )


def stop_worker(worker: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and end it when it does not within STOP_SECONDS."""
    if worker.poll() is not None:
        return
    worker.send_signal(signal.SIGTERM)
    try:
        worker.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
