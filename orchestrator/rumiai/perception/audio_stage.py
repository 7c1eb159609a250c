"""The audio stage: it decodes the track once into shared memory, and all audio services read it side by side."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.services.base import ServiceData
from rumiai.errors import MediaError, RumiAIError
from rumiai.inference.client import TritonClient
from rumiai.media.audio import decode_audio
from rumiai.media.endings import SoundEnd
from rumiai.media.shared_frames import SharedRegion
from rumiai.perception.server_memory import mapped_by_server
from rumiai.perception.service_run import Emit, ServiceResults, ServiceRun
from rumiai.services import AudioInputs, AudioService, ProbedVideo, WorkerTools
from rumiai.settings import Settings


class AudioStage:
    """One video's audio services.

    Args:
        video: The video.
        services: At least one.
        client: Connected to the server.
        settings: Of the run.
        tools: The worker's.
        out: Where results go.
        emit: Takes progress.
    """

    def __init__(
        self,
        video: ProbedVideo,
        services: Sequence[AudioService[Any]],
        client: TritonClient,
        settings: Settings,
        tools: WorkerTools,
        out: ServiceResults,
        emit: Emit,
    ) -> None:
        self._video, self._client, self._settings, self._tools = video, client, settings, tools
        self._out, self._emit = out, emit
        self._runs = [(service, out.begin(service)) for service in services]
        self._region: SharedRegion | None = None

    async def run(self) -> None:
        """Decode the track, run the services, free the memory."""
        try:
            track = await self._decoded()
            inputs = AudioInputs(self._video, track, self._settings, self._client, self._tools, self._progress)
            async with self._known_to_server(track), asyncio.TaskGroup() as group:
                for service, run in self._runs:
                    group.create_task(self._run_service(service, run, inputs))
        finally:
            if self._region is not None:
                self._region.close()

    async def _run_service(self, service: AudioService[Any], run: ServiceRun, inputs: AudioInputs) -> None:
        data: ServiceData | None = None
        if run.failure is None:
            with run.guard():
                data = await service.run(inputs)
        self._out.results[service.name] = run.result(data)

    def _progress(self, done: int, of: int) -> None:
        self._emit("speech", done, of)

    async def _decoded(self) -> AudioTrack | None:
        """The track; None when the file has none, or when it cannot be decoded (then the services have failed)."""
        if not self._video.info.has_audio:
            return None
        began = time.monotonic()
        try:
            track = await asyncio.to_thread(decode_audio, self._video.path, self._video.info, self._make_region)
            self._out.sound = SoundEnd.of(track)
            return track
        except RumiAIError as exc:
            if isinstance(exc, MediaError):
                self._out.damage = self._out.damage or exc
            for _, run in self._runs:
                run.failure = str(exc)
            return None
        finally:
            self._out.stage_seconds["decode_audio"] = time.monotonic() - began

    def _make_region(self, size_bytes: int) -> SharedRegion:
        self._region = SharedRegion(f"{self._video.region_prefix}-audio", size_bytes)
        return self._region

    def _known_to_server(self, track: AudioTrack | None) -> contextlib.AbstractAsyncContextManager[None]:
        """Map the track in the server, if one of its models reads it."""
        served = any(service.server_model for service, _ in self._runs)
        if served and track is not None and track.span is not None and self._region is not None:
            return mapped_by_server(self._region, self._client)
        return contextlib.nullcontext()
