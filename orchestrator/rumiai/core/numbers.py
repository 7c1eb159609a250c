"""Numbers out of JSON of any origin."""

from __future__ import annotations

import math


def number(value: object) -> float | None:
    """A finite number, also from text; None for anything else, booleans included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
