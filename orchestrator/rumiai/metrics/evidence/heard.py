"""The sound of one video as evidence: transcript and energy, from the typed data of their services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.contracts.services.audio import AudioData
from rumiai.contracts.services.whisper import Segment, WhisperData
from rumiai.core.arrays import Floats
from rumiai.metrics.evidence import sound
from rumiai.metrics.evidence.observed import Seen
from rumiai.metrics.shared.words import tokens

_CURVE_HZ: Final = 10.0


def speech_of(seen: Seen) -> sound.Speech | None:
    """The transcript, segments by start.

    A segment whose words have no times of their own is cut into as many equal parts as it has words.

    Args:
        seen: The data of the services.

    Returns:
        The transcript, without segments where nobody speaks; None when nothing was listened to.
    """
    data = seen.get(WhisperData)
    if data is None:
        return None
    return sound.Speech(
        text=data.text,
        language=data.known_language,
        has_audio=data.metadata.has_audio is not False,
        lost_s=data.lost_s,
        doubtful_language=data.doubtful_language,
        segments=tuple(sorted(map(_segment, data.segments), key=lambda s: (s.start_s, s.end_s, s.text))),
    )


def _segment(item: Segment) -> sound.Segment:
    start_s, end_s, text = item.start_s, item.end_s, item.text.strip()
    words = tuple(sound.Word(w.word.strip(), w.start_s, w.end_s, w.probability, True) for w in item.words or ())
    if not words:
        spoken = tokens(text)
        edges = np.linspace(start_s, end_s, len(spoken) + 1).tolist()
        words = tuple(sound.Word(w, a, b, None, False) for w, a, b in zip(spoken, edges, edges[1:], strict=False))
    return sound.Segment(start_s, end_s, text, item.confidence, words)


def audio_of(seen: Seen) -> sound.Audio | None:
    """What the sound is like, curves and instants as arrays.

    Args:
        seen: The data of the services.

    Returns:
        The sound; None where the video has none, and when nothing was listened to.
    """
    data = seen.get(AudioData)
    if data is None or data.metadata.has_audio is False:
        return None
    return sound.Audio(
        windows=tuple(sorted((window.start_s, window.end_s, window.level) for window in data.windows)),
        variance=data.energy_variance,
        climax_s=data.climax_timestamp_s,
        burst_pattern=data.burst_pattern,
        onsets_s=None if data.onsets_s is None else _instants(data.onsets_s),
        beats_s=None if data.beats_s is None else _instants(data.beats_s),
        tempo_bpm=data.tempo_bpm,
        snr_db=data.snr_db,
        silence_ratio=data.silence_ratio,
        curve=None if data.rms_curve is None else np.array(data.rms_curve, dtype=np.float64),
        curve_hz=data.metadata.rms_curve_hz or _CURVE_HZ,
    )


def _instants(raw: Sequence[float]) -> Floats:
    return np.sort(np.array(raw, dtype=np.float64))
