"""Loudness, silence, onsets, tempo and beats: the canonical data of the ``audio_energy`` service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import model_validator

from rumiai.contracts.services.base import (
    Count,
    Expected,
    Flag,
    Number,
    Seconds,
    ServiceData,
    ServiceMetadata,
    Share,
    Text,
    broken,
    shown,
)

_PATTERNS: Final = ("front_loaded", "back_loaded", "middle_peak", "steady", "none")
BurstPattern = Annotated[
    Literal["front_loaded", "back_loaded", "middle_peak", "steady", "none"], Expected(f"one of {', '.join(_PATTERNS)}")
]
_WINDOW: Final = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)s?")


@dataclass(frozen=True)
class EnergyWindow:
    """Loudness of a stretch, 0..1 relative to the file."""

    start_s: float
    end_s: float
    level: float


class AudioMetadata(ServiceMetadata):
    """``has_audio`` False is a success without sound; ``tempo_reason`` says why there is no tempo."""

    success: Flag | None = None
    has_audio: Flag | None = None
    method: Text | None = None
    window_seconds: Number | None = None
    rms_curve_hz: Number | None = None
    envelope_hz: Number | None = None
    sample_rate: Count | None = None
    tempo_reason: Text | None = None


class AudioData(ServiceData):
    """The sound of one video.

    Attributes:
        energy_level_windows: ``"a-bs"`` -> loudness relative to the file's median, 0..1.
        energy_variance: Of the windows' levels, 0..1; None without sound.
        climax_timestamp_s: Centre of the loudest half second; None without sound.
        burst_pattern: Which third is the loudest, ``steady``, or ``none`` of silence.
        duration_s: Of the audio track.
        rms_curve: Linear, 1.0 is full scale; value k covers [k / 10, (k + 1) / 10) s.
        silence_ratio: Share of the track that is silent.
        snr_db: Level of the louder half over the noise floor.
        tempo_bpm: None where there is no steady pulse, or nothing but a voice; ``tempo_reason`` says so.
        onsets_s: Where the energy rises; None where it was not measured.
        beats_s: None where there is no tempo. Files of earlier versions have no beats there.
        metadata: How it was made.
    """

    service: ClassVar[str] = "audio_energy"
    short_name: ClassVar[str | None] = "audio"
    entry_types: ClassVar[tuple[str, ...]] = ("audio_energy",)

    energy_level_windows: dict[str, Share]
    energy_variance: Share | None = None
    climax_timestamp_s: Seconds | None = None
    burst_pattern: BurstPattern
    duration_s: Number | None = None
    rms_curve: tuple[Number, ...] | None = None
    silence_ratio: Number | None = None
    snr_db: Number | None = None
    tempo_bpm: Number | None = None
    onsets_s: tuple[Seconds, ...] | None = None
    beats_s: tuple[Seconds, ...] | None = None
    metadata: AudioMetadata

    @model_validator(mode="after")
    def _sound_has_a_loudest_moment(self) -> AudioData:
        if found := [*self._window_problems(), *self._missing()]:
            raise broken(*found)
        return self

    def _window_problems(self) -> Iterator[str]:
        for key in self.energy_level_windows:
            match = _WINDOW.fullmatch(key)
            if match is None or float(match[2]) < float(match[1]):
                yield f"energy_level_windows[{shown(key)}]: got that key, expected 'a-bs' with seconds a <= b"

    def _missing(self) -> Iterator[str]:
        # Of no sound, or of nothing but silence, there is no loudest moment.
        if self.metadata.has_audio is False or self.burst_pattern == "none":
            return
        if self.energy_variance is None:
            yield "energy_variance: got None, expected a number 0..1"
        if self.climax_timestamp_s is None:
            yield "climax_timestamp: got None, expected seconds >= 0"

    @property
    def found_confidences(self) -> None:
        """Energy is measured: there is nothing to be found, or missed."""
        return None

    @property
    def windows(self) -> tuple[EnergyWindow, ...]:
        """The windows of the curve, in the file's order."""
        found = []
        for key, level in self.energy_level_windows.items():
            start, _, end = key.removesuffix("s").partition("-")
            found.append(EnergyWindow(float(start), float(end), level))
        return tuple(found)
