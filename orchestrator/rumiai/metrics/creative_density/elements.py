"""Which creative elements there are, how many, and which of them meet.

Source: docs/analyses.md, creative_density. A type whose service failed counts None, one that was not found 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.lexicons import find_ctas
from rumiai.metrics.creative_density.blocks import DetectionReliability, ElementCounts, PatternFlags, TimelineCounts
from rumiai.metrics.evidence.sound import Speech
from rumiai.metrics.evidence.types import Expressions, Gesture, Objects, Shots, Sticker, TextTrack
from rumiai.metrics.shared.density import object_count
from rumiai.metrics.shared.phrases import spoken_phrases

_CLOSING_SHARE: Final = 0.15
_TEXT_DRIVEN: Final = 0.4  # share of all elements
_EFFECT_RICH: Final = 0.3  # share of all elements
_SPARSE: Final = 0.3  # share of empty bins
_DYNAMIC: Final = 0.6  # volatility


def element_counts(
    *,
    texts: Sequence[TextTrack] | None,
    stickers: Sequence[Sticker] | None,
    gestures: Sequence[Gesture] | None,
    expressions: Expressions | None,
    objects: Objects | None,
    shots: Shots | None,
) -> ElementCounts:
    """Distinct items over the video, by type.

    Transitions are what separates scenes and is no plain cut. Objects are, per scene and class, the 90th percentile of
    the simultaneous boxes, summed, so they need the scenes too. Expressions are the changes of the smoothed label.
    Effects have no detector, so they are 0.

    Args:
        texts: Text overlays.
        stickers: Stickers.
        gestures: Gestures.
        expressions: Expressions of the main face.
        objects: Object boxes on sampled frames.
        shots: The scenes.

    Returns:
        Counts; None for a type whose input is None.
    """
    return ElementCounts(
        text=None if texts is None else len(texts),
        sticker=None if stickers is None else len(stickers),
        effect=0,
        transition=None if shots is None else sum(kind != "cut" for kind in shots.transition_types or ()),
        object=None
        if shots is None or objects is None
        else object_count(shots.index(objects.grid.times_s), objects.sample, objects.class_index),
        gesture=None if gestures is None else len(gestures),
        expression=None if expressions is None else len(expressions.smoothed.changes),
    )


def known_total(counts: ElementCounts) -> int:
    """Sum of the counts that are known.

    Args:
        counts: Distinct items by type.
    """
    return sum(count for _, count in counts if count is not None)


def timeline_counts(counts: ElementCounts, objects: Objects | None, expressions: Expressions | None) -> TimelineCounts:
    """Lengths of what was found, under the older names.

    Args:
        counts: Distinct items by type.
        objects: Object boxes on sampled frames; the frames with at least one are counted.
        expressions: Expressions of the main face; all samples are counted.
    """
    return TimelineCounts(
        effect_count=counts.effect,
        transition_count=counts.transition,
        object_detection_frames=None if objects is None else int((objects.per_sample > 0).sum()),
        text_overlay_count=counts.text,
        sticker_count=counts.sticker,
        gesture_count=counts.gesture,
        expression_count=None if expressions is None else len(expressions.labels),
    )


def cooccurrence(types: Sequence[str], present: npt.NDArray[np.bool_]) -> dict[str, int]:
    """Bins in which both types of a pair occur.

    Args:
        types: Names of the k types.
        present: ``(k, n)`` whether the type is in the bin.

    Returns:
        ``"a_b"``, both names in alphabetical order, -> number of bins, for every pair, in order of the keys. Empty for
        fewer than two types.
    """
    together = present.astype(np.int64) @ present.T.astype(np.int64)
    pairs = {
        "_".join(sorted((types[a], types[b]))): int(together[a, b])
        for a in range(len(types))
        for b in range(a + 1, len(types))
    }
    return dict(sorted(pairs.items()))


def dominant_pair(pairs: Mapping[str, int]) -> str:
    """The most frequent pair; the alphabetically first on ties.

    Args:
        pairs: Pair -> number of bins.

    Returns:
        ``"none"`` when no two types meet.
    """
    return min((pair for pair, count in pairs.items() if count), key=lambda pair: (-pairs[pair], pair), default="none")


def closing_call_to_action(texts: Sequence[TextTrack] | None, speech: Speech | None, duration_s: float) -> bool | None:
    """Whether a listed call to action is seen or heard in the last 15 % of the video.

    Args:
        texts: Text overlays.
        speech: The transcript.
        duration_s: Of the video, in seconds.

    Returns:
        None when neither texts nor speech are known.
    """
    if texts is None and speech is None:
        return None
    begin_s = (1 - _CLOSING_SHARE) * duration_s
    seen = any(text.end_s > begin_s and find_ctas(text.text) for text in texts or ())
    phrases = spoken_phrases(speech.segments, find_ctas) if speech is not None else ()
    return seen or any(phrase.end_s > begin_s for phrase in phrases)


def ml_tags(counts: ElementCounts, flags: PatternFlags, *, empty_share: float, volatility: float) -> list[str]:
    """Machine tags.

    Args:
        counts: Distinct items by type.
        flags: Shape of the density curve.
        empty_share: Bins without any element / bins.
        volatility: Of the density curve, 0..1.

    Returns:
        Tags in a fixed order; empty when none holds.
    """
    known = known_total(counts)
    tags = {
        "hook_heavy": flags.strong_opening_hook,
        "text_driven": known > 0 and (counts.text or 0) > _TEXT_DRIVEN * known,
        "effect_rich": known > 0 and (counts.effect or 0) > _EFFECT_RICH * known,
        "multi_peak": flags.multi_peak_rhythm,
        "sparse_density": empty_share > _SPARSE,
        "dynamic_pacing": volatility > _DYNAMIC,
    }
    return [tag for tag, found in tags.items() if found]


def reliability(
    *, ocr: float, yolo: float, mediapipe: float, scenes: float, names_transitions: bool
) -> DetectionReliability:
    """Quality of the service behind each type; effects have no detector.

    Args:
        ocr: Quality of the text reader, 0..1.
        yolo: Quality of the object detector, 0..1.
        mediapipe: Quality of the people detector, 0..1.
        scenes: Quality of the scene detector, 0..1.
        names_transitions: Whether the scene detector says of which kind a transition is.
    """
    return DetectionReliability(
        text_overlay=ocr,
        sticker=ocr,
        effect=0.0,
        transition=scenes if names_transitions else 0.0,
        scene_change=scenes,
        object=yolo,
        gesture=mediapipe,
    )
