"""One video, from its source to its analyses. This module alone knows the order of the stages.

::

    fetch -> probe -> stored results -> services (``perception``) -> files -> unified analysis, markers -> analyses

A stage that an earlier run finished from the same inputs is not done again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, get_args

from rumiai import __version__
from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.frames import VideoInfo
from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.outcome import AnalysisOutcome, Failure, VideoOutcome
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.run_events import ProgressEvent
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.clock import now_iso
from rumiai.core.code import analyses_code
from rumiai.core.json_values import JsonObject
from rumiai.errors import ContractError, MediaError, MLError, ServerGoneError, VideoGoneError
from rumiai.inference.client import TritonClient
from rumiai.media.endings import PictureEnd, SoundEnd, losses
from rumiai.media.probe import MediaLimits, probe, sampling_for
from rumiai.media.still_video import StillVideo
from rumiai.perception import ServiceResults, perceive
from rumiai.results.analyses import (
    measure,
    read_analyses,
    save_unified,
    with_markers,
    write_analyses,
)
from rumiai.results.run_state import RunState
from rumiai.results.store import Store, fingerprint, read_json, write_json
from rumiai.results.summary import service_outcome, summarise
from rumiai.run.finished import note_video, noted_info
from rumiai.run.reuse import Provenance, Reusable, find_reusable, stage_of
from rumiai.run.still_pictures import as_video
from rumiai.run.types import RunContext, VideoTask
from rumiai.services import (
    AnyService,
    ProbedVideo,
    WorkerTools,
    chosen_services,
    entries_of,
    service_of_entries,
    with_inputs,
)
from rumiai.services.base import Stage
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo, find_source
from rumiai.timeline.build import build
from rumiai.timeline.validate import timeline_problems

_NO_VIDEO: Final = "the file has no video stream"
# How long a video that another run has in work is waited for.
_OTHER_RUN_S: Final = 60.0


class Progress:
    """Reports the stages of one video, and remembers the current one for the report of an error."""

    def __init__(self, video_id: str, tell: Callable[[ProgressEvent], None]) -> None:
        self._video_id, self._tell = video_id, tell
        self.stage = "probe"

    def __call__(self, stage: str, done: int | None = None, of: int | None = None) -> None:
        """Enter a stage, or report how far it is."""
        self.stage = stage
        self._tell(ProgressEvent(self._video_id, stage, done, of))


@dataclass(frozen=True)
class _Run:
    """What the steps of one video share."""

    task: VideoTask
    video: FetchedVideo
    context: RunContext
    store: Store
    state: RunState
    info: VideoInfo
    provenance: Provenance
    stills: StillVideo | None = None

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
        return tuple(service for service in self.asked if self._has_stream(service))

    @property
    def concerned(self) -> tuple[AnyService, ...]:
        """Those, and the services that their results are made from."""
        return tuple(service for service in with_inputs(self.asked) if self._has_stream(service))

    def _has_stream(self, service: AnyService) -> bool:
        return self.info.has_video or service.stage != "visual"

    def service_file(self, service: AnyService) -> Path:
        """Where the service's data of this video is stored."""
        return self.store.service_file(service, self.task.video_id)


def analyse(task: VideoTask, context: RunContext, tools: WorkerTools, progress: Progress) -> VideoOutcome:
    """Analyse one video and write its files.

    Raises:
        RumiAIError: There is no result; what earlier runs had written stays.
    """
    began = time.monotonic()
    if task.item.language:
        context = replace(context, settings=context.settings.changed(language=task.item.language))
    store = Store(*context.settings.folders)
    with store.lock(task.video_id, _OTHER_RUN_S):
        run, stages = _opened(task, context, store, progress)
        reused = _reusable(run)
        wanted = tuple(service for service in run.applicable if service.name not in reused.results)
        found = ServiceResults({})
        if wanted and not run.video.path.exists():
            raise VideoGoneError("its copy was removed when it was finished, and it is to be analysed anew")
        if wanted:
            found = asyncio.run(_perceive(run, wanted, tools, progress, reused.results))
        progress("save")
        endings = _endings(run, found)
        made_from = _store_results(run, reused, found.results)
        results = _results(run, reused, found)
        analysis, made_of = _unified(run, results, made_from, found, renew=bool(wanted))
        progress("analyse")
        summaries = _analysed(run, analysis, made_of) if context.insights else {}
        warnings = [*_missing(run), *found.warnings, *losses(run.info, *endings)]
        outcome = _outcome(run, results, reused, warnings, analysis, found.damage)
        _clean_up(run, outcome, found)
    seconds = time.monotonic() - began
    stages |= {**found.stage_seconds, "total": seconds}
    return replace(
        outcome,
        skipped=bool(reused.results) and not wanted,
        seconds=seconds,
        stage_seconds=stages,
        analyses=summaries,
        server_gone=found.server_gone,
    )


def _clean_up(run: _Run, outcome: VideoOutcome, found: ServiceResults) -> None:
    """Delete the run's own copy of the video where that is asked for, unless a service is to be tried again."""
    needed = found.server_gone or outcome.status == "failed" or not all(s.ok for s in outcome.services.values())
    if run.settings.cleanup_video and not needed:
        for path in _copies(run):
            path.unlink(missing_ok=True)


def _copies(run: _Run) -> tuple[Path, ...]:
    """The files of the video that are the run's own."""
    if run.video.is_copy:
        return run.video.files
    return (run.video.path,) if run.stills else ()


def _opened(task: VideoTask, context: RunContext, store: Store, progress: Progress) -> tuple[_Run, dict[str, float]]:
    """Fetch and probe the video; also the seconds that each took."""
    began = time.monotonic()
    progress("fetch")
    folder = store.download_folder(task.video_id)
    given = task.fetched or find_source(task.item.source).fetch(task.item, folder)
    state = RunState(store.state_file(task.video_id))
    if task.fetched and not given.pictures and not given.path.exists():
        if (known := noted_info(state, task)) is None:
            raise VideoGoneError(f"{given.path} is not there any more")
        return _Run(task, given, context, store, state, known, Provenance(given, context.settings)), {}
    video, stills = as_video(given, folder / f"{task.video_id}.mp4", context.settings.max_video_duration_s)
    fetched = time.monotonic()
    progress("probe")
    info = probe(video.path, _limits(context.settings))
    stages = {"probe": time.monotonic() - fetched}
    if fetch_s := round(fetched - began + video.seconds, 1):  # a file on this machine takes none
        stages = {"fetch": fetch_s, **stages}
    provenance = Provenance(video, context.settings)
    note_video(state, task, video, info)
    return _Run(task, video, context, store, state, info, provenance, stills), stages


def _missing(run: _Run) -> list[str]:
    """What of a post could not be had or read."""
    return [*run.video.problems, *(run.stills.problems if run.stills else ())]


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
    models = {service.name: service.server_model for service in wanted if service.server_model}
    if models and not server.is_there:
        raise ServerGoneError("no model server was started: earlier runs seemed to have done all that needs one")
    video = ProbedVideo(
        path=run.video.path,
        video_id=run.task.video_id,
        info=info,
        sampling=sampling_for(info, settings.sample_fps) if info.has_video else None,
        region_prefix=f"{run.context.run_id}-{fingerprint(run.task.video_id)}",
    )
    async with TritonClient.connect(server.grpc, server.token, patience_s=settings.server_wait_s) as client:
        if models:
            await client.wait_ready(sorted(set(models.values())), settings.server_wait_s)
        devices = {name: await client.device_of(model) for name, model in models.items()}
        known = {name: result.data for name, result in stored.items() if result.data is not None}
        return await perceive(video, wanted, client, settings, tools, progress, known, devices)


def _reusable(run: _Run) -> Reusable:
    services = run.concerned
    again = run.applicable if run.settings.force else ()
    files = {service.name: run.service_file(service) for service in services}
    return find_reusable(services, again, run.applicable, run.provenance, run.state, files)


def _results(run: _Run, reused: Reusable, found: ServiceResults) -> dict[str, ServiceResult]:
    """A result for each service that was asked for; a failure for one whose stream the file does not have."""
    known = {**reused.results, **found.results}
    return {
        service.name: known.get(service.name)
        or ServiceResult.failed(service.name, service.version(run.settings), _NO_VIDEO)
        for service in run.asked
    }


def _endings(run: _Run, found: ServiceResults) -> tuple[PictureEnd | None, SoundEnd | None]:
    """How the streams ended, of this run or, where it did not decode one, of the one that did."""
    streams = {stage: (f"decode.{stage}", run.provenance.of_stream(stage)) for stage in get_args(Stage)}
    seen = {"visual": found.report and PictureEnd.of(found.report), "audio": found.sound}
    for stage, end in seen.items():
        if end is not None:
            run.state.note(*streams[stage], asdict(end), now_iso())
    picture, sound = (run.state.noted(*streams[stage]) for stage in seen)
    return PictureEnd(**picture) if picture else None, SoundEnd(**sound) if sound else None


def _store_results(run: _Run, reused: Reusable, results: Mapping[str, ServiceResult]) -> dict[str, str]:
    """Write each service's file; a failure is written too, but never counts as finished.

    Returns:
        Service -> what its result was made from, of all that have one.
    """
    made_from = run.provenance.of_results(run.concerned, reused, results)
    written = [service for service in run.asked if service.name in results]
    # From here on a file may be newer than what the state says of it.
    run.state.forget(*map(stage_of, written))
    for service in written:
        path = run.service_file(service)
        write_json(path, results[service.name].to_json())
        if service.name in made_from:
            run.state.finish(stage_of(service), made_from[service.name], [path], now_iso())
    return made_from


def _unified(
    run: _Run,
    results: Mapping[str, ServiceResult],
    made_from: Mapping[str, str],
    found: ServiceResults,
    *,
    renew: bool,
) -> tuple[UnifiedAnalysis, str]:
    """The unified analysis with its markers, and the fingerprint of what it is made of.

    It is kept when an earlier run made it from the same results, else made and written once: what is in memory equals
    what the file reads back as.
    """
    metadata = AnalysisMetadata.of(run.task.metadata(run.video))
    if run.stills is not None and run.stills.seconds_each is not None:
        metadata = metadata.of_pictures(run.stills.pictures, run.stills.seconds_each)
    facts = MediaFacts.from_info(run.info, run.settings.sample_fps if run.info.has_video else None)
    made_of = fingerprint(
        analyses_code(),
        {name: made_from.get(name) for name in results},
        asdict(facts),
        metadata.members,
        run.context.insights,
    )
    path = run.store.unified_file(run.task.video_id)
    if not (renew or run.settings.force) and run.state.finished("unified", made_of):
        return UnifiedAnalysis.from_dict(read_json(path)), made_of
    processing: JsonObject = {
        "rumiai_version": __version__,
        "stage_seconds": found.stage_seconds,
        "processed_at": now_iso(),
    }
    analysis = build(run.task.video_id, metadata, facts, results, entries_of, processing)
    if run.context.insights:
        analysis = with_markers(analysis)
    if problems := timeline_problems(analysis.timeline, service_of_entries()):
        raise ContractError(f"the timeline is inconsistent: {'; '.join(problems[:3])}")
    save_unified(run.store, analysis)
    run.state.finish("unified", made_of, [path], now_iso())
    run.state.forget("analyses")
    return analysis, made_of


def _analysed(run: _Run, analysis: UnifiedAnalysis, made_of: str) -> dict[str, AnalysisOutcome]:
    """The seven analyses; kept when an earlier run made them from the same unified analysis."""
    inputs = fingerprint(made_of, analyses_code(), run.settings.output_format)
    if run.state.finished("analyses", inputs):
        return read_analyses(run.store, run.task.video_id)
    summaries = write_analyses(run.store, run.task.video_id, measure(analysis), run.settings.output_format)
    outputs = [Path(path) for summary in summaries.values() for path in summary.files.values()]
    run.state.finish("analyses", inputs, [run.store.markers_file(run.task.video_id), *outputs], now_iso())
    return summaries


def _failure(run: _Run, analysis: UnifiedAnalysis, damage: MediaError | None) -> Failure | None:
    """Why the video counts as failed: nothing worked, or nothing visual did, or in strict mode, not everything did."""
    asked = run.applicable
    failed = sorted(service.name for service in asked if not analysis.ok(service.name))
    visual = [service for service in asked if service.stage == "visual"]
    too_few = len(failed) == len(asked) or (visual and all(service.name in failed for service in visual))
    if not failed or not (too_few or run.settings.strict):
        return None
    if damage is not None:
        return Failure(type(damage).__name__, str(damage), "decode", damage.exit_code)
    reasons = "; ".join(f"{name}: {analysis.reason(name)}" for name in failed)
    what = "in strict mode every service must succeed" if not too_few else "no service that matters succeeded"
    return Failure("MLError", f"{what}: {reasons}", "services", MLError.exit_code)


def _outcome(
    run: _Run,
    results: Mapping[str, ServiceResult],
    reused: Reusable,
    warnings: list[str],
    analysis: UnifiedAnalysis,
    damage: MediaError | None,
) -> VideoOutcome:
    failure = _failure(run, analysis, damage)
    services = {
        service.name: service_outcome(
            analysis,
            service.name,
            round(results[service.name].seconds, 3),
            cached=service.name in reused.results,
        )
        for service in run.asked
    }
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
        bytes=run.info.size_bytes,
    )
