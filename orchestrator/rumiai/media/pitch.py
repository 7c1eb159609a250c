"""How much of a sound is a voice: the share of its loud moments in which one pitch glides.

The pitch of a voice moves all the time; that of instruments stands still from note to note, and drums have none. The
pitch is the strongest peak of the normalised autocorrelation of 40 ms in the band of the lowest harmonics (Boersma,
"Accurate short-term analysis of the fundamental frequency", IFA Proceedings 17, 1993).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_HOP_S: Final = 0.01
_FRAME_S: Final = 0.04
_BAND_HZ: Final = (70.0, 1800.0)
_PITCH_HZ: Final = (75.0, 400.0)
# A frame is loud within 25 dB of the loudest, and has a pitch from this peak on.
_LOUD_POWER: Final = 10**-2.5
_PERIODIC: Final = 0.7
# The first peak that is nearly as high as the highest: not an octave below the pitch.
_AS_HIGH: Final = 0.9
# A pitch glides when it moves by this much within three steps; more than the second is a jump to another note.
_STEPS: Final = 3
_GLIDE_SEMITONES: Final = (0.08, 3.0)
# A minute is enough to know a voice: of longer sound as many stretches of 5 s, evenly spread.
_CHUNK_FRAMES: Final = 500
_MOST_CHUNKS: Final = 12


def gliding_share(samples: npt.NDArray[np.float32], rate_hz: int) -> float:
    """Share of the loud frames in which one pitch glides, 0..1; 0.0 for silence and for less than four frames.

    Args:
        samples: (samples,) float32, mono.
        rate_hz: Of the samples.
    """
    size, hop = round(_FRAME_S * rate_hz), round(_HOP_S * rate_hz)
    if len(samples) < size + _STEPS * hop:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    starts = np.arange(0, len(frames), _CHUNK_FRAMES)
    starts = starts[:: -(-len(starts) // _MOST_CHUNKS)]
    chunks = [frames[start : start + _CHUNK_FRAMES] for start in starts.tolist()]
    powers = [np.square(chunk, dtype=np.float64).mean(axis=1) for chunk in chunks]
    floor = _LOUD_POWER * np.percentile(np.concatenate(powers), 95)
    loud = sum(int((power > floor).sum()) for power in powers)
    gliding = sum(_gliding(chunk, power > floor, rate_hz) for chunk, power in zip(chunks, powers, strict=True))
    return gliding / loud if loud else 0.0


def _gliding(frames: npt.NDArray[np.float32], loud: npt.NDArray[np.bool_], rate_hz: int) -> int:
    """How many of neighbouring frames have a pitch that glides."""
    if loud.sum() <= _STEPS:
        return 0
    pitch = np.full(len(frames), np.nan)
    pitch[loud] = _pitches(frames[loud], rate_hz)
    known = np.lib.stride_tricks.sliding_window_view(pitch, _STEPS + 1)
    moved = np.abs(known[:, -1] - known[:, 0])
    least, most = _GLIDE_SEMITONES
    return int((~np.isnan(known).any(axis=1) & (moved > least) & (moved < most)).sum())


def _pitches(frames: npt.NDArray[np.float32], rate_hz: int) -> FloatArray:
    """(frames,) pitch in semitones over 1 Hz; NaN where there is none."""
    window = np.hanning(frames.shape[1])
    size = 1 << (2 * frames.shape[1] - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(frames * window, size)) ** 2
    hertz = np.fft.rfftfreq(size, 1 / rate_hz)
    spectrum[:, (hertz < _BAND_HZ[0]) | (hertz > _BAND_HZ[1])] = 0
    lowest, highest = round(rate_hz / _PITCH_HZ[1]), round(rate_hz / _PITCH_HZ[0])
    own = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)[: highest + 2]
    found = np.fft.irfft(spectrum)[:, : highest + 2]
    likeness = found / np.maximum(found[:, :1], 1e-12) / (own / own[0])
    inner = likeness[:, 1:-1]
    peaks = np.where((inner >= likeness[:, :-2]) & (inner > likeness[:, 2:]), inner, -1.0)[:, lowest - 1 :]
    highest_peak = peaks.max(axis=1)
    lag = lowest + np.argmax(peaks >= _AS_HIGH * highest_peak[:, None], axis=1)
    semitones = 12 * np.log2(rate_hz / _refined(likeness, lag))
    semitones[highest_peak < _PERIODIC] = np.nan
    return np.asarray(semitones)


def _refined(values: FloatArray, places: npt.NDArray[np.int64]) -> FloatArray:
    """Where the parabola through each peak and its neighbours is the highest."""
    rows = np.arange(len(places))
    before, at, after = (values[rows, places + step] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=np.abs(bend) > 1e-9)
    return np.asarray(places + np.clip(shift, -0.5, 0.5))
