"""Types of values that JSON can hold, for what is passed on as the file has it.

Read-only on purpose: a narrower list or mapping is one of them, and nobody writes into what came from a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]
