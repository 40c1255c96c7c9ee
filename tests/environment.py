"""Loaded before Django: gives the tests a data folder of their own, so that nobody's data is
touched.
"""

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="evalhub-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["EVALHUB_HOME"] = _home
for name in (
    "PORT",
    "EVALHUB_DEBUG",
    "EVALHUB_URL",
    "EVALHUB_PLUGINS",
    "EVALHUB_ALLOWED_ADDRESSES",
    "EVALHUB_ENCRYPTION_KEYS",
    "EVALHUB_KEY_VARIABLES",
):
    os.environ.pop(name, None)
os.environ["EVALHUB_PLUGINS"] = (
    "tests.plugin_targets,tests.picture_targets,tests.troubled_targets,tests.faults.targets"
)
if os.environ.get("DATABASE_URL"):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker.isdigit():  # each process a Redis database of its own, as it has one of PostgreSQL
        server, _, number = os.environ["CELERY_BROKER_URL"].rpartition("/")
        os.environ["CELERY_BROKER_URL"] = f"{server}/{int(number) + int(worker)}"
    os.environ.setdefault("EVALHUB_SECRET_KEY", "only-for-tests-" + "x" * 40)
    os.environ.setdefault("EVALHUB_ALLOWED_HOSTS", "testserver,127.0.0.1,localhost")
    os.environ["EVALHUB_ALLOWED_ADDRESSES"] = "127.0.0.0/8,::1/128"  # the tests' own servers
else:
    os.environ["EVALHUB_ALLOWED_HOSTS"] = "testserver,127.0.0.1,localhost"
