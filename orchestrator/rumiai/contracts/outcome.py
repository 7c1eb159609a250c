"""What became of one video in a run: the item of the ``done`` event, of the exit code and of the table at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "partial", "failed"]


@dataclass(frozen=True)
class Failure:
    """Why a video failed: the error's class, its message, the stage in which it came, and its exit code."""

    type: str
    message: str
    stage: str
    exit_code: int = 1

    def to_dict(self) -> dict[str, str]:
        """JSON form."""
        return {"type": self.type, "message": self.message, "stage": self.stage}


@dataclass(frozen=True)
class VideoOutcome:
    """One video's outcome.

    Attributes:
        video_id: Safe id.
        source: Path as it was found.
        status: ``ok``; ``partial`` when some service failed or the file broke off; ``failed`` when there is no result.
        skipped: Everything had been finished by an earlier run.
        seconds: Wall-clock seconds of this run.
        files: Kind or service -> path.
        error: Only when failed.
        services: Service -> {"ok", "reason", "seconds", "cached"}.
        stage_seconds: Stage -> seconds.
        analyses: Analysis -> {"source", "confidence", "model", "cost_usd", "tokens", "seconds", "errors", "files"}.
        warnings: What a reader of the results should know.
        summary: What the table at the end shows; see ``summary.summarise``.
        memory: Of the worker, when it was done: {"final_process_gb", "peak_process_gb", "system_percent"}; the peak is
            that of all videos that the worker had.
    """

    video_id: str
    source: str
    status: Status
    skipped: bool = False
    seconds: float = 0.0
    files: Mapping[str, str] = field(default_factory=dict)
    error: Failure | None = None
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    analyses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON form; the keys of the ``done`` event first."""
        return {
            "video_id": self.video_id,
            "status": self.status,
            "skipped": self.skipped,
            "seconds": round(self.seconds, 3),
            "files": dict(self.files),
            "error": self.error.to_dict() if self.error else None,
            "source": self.source,
            "services": {name: dict(facts) for name, facts in self.services.items()},
            "stage_seconds": {name: round(s, 3) for name, s in self.stage_seconds.items()},
            "analyses": {name: dict(facts) for name, facts in self.analyses.items()},
            "warnings": list(self.warnings),
            "summary": dict(self.summary),
            "memory": dict(self.memory),
        }


def exit_code(outcomes: Sequence[VideoOutcome]) -> int:
    """Of a run: 0 when every video is ok or partial, the common code when all failures share one, else 1."""
    codes = {outcome.error.exit_code if outcome.error else 1 for outcome in outcomes if outcome.status == "failed"}
    if not codes:
        return 0
    return codes.pop() if len(codes) == 1 else 1
