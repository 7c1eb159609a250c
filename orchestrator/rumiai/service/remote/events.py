"""Events of a run elsewhere -> those of a run here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rumiai.contracts.outcome import ClaudeTotals
from rumiai.contracts.outcome_reading import read_outcome
from rumiai.contracts.run_events import (
    ClaudeEvent,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    RunStartedEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.core.json_values import JsonObject
from rumiai.errors import ContractError

_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], RunEvent]]] = {
    "run": lambda told: RunStartedEvent(told["run_id"], told["videos"]),
    "progress": lambda told: ProgressEvent(told["video_id"], told["stage"], told.get("done"), told.get("of")),
    "retry": lambda told: RetryEvent(told["video_id"], told["reason"]),
    "server": lambda told: ServerEvent(told["state"], told["message"]),
    "claude": lambda told: ClaudeEvent(told["state"], told["message"], read_totals(told) if "videos" in told else None),
    "video": lambda told: VideoEvent(read_outcome(told)),
}


def read_event(members: JsonObject) -> RunEvent | None:
    """Read the JSON form of an event; None for a kind that this version does not know.

    Raises:
        ContractError: It lacks a member.
    """
    reader = _READERS.get(str(members["event"]))
    try:
        return None if reader is None else reader(members)
    except (KeyError, TypeError) as exc:
        raise ContractError(f"not an event of a run: {exc}", hint="use one version of RumiAI on both ends") from exc


def read_totals(members: Mapping[str, Any]) -> ClaudeTotals:
    """Read Claude's totals out of what holds them."""
    return ClaudeTotals(**{name: members[name] for name in ClaudeTotals.__dataclass_fields__})
