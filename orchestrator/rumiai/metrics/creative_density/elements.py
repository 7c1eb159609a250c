"""Which creative elements there are, how many, and which of them meet.

Source: docs/analyses.md, creative_density. A type whose service failed counts None, one that was not found 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.lexicons import find_ctas
from rumiai.metrics.creative_density.blocks import DetectionReliability, ElementCounts, PatternFlags, TimelineCounts
from rumiai.metrics.evidence.sound import Speech
from rumiai.metrics.evidence.types import Evidence, Expressions, Gesture, Objects, Shots, Sticker, TextTrack
from rumiai.metrics.shared.density import object_count
from rumiai.metrics.shared.phrases import spoken_phrases
from rumiai.metrics.shared.statistics import clamp, mean_known

# Type of element -> the service that finds it, by its name in the weights.
_FOUND_BY: Final[Mapping[str, str]] = {
    "text": "ocr", "sticker": "ocr", "transition": "scenes", "object": "yolo", "gesture": "mediapipe",
    "expression": "emotion",
}  # fmt: skip
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

    Transitions are what separates scenes and is no plain cut; where no types are named they are unknown. Objects are,
    per scene and class, the 90th percentile of the simultaneous boxes, summed, so they need the scenes too. Expressions
    are the changes of the smoothed label. Effects have no detector, so they are unknown.

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
        effect=None,
        transition=None
        if shots is None or shots.transition_types is None
        else sum(kind != "cut" for kind in shots.transition_types),
        object=None
        if shots is None or objects is None
        else object_count(shots.index(objects.grid.times_s), objects.sample, objects.class_index),
        gesture=None if gestures is None else len(gestures),
        expression=None if expressions is None else len(expressions.smoothed.changes),
    )


def known_total(counts: ElementCounts) -> int:
    """Sum of the counts that are known.

    Args:
        counts: Distinct items by type; None for a type that is unknown.

    Returns:
        At least 0; 0 where no type is known.
    """
    return sum(count for _, count in counts if count is not None)


def rate(counts: ElementCounts, seconds: Mapping[str, float]) -> float:
    """Elements per second: of each type, those that its service found over the seconds that it looked at.

    Source: docs/analyses.md, densityCoreMetrics, ``elementsPerSecond``: the total / D where all looked at the whole
    video.

    Args:
        counts: Distinct items by type; a type that is unknown is left out.
        seconds: Seconds that each service looked at, by its name in the weights.

    Returns:
        At least 0.
    """
    found: list[tuple[str, int | None]] = list(counts)
    return sum(count / seconds[_FOUND_BY[kind]] for kind, count in found if count)


def timeline_counts(counts: ElementCounts, objects: Objects | None, expressions: Expressions | None) -> TimelineCounts:
    """Lengths of what was found, under the older names.

    Args:
        counts: Distinct items by type.
        objects: Object boxes on sampled frames; the frames with at least one are counted.
        expressions: Expressions of the main face; all samples are counted.

    Returns:
        Counts; None for a type whose input is None or whose count is unknown.
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


def dominant_pair(pairs: Mapping[str, int]) -> str | None:
    """The most frequent pair; the alphabetically first on ties.

    Args:
        pairs: Pair -> number of bins.

    Returns:
        ``"none"`` when no two types meet; None when there are no pairs.
    """
    if not pairs:
        return None
    return min((pair for pair, count in pairs.items() if count), key=lambda pair: (-pairs[pair], pair), default="none")


def closing_call_to_action(texts: Sequence[TextTrack] | None, speech: Speech | None, duration_s: float) -> bool | None:
    """Whether a listed call to action is seen or heard in the last 15 % of the video.

    Source: docs/analyses.md, densityPatterns, ``structuralFlags``.

    Args:
        texts: Text overlays; None where texts are unknown.
        speech: The transcript; None where speech is unknown.
        duration_s: Of the video, in seconds.

    Returns:
        True for one that ends there, wherever it begins. None when none is found and texts or speech are unknown: it
        may be there.
    """
    begin_s = (1 - _CLOSING_SHARE) * duration_s
    seen = any(text.end_s > begin_s and find_ctas(text.text) for text in texts or ())
    phrases = spoken_phrases(speech.segments, find_ctas) if speech is not None else ()
    found = seen or any(phrase.end_s > begin_s for phrase in phrases)
    return None if not found and (texts is None or speech is None) else found


def ml_tags(counts: ElementCounts, flags: PatternFlags, *, empty_share: float | None, volatility: float) -> list[str]:
    """Machine tags.

    Args:
        counts: Distinct items by type.
        flags: Shape of the density curve.
        empty_share: Bins without any element / bins; None unless every type of element was looked for.
        volatility: Of the density curve, 0..1.

    Returns:
        Tags in a fixed order; empty when none holds.
    """
    known = known_total(counts)
    tags = {
        "hook_heavy": flags.strong_opening_hook is True,
        "text_driven": known > 0 and (counts.text or 0) > _TEXT_DRIVEN * known,
        "effect_rich": known > 0 and (counts.effect or 0) > _EFFECT_RICH * known,
        "multi_peak": flags.multi_peak_rhythm,
        "sparse_density": empty_share is not None and empty_share > _SPARSE,
        "dynamic_pacing": volatility > _DYNAMIC,
    }
    return [tag for tag, found in tags.items() if found]


def reliability(evidence: Evidence) -> DetectionReliability:
    """How far each type of element can be trusted: mean confidence of its own finds x share that was looked at.

    Args:
        evidence: Of the video.

    Returns:
        None for a type without a detector (effects, transitions: nothing says how sure one is), whose service failed,
        and of which nothing was found: no type has the confidence of another.
    """
    texts, stickers, gestures, shots = evidence.texts, evidence.stickers, evidence.gestures, evidence.shots
    scores = None if shots is None else shots.cut_confidences

    def of(service: str, confidences: Iterable[float | None] | None) -> float | None:
        sure = None if confidences is None else mean_known(confidences)
        return None if sure is None else clamp(sure) * evidence.services.of[service].completeness

    return DetectionReliability(
        text_overlay=of("ocr", None if texts is None else [text.confidence for text in texts]),
        sticker=of("ocr", None if stickers is None else [sticker.confidence for sticker in stickers]),
        effect=None,
        transition=None,
        scene_change=of("scenes", None if scores is None else scores.tolist()),
        object=of("yolo", None if evidence.objects is None else evidence.objects.confidences.tolist()),
        gesture=of("mediapipe", None if gestures is None else [gesture.confidence for gesture in gestures]),
    )
