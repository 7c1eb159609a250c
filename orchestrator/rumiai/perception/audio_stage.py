"""The audio track: decoded once, read by Whisper and by the energy analysis side by side."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.results import ServiceName
from rumiai.contracts.whisper import WhisperParams
from rumiai.errors import RumiAIError
from rumiai.inference import whisper
from rumiai.inference.client import TritonClient
from rumiai.media.audio import decode_audio
from rumiai.media.audio_energy import analyze_audio_energy
from rumiai.media.endings import SoundEnd
from rumiai.media.shared_frames import SharedRegion
from rumiai.perception.service_run import Emit, ProbedVideo, ServiceResults, ServiceRun


class AudioStage:
    """One video's audio services.

    Args:
        video: The video.
        services: Which of ``whisper`` and ``audio_energy`` to run.
        client: Connected to the server.
        out: Where results go.
        emit: Progress.
    """

    def __init__(
        self,
        video: ProbedVideo,
        services: frozenset[ServiceName],
        client: TritonClient,
        out: ServiceResults,
        emit: Emit,
    ) -> None:
        self._video, self._client, self._out, self._emit = video, client, out, emit
        self._runs = {name: out.service(name) for name in services}
        self._region: SharedRegion | None = None
        self._registered = False

    async def run(self) -> None:
        """Decode the track, run the services, free the memory."""
        try:
            track = await self._decoded()
            async with asyncio.TaskGroup() as group:
                if "whisper" in self._runs:
                    group.create_task(self._transcribe(self._runs["whisper"], track))
                if "audio_energy" in self._runs:
                    group.create_task(self._measure(self._runs["audio_energy"], track))
        finally:
            if self._region is not None:
                await self._forget(self._region)

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
            for run in self._runs.values():
                run.failure = str(exc)
            return None
        finally:
            self._out.stage_seconds["decode_audio"] = time.monotonic() - began

    def _make_region(self, size_bytes: int) -> SharedRegion:
        self._region = SharedRegion(f"{self._video.region_prefix}-audio", size_bytes)
        return self._region

    async def _transcribe(self, run: ServiceRun, track: AudioTrack | None) -> None:
        data: dict[str, Any] | None = None
        with run.guard():
            if run.failure is None:
                data = await self._heard(track)
        self._out.results["whisper"] = run.result(data)

    async def _heard(self, track: AudioTrack | None) -> dict[str, Any]:
        if track is None:
            return whisper.assemble(None, has_audio=False, audio_duration_s=0.0)
        if self._region is not None and track.span is not None:
            span, size_bytes = track.span, self._region.size_bytes
            self._registered = await self._client.register(span.region, span.key, size_bytes)

        def progress(done: int, of: int) -> None:
            self._emit("speech", {"done": done, "of": of})

        payload = await whisper.transcribe(self._client, track, WhisperParams(), progress)
        return whisper.assemble(
            payload, has_audio=True, audio_duration_s=track.duration_s, audio_offset_s=track.offset_s
        )

    async def _measure(self, run: ServiceRun, track: AudioTrack | None) -> None:
        data: dict[str, Any] | None = None
        with run.guard():
            if run.failure is None:
                data = await asyncio.to_thread(analyze_audio_energy, track)
        self._out.results["audio_energy"] = run.result(data)

    async def _forget(self, region: SharedRegion) -> None:
        try:
            if self._registered:
                await self._client.unregister(region.region)
        except RumiAIError as exc:  # the server has gone, and the region's registration with it
            self._out.warnings.append(str(exc))
        finally:
            region.close()
