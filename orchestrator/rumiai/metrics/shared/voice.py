"""When somebody speaks.

Source: docs/analyses.md, speechCoreMetrics, ``speechDuration`` and ``speechCoverage``. Conventions: spans are
``(n, 2)`` arrays of start and end in seconds; a union is sorted and disjoint.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.core.intervals import intersect, length, union
from rumiai.metrics.shared.statistics import clamp, ratio

_PAD_S: Final = 0.1  # a word is heard a little before and after the times that a recogniser gives it
_JOIN_S: Final = 0.3  # a shorter gap is part of speaking
# Silent sound: below -50 dBFS, or 40 dB below what is loud in this file (as the audio service has it).
_SILENT_LEVEL: Final = 10 ** (-50 / 20)
_SILENT_SHARE: Final = 10 ** (-40 / 20)
_LOUD_PERCENTILE: Final = 95


def loud_spans(energy: Floats, energy_hz: float) -> Floats:
    """Where the sound is not silent.

    Args:
        energy: ``(n,)`` linear energy, 1.0 at full scale; value k covers ``[k, k + 1) / energy_hz`` seconds.
            At least one value.
        energy_hz: Values per second.

    Returns:
        Union of the loud values, gaps under 0.3 s closed; ``(0, 2)`` for silence.
    """
    limit = max(_SILENT_LEVEL, _SILENT_SHARE * float(np.percentile(energy, _LOUD_PERCENTILE)))
    starts = np.flatnonzero(energy > limit) / energy_hz
    return union(np.stack([starts, starts + 1 / energy_hz], axis=1), gap_s=_JOIN_S)


def voiced_spans(timed_words_s: Floats, untimed_segments_s: Floats, loud_s: Floats | None, duration_s: float) -> Floats:
    """Union of the time in which somebody speaks.

    Words are padded by 0.1 s at both ends and joined over gaps under 0.3 s. A segment whose words have no times counts
    where the sound is not silent, or whole where that is unknown.

    Args:
        timed_words_s: ``(n, 2)`` words that have times of their own.
        untimed_segments_s: ``(m, 2)`` segments without such a word.
        loud_s: ``(k, 2)`` union of the sound that is not silent; None when unknown.
        duration_s: Length of the video; later speech is cut off.

    Returns:
        ``(v, 2)`` union within the video; ``(0, 2)`` without words and segments.
    """
    untimed = union(untimed_segments_s)
    rest = untimed if loud_s is None else intersect(untimed, loud_s)
    words = union(timed_words_s, gap_s=_JOIN_S, pad_s=_PAD_S)
    return union(np.concatenate([words, rest]), gap_s=_JOIN_S, until_s=duration_s)


def face_share_of_speech(voiced_s: Floats, faces_s: Floats) -> float | None:
    """Seconds of speech that show a face / seconds of speech.

    Source: docs/analyses.md, personFramingInteractions, ``speakerFraming``, and speechInteractions,
    ``faceOnScreenDuringSpeech``.

    Args:
        voiced_s: ``(n, 2)`` union of the time in which somebody speaks.
        faces_s: ``(m, 2)`` union of the time that shows a face.

    Returns:
        In 0..1; None without speech.
    """
    share = ratio(length(intersect(voiced_s, faces_s)), length(voiced_s))
    return None if share is None else clamp(share)
