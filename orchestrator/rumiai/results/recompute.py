"""Rebuild timeline, markers and analyses from what earlier runs stored, of any version, without running a model."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.results import ServiceName, ServiceResult
from rumiai.contracts.timeline import SCHEMA_VERSION, UnifiedAnalysis
from rumiai.core.plugins import load_plugins
from rumiai.errors import RumiAIError, SourceError
from rumiai.legacy.stored import ID_FORMS, read_ml_files, read_unified
from rumiai.results.analyses import OutputFormat, measure, save_unified, with_markers, write_analyses
from rumiai.results.store import Store, read_json, safe_id
from rumiai.services import all_services, entries_of
from rumiai.timeline.build import build

_UNIFIED: Final = "unified_analysis"
# Fewer than this are done before a second process has started.
_WORTH_A_POOL: Final = 8


@dataclass(frozen=True)
class Stored:
    """One video that was found: a unified analysis, or a folder with its ML files."""

    path: str
    video_id: str | None


@dataclass(frozen=True)
class Recomputed:
    """Outcome of one recomputed video.

    Attributes:
        path: Where it was found.
        video_id: None when its file could not be read.
        error: Its message; None on success.
        error_type: The class of the error.
        seconds: Of work.
        unified: The file that was written; None when there is none.
    """

    path: str
    video_id: str | None
    error: str | None = None
    error_type: str = ""
    seconds: float = 0.0
    unified: str | None = None

    def outcome(self) -> VideoOutcome:
        """As other commands tell it; the name of its file stands for an id that is not known."""
        video_id = self.video_id or Path(self.path).stem
        if self.error is not None:
            failure = Failure(self.error_type, self.error, "recompute")
            return VideoOutcome(video_id, self.path, "failed", seconds=self.seconds, error=failure)
        files = {} if self.unified is None else {"unified": self.unified}
        return VideoOutcome(video_id, self.path, "ok", seconds=self.seconds, files=files)


def find_stored(paths: Sequence[str]) -> list[Stored]:
    """The videos below the given paths.

    Args:
        paths: Unified analysis files, or folders: an ``--out`` folder, its ``unified_analysis``, or one with ML files.

    Raises:
        SourceError: A path has nothing of that kind.
    """
    found: dict[tuple[str, str | None], Stored] = {}
    for name in paths:
        if not name:
            raise SourceError("a path is empty", hint="name a file or a folder; . is the current folder")
        path = Path(name)
        items = list(_in_path(path))
        if not items:
            raise SourceError(
                f"{name} holds no unified analysis and no ML outputs", hint="give an --out folder of an earlier run"
            )
        found.update(((item.path, item.video_id), item) for item in items)
    return list(found.values())


def _in_path(path: Path) -> Iterator[Stored]:
    """What a path holds: its unified analyses, then the videos that have ML files and none of these.

    A folder that holds neither a folder of unified analyses nor ML files is one of unified analyses itself.
    """
    if path.is_file():
        yield Stored(str(path), None)
        return
    with_files = _ids_of_ml_files(path)
    inside = path / _UNIFIED
    unified = _json_files(inside if inside.is_dir() or with_files else path)
    yield from (Stored(str(item), None) for item in unified)
    done = {item.stem for item in unified}
    yield from (Stored(str(path), video_id) for video_id in with_files if video_id not in done)


def _json_files(folder: Path) -> list[Path]:
    return sorted(item for item in folder.glob("*.json") if not item.name.startswith("."))


def _ids_of_ml_files(root: Path) -> list[str]:
    """Ids that have at least one ML file below ``root``, in the layout of an ``--out`` folder.

    A file under another form of an id belongs to the video with that id.
    """
    ids: set[str] = set()
    for service in all_services():
        for name in service.files:
            found = (path.relative_to(root).as_posix() for path in root.glob(name.replace("{id}", "*")))
            ids.update(match["id"] for path in found if (match := _with_id(name).fullmatch(path)))
    also = {form.format(video_id) for video_id in ids for form in ID_FORMS[1:]}
    return sorted(ids - also)


def _with_id(name: str) -> re.Pattern[str]:
    """What a path of the form ``name`` looks like; the id is the same wherever it stands."""
    before, *after = map(re.escape, name.split("{id}"))
    return re.compile(before + "(?P<id>[^/]+)" + "(?P=id)".join(after))


def recompute(
    stored: Sequence[Stored],
    store: Store,
    tell: Callable[[Recomputed], None],
    output_format: OutputFormat = "v2",
    workers: int = 0,
    plugins: Sequence[str] = (),
) -> list[Recomputed]:
    """Rebuild them all, in parallel; one that fails does not stop the rest.

    Args:
        stored: From :func:`find_stored`.
        store: Where the rebuilt files go.
        tell: Called as each is done.
        output_format: As of :func:`rumiai.results.analyses.write_analyses`.
        workers: Processes; 0 is one for each core.
        plugins: As of :func:`rumiai.core.plugins.load_plugins`; loaded in this process already.
    """
    count = workers or len(os.sched_getaffinity(0))
    if len(stored) < _WORTH_A_POOL or count == 1:
        results = []
        for item in stored:
            results.append(recompute_one(item, store, output_format))
            tell(results[-1])
        return results
    done: dict[Stored, Recomputed] = {}
    pool_size, start = min(count, len(stored)), get_context("spawn")
    with ProcessPoolExecutor(pool_size, start, load_plugins, (plugins,)) as pool:
        futures = {pool.submit(recompute_one, item, store, output_format): item for item in stored}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            tell(done[futures[future]])
    return [done[item] for item in stored]


def recompute_one(item: Stored, store: Store, output_format: OutputFormat) -> Recomputed:
    """Rebuild one video; an error of ours is its result."""
    video_id, began_s = item.video_id, time.monotonic()
    try:
        analysis = _rebuilt(item)
        video_id = analysis.video_id
        with store.lock(video_id):
            analysis = with_markers(analysis)
            save_unified(store, analysis)
            write_analyses(store, video_id, measure(analysis), output_format)
    except RumiAIError as exc:
        return Recomputed(item.path, video_id, str(exc), type(exc).__name__, time.monotonic() - began_s)
    unified = str(store.unified_file(video_id))
    return Recomputed(item.path, video_id, seconds=time.monotonic() - began_s, unified=unified)


def _rebuilt(item: Stored) -> UnifiedAnalysis:
    """The unified analysis, built anew from the services' data."""
    if item.video_id is not None:
        return read_ml_files(Path(item.path), item.video_id)
    raw = read_json(Path(item.path))
    if not isinstance(raw, Mapping):
        raise SourceError(f"{item.path} is no unified analysis: expected a JSON object")
    analysis = read_unified(raw)
    if safe_id(analysis.video_id)[1]:
        raise SourceError(f"{item.path}: its video_id {analysis.video_id!r} is no safe file name")
    return _built_again(analysis) if raw.get("schema_version") == SCHEMA_VERSION else analysis


def _built_again(analysis: UnifiedAnalysis) -> UnifiedAnalysis:
    """The same analysis with its timeline made again from its services' data."""
    results: dict[ServiceName, ServiceResult] = {}
    for service in analysis.completion_status():
        data, reason = analysis.ml_data.get(service), analysis.reason(service)
        if data is not None and reason is None:
            results[service] = ServiceResult(service, "stored", data)
        elif service in analysis.pipeline_details:
            results[service] = ServiceResult.failed(service, "stored", reason or "did not run")
    metadata = analysis.metadata.without_file()
    return build(analysis.video_id, metadata, analysis.facts, results, entries_of, analysis.processing_metadata)
