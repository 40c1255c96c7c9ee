"""`evalhub`: the command line. It speaks only the API, of a server or of the data folder on this
machine.

Standard output carries the answer alone; progress and problems go to standard error. Exit codes: 0
ok, 1 error or the run failed, 2 usage, 130 stopped with Ctrl-C (work that was started goes on).
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from evalhub_client import options, server_commands
from evalhub_client.errors import ApiError, EvalhubClientError
from evalhub_client.failures import Interrupted, UsageError, explain

OK, ERROR, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Half a surrogate pair has no bytes in UTF-8; as \udXXX it is what JSON calls it.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, say) has seen enough. Nothing may be flushed at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except SystemExit as done:  # argparse: --help, --version, or a wrong argument
        return done.code if isinstance(done.code, int) else ERROR
    return code


def _dispatch(arguments: list[str]) -> int:
    found = server_commands.find(arguments)
    if found is not None:
        return found.run()
    if options.unknown_command(arguments):
        known = ", ".join((*options.COMMANDS, *server_commands.names()))
        _say(
            f"evalhub: There is no command {arguments[0]!r}. Known are {known}. "
            "Commands that run a server come with its package."
        )
        return USAGE
    parsed = options.parser().parse_args(arguments)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)
    try:
        _require_text(arguments)
        module = importlib.import_module(f"evalhub_client.commands.{parsed.module}")
        code: int = module.run(parsed)
        return code
    except UsageError as error:
        _say(f"evalhub: {error}\nSee: evalhub {parsed.command} --help")
        return USAGE
    except ApiError as error:
        _say(explain(error, parsed.command))
        return ERROR
    except EvalhubClientError as error:
        _say(f"evalhub: {error}")
        return ERROR
    except Interrupted:
        return INTERRUPTED
    except KeyboardInterrupt:
        _say("evalhub: Stopped.")
        return INTERRUPTED


def _require_text(arguments: list[str]) -> None:
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{argument!a} is not valid UTF-8 text.") from None


def _end(number: int, frame: FrameType | None) -> None:
    """Leave by an exception, so that a worker of ours is stopped on the way."""
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
