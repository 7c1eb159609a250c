"""The types that a field of a block can have; each one checks, explains itself and writes its JSON Schema.

Unknown is null, and only a :class:`Maybe` may be null. NaN and infinity are no numbers, as they are none in JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

Code = Literal["missing_block", "unknown_block", "missing", "unknown", "type", "range", "word", "null", "alias"]

# Half a millisecond more than the rounding of output times.
_TIME_TOLERANCE_S: Final = 0.0015
# A span label has one decimal, so it may round past the end by half of that.
_SPAN_TOLERANCE_S: Final = 0.051
_SPAN: Final = re.compile(r"(\d+(?:\.\d)?)-(\d+(?:\.\d)?)s")
_SHOWN_CHARACTERS: Final = 60  # enough to recognise a value in a message


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a set of blocks: where, of what sort, what was found and what belongs there."""

    path: str
    code: Code
    got: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: got {self.got}, expected {self.expected}"


def shown(value: object) -> str:
    """A short form of any value for a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


class Type:
    """What a value may be."""

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """Yield what is wrong with the value; times are held against the duration where that is known."""
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema (draft 2020-12) of the type."""
        raise NotImplementedError

    def describe(self) -> str:
        """The type in words, as the contract text and the documentation have it."""
        raise NotImplementedError

    def _wrong(self, value: object, path: str, code: Code = "type") -> Problem:
        if value is None:
            code = "null"
        return Problem(path, code, shown(value), self.describe())


@dataclass(frozen=True)
class Number(Type):
    """A finite number, whole if ``whole``, within ``low`` and ``high`` where given; ``is_time`` marks video seconds."""

    whole: bool = False
    low: float | None = None
    high: float | None = None
    unit: str = ""
    is_time: bool = False

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if not self._is_number(value):
            yield self._wrong(value, path)
        elif (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            yield self._wrong(value, path, "range")
        elif self.is_time and duration_s is not None and value > duration_s + _TIME_TOLERANCE_S:
            yield Problem(path, "range", shown(value), f"a time in 0..{duration_s:g} s")

    def _is_number(self, value: object) -> TypeGuard[int | float]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return False
        return not self.whole or value == int(value)

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        schema: dict[str, Any] = {"type": "integer" if self.whole else "number"}
        if self.low is not None:
            schema["minimum"] = self.low
        if self.high is not None:
            schema["maximum"] = self.high
        return schema

    def describe(self) -> str:
        """See :class:`Type`."""
        name = "integer" if self.whole else "number"
        if self.low is not None and self.high is not None:
            name += f" {self.low:g}..{self.high:g}"
        elif self.low is not None:
            name += f" >= {self.low:g}"
        unit = "s" if self.is_time else self.unit
        return f"{name} {unit}" if unit else name


@dataclass(frozen=True)
class Flag(Type):
    """True or false."""

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if not isinstance(value, bool):
            yield self._wrong(value, path)

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        return {"type": "boolean"}

    def describe(self) -> str:
        """See :class:`Type`."""
        return "boolean"


@dataclass(frozen=True)
class Text(Type):
    """Any string."""

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if not isinstance(value, str):
            yield self._wrong(value, path)

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        return {"type": "string"}

    def describe(self) -> str:
        """See :class:`Type`."""
        return "string"


@dataclass(frozen=True)
class Words(Type):
    """One of some words."""

    words: tuple[str, ...]

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if not isinstance(value, str):
            yield self._wrong(value, path)
        elif value not in self.words:
            yield self._wrong(value, path, "word")

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        return {"type": "string", "enum": list(self.words)}

    def describe(self) -> str:
        """See :class:`Type`."""
        return " | ".join(self.words)


@dataclass(frozen=True)
class Span(Type):
    """A stretch of video time as ``"a-bs"``, both in seconds with at most one decimal."""

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        match = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            yield self._wrong(value, path)
        elif float(match[1]) > float(match[2]):
            yield self._wrong(value, path, "range")
        elif duration_s is not None and float(match[2]) > math.ceil(duration_s) + _SPAN_TOLERANCE_S:
            # The label of the last one-second bin ends with its second.
            yield Problem(path, "range", shown(value), f"a span within 0..{duration_s:g} s")

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        return {"type": "string", "pattern": f"^{_SPAN.pattern}$"}

    def describe(self) -> str:
        """See :class:`Type`."""
        return 'span "a-bs"'


@dataclass(frozen=True)
class ListOf(Type):
    """A list whose items are all of one type."""

    item: Type
    at_most: int | None = None

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if isinstance(value, str) or not isinstance(value, Sequence):
            yield self._wrong(value, path)
            return
        if self.at_most is not None and len(value) > self.at_most:
            yield Problem(path, "range", f"{len(value)} items", f"at most {self.at_most} items")
        for index, item in enumerate(value):
            yield from self.item.check(item, f"{path}[{index}]", duration_s)

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        schema: dict[str, Any] = {"type": "array", "items": self.item.json_schema()}
        if self.at_most is not None:
            schema["maxItems"] = self.at_most
        return schema

    def describe(self) -> str:
        """See :class:`Type`."""
        most = "" if self.at_most is None else f" of at most {self.at_most}"
        return f"list{most} of {self.item.describe()}"


class Record(Type):
    """An object with exactly these members, in this order: ``Record(start=TIME, end=TIME)``.

    Members named like a Python keyword are given through a dict: ``Record({"from": ..}, to=..)``.
    """

    def __init__(self, first: Mapping[str, Type] | None = None, /, **members: Type) -> None:
        self.members: dict[str, Type] = {**(first or {}), **members}

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if not isinstance(value, Mapping):
            yield self._wrong(value, path)
            return
        for name, member in self.members.items():
            if name in value:
                yield from member.check(value[name], f"{path}.{name}", duration_s)
            else:
                yield Problem(f"{path}.{name}", "missing", "nothing", member.describe())
        for name in value:
            if name not in self.members:
                yield Problem(f"{path}.{name}", "unknown", "a member", f"one of {', '.join(self.members)}")

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        return {
            "type": "object",
            "properties": {name: member.json_schema() for name, member in self.members.items()},
            "required": list(self.members),
            "additionalProperties": False,
        }

    def describe(self) -> str:
        """See :class:`Type`."""
        return "{" + ", ".join(f"{name}: {member.describe()}" for name, member in self.members.items()) + "}"


@dataclass(frozen=True)
class Table(Type):
    """An object with any keys (spans, if ``span_keys``) and values of one type."""

    value: Type
    span_keys: bool = False

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if not isinstance(value, Mapping):
            yield self._wrong(value, path)
            return
        for key, item in value.items():
            if self.span_keys:
                yield from Span().check(key, f"{path} key", duration_s)
            yield from self.value.check(item, f"{path}.{key}", duration_s)

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        schema: dict[str, Any] = {"type": "object", "additionalProperties": self.value.json_schema()}
        if self.span_keys:
            schema["propertyNames"] = {"pattern": f"^{_SPAN.pattern}$"}
        return schema

    def describe(self) -> str:
        """See :class:`Type`."""
        return f"object {Span().describe() if self.span_keys else 'name'} -> {self.value.describe()}"


@dataclass(frozen=True)
class Maybe(Type):
    """The inner type, or null where it is unknown."""

    inner: Type

    def check(self, value: object, path: str, duration_s: float | None) -> Iterator[Problem]:
        """See :class:`Type`."""
        if value is not None:
            yield from self.inner.check(value, path, duration_s)

    def json_schema(self) -> dict[str, Any]:
        """See :class:`Type`."""
        return {"anyOf": [self.inner.json_schema(), {"type": "null"}]}

    def describe(self) -> str:
        """See :class:`Type`."""
        return f"{self.inner.describe()} or null"


INT: Final = Number(whole=True, low=0)
BIT: Final = Number(whole=True, low=0, high=1)
FLOAT: Final = Number()
POSITIVE: Final = Number(low=0)
RATIO: Final = Number(low=0, high=1)
SIGNED: Final = Number(low=-1, high=1)
PERCENT: Final = Number(low=0, high=100, unit="%")
SECONDS: Final = Number(low=0, unit="s")
TIME: Final = Number(low=0, is_time=True)
TEXT: Final = Text()
FLAG: Final = Flag()
SPAN: Final = Span()
STRINGS: Final = ListOf(TEXT)


def words(text: str) -> Words:
    """The words of a blank-separated text: ``words("low medium high")``."""
    return Words(tuple(text.split()))
