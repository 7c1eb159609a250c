"""One video, from its source to its analyses. This module alone knows the order of the stages.

::

    fetch -> probe -> stored results -> services (``perception``) -> files -> unified analysis, markers -> analyses

A stage that an earlier run finished from the same inputs is not done again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rumiai import __version__
from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.frames import VideoInfo
from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.outcome import AnalysisOutcome, Failure, ServiceOutcome, VideoOutcome
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import ContractError, MLError, StoreError
from rumiai.inference.client import TritonClient
from rumiai.media.endings import losses
from rumiai.media.probe import MediaLimits, probe, sampling_for
from rumiai.perception import ServiceResults, perceive
from rumiai.results.analyses import (
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
from rumiai.services import AnyService, ProbedVideo, WorkerTools, chosen_services, entries_of, service_of_entries
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo, find_source
from rumiai.timeline.build import build
from rumiai.timeline.validate import timeline_problems

_NO_VIDEO: Final = "the file has no video stream"
_READY_S: Final = 30.0


class Progress:
    """Reports the stages of one video, and remembers the current one for the report of an error."""

    def __init__(self, tell: Callable[[str, Mapping[str, int]], None]) -> None:
        self._tell = tell
        self.stage = "probe"

    def __call__(self, stage: str, facts: Mapping[str, int] | None = None) -> None:
        """Enter a stage, or report how far it is."""
        self.stage = stage
        self._tell(stage, facts or {})


@dataclass(frozen=True)
class _Run:
    """What the steps of one video share."""

    task: VideoTask
    video: FetchedVideo
    context: RunContext
    store: Store
    state: RunState
    info: VideoInfo

    @property
    def settings(self) -> Settings:
        return self.context.settings

    @property
    def asked(self) -> tuple[AnyService, ...]:
        """The services that were asked for."""
        return chosen_services(self.settings.services)

    @property
    def applicable(self) -> tuple[AnyService, ...]:
        """Those whose stream the file has; for an audio service, no sound is an answer too."""
        return tuple(service for service in self.asked if self.info.has_video or service.stage != "visual")

    def service_file(self, service: AnyService) -> Path:
        """Where the service's data of this video is stored."""
        return self.store.service_file(service, self.task.video_id)

    def fingerprint(self, service: AnyService) -> str:
        """Hash of everything that the service's result depends on: file, settings, model, our own version."""
        stat = self.video.path.stat()
        chosen = {name: getattr(self.settings, name) for name in service.settings}
        return fingerprint(__version__, service.version(self.settings), stat.st_size, stat.st_mtime_ns, chosen)


def analyse(task: VideoTask, context: RunContext, tools: WorkerTools, progress: Progress) -> VideoOutcome:
    """Analyse one video and write its files.

    Raises:
        RumiAIError: There is no result; what earlier runs had written stays.
    """
    began = time.monotonic()
    store = Store(*context.settings.folders)
    with store.lock(task.video_id):
        run, stages = _opened(task, context, store, progress)
        stored = {} if context.settings.force else _stored_results(run)
        wanted = tuple(service for service in run.applicable if service.name not in stored)
        found = ServiceResults({})
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
    stages |= {**found.stage_seconds, "total": seconds}
    return replace(outcome, skipped=not wanted, seconds=seconds, stage_seconds=stages, analyses=summaries)


def _opened(task: VideoTask, context: RunContext, store: Store, progress: Progress) -> tuple[_Run, dict[str, float]]:
    """Fetch and probe the video; also the seconds that each took."""
    began = time.monotonic()
    progress("fetch")
    video = find_source(task.item.source).fetch(task.item, store.download_folder(task.video_id))
    fetched = time.monotonic()
    progress("probe")
    info = probe(video.path, _limits(context.settings))
    stages = {"probe": time.monotonic() - fetched}
    if fetch_s := round(fetched - began, 1):  # a file on this machine takes none
        stages = {"fetch": fetch_s, **stages}
    return _Run(task, video, context, store, RunState(store.state_file(task.video_id)), info), stages


def _limits(settings: Settings) -> MediaLimits:
    return MediaLimits(
        max_duration_s=settings.max_video_duration_s, max_size_bytes=round(settings.max_video_size_mb * 2**20)
    )


async def _perceive(
    run: _Run,
    wanted: Sequence[AnyService],
    tools: WorkerTools,
    progress: Progress,
    stored: Mapping[str, ServiceResult],
) -> ServiceResults:
    settings, server, info = run.settings, run.context.server, run.info
    video = ProbedVideo(
        path=run.video.path,
        video_id=run.task.video_id,
        info=info,
        sampling=sampling_for(info, settings.sample_fps) if info.has_video else None,
        region_prefix=f"{run.context.run_id}-{fingerprint(run.task.video_id)}",
    )
    async with TritonClient.connect(server.grpc, server.token) as client:
        models = {service.name: service.server_model for service in wanted if service.server_model}
        if models:
            await client.wait_ready(sorted(set(models.values())), _READY_S)
        devices = {name: await client.device_of(model) for name, model in models.items()}
        known = {name: result.data for name, result in stored.items() if result.data is not None}
        return await perceive(video, wanted, client, settings, tools, progress, known, devices)


def _not_applicable(run: _Run) -> dict[str, ServiceResult]:
    """The failures of the services whose stream the file does not have."""
    return {
        service.name: ServiceResult.failed(service.name, service.version(run.settings), _NO_VIDEO)
        for service in run.asked
        if service not in run.applicable
    }


def _stored_results(run: _Run) -> dict[str, ServiceResult]:
    """What earlier runs finished from the same inputs: it parses and holds its contract."""
    found: dict[str, ServiceResult] = {}
    for service in run.applicable:
        if run.state.finished(f"ml.{service.name}", run.fingerprint(service)):
            with contextlib.suppress(StoreError, ContractError):
                data = service.data_model().from_bytes(read_bytes(run.service_file(service)))
                found[service.name] = ServiceResult(service.name, service.version(run.settings), data)
    return found


def _store_results(run: _Run, results: Mapping[str, ServiceResult]) -> None:
    """Write each service's file; a failure is written too, but never counts as finished."""
    for service in run.asked:
        result = results.get(service.name)
        if result is None:
            continue
        path = run.service_file(service)
        write_json(path, result.to_json())
        if result.ok:
            run.state.finish(f"ml.{service.name}", run.fingerprint(service), [path], now())
        else:
            run.state.forget(f"ml.{service.name}")


def _unified(
    run: _Run, results: Mapping[str, ServiceResult], found: ServiceResults, *, renew: bool
) -> tuple[UnifiedAnalysis, str]:
    """The unified analysis with its markers, and the fingerprint of what it is made of.

    It is kept when an earlier run made it from the same results, else made and written once: what is in memory equals
    what the file reads back as.
    """
    metadata = (run.video.metadata or VideoMetadata.local(run.task.video_id)).to_dict()
    made_of = fingerprint(
        [(s.name, run.fingerprint(s), results[s.name].ok) for s in run.asked if s.name in results],
        metadata,
        run.context.insights,
    )
    path = run.store.unified_file(run.task.video_id)
    if not (renew or run.settings.force) and run.state.finished("unified", made_of):
        return UnifiedAnalysis.from_dict(read_json(path)), made_of
    analysis = _built(run, results, found, metadata)
    if run.context.insights:
        analysis = with_markers(analysis)
    if problems := timeline_problems(analysis.timeline, service_of_entries()):
        raise ContractError(f"the timeline is inconsistent: {'; '.join(problems[:3])}")
    save_unified(run.store, analysis)
    run.state.finish("unified", made_of, [path], now())
    run.state.forget("analyses")
    return analysis, made_of


def _built(
    run: _Run, results: Mapping[str, ServiceResult], found: ServiceResults, metadata: Mapping[str, Any]
) -> UnifiedAnalysis:
    return build(
        run.task.video_id,
        metadata,
        MediaFacts.from_info(run.info, run.settings.sample_fps if run.info.has_video else None),
        results,
        entries_of,
        {"rumiai_version": __version__, "stage_seconds": found.stage_seconds, "processed_at": now()},
    )


def _analysed(run: _Run, analysis: UnifiedAnalysis, made_of: str) -> dict[str, AnalysisOutcome]:
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
    asked = run.applicable
    failed = sorted(service.name for service in asked if not analysis.ok(service.name))
    visual = [service for service in asked if service.stage == "visual"]
    too_few = len(failed) == len(asked) or (visual and all(service.name in failed for service in visual))
    if not failed or not (too_few or run.settings.strict):
        return None
    reasons = "; ".join(f"{name}: {analysis.reason(name)}" for name in failed)
    what = "in strict mode every service must succeed" if not too_few else "no service that matters succeeded"
    return Failure("MLError", f"{what}: {reasons}", "services", MLError.exit_code)


def _outcome(
    run: _Run,
    results: Mapping[str, ServiceResult],
    stored: Mapping[str, ServiceResult],
    found: ServiceResults,
    analysis: UnifiedAnalysis,
) -> VideoOutcome:
    failure = _failure(run, analysis)
    services = {
        service.name: ServiceOutcome(
            ok=analysis.ok(service.name),
            reason=analysis.reason(service.name),
            seconds=round(results[service.name].seconds, 3),
            cached=service.name in stored,
        )
        for service in run.asked
        if service.name in results
    }
    warnings = [*found.warnings, *losses(run.info, found.report, found.sound)]
    partial = warnings or any(not service.ok for service in services.values())
    video_id = run.task.video_id
    files: dict[str, str] = {"unified": str(run.store.unified_file(video_id))}
    files |= {service.name: str(run.service_file(service)) for service in run.asked if analysis.ok(service.name)}
    return VideoOutcome(
        video_id=video_id,
        source=run.task.item.location,
        status="failed" if failure else "partial" if partial else "ok",
        files=files,
        error=failure,
        services=services,
        warnings=warnings,
        summary=summarise(analysis),
    )
