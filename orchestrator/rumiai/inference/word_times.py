"""Word times by the sound: where it is quiet, nobody speaks.

Whisper times words by the attention of its decoder, which lets them begin before anything is heard and stretch over the
pauses between them. Here the loud stretches of the sound, its islands, take the words that lie in them: the first word
of an island begins where that begins, the last one ends where it ends, and no word reaches over the quiet between two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.services.whisper import Word
from rumiai.core.arrays import Floats
from rumiai.inference.repetitions import Sound

_HOP_S: Final = 0.01
_FRAME_S: Final = 0.02
# Quiet that is shorter belongs to a word: the closure of a stop consonant lasts up to 0.12 s.
_SHORTEST_QUIET_S: Final = 0.15
# A click is no word.
_SHORTEST_ISLAND_S: Final = 0.03
# A voice falls by some 30 dB from its loud vowels to its faint consonants.
_VOICE_RANGE_DB: Final = 30.0
# What is quiet lies in the lower third between the noise and the voice.
_QUIET_SHARE: Final = 0.35
# With less between noise and voice, as under music, pauses cannot be seen.
_LEAST_RANGE_DB: Final = 15.0
_SILENCE_DB: Final = -90.0
# How far a word may be stretched to the edge of its island.
_REACH_S: Final = 0.3


def by_sound(words: Sequence[Word], sound: Sound) -> tuple[Word, ...]:
    """Words with the times at which they are heard.

    Args:
        words: In the order in which they are spoken.
        sound: What they were heard in.

    Returns:
        The same words; as they came where noise or music hides the pauses, or where nothing is heard.
    """
    if not words:
        return ()
    islands = _islands(sound) + sound.offset_s
    if not len(islands):
        return tuple(words)
    homes = [_home(word, islands) for word in words]
    return tuple(
        _within(word, islands[home], first=i == 0 or homes[i - 1] != home, last=homes[i + 1 : i + 2] != [home])
        if home is not None
        else word
        for i, (word, home) in enumerate(zip(words, homes, strict=True))
    )


def _home(word: Word, islands: Floats) -> int | None:
    """The island that a word shares most time with, else the nearest within reach; None without either."""
    shared = np.minimum(islands[:, 1], word.end_s) - np.maximum(islands[:, 0], word.start_s)
    best = int(np.argmax(shared))
    return best if shared[best] > -_REACH_S else None


def _within(word: Word, island: Floats, *, first: bool, last: bool) -> Word:
    start_s, end_s = (float(edge) for edge in island)
    begins = start_s if first and word.start_s - start_s < _REACH_S else max(word.start_s, start_s)
    ends = end_s if last and end_s - word.end_s < _REACH_S else min(word.end_s, end_s)
    if ends <= begins:
        return word
    return word.model_copy(update={"start_s": round(begins, 3), "end_s": round(ends, 3)})


def _islands(sound: Sound) -> Floats:
    """(islands, 2) start and end of what is heard, in seconds from the first sample; (0, 2) where none stand out."""
    level = level_db(sound.samples, sound.rate_hz)
    noise, voice = np.percentile(level, (10, 95)) if len(level) else (0.0, 0.0)
    if voice - noise < _LEAST_RANGE_DB:
        return np.empty((0, 2))
    heard = level > max(voice - _VOICE_RANGE_DB, noise + _QUIET_SHARE * (voice - noise))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], heard, [False]]).astype(np.int8))).reshape(-1, 2)
    spans = edges * _HOP_S
    spans = spans[spans[:, 1] - spans[:, 0] >= _SHORTEST_ISLAND_S]
    if not len(spans):
        return spans
    apart = spans[1:, 0] - spans[:-1, 1] >= _SHORTEST_QUIET_S
    starts = spans[np.concatenate([[True], apart]), 0]
    ends = spans[np.concatenate([apart, [True]]), 1]
    return np.stack([starts, ends], axis=1)


def level_db(samples: npt.NDArray[np.float32], rate_hz: int) -> Floats:
    """(frames,) level of 20 ms around each 10 ms, in dB of full scale, not below -90."""
    hop, size = round(_HOP_S * rate_hz), round(_FRAME_S * rate_hz)
    squares = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples), hop)
    first, after = np.maximum(starts - (size - hop) // 2, 0), np.minimum(starts + (size + hop) // 2, len(samples))
    power = (squares[after] - squares[first]) / np.maximum(after - first, 1)
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (_SILENCE_DB / 10))))
