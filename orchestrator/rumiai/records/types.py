"""Rows of the records as types. Instants are ISO 8601 in UTC with milliseconds, as in all files of RumiAI."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rumiai.contracts.outcome import ClaudeTotals
from rumiai.core.json_values import JsonObject
from rumiai.core.processes import ProcessIdentity

RunState = Literal["accepted", "running", "done", "cancelled", "interrupted", "failed"]
EndingState = Literal["done", "cancelled", "interrupted", "failed"]
VideoState = Literal["waiting", "running", "ok", "partial", "failed", "unfinished"]
# Of videos that have not ended.
OPEN: Final[Collection[VideoState]] = ("waiting", "running")
# Of what is asked to end: the videos that wait, or also those in flight.
CancelKind = Literal["waiting", "all"]
StageKind = Literal["stage", "service"]


@dataclass(frozen=True)
class NewRun:
    """A run that is accepted.

    Attributes:
        sources: What the user named.
        settings: Of the run, as JSON values; never a key.
        kind: Who accepted it: ``submit``, ``retry``, ``serve``.
        request: What the accepting program keeps of the request for itself, such as a webhook.
        fingerprint: Of the request, to tell whether a repeated idempotency key asks for the same.
        idempotency_key: A second run with the same key is the first one; None is never the same.
    """

    sources: tuple[str, ...]
    settings: JsonObject
    kind: str = "submit"
    request: JsonObject = field(default_factory=dict)
    fingerprint: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class NewVideo:
    """A video of a run: its id in the output folder, where it is, and its size if that is known."""

    video_id: str
    source: str
    bytes: int | None = None


@dataclass(frozen=True)
class RunEnding:
    """How a run ended.

    Attributes:
        state: ``done`` is also a run whose videos failed; ``failed`` one that an error ended early.
        exit_code: Of ``submit`` (docs/outputs.md).
        error_type: Class of the error that ended it early.
        error_message: Of that error.
        claude: Totals of Claude's half; None when it was off.
    """

    state: EndingState
    exit_code: int
    error_type: str | None = None
    error_message: str | None = None
    claude: ClaudeTotals | None = None


@dataclass(frozen=True)
class RunRecord:
    """One run.

    Attributes:
        run_id: Sorts by time.
        kind: See :class:`NewRun`.
        state: As it was last written; see :attr:`died`.
        created_at: When it was accepted.
        started_at: When a process began it; None before.
        ended_at: When it ended; None before.
        seen_at: When its process last wrote.
        owner: The process that runs it, or ran it.
        sources: See :class:`NewRun`.
        settings: See :class:`NewRun`.
        request: See :class:`NewRun`.
        fingerprint: See :class:`NewRun`.
        idempotency_key: See :class:`NewRun`.
        cancel: What was asked to end.
        exit_code: See :class:`RunEnding`.
        error_type: See :class:`RunEnding`.
        error_message: See :class:`RunEnding`.
        claude: Totals of Claude's half as JSON; None when it was off or has not ended.
        counts: How many of its videos are in each state; states without any are left out.
        seconds: Of work on its videos, summed.
        bytes: Of its videos, summed; of those whose size is known.
        cost_usd: Of its videos, summed; None when a price is not known.
    """

    run_id: str
    kind: str
    state: RunState
    created_at: str
    sources: tuple[str, ...]
    settings: JsonObject
    request: JsonObject
    fingerprint: str
    idempotency_key: str | None
    started_at: str | None = None
    ended_at: str | None = None
    seen_at: str | None = None
    owner: str | None = None
    cancel: CancelKind | None = None
    exit_code: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    claude: JsonObject | None = None
    counts: Mapping[VideoState, int] = field(default_factory=dict)
    seconds: float = 0.0
    bytes: int = 0
    cost_usd: float | None = 0.0

    @property
    def died(self) -> bool:
        """Whether its process ended without ending the run: it was killed, or the machine went down."""
        if self.state != "running" or self.owner is None:
            return False
        owner = ProcessIdentity.parse(self.owner)
        return owner is not None and owner.ended

    @property
    def shown_state(self) -> str:
        """The state for a person: ``died`` where it died."""
        return "died" if self.died else self.state

    @property
    def shown_counts(self) -> Mapping[VideoState, int]:
        """The counts for a person: what a process that died had before it or in flight is ``unfinished``."""
        if not self.died:
            return self.counts
        ended = {state: count for state, count in self.counts.items() if state not in OPEN}
        open_ = self.videos - sum(ended.values())
        return {**ended, "unfinished": ended.get("unfinished", 0) + open_} if open_ else ended

    @property
    def videos(self) -> int:
        """How many videos it has."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class VideoRecord:
    """One video of one run.

    Attributes:
        run_id: Of the run.
        video_id: Its id in the output folder.
        position: Its place in the run, from 0.
        source: Where it is.
        bytes: Its size; None when it is not known.
        state: ``unfinished``: the run ended before the video did.
        stage: Where it is, or where it ended.
        stage_since: When it came there.
        done: How much of ``of`` the stage has done; None where it does not count.
        of: See ``done``.
        attempts: How often it was begun.
        skipped: Whether an earlier run had done it.
        started_at: When it was first begun.
        ended_at: When it ended.
        seconds: Of work, of the attempt that ended it.
        cost_usd: Of Claude in this run; None when it is not known.
        tokens: Of Claude in this run.
        error_type: Of the failure, as of ``error_message`` and ``error_stage``.
        error_message: See ``error_type``.
        error_stage: See ``error_type``.
        outcome: The members of its ``video`` event; None before it ended.
    """

    run_id: str
    video_id: str
    position: int
    source: str
    bytes: int | None
    state: VideoState
    stage: str | None
    stage_since: str | None
    done: int | None
    of: int | None
    attempts: int
    skipped: bool
    started_at: str | None
    ended_at: str | None
    seconds: float | None
    cost_usd: float | None
    tokens: int | None
    error_type: str | None
    error_message: str | None
    error_stage: str | None
    outcome: JsonObject | None


@dataclass(frozen=True)
class StageRecord:
    """Seconds of one stage or service of a video; ``ok``, ``cached`` and ``reason`` are of services."""

    kind: StageKind
    name: str
    seconds: float
    ok: bool
    cached: bool
    reason: str | None


@dataclass(frozen=True)
class AttemptRecord:
    """One attempt at a video: its number from 1, its times, its last stage, and how it ended (None: it has not)."""

    number: int
    started_at: str
    ended_at: str | None
    stage: str | None
    outcome: str | None


@dataclass(frozen=True)
class ErrorRecord:
    """What went wrong, with the last lines that the log had of it; ``video_id`` is None where it ended the run."""

    video_id: str | None
    attempt: int | None
    at: str
    type: str
    message: str
    stage: str | None
    log_tail: str


@dataclass(frozen=True)
class EventRecord:
    """One event of a run, without progress and logs.

    Attributes:
        seq: Grows by time in the whole folder.
        at: When it came.
        kind: Of event.
        members: As ``--json`` prints it.
    """

    seq: int
    at: str
    kind: str
    members: JsonObject
