"""The elements of a JSON array in a file, one in memory at a time, with where each begins. Pure.

Only the ends of the elements are looked for here; what is between them is the strict parser's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from datasets_app.importing.problems import ImportFileError, shown
from evalhub.kit import json

_CHUNK, _MOST = 1 << 18, 1 << 20  # characters that are read at once
_MAX_OPEN = 10_000  # brackets; the strict parser allows far fewer
_SPACE = re.compile(r"[ \t\n]*")
_TOKEN = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*("?)|[\[\]{}]')
_BARE = re.compile(r"[^\s,\[\]{}\"]*")
_CLOSES = {"[": "]", "{": "}"}


class Element(NamedTuple):
    """The text of one element; `line` and `column` are where it begins, from 1."""

    line: int
    column: int
    text: str


class _Reader:
    """A text file of which what is at hand is in `_text`, read up to `_at`."""

    def __init__(self, file: IO[str], limit: int) -> None:
        self._file = file
        self._limit = limit
        self._text = ""
        self._at = 0
        self._marked = 0  # up to where in `_text` the lines are counted
        self._line, self._column = 1, 1
        self._skip_mark()

    def _skip_mark(self) -> None:
        self._more()
        self._at = self._marked = 1 if self._text.startswith("\ufeff") else 0

    def _peek(self) -> str:
        """The next character that is no space, which `_at` is then at. The file must not end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise ImportFileError("the file ends too early.", self._place()[0])

    def _more(self) -> bool:
        """Read on; False at the end of the file. What is before `_at` may be forgotten."""
        if self._at > _CHUNK:
            self._place()
            self._text = self._text[self._at :]
            self._at = self._marked = 0
        read = self._file.read(min(max(_CHUNK, len(self._text) - self._at), _MOST))
        self._text += read
        return bool(read)

    def _place(self) -> tuple[int, int]:
        """(line, column) of `_at`."""
        ends = self._text.count("\n", self._marked, self._at)
        if ends:
            self._line += ends
            self._column = self._at - self._text.rfind("\n", self._marked, self._at)
        else:
            self._column += self._at - self._marked
        self._marked = self._at
        return self._line, self._column

    def _end_of_value(self) -> int:
        """Where the value at `_at` ends. It and what was read after it are in `_text` then."""
        first = self._text[self._at]
        if first in '"[{':
            return self._end_of_brackets()
        while True:
            match = _BARE.match(self._text, self._at)
            end = match.end() if match else self._at
            if end < len(self._text) or not self._more_of_value():
                break
        if end == self._at:
            line, column = self._place()
            raise ImportFileError(
                f"at character {column:,}: a value is expected, not “{shown(first)}”.", line
            )
        return end

    def _end_of_brackets(self) -> int:
        awaited: list[str] = []
        done = 0  # characters of the value that need not be looked at again
        while True:
            start = self._at
            for match in _TOKEN.finditer(self._text, start + done):
                token = match.group()
                if token[0] == '"':
                    if not match.group(1):
                        done = match.start() - start
                        self._refuse_open_string(match.start(), match.end())
                        break
                elif token in _CLOSES:
                    awaited.append(_CLOSES[token])
                    if len(awaited) > _MAX_OPEN:
                        raise self._fault(match.start(), "nested more than 100 levels deep")
                elif not awaited or awaited.pop() != token:
                    raise self._fault(match.start(), f"“{token}” closes what is not open")
                done = match.end() - start
                if not awaited:
                    return match.end()
            if not self._more_of_value():
                line, _ = self._place()
                what = "string" if self._text[self._at] == '"' else "object or array"
                raise ImportFileError(f"the {what} that begins here never ends.", line)

    def _more_of_value(self) -> bool:
        if len(self._text) - self._at > self._limit:
            raise ImportFileError(
                f"what begins here is over {self._limit:,} characters long. Shorten it, or take it "
                "out. A quote or a bracket may be open.",
                self._place()[0],
            )
        return self._more()

    def _refuse_open_string(self, start: int, end: int) -> None:
        """A string that does not end where `_text` ends has a line end in it."""
        if end < len(self._text) and (self._text[end] == "\n" or end + 1 < len(self._text)):
            raise self._fault(
                start, "the string that starts here is never closed; write \\n for a line break"
            )

    def _fault(self, at: int, problem: str) -> ImportFileError:
        self._at = at
        line, column = self._place()
        return ImportFileError(f"at character {column:,}: {problem}.", line)


class Elements(_Reader):
    """An iterator over the elements of an array, or of the first array of objects that an object
    holds: then `key` is its name.

    `file` translates line ends. Raises ImportFileError with its line where the ends of the elements
    cannot be told, for one of more than `limit` characters, and when there is no such array.
    """

    def __init__(self, file: IO[str], limit: int) -> None:
        super().__init__(file, limit)
        self.key: str | None = None
        self._find_array()

    def __iter__(self) -> Iterator[Element]:
        if self._peek() == "]":
            self._at += 1
            self._end()
            return
        while True:
            found = self._peek()
            line, column = self._place()
            if found in ("]", ","):
                raise ImportFileError(f"at character {column:,}: a comma too many.", line)
            end = self._end_of_value()
            yield Element(line, column, self._text[self._at : end])
            self._at = end
            found = self._peek()
            if found not in (",", "]"):
                line, column = self._place()
                raise ImportFileError(
                    f"at character {column:,}: a comma is missing between two elements of the "
                    "array.",
                    line,
                )
            self._at += 1
            if found == "]":
                self._end()
                return

    def _find_array(self) -> None:
        opened = self._peek()
        if opened == "[":
            self._at += 1
            return
        if opened != "{":
            raise ImportFileError("this is no JSON array or object.", self._place()[0])
        self._at += 1
        while self._peek() == '"':
            end = self._end_of_value()
            name = self._text[self._at : end]
            self._at = end
            if self._peek() != ":":
                raise ImportFileError("a colon is missing after a name.", self._place()[0])
            self._at += 1
            if self._peek() == "[" and self._opens_objects():
                self.key = str(json.loads(name))
                return
            self._at = self._end_of_value()
            if self._peek() == ",":
                self._at += 1
                self._peek()
        raise ImportFileError(
            "The JSON holds no list of objects. Write an array of objects, or one object per line "
            "(JSONL)."
        )

    def _opens_objects(self) -> bool:
        """Whether the array at `_at` begins with an object, to which `_at` goes then."""
        while True:
            match = _SPACE.match(self._text, self._at + 1)
            end = match.end() if match else self._at
            if end < len(self._text):
                found = self._text[end] == "{"
                self._at = end if found else self._at
                return found
            if not self._more_of_value():
                return False

    def _end(self) -> None:
        """After an array that is the whole file, nothing but space may follow."""
        if self.key is not None:
            return
        try:
            following = self._peek()
        except ImportFileError:
            return
        if following:
            line, column = self._place()
            raise ImportFileError(
                f"at character {column:,}: “{following}” follows after the end of the array.",
                line,
            )


class OneValue(_Reader):
    """Looks whether a file of JSON is one value, or several after one another."""

    def alone(self) -> bool:
        """Raises ImportFileError where the first value's end cannot be told, or is too far."""
        self._peek()
        self._at = self._end_of_value()
        try:
            self._peek()
        except ImportFileError:
            return True
        return False
