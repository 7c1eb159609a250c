"""Cuts long tracks into windows, so that a request to ``whisper`` is bounded however long the video is.

The server keeps a copy of a request and searches all of it for speech. A model that works through an hour of one video
blocks all others.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ

# Most short videos are one window. A longer track is cut at the quietest point of the last half minute of a window:
# speech pauses within that time, and Whisper itself hears at most 30 s.
LONGEST_S: Final = 75
SHORTEST_S: Final = 45
# Length of the quiet that is searched for, in steps of 20 ms: a pause between sentences.
_PAUSE_STEPS: Final = 15
_STEP: Final = AUDIO_SAMPLE_RATE_HZ // 50


def windows(samples: npt.NDArray[np.float32]) -> list[slice]:
    """Cut a track.

    Args:
        samples: (samples,) float32, mono, 16 kHz.

    Returns:
        Neighbours that make up the track, each of ``SHORTEST_S`` to ``LONGEST_S`` seconds, the last one perhaps
        shorter; a track of ``LONGEST_S`` or less is one. An empty track has none.
    """
    found: list[slice] = []
    start = 0
    while len(samples) - start > LONGEST_S * AUDIO_SAMPLE_RATE_HZ:
        low, high = (start + seconds * AUDIO_SAMPLE_RATE_HZ for seconds in (SHORTEST_S, LONGEST_S))
        stop = low + _quietest(samples[low:high])
        found.append(slice(start, stop))
        start = stop
    return [*found, slice(start, len(samples))] if start < len(samples) else found


def _quietest(samples: npt.NDArray[np.float32]) -> int:
    """The sample in the middle of the quietest pause."""
    steps = samples.reshape(-1, _STEP)
    power = np.einsum("ij,ij->i", steps, steps, dtype=np.float64)
    pauses = np.convolve(power, np.ones(_PAUSE_STEPS), mode="valid")
    return int((int(np.argmin(pauses)) + _PAUSE_STEPS / 2) * _STEP)
