"""Events of a run -> what changes in its records. It keeps in memory what an event alone does not say."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import (
    ClaudeEvent,
    LogEvent,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    RunStartedEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.records.connection import Value

# Lines of the log that are kept with an error, and characters of each.
_TAIL_LINES: Final = 20
_LINE_CHARS: Final = 2000
# Failures of videos that the run did not come to an end with.
_NOT_FINISHED: Final = frozenset({"Interrupted", "Cancelled"})

Change = tuple[str, tuple[Value, ...]]

_PROGRESS: Final = (
    "UPDATE videos SET state = 'running', stage = ?, stage_since = ?, done = ?, of = ?, attempts = ?,"
    " started_at = COALESCE(started_at, ?) WHERE run_id = ? AND video_id = ?"
)
_ATTEMPT: Final = (
    "INSERT OR IGNORE INTO attempts (run_id, video_id, number, started_at)"
    " SELECT run_id, video_id, ?, ? FROM videos WHERE run_id = ? AND video_id = ?"
)
_ATTEMPT_ENDS: Final = (
    "UPDATE attempts SET ended_at = ?, stage = ?, outcome = ? WHERE run_id = ? AND video_id = ? AND number = ?"
)
_ERROR: Final = (
    "INSERT INTO errors (run_id, video_id, attempt, at, type, message, stage, log_tail)"
    " SELECT run_id, video_id, ?, ?, ?, ?, ?, ? FROM videos WHERE run_id = ? AND video_id = ?"
)
_VIDEO: Final = (
    "UPDATE videos SET state = ?, stage = COALESCE(?, stage), done = NULL, of = NULL, skipped = ?, ended_at = ?,"
    " bytes = COALESCE(?, bytes), seconds = ?, cost_usd = ?, tokens = ?, error_type = ?, error_message = ?,"
    " error_stage = ?, outcome = ? WHERE run_id = ? AND video_id = ?"
)
_STAGE: Final = (
    "INSERT OR REPLACE INTO stages (run_id, video_id, kind, name, seconds, ok, cached, reason)"
    " SELECT run_id, video_id, ?, ?, ?, ?, ?, ? FROM videos WHERE run_id = ? AND video_id = ?"
)
_EVENT: Final = "INSERT INTO events (run_id, at, kind, body) VALUES (?, ?, ?, ?)"
# Of a video that was deleted meanwhile nothing is written: every statement looks for its row.
_VIDEO_EVENT: Final = (
    "INSERT INTO events (run_id, video_id, at, kind, body)"
    " SELECT run_id, video_id, ?, ?, ? FROM videos WHERE run_id = ? AND video_id = ?"
)


@dataclass
class _Flight:
    """A video in flight: its attempt, its stage and since when, and the last lines of its log."""

    attempt: int = 0
    is_open: bool = False
    stage: str | None = None
    since: str | None = None
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))


class Folding:
    """Turns the events of one run, in their order, into statements.

    Args:
        run_id: Of the run.
        attempts: How often videos were begun before, where another process ran a part of the run.
    """

    def __init__(self, run_id: str, attempts: Mapping[str, int] | None = None) -> None:
        self._run_id = run_id
        self._flights = {video_id: _Flight(number) for video_id, number in (attempts or {}).items()}
        self._ended: set[str] = set()

    def changes(self, event: RunEvent, at: str) -> Iterator[Change]:
        """The statements of one event.

        Args:
            event: What happened.
            at: When, ISO 8601.
        """
        match event:
            case ProgressEvent():
                yield from self._progress(event, at)
            case LogEvent(level, _, message, _, video_id):
                if video_id is not None:
                    self._flight(video_id).log.append(f"{level} {message}"[:_LINE_CHARS])
            case RetryEvent():
                yield from self._retry(event, at)
            case VideoEvent(outcome):
                yield from self._video(outcome, at)
            case ServerEvent() | ClaudeEvent() | RunStartedEvent():
                yield _EVENT, (self._run_id, at, event.kind, json.dumps(event.to_json()))

    def _flight(self, video_id: str) -> _Flight:
        return self._flights.setdefault(video_id, _Flight())

    def _progress(self, event: ProgressEvent, at: str) -> Iterator[Change]:
        # Workers' events come by a socket of their own: one may arrive when its video has ended.
        if event.video_id in self._ended:
            return
        flight = self._flight(event.video_id)
        if not flight.is_open:
            flight.attempt, flight.is_open = flight.attempt + 1, True
            yield _ATTEMPT, (flight.attempt, at, self._run_id, event.video_id)
        if event.stage != flight.stage:
            flight.stage, flight.since = event.stage, at
        counts = (event.done, event.of, flight.attempt)
        yield _PROGRESS, (flight.stage, flight.since, *counts, at, self._run_id, event.video_id)

    def _retry(self, event: RetryEvent, at: str) -> Iterator[Change]:
        flight = self._flight(event.video_id)
        yield from self._ends(event.video_id, event.reason, at)
        yield self._error(event.video_id, "Retry", event.reason, flight.stage, at)
        yield self._event(event.video_id, event.kind, json.dumps(event.to_json()), at)
        flight.stage = None
        flight.log.clear()

    def _video(self, outcome: VideoOutcome, at: str) -> Iterator[Change]:
        video_id, error, told = outcome.video_id, outcome.error, outcome.to_dict()
        unfinished = error is not None and error.type in _NOT_FINISHED
        yield from self._ends(video_id, error.type if error else outcome.status, at)
        failure = (error.type, error.message, error.stage) if error else (None, None, None)
        state = "unfinished" if unfinished else outcome.status
        cost = [analysis.cost_usd for analysis in outcome.analyses.values()]
        known = [each for each in cost if each is not None]
        sums = (sum(known) if len(known) == len(cost) else None, sum(a.tokens for a in outcome.analyses.values()))
        values = (
            state,
            error.stage if error and not unfinished else None,  # where it was given up is where it was
            outcome.skipped,
            at,
            outcome.bytes,
            outcome.seconds,
            *sums,
            *failure,
        )
        yield _VIDEO, (*values, json.dumps(told), self._run_id, video_id)
        if error is not None and not unfinished:
            yield self._error(video_id, error.type, error.message, error.stage, at)
        yield from self._stages(outcome)
        yield self._event(video_id, VideoEvent.kind, None, at)
        self._ended.add(video_id)
        self._flights.pop(video_id, None)

    def _ends(self, video_id: str, how: str, at: str) -> Iterator[Change]:
        flight = self._flight(video_id)
        if flight.is_open:
            yield _ATTEMPT_ENDS, (at, flight.stage, how, self._run_id, video_id, flight.attempt)
        flight.is_open = False

    def _stages(self, outcome: VideoOutcome) -> Iterator[Change]:
        place = (self._run_id, outcome.video_id)
        for name, seconds in outcome.stage_seconds.items():
            yield _STAGE, ("stage", name, seconds, True, False, None, *place)
        for name, service in outcome.services.items():
            yield _STAGE, ("service", name, service.seconds, service.ok, service.cached, service.reason, *place)

    def _error(self, video_id: str, kind: str, message: str, stage: str | None, at: str) -> Change:
        flight = self._flight(video_id)
        told = (flight.attempt or None, at, kind, message, stage, "\n".join(flight.log))
        return _ERROR, (*told, self._run_id, video_id)

    def _event(self, video_id: str, kind: str, body: str | None, at: str) -> Change:
        return _VIDEO_EVENT, (at, kind, body, self._run_id, video_id)
