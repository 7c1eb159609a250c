"""pydantic's findings about a foreign value, in the words of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from rumiai.contracts.blocks.render import described, node_at
from rumiai.contracts.blocks.types import Foreign

Code = Literal["missing_block", "unknown_block", "missing", "unknown", "type", "range", "word", "null", "alias"]

_SHOWN_CHARACTERS: Final = 60  # enough to recognise a value in a message
_RANGE: Final = frozenset({"greater_than_equal", "less_than_equal"})
# What pydantic puts at the end of the place of a key of an object.
_KEY: Final = "[key]"


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


def problems_of(
    adapter: TypeAdapter[Any], node: dict[str, Any], value: object, path: str, duration_s: float | None
) -> list[Problem]:
    """What is wrong with a foreign value.

    Args:
        adapter: Of its type.
        node: JSON Schema of that type, without references.
        value: The value.
        path: Where it stands.
        duration_s: Of the video, where that is known.
    """
    try:
        adapter.validate_python(value, by_alias=True, by_name=False, context=Foreign(duration_s))
    except ValidationError as exc:
        return [_problem(error, node, path) for error in exc.errors(include_url=False)]
    return []


def _problem(error: ErrorDetails, node: dict[str, Any], path: str) -> Problem:
    place, kind, found = error["loc"], error["type"], error["input"]
    where = path + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    if kind == "missing":
        return Problem(where, "missing", "nothing", described(node_at(node, place)))
    if kind == "extra_forbidden":
        members = node_at(node, place[:-1])
        members = members["anyOf"][0] if "anyOf" in members else members
        return Problem(where, "unknown", "a member", f"one of {', '.join(members['properties'])}")
    if kind == "too_long":
        facts = error["ctx"]
        return Problem(where, "range", f"{facts['actual_length']} items", f"at most {facts['max_length']} items")
    if kind == "range":
        return Problem(where, "range", shown(found), error["msg"])
    if place and place[-1] == _KEY:
        where = f"{path} key"
        return Problem(where, "type", shown(found), 'span "a-bs"')
    code: Code = "range" if kind in _RANGE else "type"
    if found is None:
        code = "null"
    elif kind == "literal_error" and isinstance(found, str):
        code = "word"
    return Problem(where, code, shown(found), described(node_at(node, place)))
