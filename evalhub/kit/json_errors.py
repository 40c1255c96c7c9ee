"""What is wrong with a JSON text, in plain words and with its place.

Only the unhappy path of `evalhub.kit.json` comes here, so clarity wins over speed; every function
is still linear in the length of the text.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"'  # a string, skipped as one so that its content is never a token
    r"|-?(?:NaN|Infinity)"
    r"|-?[0-9][0-9.eE+-]*"
    r"|[\[\]{}]",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_WORD = re.compile(r"[^\s,:\[\]{}\"]{1,20}")
_PYTHON_WORDS = {"None": "null", "True": "true", "False": "false"}


class JsonError(ValueError):
    """A text that is not JSON, or a value that JSON cannot hold.

    `message` is complete ("Line 4, column 3: a comma is missing"). `line` and `column` count from
    1, and are None when the fault is in a value instead of a text.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def error_at(text: str, position: int, problem: str, what: str) -> JsonError:
    """The error for `problem` at a character offset of `text`; `what` names the text."""
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    place = f"line {line:,}, column {column:,}"
    place = place.capitalize() if what == "JSON" else f"{what}, {place}"
    return JsonError(f"{place}: {problem}", line, column)


def position_of(text: str, literal: str) -> int:
    """Offset of the first number or constant written exactly as `literal`, 0 when there is none."""
    return next((at for at, token in _tokens(text) if token == literal), 0)


def position_of_depth(text: str, limit: int) -> int | None:
    """Offset of the bracket that opens level `limit` + 1, None when no bracket does."""
    depth = 0
    for at, token in _tokens(text):
        if token in "[{":
            depth += 1
            if depth > limit:
                return at
        elif token in "]}":
            depth -= 1
    return None


def position_of_escape(text: str, code: int) -> int | None:
    """Offset of the first `\\uXXXX` escape that stands for `code`, None when there is none."""
    return next((at for at, found in _unicode_escapes(text) if found == code), None)


def position_of_lone_surrogate(text: str) -> int | None:
    """Offset of the first escape that is half of a surrogate pair, None when all are paired."""
    waiting: int | None = None
    for at, code in _unicode_escapes(text):
        if waiting is not None:
            # The second half counts only when it follows at once: \ud83d is six characters long.
            if 0xDC00 <= code <= 0xDFFF and at == waiting + 6:
                waiting = None
                continue
            return waiting
        if 0xD800 <= code <= 0xDBFF:
            waiting = at
        elif 0xDC00 <= code <= 0xDFFF:
            return at
    return waiting


def explain(cause: str, text: str, position: int) -> tuple[int, str]:
    """The place and the plain words for an error of the standard library's parser.

    `cause` is its message without the place. The place can move: a superfluous comma is reported at
    the comma, not at the bracket after it.
    """
    found = text[position : position + 1]
    if cause.startswith("Unterminated string"):
        return position, "the string that starts here is never closed"
    if cause.startswith("Invalid control character"):
        return position, _control_character(found)
    if cause.startswith("Invalid \\escape"):
        return (
            position,
            f"“{text[position : position + 2]}” is no escape; write \\\\ for a backslash",
        )
    if cause.startswith("Invalid \\uXXXX"):
        return position, "\\u needs four hexadecimal digits"
    if cause.startswith("Extra data"):
        return position, f"“{_word(text, position)}” follows after the end of the value"
    if not found or not text[position:].strip():
        return _end(text, position)
    if cause.startswith("Expecting ':'"):
        return position, "a colon is missing after the name"
    if cause.startswith("Expecting ','"):
        return position, _comma_expected(text, position)
    comma = _comma_before(text, position)
    if cause.startswith("Illegal trailing comma") or (found in "]}" and comma is not None):
        return (position if comma is None else comma), "a comma too many"
    if found == "'":
        return position, "strings need double quotes, not single ones"
    if cause.startswith("Expecting property name"):
        return position, f"a name in double quotes is expected, not “{_word(text, position)}”"
    word = _word(text, position)
    if word in _PYTHON_WORDS:
        return position, f"“{word}” is not JSON; write {_PYTHON_WORDS[word]}"
    return position, f"a value is expected, not “{word}”"


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text):
        yield match.start(), match.group()


def _unicode_escapes(text: str) -> Iterator[tuple[int, int]]:
    # A backslash stands only inside strings, so the escapes are found without finding the strings;
    # taking "\\" as one match keeps an escaped backslash before "u0000" from counting.
    for match in _ESCAPE.finditer(text):
        if match.group(1) is not None:
            yield match.start(), int(match.group(1), 16)


def _comma_expected(text: str, position: int) -> str:
    found = text[position]
    if found in '"[{-0123456789tfn':
        return "a comma is missing"
    if found in "]}":
        opened = "]" if found == "}" else "}"
        return f"“{opened}” is expected here, not “{found}”"
    return f"a comma or a closing bracket is expected, not “{_word(text, position)}”"


def _comma_before(text: str, position: int) -> int | None:
    before = text[:position].rstrip()
    return len(before) - 1 if before.endswith(",") else None


def _control_character(found: str) -> str:
    names = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}
    escapes = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if found in names:
        return f"{names[found]} inside a string; write {escapes[found]}"
    return f"the control character U+{ord(found):04X} inside a string"


def _end(text: str, position: int) -> tuple[int, str]:
    if not text.strip():
        return 0, "there is no text"
    depth = 0
    for _, token in _tokens(text):
        depth += (token in "[{") - (token in "]}")
    if depth > 0:
        return position, f"the text ends too early; {_brackets(depth)} still open"
    return position, "the text ends too early"


def _brackets(count: int) -> str:
    return "1 bracket is" if count == 1 else f"{count:,} brackets are"


def _word(text: str, position: int) -> str:
    """A short piece of the text at `position`, to be quoted in a message."""
    match = _WORD.match(text, position)
    return match.group() if match else text[position]
