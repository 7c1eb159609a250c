"""What happens during a run: one type per kind of event. With ``--json`` each is a line on stdout.

Workers send ``progress`` and ``log`` to the parent process; the parent makes the others itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, TypeAlias

from rumiai.contracts.outcome import ClaudeTotals, VideoOutcome
from rumiai.core.json_values import JsonValue

Members: TypeAlias = dict[str, JsonValue]
ServerState: TypeAlias = Literal[
    "starting",
    "ready",
    "stopping",
    "interrupted",
    "waiting",
    "model_down",
    "model_up",
    "server_down",
    "server_up",
    "gave_up",
]


@dataclass(frozen=True)
class RunStartedEvent:
    """A run begins.

    Attributes:
        run_id: What the records of the output folder call it.
        videos: How many it has.
    """

    kind: ClassVar[str] = "run"
    run_id: str
    videos: int

    def to_json(self) -> Members:
        """JSON form."""
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True)
class ProgressEvent:
    """A stage of one video begins, or has come so far.

    Attributes:
        video_id: Which video.
        stage: Its name.
        done: How much of ``of`` is done; None where the stage does not count.
        of: How much there is.
    """

    kind: ClassVar[str] = "progress"
    video_id: str
    stage: str
    done: int | None = None
    of: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether no further progress of this step follows; True where the stage does not count."""
        return self.done == self.of

    def to_json(self) -> Members:
        """JSON form; without ``done`` and ``of`` where the stage does not count."""
        counts: Members = {} if self.done is None else {"done": self.done, "of": self.of}
        return {"event": self.kind, "video_id": self.video_id, "stage": self.stage, **counts}


@dataclass(frozen=True)
class LogEvent:
    """A log record of a worker process.

    Attributes:
        level: Name of its level.
        logger: Name of its logger.
        message: Its text, with the traceback if there is one.
        pid: Of the worker.
        video_id: The video that the worker has; None between two videos.
    """

    kind: ClassVar[str] = "log"
    level: str
    logger: str
    message: str
    pid: int
    video_id: str | None = None

    def to_json(self) -> Members:
        """JSON form."""
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True)
class RetryEvent:
    """A video is begun again.

    Attributes:
        video_id: Which video.
        reason: What went wrong: its worker process died, or the model server has gone.
    """

    kind: ClassVar[str] = "retry"
    video_id: str
    reason: str

    def to_json(self) -> Members:
        """JSON form."""
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True)
class ServerEvent:
    """The model server of the run, or the run itself, changes its state.

    Attributes:
        state: ``interrupted`` (by a signal or ``cancel``) and ``waiting`` (for memory) are of the run. Those behind
            them are what a server that the run started says of itself, see
            :class:`rumiai.contracts.server_events.ServerStateChange`.
        message: For a person.
    """

    kind: ClassVar[str] = "server"
    state: ServerState
    message: str

    def to_json(self) -> Members:
        """JSON form."""
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True)
class ClaudeEvent:
    """Where Claude's half of the run is.

    Attributes:
        state: ``estimate`` comes first, ``submitted`` for each batch, ``done`` last.
        message: For a person.
        totals: With ``done``; else None.
    """

    kind: ClassVar[str] = "claude"
    state: Literal["estimate", "submitted", "done"]
    message: str
    totals: ClaudeTotals | None = None

    def to_json(self) -> Members:
        """JSON form, the totals as further members."""
        totals = asdict(self.totals) if self.totals else {}
        return {"event": self.kind, "state": self.state, "message": self.message, **totals}


@dataclass(frozen=True)
class VideoEvent:
    """One video is finished, or was given up.

    Attributes:
        outcome: What became of it.
    """

    kind: ClassVar[str] = "video"
    outcome: VideoOutcome

    def to_json(self) -> Members:
        """JSON form: the members of the outcome."""
        return {"event": self.kind, **self.outcome.to_dict()}


@dataclass(frozen=True)
class NotStarted:
    """A video that the run never came to."""

    video_id: str

    def to_dict(self) -> Members:
        """JSON form: the members that every video has in the ``done`` event."""
        reason: Members = {"type": "NotStarted", "message": "the run ended before this video", "stage": "start"}
        return {
            "video_id": self.video_id,
            "status": "failed",
            "skipped": False,
            "seconds": 0.0,
            "files": {},
            "error": reason,
        }


@dataclass(frozen=True)
class DoneEvent:
    """The last event of a run.

    Attributes:
        videos: An outcome for each video, in their order.
        claude: What Claude did; None when it was off.
        error: What ended the run early; None when nothing did.
    """

    kind: ClassVar[str] = "done"
    videos: Sequence[VideoOutcome | NotStarted]
    claude: ClaudeTotals | None
    error: Exception | None

    def to_json(self) -> Members:
        """JSON form."""
        error: Members | None = None
        if self.error is not None:
            error = {"type": type(self.error).__name__, "message": str(self.error)}
        return {
            "event": self.kind,
            "videos": [video.to_dict() for video in self.videos],
            "claude": asdict(self.claude) if self.claude else None,
            "error": error,
        }


WorkerEvent: TypeAlias = ProgressEvent | LogEvent
RunEvent: TypeAlias = RunStartedEvent | WorkerEvent | RetryEvent | ServerEvent | ClaudeEvent | VideoEvent | DoneEvent
EventHandler: TypeAlias = Callable[[RunEvent], None]
