"""pydantic's validation errors, told in the words of the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rumiai.contracts.blocks.render import SPAN_WORDS, Node, described, node_at, without_null
from rumiai.contracts.blocks.types import Foreign

Code = Literal["missing_block", "unknown_block", "missing", "unknown", "type", "range", "word", "null", "alias"]

_SHOWN_CHARACTERS: Final = 60  # enough to recognise a value in a message
_RANGE: Final = frozenset({"greater_than_equal", "less_than_equal"})
# What pydantic puts at the end of the place of a key of an object.
_KEY: Final = "[key]"


@dataclass(frozen=True)
class Problem:
    """One violation in a set of blocks: its place, its sort, the value found and the value expected."""

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


Validate = Callable[[object, Foreign], object]


def problems_of(
    validate: Validate, node: Node, value: object, path: str, duration_s: float | None
) -> list[tuple[str, Problem]]:
    """What is wrong with a foreign value.

    Args:
        validate: Checks a value by pydantic, in the given context.
        node: JSON Schema of the value's type, without references.
        value: The value.
        path: Where it stands.
        duration_s: Of the video, where that is known.

    Returns:
        Each problem with the member of the value in which it is, "" for the value itself.
    """
    try:
        validate(value, Foreign(duration_s))
    except ValidationError as exc:
        found = exc.errors(include_url=False)
        return [(str(error["loc"][0]) if error["loc"] else "", _problem(error, node, path)) for error in found]
    return []


def _problem(error: ErrorDetails, node: Node, path: str) -> Problem:
    place, kind, found = error["loc"], error["type"], error["input"]
    is_key = place[-1:] == (_KEY,)
    steps = place[:-2] if is_key else place
    where = path + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    where += " key" if is_key else ""
    if kind == "missing":
        return Problem(where, "missing", "nothing", described(node_at(node, place)))
    if kind == "extra_forbidden":
        members = without_null(node_at(node, place[:-1]))["properties"]
        return Problem(where, "unknown", "a member", f"one of {', '.join(members)}")
    if kind == "too_long":
        facts = error["ctx"]
        return Problem(where, "range", f"{facts['actual_length']} items", f"at most {facts['max_length']} items")
    if kind == "range":
        return Problem(where, "range", shown(found), error["msg"])
    expected = SPAN_WORDS if is_key else described(without_null(node_at(node, place)))
    return Problem(where, _code(kind, found), shown(found), expected)


def _code(kind: str, found: object) -> Code:
    if found is None:
        return "null"
    if kind == "literal_error" and isinstance(found, str):
        return "word"
    return "range" if kind in _RANGE else "type"
