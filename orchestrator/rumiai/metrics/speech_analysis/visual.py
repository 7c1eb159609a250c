"""What is seen while somebody speaks: gestures, faces, expressions, texts.

Source: docs/analyses.md, speechInteractions, and speechKeyEvents ``offCameraSpeechSegments``. Conventions: times are
seconds from the start of the video; spans are ``(n, 2)`` arrays of start and end; a union is sorted and disjoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from rumiai.contracts.lexicons import EMOTIONS
from rumiai.core.arrays import Bools, Floats
from rumiai.core.intervals import inside, overlap_s, touched, union
from rumiai.metrics.shared.statistics import mean, ratio
from rumiai.metrics.shared.words import TimedText, content_words

_OVERLAY_S: Final = 1.5  # how long before or after an overlay its words are said
_OFF_CAMERA: Final = 0.2
_PEAK_INTENSITY: Final = 0.6


def seen_segments(segments_s: Floats, looked_s: Floats) -> Bools:
    """Which segments were looked at for at least half of their time.

    Args:
        segments_s: ``(m, 2)`` spans of the segments.
        looked_s: ``(l, 2)`` union of the time that was looked at.

    Returns:
        ``(m,)`` flags.
    """
    lengths = segments_s[:, 1] - segments_s[:, 0]
    return np.asarray(overlap_s(looked_s, segments_s[:, 0], segments_s[:, 1]) >= lengths / 2)


def gesture_sync(segments_s: Floats, gestures_s: Floats) -> float | None:
    """Segments that a gesture overlaps / segments.

    Source: docs/analyses.md, speechInteractions, ``speechGestureSync``.

    Args:
        segments_s: ``(m, 2)`` spans of the segments.
        gestures_s: ``(g, 2)`` spans of the gestures.

    Returns:
        0..1; None without segments.
    """
    return mean(touched(gestures_s, segments_s[:, 0], segments_s[:, 1]))


def times_by_word(words: Iterable[TimedText]) -> dict[str, Floats]:
    """When each content word is said.

    Args:
        words: Text, start and end of each word, by start.

    Returns:
        Content word -> ``(k, 2)`` spans, by start.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for text, start_s, end_s in words:
        for token in content_words(text):
            found.setdefault(token, []).append((start_s, end_s))
    return {token: np.array(times) for token, times in found.items()}


def text_overlap(said: Mapping[str, Floats], overlays: Iterable[TimedText]) -> float | None:
    """Content words of the overlays that are said within 1.5 s of them / content words of the overlays.

    Source: docs/analyses.md, speechInteractions, ``speechTextOverlap``.

    Args:
        said: Content word -> its spans (:func:`times_by_word`).
        overlays: Text, start and end of each overlay.

    Returns:
        0..1; None when no overlay has a content word.
    """
    return mean(
        [
            _is_said(said.get(token), start_s - _OVERLAY_S, end_s + _OVERLAY_S)
            for text, start_s, end_s in overlays
            for token in content_words(text)
        ]
    )


def _is_said(spans_s: Floats | None, start_s: float, end_s: float) -> bool:
    if spans_s is None:
        return False
    index = int(np.searchsorted(spans_s[:, 0], end_s, side="right")) - 1
    return index >= 0 and bool(spans_s[index, 1] >= start_s)


def sampled_spans(starts_s: Floats, step_s: float, duration_s: float) -> Floats:
    """The sampling steps that begin at the given instants, as a union within the video.

    Args:
        starts_s: ``(k,)`` instants of samples on which something was found.
        step_s: Sampling step.
        duration_s: Length of the video.

    Returns:
        ``(n, 2)`` union; ``(0, 2)`` without instants.
    """
    return union(np.stack([starts_s, starts_s + step_s], axis=1), until_s=duration_s)


def off_camera(segments_s: Floats, faces_s: Floats) -> Bools:
    """Which segments show a face in less than 20 % of their time.

    Source: docs/analyses.md, speechKeyEvents, ``offCameraSpeechSegments``.

    Args:
        segments_s: ``(m, 2)`` spans of the segments.
        faces_s: ``(f, 2)`` union of the time with a face.

    Returns:
        ``(m,)`` flags; False for a segment without length.
    """
    with_face = overlap_s(faces_s, segments_s[:, 0], segments_s[:, 1])
    return np.asarray(with_face < _OFF_CAMERA * (segments_s[:, 1] - segments_s[:, 0]))


def speech_only_share(segments_s: Floats, hidden: Bools) -> float | None:
    """Time of the segments off camera / time of all segments.

    Args:
        segments_s: ``(m, 2)`` spans of the segments.
        hidden: ``(m,)`` which of them are off camera.

    Returns:
        0..1; None when the segments take no time.
    """
    lengths = segments_s[:, 1] - segments_s[:, 0]
    return ratio(float(lengths[hidden].sum()), float(lengths.sum()))


def expression_variety(labels: Sequence[str], times_s: Floats, voiced_s: Floats) -> float | None:
    """Distinct expressions during speech / 7.

    Args:
        labels: ``n`` expressions.
        times_s: ``(n,)`` when each was seen.
        voiced_s: ``(v, 2)`` union of the voiced time.

    Returns:
        0..1; None without an expression during speech.
    """
    voiced = inside(voiced_s, times_s)
    shown = {label for label, speaking in zip(labels, voiced, strict=True) if speaking}
    return len(shown) / len(EMOTIONS) if shown else None


def expression_peaks(intensities: Floats, times_s: Floats, voiced_s: Floats) -> list[int]:
    """Indices of the expressions during speech that are stronger than 0.6.

    Args:
        intensities: ``(n,)`` strength of each expression, 0..1.
        times_s: ``(n,)`` when each was seen.
        voiced_s: ``(v, 2)`` union of the voiced time.

    Returns:
        Indices, ascending; empty without any.
    """
    return [int(i) for i in np.flatnonzero(inside(voiced_s, times_s) & (intensities > _PEAK_INTENSITY))]


def spoken_share(gestures_s: Floats, words_s: Floats) -> Floats:
    """Share of each gesture's time in which a word is spoken.

    Args:
        gestures_s: ``(g, 2)`` spans of the gestures.
        words_s: ``(n, 2)`` spans of the words.

    Returns:
        ``(g,)`` 0..1; 0 for a gesture without length.
    """
    seconds = overlap_s(union(words_s), gestures_s[:, 0], gestures_s[:, 1])
    lengths = gestures_s[:, 1] - gestures_s[:, 0]
    shares: Floats = np.divide(seconds, lengths, out=np.zeros(len(lengths)), where=lengths > 0)
    return np.clip(shares, 0.0, 1.0)


def last_segments(segments_s: Floats, gestures_s: Floats) -> list[int | None]:
    """The last segment that has begun when a gesture ends, where the gesture overlaps it.

    Args:
        segments_s: ``(m, 2)`` spans of the segments, by start.
        gestures_s: ``(g, 2)`` spans of the gestures.

    Returns:
        Index of the segment for each gesture; None where they do not overlap.
    """
    starts, ends = segments_s.T
    latest = np.maximum(gestures_s[:, 0], gestures_s[:, 1] - 1e-9)  # an instant belongs to the segment that holds it
    places = np.searchsorted(starts, latest, side="right") - 1
    return [
        index if index >= 0 and ends[index] > start else None
        for index, start in zip(places.tolist(), gestures_s[:, 0].tolist(), strict=True)
    ]
