"""Which videos of an earlier run are begun again, and with which settings."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.core.json_values import JsonValue
from rumiai.errors import UsageError
from rumiai.records import Records, RunRecord, VideoRecord
from rumiai.results.rebuilding import KIND as REBUILT
from rumiai.settings import Settings
from rumiai.settings.model import names_of

# Settings that choose code, hosts or places to write to. A folder of results that somebody else has made must not: they
# are those of the call, and where the run had others, these are to be named again. The server is the call's own choice.
_OF_THE_CALL: Final = (
    "plugins", "upload", "allow_addresses", "yolo_weights", "whisper_model",
    "unified_dir", "insights_dir", "temporal_dir", "ml_dir", "downloads_dir", "log_dir",
)  # fmt: skip
# Runs whose videos can be listed again as the user named them.
_LISTED_AGAIN = ("submit", "retry")


@dataclass(frozen=True)
class Retry:
    """What is to be submitted.

    Attributes:
        run: The run whose videos they are.
        videos: These.
        settings: To analyse them with.
    """

    run: RunRecord
    videos: Sequence[VideoRecord]
    settings: Settings

    @property
    def texts(self) -> list[str]:
        """What the user named, or where the run was not one that lists: the videos themselves."""
        texts = self.run.request.get("texts")
        if self._is_listed and isinstance(texts, Sequence):
            return [str(text) for text in texts]
        return [video.source for video in self.videos]

    @property
    def manifest(self) -> str:
        """The list of the run; empty for none."""
        return str(self.run.request.get("manifest", "")) if self._is_listed else ""

    @property
    def metadata(self) -> str:
        """The metadata of the run; empty for none."""
        return str(self.run.request.get("metadata", "")) if self._is_listed else ""

    @property
    def insights(self) -> bool:
        """Whether the run went on after the unified analysis."""
        return self.run.request.get("insights", True) is not False

    @property
    def only(self) -> frozenset[str]:
        """Where the videos are."""
        return frozenset(video.source for video in self.videos)

    @property
    def _is_listed(self) -> bool:
        return self.run.kind in _LISTED_AGAIN

    def check_listing(self) -> None:
        """See that the videos can be listed again from here.

        Raises:
            UsageError: The list came from standard input, or paths were relative to another folder.
        """
        named = [*self.texts, self.manifest, self.metadata]
        if "-" in named:
            raise UsageError(
                "the list of this run came from standard input and is not kept",
                hint="give it to `submit` again: finished work is kept",
            )
        folder = str(self.run.request.get("folder", ""))
        relative = [name for name in named if name and "://" not in name and not os.path.isabs(name)]
        if self._is_listed and relative and folder != os.getcwd():
            raise UsageError(f"{relative[0]} is relative to {folder}", hint=f"call retry there: cd {folder}")


def plan_retry(
    records: Records, settings: Settings, given: Collection[str], run_id: str | None, ids: Sequence[str]
) -> Retry:
    """Choose the videos.

    Args:
        records: Of the folder.
        settings: Of this call. Its folder is taken, and for a run that was made again from files all of it.
        given: Names of settings that the call's flags give: they count more than the run's.
        run_id: The run, or the beginning of its id; None takes the newest that has begun.
        ids: Of the videos; empty takes those that failed and those that the run did not finish.

    Raises:
        UsageError: There is no such run or video, the run goes on, or it had settings that this call must name.
    """
    run = records.run(run_id) if run_id is not None else _newest(records)
    if run.state in ("accepted", "running") and not run.died:
        raise UsageError(f"the run {run.run_id} has not ended", hint="wait for it, or end it with `rumiai-orch cancel`")
    if ids:
        videos = [_video(records, run, video_id) for video_id in ids]
    else:
        videos = records.videos(run.run_id, states=("failed", "unfinished", "running", "waiting"))
    if run.kind != REBUILT:
        told = settings.to_json()
        own = {name: told[name] for name in ("out", "server", *_OF_THE_CALL, *given)}
        _check_own(run, settings)
        settings = Settings.from_json({**run.settings, **own})
    return Retry(run, videos, settings)


def _check_own(run: RunRecord, settings: Settings) -> None:
    """See that the call has the same settings of its own as the run had.

    Raises:
        UsageError: One differs.
    """
    had, has = Settings.from_json(run.settings).to_json(), settings.to_json()
    for name in _OF_THE_CALL:
        if name in run.settings and had[name] != has[name]:
            variable = names_of(Settings.model_fields[name])[0]
            raise UsageError(
                f"the run {run.run_id} had {variable}={_told(had[name])}, this call has {_told(has[name])}",
                hint="set it again: it is not taken from the records",
            )


def _told(value: JsonValue) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(str, value)) or "nothing"
    return str(value) or "nothing"


def _newest(records: Records) -> RunRecord:
    runs = records.runs(states=("running", "done", "cancelled", "interrupted", "failed"), limit=1)
    if not runs:
        raise UsageError("there is no run in this folder that has begun", hint="name the folder with --out")
    return runs[0]


def _video(records: Records, run: RunRecord, video_id: str) -> VideoRecord:
    video = records.video(run.run_id, video_id)
    if video is None:
        raise UsageError(
            f"the run {run.run_id} has no video {video_id}", hint="rumiai-orch status --videos lists those it has"
        )
    return video
