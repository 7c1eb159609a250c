"""Outcome of each video of a run, and Claude's totals: for events, the table at the end and the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from rumiai.core.json_values import JsonValue
from rumiai.errors import UsageError

Status = Literal["ok", "partial", "failed"]
AnalysisSource = Literal["python", "claude", "python_fallback"]

# Below this a difference of sums is rounding.
_LEAST_USD: Final = 1e-9


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
class ServiceOutcome:
    """One service of one video.

    Attributes:
        ok: Whether it has data.
        reason: Why it has none.
        seconds: Of work or waiting, when the result was made.
        cached: Whether an earlier run made it.
        device: Where its model ran; None where it has no data, or does not tell.
        frames: That it answered for.
        sample_fps: At what rate they were taken, in frames a second.
    """

    ok: bool
    reason: str | None
    seconds: float
    cached: bool
    device: str | None = None
    frames: int | None = None
    sample_fps: float | None = None


@dataclass(frozen=True)
class AnalysisOutcome:
    """One analysis of one video.

    Attributes:
        source: Whose judgements are in it: ``python`` and ``python_fallback`` are by rules.
        confidence: Of the data, 0..1.
        model: That judged it; None when none did.
        cost_usd: Of this run; None when the model's price is not known.
        tokens: Of this run.
        seconds: That its prompt took in this run, all attempts.
        errors: Why it fell back.
        files: Kind -> path.
        written: By this run; False when an earlier run's files were kept.
    """

    source: AnalysisSource
    confidence: float | None
    model: str | None = None
    cost_usd: float | None = 0.0
    tokens: int = 0
    seconds: float = 0.0
    errors: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    written: bool = True

    def to_dict(self) -> dict[str, Any]:
        """JSON form, without ``written``."""
        return {
            "source": self.source,
            "confidence": self.confidence,
            "model": self.model,
            "cost_usd": self.cost_usd,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "errors": list(self.errors),
            "files": dict(self.files),
        }


@dataclass(frozen=True)
class Summary:
    """A video, or one service's part of it, at a glance.

    Attributes:
        facts: Members of the summary in reports and events; the same keys, with null, when there is no data.
        lines: Label and text of each line in the table at the end of a run; none when there is no data.
    """

    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class MemoryUse:
    """Memory when a worker was done with a video.

    Attributes:
        final_process_gb: Of the worker, in GiB.
        peak_process_gb: The most that the worker has had with all its videos, in GiB.
        system_percent: Of the machine's memory, in use by all processes.
    """

    final_process_gb: float
    peak_process_gb: float
    system_percent: float


@dataclass(frozen=True)
class VideoOutcome:
    """One video's outcome.

    Attributes:
        video_id: Safe id.
        source: Where it was found: a path, a URL.
        status: ``ok``; ``partial`` when some service failed or the file broke off; ``failed`` when there is no result.
        skipped: An earlier run had finished everything.
        seconds: Wall-clock seconds of this run.
        files: Kind or service -> path.
        error: Only when failed.
        services: By name, in the order of the registry.
        stage_seconds: Stage -> seconds.
        analyses: By name.
        warnings: What a reader of the results should know.
        summary: The video at a glance; empty when there is no result.
        memory: Of the worker; None when it died.
        bytes: Size of the file; None when it was not probed.
        server_gone: Something is missing because the model server has gone; with a server another try may find it.
        video_gone: The copy of the video was removed by an earlier run; another try may do it when it is brought again.
    """

    video_id: str
    source: str
    status: Status
    skipped: bool = False
    seconds: float = 0.0
    files: Mapping[str, str] = field(default_factory=dict)
    error: Failure | None = None
    services: Mapping[str, ServiceOutcome] = field(default_factory=dict)
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    analyses: Mapping[str, AnalysisOutcome] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    summary: Summary = field(default_factory=Summary)
    memory: MemoryUse | None = None
    bytes: int | None = None
    server_gone: bool = False
    video_gone: bool = False

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
            "services": {name: asdict(service) for name, service in self.services.items()},
            "stage_seconds": {name: round(s, 3) for name, s in self.stage_seconds.items()},
            "analyses": {name: analysis.to_dict() for name, analysis in self.analyses.items()},
            "warnings": list(self.warnings),
            "summary": dict(self.summary.facts),
            "memory": asdict(self.memory) if self.memory else {},
            "bytes": self.bytes,
        }


@dataclass(frozen=True)
class ClaudeTotals:
    """What Claude did in a run.

    Attributes:
        videos: Judged videos.
        answered: Analyses with a model's valid answer; ``stored`` of them were asked in an earlier run.
        stored: See ``answered``.
        skipped: Analyses with nothing to judge, or switched off.
        fallen: Analyses that fell back to Python's blocks.
        pending: Analyses whose batch has not ended.
        cost_usd: Of all answers of this run, valid or not; None when a price is not known.
        uncertain_usd: Of attempts without an answer, which may have been charged.
        counted_usd: Against the run's limit: both of these, requests that were cut short, and batches at their highest.
        tokens: Of this run.
    """

    videos: int = 0
    answered: int = 0
    stored: int = 0
    skipped: int = 0
    fallen: int = 0
    pending: int = 0
    cost_usd: float | None = 0.0
    uncertain_usd: float = 0.0
    counted_usd: float = 0.0
    tokens: int = 0

    def line(self) -> str:
        """One line of text."""
        parts = [f"{self.answered} analyses judged"]
        parts += [f"{count} {what}" for count, what in (
            (self.stored, "of them from stored answers"), (self.skipped, "with nothing to judge"),
            (self.fallen, "fell back to Python's blocks"), (self.pending, "wait for their batch"),
        ) if count]  # fmt: skip
        cost = "cost unknown" if self.cost_usd is None else f"{self.cost_usd:.4f} USD"
        more = self.counted_usd - (self.cost_usd or 0.0)
        return f"Claude: {', '.join(parts)}; {cost}" + (f", and at most {more:.4f} more" if more > _LEAST_USD else "")


def exit_code(outcomes: Sequence[VideoOutcome]) -> int:
    """Of a run: 0 when every video is ok or partial, the common code when all failures share one, else 1.

    Beside videos that were analysed a failure of code 2 gives 1: 2 says that nothing was begun.
    """
    codes = {outcome.error.exit_code if outcome.error else 1 for outcome in outcomes if outcome.status == "failed"}
    if not codes:
        return 0
    was_begun = any(outcome.status != "failed" for outcome in outcomes)
    return 1 if len(codes) > 1 or (was_begun and codes == {UsageError.exit_code}) else codes.pop()
