"""Energy of the sound while somebody speaks: stressed words, climax, bursts, noise.

Source: docs/analyses.md, speechDynamics ``emphasisMoments`` and ``speechBursts``, speechKeyEvents ``speechClimax``,
speechQuality. Conventions: times are seconds from the start of the video; energy is linear, 1.0 at full scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from rumiai.core.arrays import Floats, freeze_arrays
from rumiai.core.intervals import inside
from rumiai.core.series import local_maxima
from rumiai.metrics.shared.statistics import clamp, mean, ratio

_STRESSED: Final = 1.5  # deviations above the mean energy of the speech
_MOST_STRESSED: Final = 10
_ENERGETIC, _RAPID = 1.3, 1.95  # times the speaking rate of the video
_BURST_S: Final = 2.0  # a shorter segment has no rate of its own
_LOUD_WINDOW: Final = 0.9
_EARLY, _LATE = 0.3, 0.7  # share of the video
_CLEAR, _MODERATE = 0.3, 0.6  # noise ratio
_QUIETEST_DB, _RANGE_DB = 5.0, 25.0  # signal to noise of the noisiest sound, and up to the clearest

BurstType = Literal["rapid", "energetic", "high_energy"]
BurstPattern = Literal["none", "front_loaded", "climax", "distributed"]
AudioQuality = Literal["clear", "moderate", "poor"]
# Start, end and energy (0..1) of a window.
EnergyWindow = tuple[float, float, float]


@dataclass(frozen=True)
class VoicedEnergy:
    """Energy inside the speech.

    Attributes:
        times_s: ``(n,)`` instants.
        levels: ``(n,)`` energy at each.
    """

    times_s: Floats
    levels: Floats

    def __post_init__(self) -> None:
        freeze_arrays(self, times_s=(np.float64, "n"), levels=(np.float64, "n"))


@dataclass(frozen=True)
class Climax:
    """The loudest instant of the speech; its energy relative to the loudest of the video, 0..1."""

    time_s: float
    intensity: float


@dataclass(frozen=True)
class Burst:
    """A stretch that is spoken fast or loud.

    Attributes:
        start_s: Start.
        end_s: End, after the start.
        words: Words spoken in it.
        energy: Energy of the window that holds its middle, 0..1; None when unknown.
        kind: rapid or energetic for a segment, by its rate; high_energy for an energy window.
    """

    start_s: float
    end_s: float
    words: float
    energy: float | None
    kind: BurstType

    @property
    def words_per_minute(self) -> float | None:
        """Speaking rate of the stretch: 60 x words / seconds, at least 0."""
        return ratio(60 * self.words, self.end_s - self.start_s)


def voiced_energy(energy: Floats, energy_hz: float, voiced_s: Floats) -> VoicedEnergy:
    """The values of an energy curve whose middles lie inside the speech.

    Args:
        energy: ``(n,)`` energy; value k covers ``[k, k + 1) / energy_hz`` seconds.
        energy_hz: Values per second.
        voiced_s: ``(v, 2)`` union of the voiced time.

    Returns:
        Middles and values; empty without speech.
    """
    times = (np.arange(energy.size) + 0.5) / energy_hz
    voiced = inside(voiced_s, times)
    return VoicedEnergy(times[voiced], energy[voiced])


def word_at(words_s: Floats, time_s: float) -> int | None:
    """Which word is spoken at an instant.

    Args:
        words_s: ``(n, 2)`` spans of the words, by start.
        time_s: The instant.

    Returns:
        Index of the word, of several that of the last to begin; None when none is spoken.
    """
    index = int(np.searchsorted(words_s[:, 0], time_s, side="right")) - 1
    return index if index >= 0 and time_s < words_s[index, 1] else None


def stressed_words(speech: VoicedEnergy, words_s: Floats) -> list[int]:
    """Words on which the energy has a local maximum above mean + 1.5 deviations of the speech.

    Source: docs/analyses.md, speechDynamics, ``emphasisMoments``.

    Args:
        speech: Energy inside the speech.
        words_s: ``(n, 2)`` spans of the words, by start.

    Returns:
        Indices of the ten loudest, ascending. Empty without energy, and for even energy.
    """
    if not speech.levels.size:
        return []
    limit = float(speech.levels.mean() + _STRESSED * speech.levels.std())
    strongest: dict[int, float] = {}
    for peak in local_maxima(speech.levels):
        word = word_at(words_s, float(speech.times_s[peak]))
        if word is not None and speech.levels[peak] > limit:
            strongest[word] = max(strongest.get(word, 0.0), float(speech.levels[peak]))
    return sorted(sorted(strongest, key=lambda word: (-strongest[word], word))[:_MOST_STRESSED])


def energy_climax(speech: VoicedEnergy, loudest: float) -> Climax | None:
    """The energy peak inside the speech.

    Source: docs/analyses.md, speechKeyEvents, ``speechClimax``.

    Args:
        speech: Energy inside the speech.
        loudest: Largest energy of the whole video.

    Returns:
        The first of equal peaks; None without speech, and for a video without sound.
    """
    if not speech.levels.size or loudest <= 0:
        return None
    peak = int(np.argmax(speech.levels))
    return Climax(float(speech.times_s[peak]), clamp(float(speech.levels[peak]) / loudest))


def window_energy(windows: Sequence[EnergyWindow], time_s: float) -> float | None:
    """Energy of the window that holds an instant.

    Args:
        windows: Energy windows, by start.
        time_s: The instant.

    Returns:
        0..1; None where no window holds it.
    """
    index = int(np.searchsorted([start for start, _, _ in windows], time_s, side="right")) - 1
    return clamp(windows[index][2]) if index >= 0 and time_s < windows[index][1] else None


def rapid_segments(
    segments_s: Floats, words: Sequence[int], usual_wpm: float, windows: Sequence[EnergyWindow]
) -> list[Burst]:
    """Segments of more than 2 s that are spoken much faster than the video.

    Source: docs/analyses.md, speechDynamics, ``speechBursts``.

    Args:
        segments_s: ``(m, 2)`` spans of the segments.
        words: Words of each.
        usual_wpm: Words per minute of the whole speech.
        windows: Energy windows, by start.

    Returns:
        Bursts in the order of the segments: energetic above 1.3 times the usual rate, rapid above 1.95 times.
    """
    found = []
    for (start, end), count in zip(segments_s.tolist(), words, strict=True):
        rate = 60 * count / (end - start) if end - start > _BURST_S else 0.0
        if rate > _ENERGETIC * usual_wpm:
            kind: BurstType = "rapid" if rate > _RAPID * usual_wpm else "energetic"
            found.append(Burst(start, end, float(count), window_energy(windows, (start + end) / 2), kind))
    return found


def loud_windows(windows: Iterable[EnergyWindow], duration_s: float) -> list[tuple[float, float, float]]:
    """Energy windows above 0.9.

    Args:
        windows: Energy windows.
        duration_s: Length of the video.

    Returns:
        Start, end (within the video) and energy (0..1) of each, in order; empty without loud ones.
    """
    ended = [(start, min(end, duration_s), clamp(level)) for start, end, level in windows if level > _LOUD_WINDOW]
    return [(start, end, level) for start, end, level in ended if end > start]


def burst_pattern(starts_s: Sequence[float], duration_s: float) -> BurstPattern:
    """Where the bursts lie, by their mean start.

    Source: docs/analyses.md, speechDynamics, ``burstPattern``.

    Args:
        starts_s: Starts of the bursts.
        duration_s: Length of the video.

    Returns:
        front_loaded before 30 % of the video, climax after 70 %, else distributed; none without bursts.
    """
    middle = mean(starts_s)
    if middle is None:
        return "none"
    place = middle / duration_s
    return "front_loaded" if place < _EARLY else "climax" if place > _LATE else "distributed"


def noise_ratio(snr_db: float | None) -> float | None:
    """How noisy the sound is: 1 - (signal to noise - 5 dB) / 25 dB, within 0..1.

    Source: docs/analyses.md, speechQuality, ``backgroundNoiseRatio``.

    Args:
        snr_db: Signal to noise ratio in dB; None when unknown.

    Returns:
        0 from 30 dB on, 1 up to 5 dB; None for None.
    """
    return None if snr_db is None else 1 - clamp((snr_db - _QUIETEST_DB) / _RANGE_DB)


def audio_quality(noise: float | None) -> AudioQuality | None:
    """Word of a noise ratio.

    Source: docs/analyses.md, speechQuality, ``audioQuality``.

    Args:
        noise: Noise ratio, 0..1 (:func:`noise_ratio`); None when unknown.

    Returns:
        clear below 0.3, moderate below 0.6, else poor; None for None.
    """
    if noise is None:
        return None
    return "clear" if noise < _CLEAR else "moderate" if noise < _MODERATE else "poor"
