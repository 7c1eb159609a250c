"""Settings in effect as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from rumiai.core.json_values import JsonValue
from rumiai.settings import Effective
from rumiai.settings.origins import DEFAULT


def settings_table(found: Sequence[Effective]) -> RenderableType:
    """One setting a row; what is not the default stands out."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for each in found:
        is_default = each.origin == DEFAULT
        table.add_row(
            Text(each.name, style="" if is_default else "bold"),
            Text(_told(each.value)),
            Text(each.origin, style="dim" * is_default),
        )
    return table


def _told(value: JsonValue) -> str:
    """As it would be set."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ",".join(map(str, value))
    return "" if value is None else json.dumps(value)
