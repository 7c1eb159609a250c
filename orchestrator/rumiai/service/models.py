"""What requests and answers hold, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from rumiai.records import RunRecord, VideoRecord
from rumiai.service.config import KIND, Limits

_Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
_Url = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
Json = dict[str, JsonValue]
_Names = Annotated[tuple[_Text, ...], Field(max_length=100)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RunSettings(_Request):
    """Settings that a request may choose; see docs/settings.md. What is left out is as the service was started.

    Where results lie, which code is loaded, which server and how many workers are used, and keys are not a caller's to
    choose. Limits of the service on length and cost can be lowered, not raised.
    """

    services: _Names | None = None
    sample_fps: float | None = None
    language: _Text | None = None
    mode: Literal["fast", "strict"] | None = None
    ocr_engine: Literal["auto", "easyocr", "ppocr"] | None = None
    max_video_duration_s: float | None = None
    strict: bool | None = None
    force: bool | None = None
    claude: Literal["auto", "off", "on", "batch"] | None = None
    claude_model: _Text | None = None
    max_cost_usd: float | None = None
    judged_analyses: _Names | None = None
    output_format: Literal["v1", "v2"] | None = None

    @property
    def given(self) -> Json:
        """The members that were given."""
        members: Json = self.model_dump(mode="json", exclude_none=True)
        return members


class WebhookRequest(_Request):
    """Whom to tell when the run has ended: an http or https URL, signed with the webhook secret of the key."""

    url: _Url


class VideoEntry(_Request):
    """One video with what is known of it, as an entry of a manifest (docs/outputs.md).

    Attributes:
        source: What ``sources`` may hold; where it stands for several videos, it may not be described.
        upload: Number of an uploaded file, from 0, instead of a source.
        id: Where the video's id comes from, instead of its name.
        language: That is spoken in it: Whisper's code, such as pt.
        metadata: What is known of it, in any form that a file beside a video may have.
        problem: Why an entry of the caller's list cannot be used: the video then fails with this reason.
    """

    source: _Text | None = None
    upload: Annotated[int, Field(ge=0)] | None = None
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    language: _Text | None = None
    metadata: Json | None = None
    problem: _Text | None = None

    @model_validator(mode="after")
    def _names_one_video(self) -> VideoEntry:
        if (self.source is None) == (self.upload is None):
            raise ValueError("expected either source or upload")
        if self.source is None and self.problem is not None:
            raise ValueError("a problem is one of a source")
        return self


class RunRequest(_Request):
    """A run that is asked for.

    Attributes:
        sources: URLs, or files, folders and patterns below the folders that the service allows. May be empty where
            files are uploaded.
        videos: Further videos, with what is known of each. Uploaded files that none of them names are videos too.
        settings: See :class:`RunSettings`.
        insights: Whether to go on after the unified analysis.
        webhook: See :class:`WebhookRequest`.
    """

    sources: Annotated[tuple[_Text, ...], Field(max_length=Limits.sources)] = ()
    videos: Annotated[tuple[VideoEntry, ...], Field(max_length=Limits.sources)] = ()
    settings: RunSettings = RunSettings()
    insights: bool = True
    webhook: WebhookRequest | None = None


class ErrorBody(BaseModel):
    """What went wrong: the error's class, its message, and the stage where it has one."""

    type: str
    message: str
    stage: str | None = None


class VideoCounts(BaseModel):
    """How many videos of a run are in each state."""

    waiting: int = 0
    running: int = 0
    ok: int = 0
    partial: int = 0
    failed: int = 0
    unfinished: int = 0


class RunBody(BaseModel):
    """A run.

    Attributes:
        id: Sorts by time.
        state: ``accepted`` waits for its turn, also after a restart of the service; ``done`` is also a run whose videos
            failed; ``failed`` one that an error ended early.
        created_at: When it was accepted.
        started_at: When it was begun.
        ended_at: When it ended.
        sources: What was named; uploaded files by their names.
        settings: Those that were chosen.
        videos: How many in each state. None are known before the run is begun.
        seconds: Of work on its videos, summed.
        cost_usd: Of Claude, summed; null when a price is not known.
        exit_code: Of ``rumiai-orch submit`` (docs/outputs.md); null before it ended.
        error: What ended it early.
        claude: Totals of Claude; null when it was off.
    """

    id: str
    state: Literal["accepted", "running", "done", "cancelled", "interrupted", "failed"]
    created_at: str
    started_at: str | None
    ended_at: str | None
    sources: tuple[str, ...]
    settings: Json
    videos: VideoCounts
    seconds: float
    cost_usd: float | None
    exit_code: int | None
    error: ErrorBody | None
    claude: Json | None

    @classmethod
    def of(cls, run: RunRecord) -> RunBody:
        """The body of a run's record."""
        error = ErrorBody(type=run.error_type, message=run.error_message or "") if run.error_type else None
        members = dict(
            id=run.run_id,
            state=_state(run),
            created_at=run.created_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
            sources=run.sources,
            settings=run.settings,
            videos=dict(run.counts),
            seconds=run.seconds,
            cost_usd=run.cost_usd,
            exit_code=run.exit_code,
            error=error,
            claude=run.claude,
        )
        return cls.model_validate(members)


def _state(run: RunRecord) -> str:
    """The state of a run; one whose process was killed waits for the next service, if it is one of a service."""
    if not run.died:
        return run.state
    return "accepted" if run.kind == KIND else "interrupted"


class RunList(BaseModel):
    """Runs, newest first; ``next`` is what to give as ``before`` for the next page."""

    runs: list[RunBody]
    next: str | None


class VideoBody(BaseModel):
    """A video of a run.

    Attributes:
        id: Its id in the output folder.
        position: Its place in the run, from 0.
        source: Where it is.
        state: ``unfinished``: the run ended before it did.
        stage: Where it is, or where it ended.
        done: How much of ``of`` the stage has done.
        of: See ``done``.
        attempts: How often it was begun.
        seconds: Of work.
        cost_usd: Of Claude in this run.
        error: Why it failed.
        outcome: The members of its ``video`` event (docs/outputs.md); null before it ended.
    """

    id: str
    position: int
    source: str
    state: Literal["waiting", "running", "ok", "partial", "failed", "unfinished"]
    stage: str | None
    done: int | None
    of: int | None
    attempts: int
    seconds: float | None
    cost_usd: float | None
    error: ErrorBody | None
    outcome: Json | None

    @classmethod
    def of_record(cls, video: VideoRecord) -> VideoBody:
        """The body of a video's record."""
        error = None
        if video.error_type:
            error = ErrorBody(type=video.error_type, message=video.error_message or "", stage=video.error_stage)
        members = dict(
            id=video.video_id,
            position=video.position,
            source=video.source,
            state=video.state,
            stage=video.stage,
            done=video.done,
            of=video.of,
            attempts=video.attempts,
            seconds=video.seconds,
            cost_usd=video.cost_usd,
            error=error,
            outcome=video.outcome,
        )
        return cls.model_validate(members)


class VideoList(BaseModel):
    """Videos of a run in their order; ``next`` is what to give as ``after`` for the next page."""

    videos: list[VideoBody]
    next: int | None


class FileBody(BaseModel):
    """A file of a video: its path below the output folder, and its size."""

    path: str
    bytes: int


class FileList(BaseModel):
    """The result files of a video."""

    files: list[FileBody]


class Results(BaseModel):
    """What was found in a video: the newest six blocks of each analysis, by the name of the analysis."""

    video_id: str
    analyses: dict[str, Json]


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(BaseModel):
    """Runs are being worked on: the model server answered just now."""

    status: Literal["ready"] = "ready"
    models: tuple[str, ...]
    waiting: int
    running: int
