"""Rows of the file -> records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from rumiai.core.json_values import JsonObject, JsonValue
from rumiai.records.types import AttemptRecord, ErrorRecord, EventRecord, RunRecord, StageRecord, VideoRecord

Row = sqlite3.Row
# Of a video, all but its outcome.
PLAIN_COLUMNS: Final = tuple(field.name for field in fields(VideoRecord) if field.name != "outcome")


def _columns(row: Row, kind: type[Any]) -> dict[str, Any]:
    """The columns that a record has as members under the same names."""
    names = {field.name for field in fields(kind)}
    return {name: row[name] for name in row.keys() if name in names}  # noqa: SIM118 - iterating a row gives values


def _json(text: str | None) -> JsonObject | None:
    return None if text is None else json.loads(text)


def without(value: JsonValue, source: str) -> JsonValue:
    """A JSON value without what stands for a source: members of lists that are it, or that have it as a member."""
    if isinstance(value, Mapping):
        return {name: without(each, source) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        left = [each for each in value if each != source]
        return [without(each, source) for each in left if not (isinstance(each, Mapping) and source in each.values())]
    return value


def run_of(row: Row, sums: Sequence[Row]) -> RunRecord:
    """A run, with sums over its videos by their state."""
    read = {name: json.loads(row[name]) for name in ("settings", "request")}
    costs_known = not any(each["unknown"] for each in sums)
    return RunRecord(
        **{
            **_columns(row, RunRecord),
            **read,
            "sources": tuple(json.loads(row["sources"])),
            "claude": _json(row["claude"]),
            "counts": {each["state"]: each["count"] for each in sums},
            "seconds": sum(each["seconds"] or 0.0 for each in sums),
            "bytes": sum(each["bytes"] or 0 for each in sums),
            "cost_usd": sum(each["cost_usd"] or 0.0 for each in sums) if costs_known else None,
        }
    )


def video_of(row: Row) -> VideoRecord:
    """A video."""
    columns = _columns(row, VideoRecord)
    return VideoRecord(**{**columns, "skipped": bool(row["skipped"]), "outcome": _json(columns.get("outcome"))})


def stage_of(row: Row) -> StageRecord:
    """A stage."""
    return StageRecord(**{**_columns(row, StageRecord), "ok": bool(row["ok"]), "cached": bool(row["cached"])})


def attempt_of(row: Row) -> AttemptRecord:
    """An attempt."""
    return AttemptRecord(**_columns(row, AttemptRecord))


def error_of(row: Row) -> ErrorRecord:
    """An error."""
    return ErrorRecord(**_columns(row, ErrorRecord))


def event_of(row: Row) -> EventRecord:
    """An event; that of a finished video has the members of its outcome."""
    members = {"event": row["kind"], **(_json(row["body"]) or {})}
    return EventRecord(row["seq"], row["at"], row["kind"], members)
