"""Cutting a track at silence, with the Silero detector and the settings of faster-whisper's batched pipeline.

Stretches of speech are gathered into chunks of at most 30 s, Whisper's window, with the silence between them left out.
A chunk therefore has a clock of its own, the track's speech laid end to end; ``SpeechClock`` leads back to the track's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from faster_whisper.vad import (
    SpeechTimestampsMap,
    VadOptions,
    collect_chunks,
    get_speech_timestamps,
    get_vad_model,
)

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ
from rumiai.core.arrays import freeze_arrays

# Whisper's window.
CHUNK_S: Final = 30.0
# What BatchedInferencePipeline asks of the detector when nothing else is said; with the same values both cut alike.
MIN_SILENCE_MS: Final = 160
# Windows of 32 ms that the detector takes at once, 32 s in all: each costs 13 kB on its way through, and faster-whisper
# would take up to 10000.
WINDOWS_PER_RUN: Final = 1000


class _ShortRuns:
    """The detector's session, which hands its state from run to run, so that the length of a run changes nothing."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, names: Any, inputs: dict[str, npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        """As ``onnxruntime.InferenceSession.run`` for (windows, samples) ``input`` and the states ``h`` and ``c``."""
        windows, h, c = inputs["input"], inputs["h"], inputs["c"]
        found = []
        for start in range(0, len(windows), WINDOWS_PER_RUN):
            part, h, c = self._session.run(names, {"input": windows[start : start + WINDOWS_PER_RUN], "h": h, "c": c})
            found.append(part)
        return [np.concatenate(found), h, c]


def _bound_memory() -> None:
    """Have faster-whisper's detector, of which there is one in the process, take long tracks in short runs."""
    detector = get_vad_model()
    if not isinstance(detector.session, _ShortRuns):
        detector.session = _ShortRuns(detector.session)


class SpeechClock:
    """From times on the clock of a track's speech, laid end to end, to times on the clock of the track."""

    def __init__(self, spans: list[dict[str, int]]) -> None:
        self._map = SpeechTimestampsMap(spans, AUDIO_SAMPLE_RATE_HZ)

    def point(self, time_s: float, *, is_end: bool = False) -> float:
        """An instant; ``is_end`` keeps one that closes a stretch of speech from moving to the start of the next."""
        return float(self._map.get_original_time(time_s, is_end=is_end))

    def interval(self, start_s: float, end_s: float) -> tuple[float, float]:
        """A word: both ends are taken to lie in the stretch of speech that holds its middle."""
        stretch = self._map.get_chunk_index((start_s + end_s) / 2)
        return (
            float(self._map.get_original_time(start_s, stretch)),
            float(self._map.get_original_time(end_s, stretch)),
        )


@dataclass(frozen=True)
class SpeechChunk:
    """At most 30 s of speech.

    Attributes:
        samples: (samples,) float32, mono, 16 kHz; read-only.
        offset_s: Where the chunk starts on the clock of the track's speech.
        duration_s: Its length.
        borders: Samples at which one stretch of speech ends and the next begins, ascending; the pauses of the track.

    Raises:
        ContractError: Another shape or dtype.
    """

    samples: npt.NDArray[np.float32]
    offset_s: float
    duration_s: float
    borders: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        freeze_arrays(self, samples=(np.float32, "samples"))

    def part(self, start: int, stop: int) -> SpeechChunk:
        """The samples from ``start`` to ``stop`` as a chunk of its own."""
        borders = tuple(at - start for at in self.borders if start < at < stop)
        offset_s = self.offset_s + start / AUDIO_SAMPLE_RATE_HZ
        return SpeechChunk(self.samples[start:stop], offset_s, (stop - start) / AUDIO_SAMPLE_RATE_HZ, borders)


@dataclass(frozen=True)
class SpeechCut:
    """The speech of a track: no chunks when there is none."""

    chunks: tuple[SpeechChunk, ...]
    clock: SpeechClock
    speech_s: float


def cut_at_silence(samples: npt.NDArray[np.float32]) -> SpeechCut:
    """Find the speech on a track and gather it into chunks.

    Args:
        samples: (samples,) float32, mono, 16 kHz; may be empty.
    """
    _bound_memory()
    options = VadOptions(max_speech_duration_s=CHUNK_S, min_silence_duration_ms=MIN_SILENCE_MS)
    spans = get_speech_timestamps(samples, options) if len(samples) else []
    speech_s = sum(span["end"] - span["start"] for span in spans) / AUDIO_SAMPLE_RATE_HZ
    if speech_s == 0:
        return SpeechCut((), SpeechClock([]), 0.0)
    arrays, facts = collect_chunks(samples, spans, max_duration=CHUNK_S)
    ends = np.cumsum([span["end"] - span["start"] for span in spans]).tolist()
    chunks = tuple(
        SpeechChunk(array, float(fact["offset"]), float(fact["duration"]), _borders(ends, fact["offset"], len(array)))
        for array, fact in zip(arrays, facts, strict=True)
        if len(array)
    )
    return SpeechCut(chunks, SpeechClock(spans), speech_s)


def _borders(ends: list[int], offset_s: float, samples: int) -> tuple[int, ...]:
    """Of the ends of all stretches, on the clock of the track's speech, those within a chunk."""
    start = round(offset_s * AUDIO_SAMPLE_RATE_HZ)
    return tuple(end - start for end in ends if 0 < end - start < samples)
