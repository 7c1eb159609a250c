"""Metrics of visual_overlay_analysis that have no field in its blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Floats, Ints
from rumiai.core.intervals import near, touched
from rumiai.metrics.evidence.types import Evidence, Gesture, TextTrack
from rumiai.metrics.shared.bins import active_in, span, windows_of
from rumiai.metrics.shared.statistics import cv, mean, mean_known, ratio
from rumiai.metrics.visual_overlay_analysis import legibility, picture, timing
from rumiai.metrics.visual_overlay_analysis.blocks import (
    ClutterWindow,
    FurtherMetrics,
    GestureCoordination,
    OtherText,
    PatternFlags,
    PeakOverlayMoment,
    ReinforcedMoment,
    SpeechAlignment,
)
from rumiai.metrics.visual_overlay_analysis.moments import texts_begun
from rumiai.metrics.visual_overlay_analysis.overlays import Overlays
from rumiai.metrics.visual_overlay_analysis.sync import Coordination, Relation, Sync
from rumiai.metrics.visual_overlay_analysis.text import CATEGORIES, primary_group

_ENDS_S: Final = 5.0  # what counts as intro and outro
_GESTURE_SYNC_S: Final = 0.5
_MOST: Final = 5
_MOST_LISTED: Final = 50  # a filmed screen has hundreds
_CONSISTENT_CV: Final = 0.3
_MANY_BURSTS: Final = 2
_CTA_FOCUSED: Final = 0.3  # share of the texts
_URGENT: Final = 0.2  # share of the texts


def further_metrics(overlays: Overlays, sync: Sync, evidence: Evidence) -> FurtherMetrics:
    """Everything that stands under ``precompute``: values of the older form that have no field in the six blocks.

    Args:
        overlays: Texts and stickers.
        sync: How they go with the rest.
        evidence: Of the same video: its gestures, and the texts that are no overlays.

    Returns:
        Each metric. Rates divide by the time that was looked at; means and shares of no texts are None, and so is what
        needs speech or gestures that are unknown.
    """
    scene, unknown = evidence.scene_texts or (), evidence.unknown_texts or ()
    count, duration_s, found = len(overlays.texts), overlays.duration_s, overlays.categories
    free_s = picture.free_s(overlays.spans_s, overlays.observed)
    covering, dominant_changes = overlays.occlusions
    urgent = mean(["urgency" in names for names in found])
    return FurtherMetrics(
        text_repetition_ratio=ratio(count - overlays.unique_texts, count),
        appearance_intervals=np.diff(overlays.starts_s).tolist(),
        clutter_timeline=clutter_timeline(overlays.spans_s, overlays.text_spans_s, overlays.observed),
        peak_overlay_moments=peak_moments(overlays.bursts, overlays.text_spans_s[:, 0]),
        overlay_free_duration=free_s,
        breathing_room_ratio=min(1.0, free_s / overlays.observed_s),
        text_categories={name: sum(name in names for names in found) for name in CATEGORIES},
        primary_message_type=primary_group(overlays.groups),
        cta_density=10 * sum(map(len, overlays.ctas)) / overlays.observed_s,
        urgency_score=urgent,
        text_speech_alignment=speech_alignment(sync.known_relations) if sync.known_relations else None,
        text_gesture_coordination=None if sync.coordination is None else gesture_coordination(sync.coordination),
        reinforced_moments=None
        if evidence.gestures is None and sync.relations is None
        else reinforced_moments(overlays, sync, evidence.gestures or ()),
        sticker_types=dict(sorted(Counter(sticker.kind for sticker in overlays.stickers).items())),
        front_loaded_ratio=front_share(overlays.thirds),
        climax_timing=busiest_centre(overlays.windows_s, overlays.window_counts),
        overlay_acceleration_score=overlays.acceleration,
        intro_overlay_count=active_between(overlays.spans_s, 0.0, min(_ENDS_S, duration_s), overlays.observed),
        outro_overlay_count=active_between(
            overlays.spans_s, max(0.0, duration_s - _ENDS_S), duration_s, overlays.observed
        ),
        detection_confidence=mean_known(text.confidence for text in overlays.texts),
        overlay_pattern_flags=pattern_flags(overlays, urgent) if overlays.total else None,
        readability_metrics=legibility.readability(
            overlays.texts, overlays.heights, overlays.contrasts, overlays.at_once
        ),
        occlusion_events=covering,
        dominant_text_changes=dominant_changes,
        text_size_variance=cv(overlays.heights),
        scene_text_count=len(scene),
        scene_texts=other_texts(scene),
        unknown_text_count=len(unknown),
        unknown_texts=other_texts(unknown),
    )


def other_texts(texts: Sequence[TextTrack]) -> list[OtherText]:
    """The texts that are no overlays with their times; a filmed screen has hundreds.

    Args:
        texts: By start.

    Returns:
        The first fifty, by start, times in seconds; empty for none.
    """
    return [OtherText(text=text.text, start=text.start_s, end=text.end_s) for text in texts[:_MOST_LISTED]]


def clutter_timeline(spans_s: Floats, text_spans_s: Floats, observed: Observed) -> dict[str, ClutterWindow]:
    """How many overlays are active in each of the ceil(D / 5) windows of 5 s, by type.

    Args:
        spans_s: ``(n, 2)`` texts and stickers, seconds.
        text_spans_s: ``(k, 2)`` texts, seconds.
        observed: When overlays were looked for, and D.

    Returns:
        Label of each window -> numbers; None in a window of which less than half was looked at.
    """
    edges = windows_of(observed.duration_s, timing.BURST_S)
    looked = observed.windows(edges).tolist()
    texts = active_in(edges, text_spans_s[:, 0], text_spans_s[:, 1])
    everything = active_in(edges, spans_s[:, 0], spans_s[:, 1])
    return {
        span(edges[i], edges[i + 1]): ClutterWindow(text=text, sticker=both - text, total=both)
        if looked[i]
        else ClutterWindow(text=None, sticker=None, total=None)
        for i, (text, both) in enumerate(zip(texts.tolist(), everything.tolist(), strict=True))
    }


def peak_moments(bursts: Sequence[timing.Burst], text_starts_s: Floats) -> list[PeakOverlayMoment]:
    """The bursts with the types that begin in them.

    Args:
        bursts: Windows in which many overlays begin.
        text_starts_s: ``(n,)`` starts of the texts, seconds, ascending.

    Returns:
        One entry per burst, its types text before sticker; empty without bursts.
    """
    moments = []
    for burst in bursts:
        texts = len(texts_begun(text_starts_s, burst))
        moment = PeakOverlayMoment(timestamp=burst.span, overlay_count=burst.count, types=[])
        if texts:
            moment.types.append("text")
        if texts < burst.count:
            moment.types.append("sticker")
        moments.append(moment)
    return moments


def speech_alignment(relations: Sequence[Relation]) -> SpeechAlignment:
    """Count the texts that match, precede, follow or are unrelated to speech (:func:`speech_relations`).

    Args:
        relations: Of each text.

    Returns:
        Their numbers, whose sum is that of the texts; zeros without texts.
    """
    counts = Counter(relations)
    return SpeechAlignment(
        text_matches_speech=counts["match"],
        text_precedes_speech=counts["precedes"],
        text_follows_speech=counts["follows"],
        text_unrelated_to_speech=counts["unrelated"],
    )


def gesture_coordination(relations: Sequence[Coordination | None]) -> GestureCoordination:
    """Count the texts by how the gestures near them point (:func:`gesture_relations`).

    Args:
        relations: Of each text; None where nobody looked.

    Returns:
        Their numbers, whose sum is that of the texts that are known; zeros without.
    """
    counts = Counter(relations)
    return GestureCoordination(aligned=counts["aligned"], misaligned=counts["misaligned"], neutral=counts["neutral"])


def reinforced_moments(overlays: Overlays, sync: Sync, gestures: Sequence[Gesture]) -> list[ReinforcedMoment]:
    """Calls to action that begin within 0.5 s of the start of a pointing gesture, or whose words are spoken.

    Args:
        overlays: Texts with their calls to action.
        sync: Of the texts to the speech; a relation that is unknown reinforces nothing.
        gestures: Gestures, in any order.

    Returns:
        The first five in the order of the texts, one per text, the gesture before the speech; empty for none.
    """
    texts = overlays.texts
    pointing = [gesture.start_s for gesture in gestures if gesture.kind == "pointing"]
    pointed = near([text.start_s for text in texts], pointing, _GESTURE_SYNC_S)
    moments = []
    for i in (i for i, found in enumerate(overlays.ctas) if found):
        if pointed[i]:
            moments.append(
                ReinforcedMoment(timestamp=texts[i].start_s, type="text_gesture_sync", elements=["text", "pointing"])
            )
        elif sync.is_spoken(i):
            moments.append(
                ReinforcedMoment(timestamp=texts[i].start_s, type="text_speech_sync", elements=["text", "speech"])
            )
    return moments[:_MOST]


def busiest_centre(edges_s: Floats, counts: Ints) -> float | None:
    """Middle of the window with most overlays, the first on ties.

    Args:
        edges_s: ``(w + 1,)`` ends of the windows, seconds.
        counts: ``(w,)`` overlays active in each.

    Returns:
        Seconds; None for no overlays.
    """
    if not counts.any():
        return None
    busiest = int(np.argmax(counts))
    return float((edges_s[busiest] + edges_s[busiest + 1]) / 2)


def front_share(thirds: Floats | None) -> float | None:
    """Share of the overlays that begin in the first third.

    Args:
        thirds: ``(3,)`` starts per second in each third; None when unknown.

    Returns:
        0..1; None for no overlays, and where the thirds are unknown.
    """
    return None if thirds is None else ratio(float(thirds[0]), float(thirds.sum()))


def active_between(spans_s: Floats, start_s: float, end_s: float, observed: Observed) -> int | None:
    """Number of overlays that overlap ``[start, end)``.

    Args:
        spans_s: ``(n, 2)`` overlays, seconds; one without length is in the window that holds it.
        start_s: Start of the window.
        end_s: End of the window.
        observed: When overlays were looked for.

    Returns:
        At least 0, 0 without overlays; None where less than half of the window was looked at.
    """
    if not observed.windows(np.array([start_s, end_s])).all():
        return None
    return int(touched([(start_s, end_s)], spans_s[:, 0], spans_s[:, 1]).sum())


def pattern_flags(overlays: Overlays, urgent: float | None) -> PatternFlags:
    """The flags of the older form.

    Args:
        overlays: Texts and stickers, at least one.
        urgent: Share of the texts that urge, 0..1; None without texts.

    Returns:
        High density above one overlay per second; many texts with more than two per sticker, many stickers with more
        than texts; bursts with more than two; an even rhythm from three overlays on with a cv of the gaps below 0.3;
        calls to action in more than 30 % of the texts; urgency in more than 20 %.
    """
    texts, stickers = len(overlays.texts), len(overlays.stickers)
    gaps = cv(np.diff(overlays.starts_s))
    return PatternFlags(
        high_density=overlays.rate_hz > 1,
        text_heavy=texts > 2 * stickers,
        sticker_heavy=stickers > texts,
        burst_pattern=len(overlays.bursts) > _MANY_BURSTS,
        consistent_rhythm=overlays.total >= 3 and gaps is not None and gaps < _CONSISTENT_CV,
        cta_focused=overlays.cta_share > _CTA_FOCUSED,
        urgency_driven=urgent is not None and urgent > _URGENT,
    )
