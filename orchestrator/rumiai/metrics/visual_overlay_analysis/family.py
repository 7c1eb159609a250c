"""visual_overlay_analysis: texts and stickers laid over the picture (docs/analyses.md, visual_overlay_analysis)."""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.core.intervals import overlap_s
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.sound import Speech
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, unknown_because
from rumiai.metrics.shared.bins import active_in
from rumiai.metrics.shared.statistics import mean_known, mean_of_several, ratio
from rumiai.metrics.visual_overlay_analysis import legibility, moments, picture, style, timing
from rumiai.metrics.visual_overlay_analysis.blocks import (
    SCHEMA,
    Blocks,
    BurstWindow,
    CommunicationApproach,
    CoreMetrics,
    Dynamics,
    FurtherMetrics,
    Interactions,
    KeyEvents,
    Patterns,
    Quality,
    TextPositionDistribution,
)
from rumiai.metrics.visual_overlay_analysis.extras import further_metrics
from rumiai.metrics.visual_overlay_analysis.overlays import Overlays
from rumiai.metrics.visual_overlay_analysis.sync import Sync
from rumiai.metrics.visual_overlay_analysis.text import GROUPS
from rumiai.metrics.visual_overlay_analysis.v1 import V1

WEIGHTS: Final = Weights(
    core_metrics={"ocr": 1.0},
    dynamics={"ocr": 0.9, "scenes": 0.1},
    interactions={"ocr": 0.5, "whisper": 0.25, "mediapipe": 0.15, "scenes": 0.05, "audio": 0.05},
    key_events={"ocr": 0.9, "whisper": 0.1},
    patterns={"ocr": 0.8, "whisper": 0.2},
)


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video.

    Source: docs/analyses.md, visual_overlay_analysis. Rates divide by the time that was looked at.

    Args:
        evidence: What the services found in the video.

    Returns:
        The blocks; when OCR failed only the completeness, the overall confidence and what is missing are told, and the
        further metrics are empty. A video that was looked at and has no overlays has counts of 0.
    """
    overlays = Overlays.of(evidence)
    if overlays is None:
        return _unknown(evidence), MoreMetrics()
    sync = Sync.of(overlays, evidence)
    blocks = Blocks(
        core_metrics=_core(overlays),
        dynamics=_dynamics(overlays),
        interactions=_interactions(overlays, sync),
        key_events=_key_events(overlays),
        patterns=_patterns(overlays, sync, evidence.speech),
        quality=_quality(evidence, overlays),
    )
    return blocks, further_metrics(overlays, sync, evidence)


def _unknown(evidence: Evidence) -> Blocks:
    """What is said of a video whose overlays are unknown: nothing, and why."""
    return Blocks(
        core_metrics=CoreMetrics.unknown(),
        dynamics=Dynamics.unknown(),
        interactions=Interactions.unknown(),
        key_events=KeyEvents.unknown(),
        patterns=Patterns.unknown(),
        quality=_quality(evidence, None),
    )


def _core(overlays: Overlays) -> CoreMetrics:
    texts, stickers, observed_s = overlays.texts, overlays.stickers, overlays.observed_s
    return CoreMetrics(
        total_text_overlays=len(texts),
        unique_texts=overlays.unique_texts,
        avg_texts_per_second=len(texts) / observed_s,
        time_to_first_text=min((text.start_s for text in texts), default=None),
        time_to_first_overlay=float(overlays.starts_s[0]) if overlays.total else None,
        avg_text_display_duration=mean_known(overlays.lengths_s),
        total_stickers=len(stickers),
        unique_stickers=picture.unique_stickers(stickers),
        text_sticker_ratio=ratio(len(texts), len(stickers)),
        overlay_density=overlays.rate_hz,
        visual_complexity_score=picture.complexity_score(
            overlap_s(overlays.observed.spans_s, *overlays.spans_s.T).sum() / observed_s,
            overlays.total,
            picture.area_share([*texts, *stickers], overlays.observed),
            observed_s,
        ),
        avg_simultaneous_texts=overlays.text_seconds / observed_s,
        total_overlays=overlays.total,
        overlay_frequency=60 * overlays.total / observed_s,
        unique_overlay_ratio=ratio(overlays.unique_texts, len(texts)),
    )


def _dynamics(overlays: Overlays) -> Dynamics:
    starts, bursts = overlays.starts_s, overlays.bursts
    texts = active_in(overlays.windows_s, overlays.text_spans_s[:, 0], overlays.text_spans_s[:, 1])
    return Dynamics(
        overlay_timeline=timing.overlay_timeline(
            overlays.windows_s, overlays.window_counts, texts, overlays.windows_observed
        ),
        appearance_pattern=timing.appearance_pattern(starts, bursts),
        density_progression=timing.density_progression(overlays.thirds),
        animation_intensity=picture.animation_intensity(overlays.texts, overlays.aspect),
        visual_pacing=timing.visual_pacing(starts, overlays.observed_s),
        rhythm_consistency=timing.rhythm_consistency(starts),
        overlay_acceleration=timing.acceleration_word(overlays.acceleration),
        temporal_distribution=timing.temporal_distribution(overlays.thirds),
        burst_patterns=len(bursts),
        burst_windows=[BurstWindow(window=burst.span, count=burst.count) for burst in bursts],
    )


def _interactions(overlays: Overlays, sync: Sync) -> Interactions:
    found = sync.moments()
    return Interactions(
        text_speech_sync=sync.text_speech,
        overlay_gesture_coordination=sync.text_gesture,
        visual_emphasis_alignment=sync.emphasis,
        multi_layer_complexity=picture.layering(overlays.at_once),
        reading_flow_score=mean_known(overlays.long_enough),
        multimodal_reinforcement_count=None if found is None else len(found),
        multimodal_moments=found,
        cross_modal_coherence=mean_of_several([sync.text_speech, sync.text_gesture]),
        cta_reinforcement_matrix=sync.cta_matrix(),
    )


def _key_events(overlays: Overlays) -> KeyEvents:
    texts, ctas, counts = overlays.texts, overlays.ctas, overlays.window_counts
    looked = overlays.windows_observed
    with_cta = np.array([bool(found) for found in ctas], dtype=np.bool_)
    return KeyEvents(
        impactful_overlays=moments.impactful_overlays(texts, ctas),
        overlay_bursts=moments.overlay_bursts(overlays.bursts, overlays.text_spans_s[:, 0], ctas),
        key_text_moments=moments.key_texts(texts, ctas, overlays.duration_s),
        sticker_highlights=moments.sticker_highlights(overlays.stickers, overlays.text_spans_s[with_cta]),
        cta_moments=moments.cta_moments(texts, ctas),
        overlay_peaks=moments.overlay_peaks(overlays.windows_s, counts, looked),
        climax_moment=overlays.window_span(int(np.argmax(counts))) if counts.any() else None,
        quiet_moments=[overlays.window_span(int(i)) for i in np.flatnonzero((counts == 0) & looked)],
    )


def _patterns(overlays: Overlays, sync: Sync, speech: Speech | None) -> Patterns:
    texts_hz, places = len(overlays.texts) / overlays.observed_s, _places(overlays)
    distribution = None
    if places is not None:
        distribution = TextPositionDistribution(top=places[0], middle=places[1], bottom=places[2])
    return Patterns(
        overlay_strategy=style.overlay_strategy(overlays.heights, texts_hz),
        text_style=style.text_style(
            texts=len(overlays.texts),
            stickers=len(overlays.stickers),
            at_once=overlays.at_once,
            covering_pairs=overlays.occlusions[0],
            heights=overlays.heights,
        ),
        communication_approach=_approach(overlays, speech, sync.text_speech),
        visual_techniques=_techniques(overlays, sync) if overlays.total else None,
        production_quality=style.production_quality(legibility.accessibility(overlays.readable), _issues(overlays)),
        engagement_archetype=(
            style.engagement_archetype(overlays.cta_texts, overlays.rate_hz) if overlays.total else None
        ),
        text_position_distribution=distribution,
        text_semantic_groups={group: overlays.groups[group] for group in GROUPS},
        ml_tags=style.ml_tags(
            texts_hz=texts_hz,
            cta_texts=overlays.cta_texts,
            cta_share=overlays.cta_share,
            places=places,
            at_once=overlays.at_once,
            free_share=picture.free_s(overlays.spans_s, overlays.observed) / overlays.observed_s,
        ),
    )


def _approach(overlays: Overlays, speech: Speech | None, matched: float | None) -> CommunicationApproach | None:
    if speech is None or not overlays.texts or (matched is None and speech.words):
        return None
    return style.communication_approach(bool(speech.words), matched or 0.0)


def _places(overlays: Overlays) -> tuple[float, float, float] | None:
    return picture.place_shares([text.centre[1] for text in overlays.texts if text.centre is not None])


def _techniques(overlays: Overlays, sync: Sync) -> list[str]:
    return style.visual_techniques(
        texts=len(overlays.texts),
        stickers=len(overlays.stickers),
        cta_texts=overlays.cta_texts,
        bursts=len(overlays.bursts),
        rhythm=timing.rhythm_consistency(overlays.starts_s),
        animation=picture.animation_intensity(overlays.texts, overlays.aspect),
        reinforced=len(sync.moments() or ()),
    )


def _issues(overlays: Overlays) -> list[str]:
    return legibility.readability_issues(
        overlays.long_enough, overlays.heights, overlays.contrasts, overlays.occlusions[0]
    )


def _quality(evidence: Evidence, overlays: Overlays | None) -> Quality:
    return Quality(
        text_detection_accuracy=None if overlays is None else mean_known(text.confidence for text in overlays.texts),
        sticker_recognition_rate=(
            None if overlays is None else mean_known(sticker.confidence for sticker in overlays.stickers)
        ),
        overlay_data_completeness=evidence.services.completeness(WEIGHTS),
        readability_issues=None if overlays is None else _issues(overlays),
        visual_accessibility=None if overlays is None else legibility.accessibility(overlays.readable),
        missing_data_points=missing_points(evidence),
    )


def missing_points(evidence: Evidence) -> list[str]:
    """Kinds of evidence that were looked for and are not there; a service that failed is no such point.

    Source: docs/analyses.md, overlaysQuality, ``missingDataPoints``.

    Args:
        evidence: What the services found in the video.

    Returns:
        Names in a fixed order, then the texts in each script that OCR does not read, by script; empty for none.
    """
    speech = evidence.speech
    found = {
        "no_text_detected": evidence.texts is not None and not evidence.texts,
        "no_stickers_detected": evidence.stickers is not None and not evidence.stickers,
        "no_speech": speech is not None and not speech.words,
        "no_gestures": evidence.gestures is not None and not evidence.gestures,
    }
    unread = [f"{count} {script} texts unread" for script, count in sorted(evidence.services.unread.items())]
    return [*(name for name, there in found.items() if there), *unread]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why no model is asked about these blocks.

    Args:
        blocks: Of the video.

    Returns:
        The reason without overlays, and when they are unknown; None when there is something to judge.
    """
    if blocks.core_metrics.total_overlays is None:
        return unknown_because(blocks, "the overlays", "ocr")
    return None if blocks.core_metrics.total_overlays else "there are no overlays"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (FurtherMetrics,))
