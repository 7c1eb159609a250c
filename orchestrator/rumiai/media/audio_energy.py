"""Loudness, silence, onsets, tempo and beats of a whole audio track."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.services.audio import AudioData, AudioMetadata, BurstPattern
from rumiai.errors import ContractError
from rumiai.media.pitch import gliding_share
from rumiai.media.rhythm import ENVELOPE_HZ, beat_times, find_onsets, onset_envelope

FloatArray = npt.NDArray[np.float64]

WINDOW_S: Final = 5.0
CURVE_HZ: Final = 10
# Fine enough to place a climax, a divisor of every usual sample rate.
_FINE_HZ: Final = 100
_SMOOTHING_S: Final = 0.5
# Containers and editors leave clicks at both ends.
_EDGE_S: Final = 0.2
# A shorter rest of the track belongs to the window before it.
_MIN_WINDOW_S: Final = 0.25
# What is 20 dB above the file's median loudness is 1.0, what is 20 dB below it is 0.0.
_RANGE_DB: Final = 20.0
# Quieter than any room tone that a phone records; digital silence is counted as this.
_FLOOR_DB: Final = -90.0
# Silent: below -50 dBFS, or 40 dB below what is loud in this file.
_SILENT_DBFS: Final = -50.0
_SILENT_BELOW_LOUD_DB: Final = 40.0
# Share of gliding pitch from which a sound is a voice alone: voices have .26 to .79, music 0 to .22.
_VOICE_SHARE: Final = 0.25
# Thirds whose means lie within this share of the loudest third are as loud as it.
_STEADY_SHARE: Final = 0.2


def analyze_audio_energy(track: AudioTrack | None) -> AudioData:
    """The data of the service ``audio_energy``; None is a video without sound, which is no failure.

    ``energy_level_windows`` are loudness relative to the file's median: 0.5 is the median, 0 and 1 are 20 dB below and
    above it. ``rms_curve`` is linear (1.0 is full scale), value k covers ``[k / 10, (k + 1) / 10)`` s. ``tempo_bpm``
    and ``beats`` are null where there is no steady pulse or nothing but a voice, with the reason in the metadata. Times
    are on the video's clock. In a track of nothing but silence the climax, the noise and the pattern are unknown (null,
    null, "none").

    Raises:
        ContractError: The samples hold NaN or infinity.
    """
    if track is None or len(track.samples) == 0:
        return _no_audio()
    power = _block_power(track, _FINE_HZ)
    if not np.isfinite(power).all():
        raise ContractError("audio: got samples that are NaN or infinite, expected -1..1", hint="decode the file again")
    curve = _grouped(power, _FINE_HZ // CURVE_HZ)
    levels = _decibel(curve)
    silent = levels < max(_SILENT_DBFS, float(np.percentile(levels, 95)) - _SILENT_BELOW_LOUD_DB)
    envelope = onset_envelope(track.samples, track.sample_rate_hz)
    onsets = find_onsets(envelope)
    tempo, beats, reason = _rhythm(track, envelope, onsets)
    windows = _windows(power, levels[~silent], track.duration_s)
    return AudioData(
        energy_level_windows={_key(start, end, track.offset_s): value for start, end, value in windows},
        energy_variance=round(float(np.var([value for *_, value in windows])), 6),
        climax_timestamp_s=None if silent.all() else round(_climax(power) + track.offset_s, 3),
        burst_pattern="none" if silent.all() else _burst_pattern(np.sqrt(curve)),
        duration_s=track.duration_s,
        rms_curve=tuple(round(float(value), 6) for value in np.sqrt(curve)),
        silence_ratio=round(float(silent.mean()), 3),
        snr_db=None if silent.all() else round(_snr_db(levels), 1),
        tempo_bpm=tempo,
        onsets_s=_times(onsets, track.offset_s),
        beats_s=None if tempo is None else _times(beats, track.offset_s),
        metadata=_metadata(track, reason),
    )


def _rhythm(track: AudioTrack, envelope: FloatArray, onsets: FloatArray) -> tuple[float | None, FloatArray, str | None]:
    """As ``beat_times``; a voice alone has no tempo, however evenly it speaks."""
    found = beat_times(envelope, onsets)
    if found[0] is None or gliding_share(track.samples, track.sample_rate_hz) < _VOICE_SHARE:
        return found
    return None, np.empty(0), "nothing but a voice is heard"


def _metadata(track: AudioTrack | None, tempo_reason: str | None) -> AudioMetadata:
    metadata = AudioMetadata(
        processed=True,
        success=True,
        has_audio=track is not None,
        method="rms",
        window_seconds=WINDOW_S,
        rms_curve_hz=CURVE_HZ,
        envelope_hz=ENVELOPE_HZ,
        sample_rate=track.sample_rate_hz if track is not None else None,
    )
    return metadata.model_copy(update={"tempo_reason": tempo_reason}) if tempo_reason else metadata


def _no_audio() -> AudioData:
    return AudioData(
        energy_level_windows={},
        energy_variance=None,
        climax_timestamp_s=None,
        burst_pattern="none",
        duration_s=0.0,
        rms_curve=(),
        silence_ratio=None,
        snr_db=None,
        tempo_bpm=None,
        onsets_s=(),
        beats_s=None,
        metadata=_metadata(None, "no audio track"),
    )


def _times(seconds: FloatArray, offset_s: float) -> tuple[float, ...]:
    return tuple(round(float(value) + offset_s, 3) for value in seconds)


def _block_power(track: AudioTrack, rate_hz: int) -> FloatArray:
    """Mean square of each block of 1 / rate_hz s; (blocks,), the last one of what is left."""
    edges = np.arange(0, len(track.samples), track.sample_rate_hz / rate_hz).astype(np.int64)
    lengths = np.diff(np.append(edges, len(track.samples)))
    sums = [
        # A minute at a time: the squares of an hour would take half a gigabyte.
        np.add.reduceat(np.square(track.samples[part[0] : end], dtype=np.float64), part - part[0])
        for part, end in _parts(edges, len(track.samples), 60 * rate_hz)
    ]
    return np.asarray(np.concatenate(sums) / lengths)


def _parts(edges: npt.NDArray[np.int64], total: int, size: int) -> list[tuple[npt.NDArray[np.int64], int]]:
    ends = [int(edges[i + size]) if i + size < len(edges) else total for i in range(0, len(edges), size)]
    return [(edges[i : i + size], end) for i, end in zip(range(0, len(edges), size), ends, strict=True)]


def _grouped(power: FloatArray, size: int) -> FloatArray:
    """Means of ``size`` neighbours; (ceil(n / size),)."""
    starts = np.arange(0, len(power), size)
    return np.asarray(np.add.reduceat(power, starts) / np.diff(np.append(starts, len(power))))


def _decibel(power: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(10 * np.log10(np.maximum(power, 1e-12)), _FLOOR_DB))


def _windows(power: FloatArray, audible_db: FloatArray, duration_s: float) -> list[tuple[float, float, float]]:
    """(start, end, level 0..1) of each five seconds, the last one up to the duration."""
    starts = [
        start for start in np.arange(0.0, duration_s, WINDOW_S) if start == 0 or duration_s - start > _MIN_WINDOW_S
    ]
    ends = [*starts[1:], duration_s]
    median = float(np.median(audible_db)) if len(audible_db) else None
    out = []
    for start, end in zip(starts, ends, strict=True):
        level = float(_decibel(power[round(start * _FINE_HZ) : max(1, round(end * _FINE_HZ))].mean(keepdims=True))[0])
        value = 0.0 if median is None else min(1.0, max(0.0, 0.5 + (level - median) / (2 * _RANGE_DB)))
        out.append((float(start), float(end), round(value, 3)))
    return out


def _key(start_s: float, end_s: float, offset_s: float) -> str:
    return f"{round(start_s + offset_s, 3):.12g}-{round(end_s + offset_s, 3):.12g}s"


def _climax(power: FloatArray) -> float:
    """Centre of the loudest half second, clicks at the ends left out; the first of equals."""
    inner = power.copy()
    edge = round(_EDGE_S * _FINE_HZ)
    if len(inner) > 2 * edge:
        inner[:edge] = inner[-edge:] = 0.0
    width = min(round(_SMOOTHING_S * _FINE_HZ), len(inner))
    sums = np.concatenate([[0.0], np.cumsum(inner)])
    smooth = (sums[width:] - sums[:-width]) / width
    # Equal to a tenth of a decibel is equal: rounding errors must not choose.
    below_db = 10 * np.log10(np.maximum(smooth, 1e-12) / max(float(smooth.max()), 1e-12))
    place = int(np.argmax(np.round(below_db, 1)))
    return (place + width / 2) / _FINE_HZ


def _burst_pattern(rms: FloatArray) -> BurstPattern:
    """Which third is the loudest; steady when all three are within 20 % of it."""
    edges = np.round(np.linspace(0, len(rms), 4)).astype(int)
    last = len(rms) - 1
    thirds = [rms[min(start, last) : max(end, start + 1)].mean() for start, end in pairwise(edges)]
    loudest = max(thirds)
    if all(third >= (1 - _STEADY_SHARE) * loudest for third in thirds):
        return "steady"
    if thirds[0] == loudest:
        return "front_loaded"
    return "middle_peak" if thirds[1] == loudest else "back_loaded"


def _snr_db(levels: FloatArray) -> float:
    """Level of the louder half over the noise floor, which is the 10th percentile; 0..60 dB."""
    floor, middle = np.percentile(levels, [10, 50])
    loud = levels[levels >= middle]
    signal = 10 * np.log10(np.mean(10 ** (loud / 10)))
    return float(np.clip(signal - floor, 0.0, 60.0))
