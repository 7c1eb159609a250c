"""Bringing a voice to the level that Whisper was trained at.

The voice alone is measured, in the stretches that the detector gives: loud music before it changes nothing. What holds
no voice is not raised, since only chunks of speech are decoded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ
from rumiai.contracts.whisper import SPEECH_DBFS
from rumiai_server.engines.whisper.vad import SpeechCut, cut_at_silence

# Of a voice that is quieter the detector misses parts: it gets to hear it louder.
_FAINT_DBFS: Final = -40.0
# Below -80 dBFS there is a recorder's own noise, no voice.
_MOST_GAIN: Final = 10 ** (60 / 20)
_BLOCK: Final = AUDIO_SAMPLE_RATE_HZ * 30 // 1000
# Pauses between words: so much quieter than the loud parts that they do not count.
_PAUSE_POWER: Final = 10 ** (-20 / 10)
_FULL_SCALE: Final = 0.99


def cut_levelled(samples: npt.NDArray[np.float32]) -> SpeechCut:
    """As ``cut_at_silence``, the chunks at ``SPEECH_DBFS``, or as near to it as full scale allows.

    Args:
        samples: (samples,) float32, mono, 16 kHz; may be empty.
    """
    before = gain(samples) if level_dbfs(samples) < _FAINT_DBFS else 1.0
    cut = cut_at_silence(samples * np.float32(before) if before != 1.0 else samples)
    if not cut.chunks:
        return cut
    factor = np.float32(gain(np.concatenate([chunk.samples for chunk in cut.chunks])))
    return replace(cut, chunks=tuple(replace(chunk, samples=chunk.samples * factor) for chunk in cut.chunks))


def level_dbfs(samples: npt.NDArray[np.float32]) -> float:
    """Root mean square of the blocks of 30 ms within 20 dB of the loud ones, in dB of full scale; -inf for silence."""
    power = _block_power(samples)
    loud = float(np.percentile(power, 95)) if len(power) else 0.0
    if loud <= 0.0:
        return -np.inf
    return float(10 * np.log10(power[power >= loud * _PAUSE_POWER].mean()))


def gain(samples: npt.NDArray[np.float32]) -> float:
    """The factor that brings samples to ``SPEECH_DBFS`` and none of them past full scale; 1.0 for silence."""
    level = level_dbfs(samples)
    if not np.isfinite(level):
        return 1.0
    wanted = min(10 ** ((SPEECH_DBFS - level) / 20), _MOST_GAIN)
    return float(min(wanted, _FULL_SCALE / float(np.abs(samples).max())))


def _block_power(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    return np.asarray(np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64) / _BLOCK)
