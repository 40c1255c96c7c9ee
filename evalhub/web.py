"""The web server process: waitress, one process with threads. Scale out with more of them."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time


def serve(host: str, port: int, *, threads: int = 8) -> None:
    """Serve until SIGTERM or Ctrl-C. With EVALHUB_PARENT set, end when that process is gone."""
    from django.conf import settings
    from waitress import create_server

    from evalhub.wsgi import application

    # Uploads wait there until they are whole: on the data folder's disk, not in a small /tmp.
    tempfile.tempdir = str(settings.FILE_UPLOAD_TEMP_DIR)
    server = create_server(
        application,
        host=host,
        port=port,
        threads=threads,
        ident=None,
        max_request_body_size=shutil.disk_usage(tempfile.tempdir).total,
        channel_timeout=120,
        clear_untrusted_proxy_headers=False,
    )
    parent = int(os.environ.get("EVALHUB_PARENT", "0"))
    if parent:
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent-watch").start()
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    try:
        server.run()
    except (KeyboardInterrupt, SystemExit):
        server.close()


def _interrupt() -> None:
    raise KeyboardInterrupt


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
