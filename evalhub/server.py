"""Entry points of the server package: `evalhub-server COMMAND` (as `manage.py COMMAND`), and the
commands that `evalhub COMMAND` borrows from here.
"""

import functools
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a management command; a setting that is wrong ends it with one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalhub.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    given = list(sys.argv if arguments is None else arguments)
    if given[1:2] == ["rotate-keys"]:  # a module cannot be called that
        given[1] = "rotate_keys"
    try:
        execute_from_command_line(given)
    except ImproperlyConfigured as error:
        sys.exit(f"evalhub: {error}")


def _command(name: str, arguments: Sequence[str]) -> int:
    main(["evalhub", name, *arguments])
    return 0


up = functools.partial(_command, "up")
serve = functools.partial(_command, "serve")
init = functools.partial(_command, "init")
link = functools.partial(_command, "link")
rotate_keys = functools.partial(_command, "rotate_keys")

if __name__ == "__main__":
    main()
