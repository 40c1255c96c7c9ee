"""From text to a filter, with errors that say where and what was expected. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from decimal import Decimal

from datasets_app.filters.nodes import (
    ALIASES,
    COMPARISONS,
    FIELDS,
    JSON_FIELDS,
    MAX_CHARS,
    MAX_DEPTH,
    MAX_PATH_PARTS,
    MAX_VALUES,
    NUMBER_FIELDS,
    ORDERS,
    And,
    Compare,
    Contains,
    Field,
    Filter,
    FilterError,
    In,
    Literal,
    Not,
    Or,
    Presence,
)
from datasets_app.filters.text import PLAIN_NAME, field_text
from evalhub.kit.json import JsonError, loads

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\w[\w-]*")
_TEXT = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_SIGN = re.compile(r"<=|>=|!=|=|<|>")
_INDEX = re.compile(r"\[\s*(\d{1,6})\s*\]", re.ASCII)
_KEYWORDS = ("and", "or", "not", "in", "is", "contains", "exists", "has")
_TESTS = ("null", "missing")
_MAX_EXPONENT = 400  # as far as numbers of items go
_OTHER_WORDS = {
    "==": "=",
    "=~": "contains",
    "<>": "!=",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "like": "contains",
    "ilike": "contains",
    "has": "contains",
    "equals": "=",
}
_OTHER_FIELDS = {"expected": "expected_output", "output": "expected_output", "id": "external_id"}
_AFTER_FIELD = "=, !=, <, <=, >, >=, in, not in, contains, is null, is missing or exists"


def parse(text: str) -> Filter:
    """The filter that `text` says. Raises FilterError with the position of the first fault."""
    if len(text) > MAX_CHARS:
        detail = f"A filter has at most {MAX_CHARS:,} characters; this one has {len(text):,}."
        raise FilterError(MAX_CHARS, detail)
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def whole(self) -> Filter:
        found = self._or()
        self._space()
        if self.at < len(self.text):
            raise self._fault("Here “and” or “or” is expected, or the end of the filter.")
        return found

    def _or(self) -> Filter:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Filter:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Filter:
        self._space()
        start = self.at
        if self._take("not"):
            return Not(self._deeper(self._one, start))
        if self._sign("("):
            found = self._deeper(self._or, start)
            if not self._sign(")"):
                raise self._fault("Here “)” is expected, or “and” or “or”.")
            return found
        if self._take("has"):
            return self._test(self._field(), "exists", start)
        return self._condition()

    def _deeper(self, inner: Callable[[], Filter], start: int) -> Filter:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FilterError(start, f"Parentheses and “not” nest at most {MAX_DEPTH} deep.")
        found = inner()
        self.depth -= 1
        return found

    def _condition(self) -> Filter:
        field = self._field()
        self._space()
        start = self.at
        if sign := _SIGN.match(self.text, self.at):
            return self._compare(field, sign)
        if self._take("exists"):
            return self._test(field, "exists", start)
        if self._take("is"):
            negated = self._take("not")
            what = next((word for word in _TESTS if self._take(word)), None)
            if what is None:
                raise self._fault(
                    "After “is” comes “null” or “missing”, with “not” before it or without."
                )
            found = self._test(field, what, start)
            return Not(found) if negated else found
        if self._take("contains"):
            return self._contains(field, start)
        negated = self._take("not")
        if self._take("in"):
            found = self._in(field)
            return Not(found) if negated else found
        if negated:
            raise self._fault("After “not” comes “in” here.")
        raise self._fault(f"After a field comes {_AFTER_FIELD}.")

    def _compare(self, field: Field, sign: re.Match[str]) -> Filter:
        op = sign.group()
        longer = self.text[self.at : self.at + 2]
        if longer in _OTHER_WORDS:
            raise self._fault(f"Did you mean “{_OTHER_WORDS[longer]}”?")
        assert op in COMPARISONS
        if op in ORDERS and field.name == "tags":
            raise self._fault("Tags have no order. Use =, !=, in or contains.")
        self.at = sign.end()
        self._space()
        start = self.at
        value = self._value(field)
        if op in ORDERS and not _has_order(value):
            raise FilterError(start, f"After “{op}” comes a number or a text.")
        return Compare(field, op, value)

    def _contains(self, field: Field, start: int) -> Filter:
        if field.name in NUMBER_FIELDS:
            raise FilterError(start, f"“{field.name}” is a number. Use =, !=, <, <=, > or >=.")
        self._space()
        start = self.at
        value = self._literal()
        if not isinstance(value, str):
            raise FilterError(start, "After “contains” comes a text in double quotes.")
        return Contains(field, value)

    def _in(self, field: Field) -> Filter:
        if not self._sign("("):
            raise self._fault('After “in” come values in parentheses, such as ("a", "b").')
        values = [self._value(field)]
        while self._sign(","):
            values.append(self._value(field))
            if len(values) > MAX_VALUES:
                raise self._fault(f"“in” takes at most {MAX_VALUES} values.")
        if not self._sign(")"):
            raise self._fault("Here “,” with another value is expected, or “)”.")
        return In(field, tuple(values))

    def _test(self, field: Field, what: str, start: int) -> Filter:
        if field.name in NUMBER_FIELDS:
            raise FilterError(start, f"Every item has a {field.name}. Compare it with a number.")
        if what == "null" and not field.is_json:
            raise FilterError(start, f"“{field.name}” is never null. Write “is missing”.")
        return Presence(field, what)

    def _field(self) -> Field:
        self._space()
        start = self.at
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise self._fault(f"Here a field is expected: {_listed()}; or “not” or “(”.")
        name = word.group().casefold()
        name = ALIASES.get(name, name)
        if name not in FIELDS:
            raise FilterError(start, _no_field(word.group()))
        self.at = word.end()
        path = self._path()
        if path and name not in JSON_FIELDS:
            raise FilterError(start, f"“{name}” is a plain value: nothing comes below it.")
        return Field(name, path)

    def _path(self) -> tuple[str | int, ...]:
        parts: list[str | int] = []
        while True:
            start = self.at
            if index := _INDEX.match(self.text, self.at):
                parts.append(int(index.group(1)))
                self.at = index.end()
            elif self.text[self.at : self.at + 1] == ".":
                self.at += 1
                parts.append(self._name())
            else:
                if self.text[self.at : self.at + 1] == "[":
                    raise self._fault("In “[ ]” stands the index of a list's element, from 0.")
                return tuple(parts)
            if len(parts) > MAX_PATH_PARTS:
                raise FilterError(start, f"A path has at most {MAX_PATH_PARTS} parts.")

    def _name(self) -> str:
        if self.text[self.at : self.at + 1] == '"':
            return self._quoted()
        if name := PLAIN_NAME.match(self.text, self.at):
            self.at = name.end()
            return name.group()
        if digits := re.compile(r"\d+").match(self.text, self.at):
            number = digits.group()
            raise self._fault(
                f'Write [{number}] for the element of a list, or ."{number}" for a name.'
            )
        raise self._fault('After “.” comes a name, in double quotes when it is not plain: ."a.b".')

    def _value(self, field: Field) -> Literal:
        """A value that can be compared with the field."""
        self._space()
        start = self.at
        value = self._literal()
        if field.name in NUMBER_FIELDS and not isinstance(value, Decimal):
            raise FilterError(start, f"“{field.name}” is compared with a number.")
        if not field.is_json and field.name not in NUMBER_FIELDS and not isinstance(value, str):
            raise FilterError(start, f"“{field.name}” is compared with a text in double quotes.")
        return value

    def _literal(self) -> Literal:
        self._space()
        if self.text[self.at : self.at + 1] == '"':
            return self._quoted()
        for name, value in (("true", True), ("false", False), ("null", None)):
            if self._take(name):
                return value
        number = _NUMBER.match(self.text, self.at)
        if number is None:
            if word := _WORD.match(self.text, self.at):
                raise self._fault(f'Texts stand in double quotes. Did you mean "{word.group()}"?')
            raise self._fault('Here a value is expected: "a text", a number, true, false or null.')
        _, _, exponent = number.group().lower().partition("e")
        if len(number.group()) > _MAX_EXPONENT or abs(int(exponent or 0)) > _MAX_EXPONENT:
            raise self._fault("This number is too large or too long.")
        self.at = number.end()
        if self.text[self.at : self.at + 1].isalnum():
            raise self._fault("A number ends here; texts stand in double quotes.")
        return Decimal(number.group())

    def _quoted(self) -> str:
        found = _TEXT.match(self.text, self.at)
        if found is None:
            raise self._fault("The text that begins here has no closing double quote.")
        try:
            value = loads(found.group(), what="The text")
        except JsonError as error:
            raise FilterError(self.at, error.message) from None
        self.at = found.end()
        return str(value)

    def _space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def _take(self, word: str) -> bool:
        """Whether that word stands here; then it is passed."""
        self._space()
        found = _WORD.match(self.text, self.at)
        if found is None or found.group().casefold() != word:
            return False
        self.at = found.end()
        return True

    def _sign(self, sign: str) -> bool:
        self._space()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def _fault(self, detail: str) -> FilterError:
        self._space()
        word = _WORD.match(self.text, self.at)
        here = word.group() if word else self.text[self.at : self.at + 2].strip()
        meant = _OTHER_WORDS.get(here.casefold()) or next(
            iter(difflib.get_close_matches(here.casefold(), _KEYWORDS, 1, 0.6)), None
        )
        if "Did you mean" not in detail and meant and meant != here.casefold():
            detail += f" Did you mean “{meant}”?"
        return FilterError(self.at, detail)


def _has_order(value: Literal) -> bool:
    return isinstance(value, str | Decimal)


def _listed() -> str:
    return ", ".join(field_text(Field(name)) for name in FIELDS)


def _no_field(word: str) -> str:
    name = word.casefold()
    close = difflib.get_close_matches(name, (*FIELDS, *ALIASES), 1, 0.7)
    meant = _OTHER_FIELDS.get(name) or (close[0] if close else f"metadata.{word}")
    return f"There is no field “{word}”. Did you mean “{meant}”? Fields: {_listed()}."
