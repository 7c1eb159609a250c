"""The JSON object out of an answer's text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from rumiai.insights.cleaning import clean
from rumiai.metrics.registry import ANALYSES, schema_of

_DECODER_ERROR_CHARS: Final = 80
# The contract has four levels.
_MOST_LEVELS: Final = 12
# Integers with more digits are refused: a float does not hold them exactly.
_MOST_DIGITS: Final = 16


class UnreadableError(ValueError):
    """There is no single JSON object with the blocks in the text."""


class _Twice(dict[str, Any]):
    """An object in which some keys came twice."""

    twice: tuple[str, ...] = ()


def read_object(text: str) -> dict[str, Any]:
    """The outermost JSON object of a text, without code fence and prose around it; its texts are cleaned.

    Raises:
        UnreadableError: There is none, it is broken off, or a block came twice.
    """
    found: dict[str, Any] | None = None
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_integer)
    position, error = text.find("{"), "there is no JSON object in it"
    while position >= 0 and found is None:
        try:
            value, _ = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as exc:
            error = f"the JSON cannot be read: {str(exc)[:_DECODER_ERROR_CHARS]}"
            break
        found = value if value else None
        position = text.find("{", position + 1)
    if found is None:
        raise UnreadableError(error)
    if isinstance(found, _Twice) and found.twice:
        raise UnreadableError(f"given twice: {', '.join(found.twice)}")
    if _too_deep(found):
        raise UnreadableError(f"it is nested more than {_MOST_LEVELS} levels deep")
    cleaned: dict[str, Any] = clean(found)
    return cleaned


def _too_deep(value: Any) -> bool:
    """Whether an object is nested so deeply that nobody should walk through it; itself without recursion."""
    level = [value]
    for _ in range(_MOST_LEVELS):
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
        ]
    return bool(level)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = _Twice(pairs)
    names = [name for name, _ in pairs]
    out.twice = tuple(sorted({name for name in names if names.count(name) > 1}))
    return out


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number is far too large")
    return int(text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def blocks_of(analysis: str, answer: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str], dict[str, Any]]:
    """Blocks by generic name, what is wrong with their names, and members that are no blocks."""
    known = schema_of(analysis).generic_of
    if len(answer) == 1 and isinstance(inner := next(iter(answer.values())), Mapping) and set(inner) & set(known):
        answer = inner  # wrapped in one more object
    blocks: dict[str, dict[str, Any]] = {}
    errors: list[str] = []
    extra: dict[str, Any] = {}
    for name, content in answer.items():
        generic = known.get(name)
        if generic is None:
            other = next((a for a in ANALYSES if name in schema_of(a).generic_of), None)
            if other is not None:
                errors.append(f"{name}: a block of {other}, expected the blocks of {analysis}")
            else:
                extra[name] = content
        elif not isinstance(content, Mapping):
            errors.append(f"{name}: got {type(content).__name__}, expected an object")
        elif generic in blocks and blocks[generic] != content:
            errors.append(f"{name}: the block {generic} is given twice with different content")
        else:
            blocks[generic] = dict(content)
    return blocks, errors, extra
