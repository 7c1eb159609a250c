"""JSON from outside: what others wrote becomes text that can be stored, or one clear error."""

from __future__ import annotations

import json
import re
from typing import Any, Final

# Halves of a pair of UTF-16: no characters, and UTF-8 cannot hold them.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
# Levels of lists and objects: a scraped item has about five.
_LEVELS: Final = 64
_TOO_DEEP: Final = f"it is nested more than {_LEVELS} levels deep"


def read_foreign(content: str | bytes) -> Any:
    """The value of a JSON text, with :func:`valid` texts.

    Raises:
        ValueError: It is no JSON, no UTF-8, or nested too deeply.
    """
    try:
        return valid(json.loads(content))
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def valid(value: Any, levels: int = _LEVELS) -> Any:
    """A value of JSON whose texts, names of members too, are valid Unicode: U+FFFD for each lone surrogate.

    Args:
        value: Of lists, dicts and plain values.
        levels: Of lists and dicts that it may have.

    Raises:
        ValueError: It has more.
    """
    if isinstance(value, str):
        return _SURROGATE.sub(_REPLACEMENT, value)
    if not isinstance(value, dict | list):
        return value
    if not levels:
        raise ValueError(_TOO_DEEP)
    if isinstance(value, list):
        return [valid(entry, levels - 1) for entry in value]
    return {valid(name): valid(member, levels - 1) for name, member in value.items()}


def longest_text(value: Any) -> int:
    """Characters of the longest text in a value of JSON; 0 without any."""
    if isinstance(value, str):
        return len(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(longest_text, inner), default=0)
