"""Commands of the fault tests on the installation in the environment, in a process of its own.

`python -m tests.faults.driver` reads commands from standard input, each a line with a JSON list
[word, options], and answers each with a line: {"ok": ...} or {"error": {"type", "text"}}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from evalhub import local

Commands = dict[str, Callable[..., Any]]


def main() -> None:
    """Answer until standard input ends."""
    local.setup()
    from django.db import connection

    from tests.faults.commands import COMMANDS

    for line in sys.stdin:
        word, options = json.loads(line)
        try:
            answer: dict[str, Any] = {"ok": COMMANDS[word](**options)}
        except Exception as error:  # noqa: BLE001 (the test that asked shall have it)
            connection.close()  # it may be the database that was broken
            answer = {"error": {"type": type(error).__name__, "text": str(error)}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
