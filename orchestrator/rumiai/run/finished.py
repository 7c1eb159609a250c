"""Whether earlier runs have finished all that needs a model server, so that none is started for nothing.

This is a guess from the recorded fingerprints: whether a stored file still holds its contract is found out where it is
read. A run whose guess was wrong starts the server then (:class:`rumiai.run.model_server.DeferredServer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from rumiai.contracts.frames import VideoInfo
from rumiai.contracts.metadata import VideoMetadata
from rumiai.core.clock import now_iso
from rumiai.results.run_state import RunState
from rumiai.results.store import Store, fingerprint
from rumiai.run.reuse import Provenance, stage_of
from rumiai.run.types import VideoTask
from rumiai.services import chosen_services, with_inputs
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo

_INFO: Final = TypeAdapter(VideoInfo)
# What ``state.json`` calls the facts of the video that its stages were made from.
_STAGE = "video"


def note_video(state: RunState, task: VideoTask, video: FetchedVideo, info: VideoInfo) -> None:
    """Record where the video is and what it has, for the next run's :func:`needs_server`."""
    facts: dict[str, object] = {
        "path": str(video.path),
        "identity": video.identity,
        "has_video": info.has_video,
    }
    if video.is_copy and video.identity and not (video.pictures or video.problems):
        # What a run needs of a video whose results are all there: its copy need not be brought again for it.
        facts["info"] = _INFO.dump_python(info, mode="json")
        facts["metadata"] = video.metadata.needed().to_dict() if video.metadata else None
    made_from = _of_item(task)
    if state.noted(_STAGE, made_from) != facts:
        state.note(_STAGE, made_from, facts, now_iso())


def noted_path(store: Store, video_id: str) -> str:
    """Where the video of a run was; empty where no run has had it."""
    facts = RunState(store.state_file(video_id)).facts(_STAGE) or {}
    return str(facts.get("path", ""))


def noted_video(task: VideoTask, store: Store) -> FetchedVideo | None:
    """A video that an earlier run brought here and whose copy is gone; None for any other.

    Its results may all be there; where they are not, the worker finds out (:class:`VideoGoneError`).
    """
    facts = RunState(store.state_file(task.video_id)).noted(_STAGE, _of_item(task))
    if facts is None or "info" not in facts or Path(facts["path"]).exists():
        return None
    metadata = VideoMetadata.from_dict(facts["metadata"]) if facts["metadata"] else None
    return FetchedVideo(Path(facts["path"]), metadata, facts["identity"], is_copy=True)


def noted_info(state: RunState, task: VideoTask) -> VideoInfo | None:
    """What the file of such a video said of itself; None where it is not known."""
    facts = state.noted(_STAGE, _of_item(task)) or {}
    try:
        return _INFO.validate_python(facts["info"]) if "info" in facts else None
    except ValidationError:
        return None


def needs_server(tasks: Sequence[VideoTask], settings: Settings, store: Store) -> bool:
    """Whether some service of some video still has to ask a model.

    An interrupted run has finished its first videos, so that the last one is looked at first.
    """
    return settings.force or any(_asks_a_model(task, settings, store) for task in reversed(tasks))


def _asks_a_model(task: VideoTask, settings: Settings, store: Store) -> bool:
    if task.item.language:
        settings = settings.changed(language=task.item.language)
    state = RunState(store.state_file(task.video_id))
    facts = state.noted(_STAGE, _of_item(task))
    if facts is None:
        return True
    try:
        provenance = Provenance(FetchedVideo(Path(facts["path"]), identity=facts["identity"]), settings)
    except OSError:
        return True
    asked, made_from = chosen_services(settings.services), dict[str, str]()
    for service in with_inputs(asked):
        if service.stage == "visual" and not facts["has_video"]:
            continue
        fresh = provenance.of(service, made_from)
        is_done = state.finished(stage_of(service), fresh)
        if service in asked and service.server_model and not is_done:
            return True
        if service in asked or is_done:
            made_from[service.name] = fresh
    return False


def _of_item(task: VideoTask) -> str:
    return fingerprint(task.item.source, task.item.location)
