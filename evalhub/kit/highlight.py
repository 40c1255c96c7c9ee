"""JSON values as text for people: indented and coloured, or on one line. Escapes everything."""

import json
import re
from itertools import islice

from evalhub.kit.svg import escape

SHOWN = 20_000  # characters that a page shows of one value before "Show all"

_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*+"?+)(?P<colon>\s*+:)?|'
    r"(?P<word>(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\btrue\b|\bfalse\b|\bnull\b)"
)


def as_text(value: object) -> str:
    """A string as it is, anything else as indented JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def code(value: object, limit: int | None = SHOWN) -> str:
    """A `pre.code` with at most `limit` characters; JSON is coloured, a string is plain text.

    A cut value is followed by a line that says how much is shown.
    """
    text = as_text(value)
    total = len(text)
    shown = text if limit is None else text[:limit]
    body = escape(shown) if isinstance(value, str) else highlight(shown)
    # A line break right after <pre> is dropped by the parser, so one more keeps the first.
    out = f'<pre class="code">{chr(10) if shown.startswith(chr(10)) else ""}{body}</pre>'
    if len(shown) < total:
        out += f'<p class="small faint">First {len(shown):,} of {total:,} characters.</p>'
    return out


def highlight(text: str) -> str:
    """JSON text, perhaps cut off, with keys, strings and other values in spans."""
    out, at = [], 0
    for match in _TOKEN.finditer(text):
        out.append(escape(text[at : match.start()]))
        at = match.end()
        if match["text"]:
            cls = "k" if match["colon"] else "s"
            out.append(f'<span class="{cls}">{escape(match["text"])}</span>')
            out.append(match["colon"] or "")
        else:
            out.append(f'<span class="d">{match["word"]}</span>')
    out.append(escape(text[at:]))
    return "".join(out)


def is_long(value: object, limit: int = SHOWN) -> bool:
    """Whether `code` with that limit would cut the value."""
    return len(as_text(value)) > limit


def one_line(value: object, limit: int = 160) -> str:
    """A preview on one line, not escaped, of at most `limit` characters.

    A string is itself. An object shows what it holds, without braces: strings alone, for most say
    what they are, other values by name unless there is only one. The rest is compact JSON.
    """
    room = limit * 4
    if isinstance(value, dict) and value:
        parts: list[str] = []
        for name, one in value.items():
            named = not isinstance(one, str) and len(value) > 1
            part = f"{str(name)[:room]}: {_piece(one, room)}" if named else _piece(one, room)
            parts.append(part)
            room -= len(part)
            if room <= 0:
                break
        text = " · ".join(filter(None, parts))
    else:
        text = _piece(value, room)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _piece(value: object, room: int) -> str:
    """About the first `room` characters of a string, or of compact JSON."""
    if isinstance(value, str):
        return value[:room]
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), default=str)
    # Pieces are joined only until there is enough: a value may hold a megabyte.
    text = ""
    for piece in islice(encoder.iterencode(value), room):
        text += piece[:room]
        if len(text) > room:
            break
    return text
