"""Loudness, silence, onsets, tempo and beats of the audio track, computed in the worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rumiai.services.base import AudioInputs, AudioService

if TYPE_CHECKING:
    from rumiai.contracts.services.audio import AudioData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.settings import Settings


class AudioEnergyService(AudioService["AudioData"]):
    """The service ``audio_energy``; a video without sound has data that says so."""

    name = "audio_energy"
    file = "audio_energy_outputs/{id}/{id}_energy.json"
    older_files = ("audio_energy_outputs/{id}/{id}_audio_energy.json",)

    def data_model(self) -> type[AudioData]:
        """See docs/outputs.md."""
        from rumiai.contracts.services.audio import AudioData

        return AudioData

    def version(self, settings: Settings) -> str:
        """The method."""
        return "rms-spectral-flux-2"

    async def run(self, inputs: AudioInputs) -> AudioData:
        """Analyse the whole track in a thread."""
        import asyncio  # not above: `rumiai-orch --help` lists the services, and must come at once

        from rumiai.media.audio_energy import analyze_audio_energy
        from rumiai.media.endings import heard

        data = await asyncio.to_thread(analyze_audio_energy, inputs.track)
        return data.observing(heard(inputs.track, inputs.video.info.duration_s))

    def entries(self, data: AudioData) -> Iterable[TimelineEntry]:
        """One ``audio_energy`` per window of the energy curve."""
        from rumiai.contracts.timeline import TimelineEntry

        for window in data.windows:
            yield TimelineEntry(window.start_s, "audio_energy", {"level": window.level}, window.end_s)
