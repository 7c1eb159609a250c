"""Onsets, tempo and beats of a signal, in numpy alone.

Onset strength is the half-wave rectified difference of a log-mel spectrogram, averaged over bands; tempo is the peak of
its autocorrelation under a log-normal prior; beats are found by dynamic programming over both (Ellis, "Beat Tracking by
Dynamic Programming", Journal of New Music Research 36(1), 2007).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ENVELOPE_HZ: Final = 100
_FRAME_S: Final = 0.032
_BANDS: Final = 40
_MIN_BAND_HZ: Final = 30.0
_MAX_BAND_HZ: Final = 8000.0
# Below this the log-mel spectrogram is flat: what lies 60 dB under the file's peak makes no onset.
_FLOOR_POWER: Final = 1e-6
# Frames analysed at a time: bounds memory for an hour of audio.
_CHUNK_FRAMES: Final = 4096

# Peak picking, in seconds: a local maximum of +-30 ms that stands out of the mean of +-100 ms, no two within 50 ms.
_PEAK_S: Final = 0.03
_MEAN_S: Final = 0.1
_APART_S: Final = 0.05
# Mean rise over all bands, in dB per frame, by which a peak must stand out; steady noise stays below it.
_MIN_RISE_DB: Final = 1.5
_MIN_RISE_SHARE: Final = 0.1

_MIN_BPM: Final = 40.0
_MAX_BPM: Final = 220.0
_PRIOR_BPM: Final = 120.0
_PRIOR_OCTAVES: Final = 1.0
# An autocorrelation over windows of this length falls off with the lag; librosa's default window.
_TEMPO_WINDOW_S: Final = 8.0
# How strictly beats keep to the tempo; Ellis' own choice.
_TIGHTNESS: Final = 100.0
# A pulse that speech (0.1, at most 0.2) and noise (0.1) do not reach; music has 0.7 and more, clicks in noise 0.3.
_MIN_PULSE: Final = 0.25
_PULSE_BEATS: Final = (1, 2, 3, 4)
# How far a beat may stray from the grid and still be on it, as a share of its distance.
_PULSE_SLACK: Final = 0.03
_MIN_BEATS: Final = 4
_MIN_RHYTHM_S: Final = 3.0


def onset_envelope(samples: npt.NDArray[np.float32], rate_hz: int) -> FloatArray:
    """Onset strength in dB per frame, 100 frames a second; value i is the rise that begins at i / 100 s.

    Independent of the signal's volume; zeros for silence.
    """
    hop, size = rate_hz // ENVELOPE_HZ, 1 << round(np.log2(_FRAME_S * rate_hz))
    count = len(samples) // hop + 1
    peak = float(np.max(np.abs(samples), initial=0.0))
    if peak < 1e-5:
        return np.zeros(count)
    window, bands = np.hanning(size).astype(np.float32) / (peak * size / 4), _mel_bands(rate_hz, size)
    # Frame i ends at i * hop + hop: a rise shows in the first frame that reaches it.
    # The start is preceded by its mirror image, so that a file that begins loud has no rise there.
    before = np.resize(samples[: size - hop][::-1], size - hop) if len(samples) else np.zeros(size - hop, np.float32)
    padded = np.concatenate([before, samples, np.zeros(2 * hop, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]
    out = np.empty(count)
    last: npt.NDArray[np.float32] | None = None
    for start in range(0, count, _CHUNK_FRAMES):
        spectrum = np.fft.rfft(frames[start : start + _CHUNK_FRAMES] * window, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ bands
        level = 10 * np.log10(np.maximum(power, _FLOOR_POWER))
        level = np.concatenate([level[:1] if last is None else last, level])
        out[start : start + len(power)] = np.maximum(np.diff(level, axis=0), 0).mean(axis=1)
        last = level[-1:]
    return out


def _mel_bands(rate_hz: int, size: int) -> npt.NDArray[np.float32]:
    """Triangular bands, (size / 2 + 1, 40), each summing to one so that all bands weigh the same."""
    top = min(_MAX_BAND_HZ, rate_hz / 2)
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (_MIN_BAND_HZ, top))
    mel = np.linspace(lowest, highest, _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hertz = np.fft.rfftfreq(size, 1 / rate_hz)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - low) / (centre - low), (high - hertz) / (high - centre)
    weights = np.maximum(0, np.minimum(rising, falling))
    # The lowest bands are narrower than a bin: they take the nearest one.
    empty = weights.sum(axis=0) == 0
    weights[np.abs(hertz - centre[None, :]).argmin(axis=0)[empty], np.flatnonzero(empty)] = 1
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)


def _filtered(values: FloatArray, kernel: FloatArray) -> FloatArray:
    """Convolution with a kernel of odd length, as long as ``values`` even where the kernel is longer."""
    half = len(kernel) // 2
    return np.convolve(values, kernel)[half : half + len(values)]


def find_onsets(envelope: FloatArray) -> FloatArray:
    """Instants where the energy rises, in seconds, ascending."""
    if not envelope.any():
        return np.empty(0)
    near, around = round(_PEAK_S * ENVELOPE_HZ), round(_MEAN_S * ENVELOPE_HZ)
    padded = np.pad(envelope, near, constant_values=-1.0)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * near + 1).max(axis=1)
    kernel = np.ones(2 * around + 1)
    mean = _filtered(envelope, kernel) / _filtered(np.ones_like(envelope), kernel)
    rise = max(_MIN_RISE_DB, _MIN_RISE_SHARE * float(envelope.max()))
    candidates = np.flatnonzero((envelope == highest) & (envelope >= mean + rise))
    kept: list[int] = []
    for place in candidates.tolist():
        if not kept or place - kept[-1] >= _APART_S * ENVELOPE_HZ:
            kept.append(place)
    return np.array(kept, dtype=np.float64) / ENVELOPE_HZ


def beat_times(envelope: FloatArray, onsets: FloatArray) -> tuple[float | None, FloatArray, str | None]:
    """Tempo in beats per minute and the beats in seconds, or None, no beats and why there is no rhythm."""
    nothing = np.empty(0)
    if len(envelope) < _MIN_RHYTHM_S * ENVELOPE_HZ:
        return None, nothing, f"shorter than {_MIN_RHYTHM_S:g} s"
    if len(onsets) < _MIN_BEATS:
        return None, nothing, f"only {len(onsets)} onsets"
    period, pulse = _period(envelope)
    if pulse < _MIN_PULSE:
        return None, nothing, f"no steady pulse (strength {pulse:.2f}, needs {_MIN_PULSE:g})"
    beats = _trimmed(_track(envelope, period), envelope)
    if len(beats) < _MIN_BEATS:
        return None, nothing, f"only {len(beats)} beats"
    step = float(np.polyfit(np.arange(len(beats)), beats, 1)[0])
    return round(60.0 * ENVELOPE_HZ / step, 1), beats / ENVELOPE_HZ, None


def _period(envelope: FloatArray) -> tuple[float, float]:
    """Frames per beat, and the pulse: the mean autocorrelation at 1..4 beats, 1 for a metronome and 0 for noise."""
    scaled = _autocorrelation(envelope)
    lags = np.arange(len(scaled))
    # Where the peak falls between two frames, neighbours share it.
    broad = _filtered(scaled, np.array([0.5, 1.0, 0.5]))
    bpm = 60 * ENVELOPE_HZ / np.maximum(lags, 1)
    prior = np.exp(-0.5 * (np.log2(bpm / _PRIOR_BPM) / _PRIOR_OCTAVES) ** 2)
    prior[(bpm > _MAX_BPM) | (bpm < _MIN_BPM)] = 0.0
    # Every multiple of the beat fits as well as the beat: shorter periods are preferred.
    shorter = 1 - np.minimum(lags / (_TEMPO_WINDOW_S * ENVELOPE_HZ), 1)
    best = int(np.argmax(np.maximum(broad, 0) * prior * shorter))
    around = slice(max(1, best - 1), best + 2)
    weights = np.maximum(scaled[around], 0)
    if not weights.any():
        return float(best), 0.0
    period = float(np.average(lags[around], weights=weights))
    peaks = [_peak_near(scaled, beats * period) for beats in _PULSE_BEATS if beats * period < len(scaled)]
    return period, float(np.clip(np.mean(peaks), 0.0, 1.0))


def _autocorrelation(envelope: FloatArray) -> FloatArray:
    """Unbiased autocorrelation of the envelope less its mean, relative to lag 0, for lags up to 60 % of its length."""
    centred = envelope - envelope.mean()
    size = 1 << (2 * len(centred) - 1).bit_length()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2, size)
    lags = np.arange(min(round(0.6 * len(centred)), round(4.2 * 60 * ENVELOPE_HZ / _MIN_BPM)))
    return np.asarray(correlation[lags] / correlation[0] * len(centred) / (len(centred) - lags))


def _peak_near(correlation: FloatArray, lag: float) -> float:
    slack = max(1, round(_PULSE_SLACK * lag))
    return float(correlation[max(1, round(lag) - slack) : round(lag) + slack + 1].max())


def _track(envelope: FloatArray, period: float) -> npt.NDArray[np.int64]:
    """The beats, in frames, whose onsets are the strongest and whose distances are nearest to ``period``."""
    width = max(1, round(period))
    taps = np.exp(-0.5 * (np.arange(-width, width + 1) * 32 / period) ** 2)
    score = _filtered(envelope / envelope.std(), taps)
    back = np.arange(-round(2 * period), -max(1, round(period / 2)) + 1)
    penalty = -_TIGHTNESS * np.log(-back / period) ** 2
    reach = -int(back[0])
    best = np.zeros(len(score) + reach)  # shifted by ``reach``: before the start nothing was scored
    origin = np.full(len(score), -1, dtype=np.int64)
    first = 0.01 * float(score.max())
    started = False
    for frame, gain in enumerate(score.tolist()):
        candidates = best[frame : frame + len(back)] + penalty
        choice = int(candidates.argmax())
        best[frame + reach] = gain + candidates[choice]
        if started or gain >= first:
            started = True
            origin[frame] = frame + int(back[choice])
    chain: list[int] = []
    frame = int(best[reach:].argmax())
    while frame >= 0:
        chain.append(frame)
        frame = int(origin[frame])
    return np.array(chain[::-1], dtype=np.int64)


def _trimmed(beats: npt.NDArray[np.int64], envelope: FloatArray) -> npt.NDArray[np.int64]:
    """Drop the weak beats at both ends, which the tracker places in silence."""
    if not len(beats):
        return beats
    around = np.lib.stride_tricks.sliding_window_view(np.pad(envelope, 3), 7).max(axis=1)
    strength = around[beats]
    strong = np.flatnonzero(strength > 0.5 * np.sqrt(np.mean(strength**2)))
    return beats[strong[0] : strong[-1] + 1] if len(strong) else beats[:0]
