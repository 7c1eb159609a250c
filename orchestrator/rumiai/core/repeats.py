"""Runs of repeated words: what a Whisper decoder writes when it is stuck in a loop, and what somebody really says.

A run repeats the same units at least three times and compresses by more than 2.4, which is openai-whisper's own
threshold. Text alone cannot tell a loop from twelve spoken "no": the sound can. Where a word is spoken again, its
spectrum comes again.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Floats

REPEATED_COMPRESSION: Final = 2.4
MIN_REPEATS: Final = 3
# The longest unit that is looked for in a run: a sentence of Whisper's is seldom longer.
MAX_UNIT_WORDS: Final = 20

# Share of the words that make a run all that is said.
_NEARLY_ALL: Final = 0.8
# Nobody says a word in less.
_SHORTEST_REPEAT_S: Final = 0.09
_HOP_S: Final = 0.01
_FRAME_S: Final = 0.025
_BANDS: Final = 20
_LOWEST_HZ, _HIGHEST_HZ = 150.0, 5000.0
# What is quieter than the loudest frame of a run by more is no part of a word.
_VOICED_DB: Final = 30.0
# How far the next repeat may lie from where it is looked for, as a share of a repeat's length.
_SLACK: Final = 0.35
# Correlation of the spectra of neighbours. Of 36 spoken runs in six voices 34 have .77 and more; of 112 stretches of
# other speech that were cut as evenly 108 have less than .6.
SPOKEN_AGAIN: Final = 0.6
# Of the peaks of a sound's likeness to itself the first that is nearly the highest is one repeat later.
_AS_LIKE: Final = 0.85
# What is compared to count repeats, as a share of one, and how like it must be, as a share of the likest.
_BEGINNING: Final = 0.5
_AS_LIKE_BEGINNING: Final = 0.5


@dataclass(frozen=True)
class Run:
    """``count`` times the same ``size`` units from unit ``start`` on."""

    start: int
    size: int
    count: int

    @property
    def stop(self) -> int:
        """The unit after the last."""
        return self.start + self.size * self.count


def plain(text: str) -> str:
    """A unit as it is compared: case and the punctuation around it do not count."""
    return text.casefold().strip(" .,!?;:\"'…、。！？，") or text  # noqa: RUF001


def find_runs(units: Sequence[str], longest: int, joint: str = " ") -> list[Run]:
    """Find runs that repeat up to ``longest`` units as a decoder stuck in a loop does.

    Runs do not overlap. Of the runs that begin at one unit the longest counts; of equally long ones, that which repeats
    the fewest units.
    """
    runs: list[Run] = []
    at = 0
    while at < len(units):
        best: Run | None = None
        for size in range(1, min(longest, (len(units) - at) // MIN_REPEATS) + 1):
            count = 1
            unit = units[at : at + size]
            while units[at + count * size : at + (count + 1) * size] == unit:
                count += 1
            run = Run(at, size, count)
            if count >= MIN_REPEATS and (best is None or run.stop > best.stop):
                best = run
        if best and _stuck(units[best.start : best.stop], joint):
            runs.append(best)
            at = best.stop
        else:
            at += 1
    return runs


def _stuck(units: Sequence[str], joint: str) -> bool:
    return compression_ratio(joint.join(units)) > REPEATED_COMPRESSION


def compression_ratio(text: str) -> float:
    """Bytes of a text by its zlib-compressed bytes, as both Whisper libraries count it; 0.0 for no text."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw))


@dataclass(frozen=True)
class Uttered:
    """A word and when it is said, in seconds from the first sample of its sound."""

    text: str
    start_s: float
    end_s: float


def spoken_runs(words: Sequence[Uttered], samples: npt.NDArray[np.float32], rate_hz: int) -> list[Run]:
    """The runs of words that somebody says, by the sound.

    Args:
        words: In order.
        samples: (samples,) float32, mono: what the words were heard in.
        rate_hz: Of the samples.
    """
    return [run for run in runs_of(words) if _sounds(run, words, samples, rate_hz)]


def runs_of(words: Sequence[Uttered]) -> list[Run]:
    """All runs of words, whether somebody says them or not."""
    joint = " " if any(word.text.isascii() for word in words) else ""
    return find_runs([plain(word.text) for word in words], MAX_UNIT_WORDS, joint)


def only_run(words: Sequence[Uttered]) -> Run | None:
    """The run that nearly all of the words belong to; None without one."""
    runs = runs_of(words)
    return next((run for run in runs if run.stop - run.start >= _NEARLY_ALL * len(words)), None)


def _sounds(run: Run, words: Sequence[Uttered], samples: npt.NDArray[np.float32], rate_hz: int) -> bool:
    starts = [words[i].start_s for i in range(run.start, run.stop, run.size)]
    return is_spoken(starts, words[run.stop - 1].end_s, samples, rate_hz)


def is_spoken(starts_s: Sequence[float], end_s: float, samples: npt.NDArray[np.float32], rate_hz: int) -> bool:
    """Whether the sound repeats itself where the text does.

    Args:
        starts_s: Start of each repeat, in seconds from the first sample; ascending.
        end_s: End of the last.
        samples: (samples,) float32, mono.
        rate_hz: Of the samples.

    Returns:
        Whether the repeats are long enough to be words and each sounds like the one before it.
    """
    edges = [*starts_s, end_s]
    if len(starts_s) < MIN_REPEATS or end_s - edges[0] < _SHORTEST_REPEAT_S * len(starts_s):
        return False
    first = max(0, int((edges[0] - 0.1) * rate_hz))
    spectra, level_db = _spectra(samples[first : int((end_s + 0.1) * rate_hz)], rate_hz)
    frames = [round((edge - first / rate_hz) / _HOP_S) for edge in edges]
    return bool(_likeness(spectra, level_db > level_db.max(initial=-np.inf) - _VOICED_DB, frames) >= SPOKEN_AGAIN)


def _likeness(spectra: Floats, voiced: npt.NDArray[np.bool_], edges: Sequence[int]) -> float:
    """Median over the repeats of the best mean correlation with what follows one repeat later."""
    found = []
    for start, stop in pairwise(edges[:-1]):
        heard = np.flatnonzero(voiced[start:stop]) + start
        slack = max(2, round(_SLACK * (stop - start)))
        lags = range(max(1, stop - start - slack), stop - start + slack + 1)
        found.append(max((_correlation(spectra, heard, lag) for lag in lags), default=0.0))
    return float(np.median(found)) if found else 0.0


def _correlation(spectra: Floats, frames: npt.NDArray[np.int64], lag: int) -> float:
    later = frames + lag
    if not len(frames) or later[-1] >= len(spectra):
        return 0.0
    return float(np.einsum("ij,ij->i", spectra[frames], spectra[later]).mean())


def _spectra(samples: npt.NDArray[np.float32], rate_hz: int) -> tuple[Floats, Floats]:
    """(frames, bands) log spectra less their mean, each of length one; and (frames,) the level in dB."""
    hop, size = round(_HOP_S * rate_hz), round(_FRAME_S * rate_hz)
    padded = np.pad(samples.astype(np.float64), (0, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * size / rate_hz
    places = np.searchsorted(edges, np.arange(power.shape[1]))
    bands = np.stack([power[:, places == band].sum(axis=1) for band in range(1, _BANDS + 1)], axis=1)
    level = 10 * np.log10(power.sum(axis=1) + 1e-12)
    logs = np.log(bands + 1e-4 * bands.max(initial=1e-12))
    centred = logs - logs.mean(axis=0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9), level


@dataclass(frozen=True)
class Heard:
    """How often the same is said, and from when to when, in seconds from the first sample."""

    count: int
    start_s: float
    end_s: float


def repeats_heard(samples: npt.NDArray[np.float32], rate_hz: int) -> Heard | None:
    """How often a stretch of sound says the same, when it says nothing else.

    The spectra of a word that is said over and over correlate with themselves one word later.

    Args:
        samples: (samples,) float32, mono.
        rate_hz: Of the samples.

    Returns:
        The repeats, at least ``MIN_REPEATS``; None where the sound does not repeat itself.
    """
    spectra, level_db = _spectra(samples, rate_hz)
    heard = np.flatnonzero(level_db > level_db.max(initial=-np.inf) - _VOICED_DB)
    if not len(heard):
        return None
    length = int(heard[-1] - heard[0] + 1)
    lags = range(round(_SHORTEST_REPEAT_S / _HOP_S), length // (MIN_REPEATS - 1))
    likeness = np.array([_self_likeness(spectra, heard, lag) for lag in lags])
    if len(likeness) < 3:
        return None
    inner = likeness[1:-1]
    peaks = np.flatnonzero((inner >= likeness[:-2]) & (inner > likeness[2:]) & (inner >= SPOKEN_AGAIN)) + 1
    if not len(peaks):
        return None
    # Every multiple of the period is a peak too.
    period = lags[int(peaks[likeness[peaks] >= _AS_LIKE * likeness[peaks].max()][0])]
    count = _beginnings(spectra, heard, period)
    return Heard(count, heard[0] * _HOP_S, (heard[-1] + 1) * _HOP_S) if count >= MIN_REPEATS else None


def _beginnings(spectra: Floats, heard: npt.NDArray[np.int64], period: int) -> int:
    """How often the first part of a repeat comes. The end of the last one may be drawn out, or cut short."""
    first, size = int(heard[0]), max(3, round(_BEGINNING * period))
    starts = range(first, int(heard[-1]) - size + 2)
    model = np.mean([spectra[first + k * period :][:size] for k in range(MIN_REPEATS)], axis=0)
    likeness = np.array([float((spectra[start : start + size] * model).sum(axis=1).mean()) for start in starts])
    loud = np.isin(np.arange(len(spectra)), heard)
    likeness[[not loud[start : start + size].mean() > 0.5 for start in starts]] = 0.0
    order = np.argsort(-likeness)
    taken: list[int] = []
    for place in order[likeness[order] >= _AS_LIKE_BEGINNING * likeness.max(initial=0.0)].tolist():
        if all(abs(place - other) >= 0.7 * period for other in taken):
            taken.append(place)
    return len(taken)


def _self_likeness(spectra: Floats, frames: npt.NDArray[np.int64], lag: int) -> float:
    both = frames[np.isin(frames + lag, frames, assume_unique=True)]
    if len(both) < len(frames) / 4:
        return 0.0
    return float(np.einsum("ij,ij->i", spectra[both], spectra[both + lag]).mean())
