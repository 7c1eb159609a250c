"""One video, start to finish: the only file that knows the order.

probe -> what is finished already -> services (``perception``) -> ML files -> unified analysis, markers -> analyses
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rumiai import __version__
from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.frames import VideoInfo
from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.results import SERVICES, ServiceName, ServiceResult
from rumiai.contracts.services import model_of
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import ContractError, MLError, StoreError
from rumiai.inference.client import TritonClient
from rumiai.media.endings import losses
from rumiai.media.probe import MediaLimits, probe, sampling_for
from rumiai.perception import ProbedVideo, ServiceResults, Tools, perceive, service_versions
from rumiai.perception.service_run import AUDIBLE, VISUAL
from rumiai.results.analyses import (
    AnalysisSummary,
    measure,
    now,
    read_analyses,
    save_unified,
    with_markers,
    write_analyses,
)
from rumiai.results.store import RunState, Store, fingerprint, read_bytes, read_json, write_json
from rumiai.results.summary import summarise
from rumiai.run.types import RunContext, VideoTask
from rumiai.settings import Settings
from rumiai.timeline.build import build
from rumiai.timeline.validate import timeline_problems

# Which settings a service's result depends on: when one of them changes, the stored result is no longer good.
_DEPENDS_ON: Final[Mapping[ServiceName, tuple[str, ...]]] = {
    "yolo": ("sample_fps", "max_side_px", "mode"),
    "ocr": ("sample_fps", "max_side_px", "mode"),
    "mediapipe": ("sample_fps", "max_side_px"),
    "emotion_detection": ("sample_fps", "max_side_px"),
    "scene_detection": (),
    "whisper": (),
    "audio_energy": (),
}
# What the server must have for which service.
SERVER_MODELS: Final[Mapping[ServiceName, str]] = {"yolo": "yolo", "ocr": "ocr", "whisper": "whisper"}

_NO_VIDEO: Final = "the file has no video stream"
_READY_S: Final = 30.0


class Progress:
    """Where a video is; passes on each step and remembers the last, for the report of an error."""

    def __init__(self, tell: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._tell = tell
        self.stage = "probe"

    def __call__(self, stage: str, facts: Mapping[str, Any] | None = None) -> None:
        """Enter a stage, or report on it."""
        self.stage = stage
        self._tell(stage, facts or {})


@dataclass(frozen=True)
class _Run:
    """What the steps of one video share."""

    task: VideoTask
    context: RunContext
    store: Store
    state: RunState
    info: VideoInfo
    versions: Mapping[ServiceName, str]

    @property
    def settings(self) -> Settings:
        return self.context.settings

    def fingerprint(self, service: ServiceName) -> str:
        """Hash of everything that the service's result depends on: file, settings, model, our own version."""
        stat = Path(self.task.path).stat()
        chosen = {name: getattr(self.settings, name) for name in _DEPENDS_ON[service]}
        return fingerprint(__version__, self.versions[service], stat.st_size, stat.st_mtime_ns, chosen)

    def applicable(self) -> frozenset[ServiceName]:
        """The services that were asked for and whose stream the file has; no sound is an answer of Whisper's own."""
        asked = frozenset(self.settings.services)
        return asked if self.info.has_video else asked & AUDIBLE


def analyse(task: VideoTask, context: RunContext, tools: Tools, progress: Progress) -> VideoOutcome:
    """Analyse one video and write its files.

    Raises:
        RumiAIError: There is no result; what earlier runs had written stays.
    """
    began = time.monotonic()
    settings = context.settings
    store = Store(*settings.folders)
    progress("probe")
    info = probe(Path(task.path), _limits(settings))
    probe_s = time.monotonic() - began
    with store.lock(task.video_id):
        state = RunState(store.state_file(task.video_id))
        run = _Run(task, context, store, state, info, service_versions(settings))
        stored = {} if settings.force else _stored_results(run)
        wanted = run.applicable() - stored.keys()
        found = ServiceResults(run.versions)
        if wanted:
            found = asyncio.run(_perceive(run, wanted, tools, progress, stored))
        progress("save")
        _store_results(run, found.results)
        results = {**_not_applicable(run), **stored, **found.results}
        analysis, made_of = _unified(run, results, found, renew=bool(wanted))
        progress("analyse")
        summaries = _analysed(run, analysis, made_of) if context.insights else {}
        outcome = _outcome(run, results, stored, found, analysis)
    seconds = time.monotonic() - began
    stages = {"probe": probe_s, **found.stage_seconds, "total": seconds}
    analyses = {name: summary.to_dict() for name, summary in summaries.items()}
    return replace(outcome, skipped=not wanted, seconds=seconds, stage_seconds=stages, analyses=analyses)


def _limits(settings: Settings) -> MediaLimits:
    return MediaLimits(
        max_duration_s=settings.max_video_duration_s, max_size_bytes=round(settings.max_video_size_mb * 2**20)
    )


async def _perceive(
    run: _Run,
    wanted: frozenset[ServiceName],
    tools: Tools,
    progress: Progress,
    stored: Mapping[ServiceName, ServiceResult],
) -> ServiceResults:
    settings, server, info = run.settings, run.context.server, run.info
    video = ProbedVideo(
        path=Path(run.task.path),
        video_id=run.task.video_id,
        info=info,
        sampling=sampling_for(info, settings.sample_fps) if info.has_video else None,
        region_prefix=f"{run.context.run_id}-{fingerprint(run.task.video_id)}",
    )
    async with TritonClient.connect(server.grpc, server.token) as client:
        if models := {SERVER_MODELS[name] for name in wanted if name in SERVER_MODELS}:
            await client.wait_ready(sorted(models), _READY_S)
        devices: dict[ServiceName, str | None] = {
            name: await client.device_of(SERVER_MODELS[name]) for name in wanted if name in SERVER_MODELS
        }
        return await perceive(video, wanted, client, settings, tools, progress, stored, devices)


def _not_applicable(run: _Run) -> dict[ServiceName, ServiceResult]:
    missing = frozenset(run.settings.services) & VISUAL - run.applicable()
    return {name: ServiceResult.failed(name, run.versions[name], _NO_VIDEO) for name in missing}


def _stored_results(run: _Run) -> dict[ServiceName, ServiceResult]:
    """What earlier runs finished from the same inputs: it parses and holds its contract."""
    found: dict[ServiceName, ServiceResult] = {}
    for service in run.applicable():
        path = run.store.service_file(service, run.task.video_id)
        if run.state.finished(f"ml.{service}", run.fingerprint(service)):
            with contextlib.suppress(StoreError, ContractError):
                data = model_of(service).from_bytes(read_bytes(path))
                found[service] = ServiceResult(service, run.versions[service], data)
    return found


def _store_results(run: _Run, results: Mapping[ServiceName, ServiceResult]) -> None:
    """Write each service's file; a failure is written too, but never counts as finished."""
    for service, result in results.items():
        path = run.store.service_file(service, run.task.video_id)
        write_json(path, result.to_json())
        if result.ok:
            run.state.finish(f"ml.{service}", run.fingerprint(service), [path], now())
        else:
            run.state.forget(f"ml.{service}")


def _unified(
    run: _Run, results: Mapping[ServiceName, ServiceResult], found: ServiceResults, *, renew: bool
) -> tuple[UnifiedAnalysis, str]:
    """The unified analysis with its markers, and the fingerprint of what it is made of.

    It is kept when an earlier run made it from the same results, else made and written once: what is in memory equals
    what the file reads back as.
    """
    made_of = fingerprint([(s, run.fingerprint(s), r.ok) for s, r in sorted(results.items())], run.context.insights)
    path = run.store.unified_file(run.task.video_id)
    if not (renew or run.settings.force) and run.state.finished("unified", made_of):
        return UnifiedAnalysis.from_dict(read_json(path)), made_of
    analysis = _built(run, results, found)
    if run.context.insights:
        analysis = with_markers(analysis)
    if problems := timeline_problems(analysis.timeline):
        raise ContractError(f"the timeline is inconsistent: {'; '.join(problems[:3])}")
    save_unified(run.store, analysis)
    run.state.finish("unified", made_of, [path], now())
    run.state.forget("analyses")
    return analysis, made_of


def _built(run: _Run, results: Mapping[ServiceName, ServiceResult], found: ServiceResults) -> UnifiedAnalysis:
    video_id = run.task.video_id
    return build(
        video_id,
        VideoMetadata.local(video_id).to_dict(),
        MediaFacts.from_info(run.info, run.settings.sample_fps if run.info.has_video else None),
        results,
        {"rumiai_version": __version__, "stage_seconds": found.stage_seconds, "processed_at": now()},
    )


def _analysed(run: _Run, analysis: UnifiedAnalysis, made_of: str) -> dict[str, AnalysisSummary]:
    """The seven analyses; kept when an earlier run made them from the same unified analysis."""
    inputs = fingerprint(made_of, __version__, run.settings.output_format)
    if run.state.finished("analyses", inputs):
        return read_analyses(run.store, run.task.video_id)
    summaries = write_analyses(run.store, run.task.video_id, measure(analysis), run.settings.output_format)
    outputs = [Path(path) for summary in summaries.values() for path in summary.files.values()]
    run.state.finish("analyses", inputs, [run.store.markers_file(run.task.video_id), *outputs], now())
    return summaries


def _failure(run: _Run, analysis: UnifiedAnalysis) -> Failure | None:
    """Why the video counts as failed: nothing worked, or nothing visual did, or in strict mode, not everything did."""
    asked = run.applicable()
    failed = sorted(name for name in asked if not analysis.ok(name))
    visual = asked & VISUAL
    too_few = len(failed) == len(asked) or (visual and all(name in failed for name in visual))
    if not failed or not (too_few or run.settings.strict):
        return None
    reasons = "; ".join(f"{name}: {analysis.reason(name)}" for name in failed)
    what = "in strict mode every service must succeed" if not too_few else "no service that matters succeeded"
    return Failure("MLError", f"{what}: {reasons}", "services", MLError.exit_code)


def _outcome(
    run: _Run,
    results: Mapping[ServiceName, ServiceResult],
    stored: Mapping[ServiceName, ServiceResult],
    found: ServiceResults,
    analysis: UnifiedAnalysis,
) -> VideoOutcome:
    failure = _failure(run, analysis)
    services: dict[str, dict[str, Any]] = {
        name: {
            "ok": analysis.ok(name),
            "reason": analysis.reason(name),
            "seconds": round(results[name].seconds, 3),
            "cached": name in stored,
        }
        for name in SERVICES
        if name in results
    }
    warnings = [*found.warnings, *losses(run.info, found.report, found.sound)]
    partial = warnings or any(not facts["ok"] for facts in services.values())
    video_id = run.task.video_id
    files: dict[str, str] = {"unified": str(run.store.unified_file(video_id))}
    files |= {name: str(run.store.service_file(name, video_id)) for name in results if analysis.ok(name)}
    return VideoOutcome(
        video_id=video_id,
        source=run.task.path,
        status="failed" if failure else "partial" if partial else "ok",
        files=files,
        error=failure,
        services=services,
        warnings=warnings,
        summary=summarise(analysis),
    )
