"""One video through all services at once: each stream is decoded once, and everything reads from that.

::

    decoder thread -- sampled frames -----+--> yolo   (server, several requests in flight)
       |              in shared memory    +--> ocr    (gate in a thread; what may hold other text goes to the server)
       '- every frame -> scene detector   '--> people (MediaPipe, in a thread, where yolo saw persons)
    audio thread   -- whole track ------------> whisper (server) and audio energy (thread)

A batch's memory is written again when its last reader has released it, so the slowest reader sets the decoder's pace.
A service that fails goes on releasing, and costs only itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from rumiai.contracts.results import ServiceName, ServiceResult
from rumiai.contracts.services import WhisperData
from rumiai.inference.client import TritonClient
from rumiai.perception.audio_stage import AudioStage
from rumiai.perception.service_run import AUDIBLE, VISUAL, Emit, ProbedVideo, ServiceResults, Tools
from rumiai.perception.versions import service_versions
from rumiai.perception.visual_stage import VisualStage
from rumiai.settings import Settings

__all__ = ["ProbedVideo", "ServiceResults", "Tools", "perceive", "service_versions"]


async def perceive(
    video: ProbedVideo,
    services: frozenset[ServiceName],
    client: TritonClient,
    settings: Settings,
    tools: Tools,
    emit: Emit,
    stored: Mapping[ServiceName, ServiceResult],
    devices: Mapping[ServiceName, str | None],
) -> ServiceResults:
    """Run services over one video.

    Args:
        video: The video.
        services: Which to run; those whose stream the file does not have are left out by the caller.
        client: Connected to a server that has the models they need.
        settings: Mode and sizes.
        tools: The worker's own.
        emit: Progress: stage and its numbers.
        stored: Results of earlier runs that the services may build on.
        devices: Where the server runs its models.

    Returns:
        An envelope for each of ``services``.
    """
    out = ServiceResults(service_versions(settings), devices)
    audio = AudioStage(video, services & AUDIBLE, client, out, emit)
    visual: VisualStage | None = None
    if services & VISUAL:
        visual = VisualStage(video, services & VISUAL, client, settings, tools, out, emit, stored)
    async with asyncio.TaskGroup() as group:
        if services & AUDIBLE:
            group.create_task(audio.run())
        if visual is not None:
            group.create_task(visual.run())
    if visual is not None:
        visual.conclude(_speech({**stored, **out.results}))
    return out


def _speech(results: Mapping[ServiceName, ServiceResult]) -> list[tuple[float, float]] | None:
    """When something was said; None without a transcript."""
    transcript = results.get("whisper")
    if transcript is None or not isinstance(transcript.data, WhisperData):
        return None
    return [(segment.start_s, segment.end_s) for segment in transcript.data.segments]
