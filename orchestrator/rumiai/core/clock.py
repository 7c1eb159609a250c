"""The present instant, as files have it."""

from __future__ import annotations

from datetime import UTC, datetime


def now_iso() -> str:
    """The present instant, ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
