"""Run all services over one video. Each stream is decoded once, and the services read it side by side.

::

    decoder thread -- sampled frames -----+--> reader   (a model on the server, one request in flight)
       |              in shared memory    +--> reader   (decides in a thread what the server must read)
       '- every frame -> scene detector   '--> reader   (a model in a thread of the worker)
    audio thread   -- whole track ------------> audio services, side by side

A batch's memory is written again when its last reader has released it, so the slowest reader sets the decoder's pace.
A service that fails goes on releasing, and costs only itself. The stages know no service by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from rumiai.contracts.services.base import ServiceData
from rumiai.errors import RumiAIError
from rumiai.inference.client import TritonClient
from rumiai.perception.audio_stage import AudioStage
from rumiai.perception.service_run import Emit, ServiceResults
from rumiai.perception.visual_stage import VisualStage
from rumiai.services import AnyService, AudioService, ProbedVideo, VisualService, WorkerTools
from rumiai.settings import Settings

__all__ = ["ServiceResults", "perceive"]


async def perceive(
    video: ProbedVideo,
    services: Sequence[AnyService],
    client: TritonClient,
    settings: Settings,
    tools: WorkerTools,
    emit: Emit,
    stored: Mapping[str, ServiceData],
    devices: Mapping[str, str | None],
) -> ServiceResults:
    """Run services over one video.

    Args:
        video: The video.
        services: Which to run, in the order of the registry; the file has the streams that they need.
        client: Connected to a server that has the models they need.
        settings: Of the run.
        tools: The worker's.
        emit: Takes progress: the stage, how much of it is done, and how much there is.
        stored: Service -> its data from an earlier run, which the services may build on.
        devices: Service -> where the server runs its model.

    Returns:
        A result for each of ``services``.

    Raises:
        RumiAIError: No service can go on, such as without shared memory.
    """
    out = await _once(video, services, client, settings, tools, emit, stored, devices, None)
    if out.is_damaged:
        # With several threads FFmpeg's decoders conceal damage in another way each time; with one, always alike.
        out = await _once(video, services, client, settings, tools, emit, stored, devices, 1)
    return out


async def _once(
    video: ProbedVideo,
    services: Sequence[AnyService],
    client: TritonClient,
    settings: Settings,
    tools: WorkerTools,
    emit: Emit,
    stored: Mapping[str, ServiceData],
    devices: Mapping[str, str | None],
    decoder_threads: int | None,
) -> ServiceResults:
    out = ServiceResults({service.name: service.version(settings) for service in services}, devices)
    audible = [service for service in services if isinstance(service, AudioService)]
    visible = [service for service in services if isinstance(service, VisualService)]
    visual: VisualStage | None = None
    if visible:
        visual = VisualStage(video, visible, client, settings, tools, out, emit, stored, decoder_threads)
    try:
        async with asyncio.TaskGroup() as group:
            if audible:
                group.create_task(AudioStage(video, audible, client, settings, tools, out, emit).run())
            if visual is not None:
                group.create_task(visual.run())
    except ExceptionGroup as exc:
        ours = first_of_ours(exc)
        if ours is None:
            raise
        raise ours from exc
    if visual is not None:
        heard = {name: result.data for name, result in out.results.items() if result.data is not None}
        visual.finish({**stored, **heard})
    return out


def first_of_ours(group: BaseExceptionGroup[BaseException]) -> RumiAIError | None:
    """The first error of a group, however deep, when all are ours; None when one is a bug."""
    others = group.split(RumiAIError)[1]
    errors: list[BaseException] = [group]
    while isinstance(errors[0], BaseExceptionGroup):
        errors[:1] = errors[0].exceptions
    return errors[0] if others is None and isinstance(errors[0], RumiAIError) else None
