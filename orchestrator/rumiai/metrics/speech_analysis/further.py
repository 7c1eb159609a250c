"""Metrics of speech_analysis that have no field in its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import mean, mean_known, ratio
from rumiai.metrics.speech_analysis import scores
from rumiai.metrics.speech_analysis.blocks import (
    CtaCluster,
    ExpressionPeak,
    FurtherMetrics,
    MultimodalEmphasis,
    Pause,
    PauseAnalysis,
    RepeatedText,
    RepetitionPatterns,
    VisualAlignment,
)
from rumiai.metrics.speech_analysis.measures import SpeechMeasures
from rumiai.metrics.speech_analysis.pauses import pause_kind
from rumiai.metrics.speech_analysis.phrases import count_per_ten_seconds
from rumiai.metrics.speech_analysis.rate import rhythm_consistency
from rumiai.metrics.speech_analysis.repetition import emphasised_words, words_in_capitals
from rumiai.metrics.speech_analysis.transcript import longest_segment
from rumiai.metrics.speech_analysis.visual import expression_peaks, expression_variety, speech_only_share
from rumiai.metrics.speech_analysis.wording import moving_average_type_token_ratio

NAMED_REPETITIONS: Final = 5
_STRONG_OPENING: Final = 0.5
_RAPID_WPM: Final = 150.0
_MANY_PAUSES: Final = 3
_MANY_REPETITIONS: Final = 3
_MUCH_ADDRESS: Final = 0.05
_CLEAR: Final = 0.85
_SYNCHRONOUS: Final = 0.6
_ON_CAMERA: Final = 0.8


def further_metrics(found: SpeechMeasures) -> FurtherMetrics:
    """Everything that stands under ``precompute``: values of the older form that have no field in the six blocks.

    Args:
        found: Measures of a transcript.

    Returns:
        Each metric; None where what it needs was not measured (sound, gestures, faces, confidences) or nothing is said.
        Who speaks is never told apart, and so speaker changes are None.
    """
    transcript, audio = found.transcript, found.audio
    spans_s, words = transcript.segment_spans_s, transcript.segment_words
    lengths = np.round(spans_s[:, 1] - spans_s[:, 0], 6).tolist()
    longest = longest_segment(spans_s)
    score = _scores(found)
    hooks, ctas = found.starts_of(found.hooks), found.starts_of(found.ctas)
    return FurtherMetrics(
        mattr_50=moving_average_type_token_ratio(transcript.vocabulary),
        longest_segment=None if longest is None else lengths[longest],
        longest_segment_time=None if longest is None else float(spans_s[longest, 0]),
        longest_segment_words=None if longest is None else words[longest],
        shortest_segment=min(lengths, default=None),
        avg_words_per_segment=mean(words),
        wpm_by_segment=_wpm_by_window(found),
        speech_rhythm_type=found.rhythm_type,
        rhythm_consistency_score=rhythm_consistency(found.rate_spread),
        pause_analysis=_pause_analysis(found),
        hook_density_per_10s=count_per_ten_seconds(hooks),
        cta_density_per_10s=count_per_ten_seconds(ctas),
        cta_clustering=[CtaCluster(start=c.start_s, end=c.end_s, count=c.count) for c in found.cta_clusters],
        inclusive_language_ratio=found.inclusive_share,
        repetition_patterns=_repetition_patterns(found),
        speech_only_ratio=None if found.seen.off_camera is None else speech_only_share(spans_s, found.seen.off_camera),
        expression_variety_during_speech=_expression_variety(found),
        speech_visual_alignment=_visual_alignment(found),
        visual_punctuation_count=None if found.seen.gestures_on_words is None else len(found.seen.gestures_on_words),
        speech_pattern_tags=pattern_tags(found),
        speech_type=None if transcript.total_words else "none",
        speaker_changes=None,  # nothing tells the speakers apart
        dominant_speaker_ratio=None,
        energy_level_windows=None if audio is None else {span(a, b): level for a, b, level in audio.windows},
        climax_timestamp=None if audio is None else audio.climax_s,
        hook_effectiveness_score=score.hook,
        cta_effectiveness_score=score.cta,
        delivery_confidence_score=score.delivery,
        authenticity_score=score.authenticity,
        verbal_engagement_score=score.engagement,
        visual_verbal_harmony_score=score.harmony,
    )


def _wpm_by_window(found: SpeechMeasures) -> dict[str, float | None]:
    rates = (60 * found.window_rates).tolist()
    return {label: None if np.isnan(words) else words for label, words in zip(found.window_labels, rates, strict=True)}


def _pause_analysis(found: SpeechMeasures) -> PauseAnalysis:
    words_s, lengths_s = found.transcript.word_spans_s, found.pause_lengths_s.tolist()
    kinds = [pause_kind(length_s) for length_s in lengths_s]
    return PauseAnalysis(
        gaps=[
            Pause(start=start_s, duration=length_s, type=kind)
            for start_s, length_s, kind in zip(found.pauses_s[:, 0].tolist(), lengths_s, kinds, strict=True)
        ],
        total_pause_time=float(found.pause_lengths_s.sum()),
        pause_count=len(kinds),
        longest_pause_duration=max(lengths_s, default=0.0),
        strategic_pauses=kinds.count("strategic"),
        awkward_pauses=kinds.count("awkward"),
        leading_silence=float(words_s[:, 0].min()) if len(words_s) else None,
        trailing_silence=found.duration_s - float(words_s[:, 1].max())
        if len(words_s) and found.heard.until_s >= found.duration_s
        else None,
    )


def _repetition_patterns(found: SpeechMeasures) -> RepetitionPatterns:
    tokens = (token for token, _ in found.transcript.token_words)
    shouted = words_in_capitals(text.text for text in found.evidence.texts or ())
    return RepetitionPatterns(
        phrases=[
            RepeatedText(text=found.spelled(phrase), count=len(times_s), timestamps=times_s)
            for phrase in found.repeated[:NAMED_REPETITIONS]
            for times_s in [found.times_of(phrase)]
        ],
        emphasis_words=emphasised_words(tokens, shouted),
    )


def emphasis_on_words(found: SpeechMeasures) -> list[MultimodalEmphasis] | None:
    """Gestures during speech with the words that they go with.

    Source: docs/analyses.md, speechInteractions, ``multimodalEmphasis``.

    Args:
        found: Measures of a transcript.

    Returns:
        One entry per gesture during a word, in the order of the gestures; its alignment is the share of the gesture's
        time with a word, 0..1. Empty for none; None when gestures are unknown.
    """
    if found.seen.gestures_on_words is None:
        return None
    return [
        MultimodalEmphasis(timestamp=g.start_s, speech=g.words, gesture=g.kind, alignment=g.spoken_share)
        for g in found.seen.gestures_on_words
    ]


def _visual_alignment(found: SpeechMeasures) -> VisualAlignment:
    return VisualAlignment(
        gesture_emphasis_moments=emphasis_on_words(found),
        expression_peaks_during_speech=_expression_peaks(found),
        lip_sync_quality=None,
        body_language_congruence=mean_known([found.seen.gesture_sync, found.seen.expression_alignment]),
    )


def _expression_peaks(found: SpeechMeasures) -> list[ExpressionPeak] | None:
    faces = found.evidence.expressions
    if faces is None:
        return None
    peaks = expression_peaks(faces.intensities, faces.times_s, found.voiced_s)
    return [ExpressionPeak(timestamp=float(faces.times_s[i]), emotion=faces.labels[i]) for i in peaks]


def _expression_variety(found: SpeechMeasures) -> float | None:
    faces = found.evidence.expressions
    return None if faces is None else expression_variety(faces.labels, faces.times_s, found.voiced_s)


@dataclass(frozen=True)
class _Scores:
    """The heuristic scores; all None without words."""

    hook: float | None = None
    cta: float | None = None
    delivery: float | None = None
    authenticity: float | None = None
    engagement: float | None = None
    harmony: float | None = None


def _scores(found: SpeechMeasures) -> _Scores:
    if not found.transcript.total_words:
        return _Scores()
    hook = scores.hook_effectiveness(len(found.hooks), found.opening_strength)
    cta = scores.cta_effectiveness(len(found.ctas), len(found.cta_clusters))
    signs = (
        hook or 0.0,
        cta or 0.0,
        found.direct_address,
        found.questions,
        len(found.repeated),
        found.inclusive_share or 0.0,
    )
    return _Scores(
        hook=hook,
        cta=cta,
        delivery=found.clarity,
        authenticity=scores.authenticity(found.filler_share or 0.0, len(found.repeated), len(found.mumbled)),
        engagement=scores.verbal_engagement(signs),
        harmony=scores.visual_harmony(found.seen.gesture_sync, found.seen.face_share),
    )


def pattern_tags(found: SpeechMeasures) -> list[str]:
    """Tags of the speech, each by one rule; what is unknown gives none.

    Args:
        found: Measures of a transcript.

    Returns:
        The tags in a fixed order; empty for none.
    """
    kinds = [pause_kind(length_s) for length_s in found.pause_lengths_s.tolist()]
    signs = {
        "strong_opening": (found.opening_strength or 0.0) > _STRONG_OPENING,
        "rapid_delivery": (found.words_per_minute or 0.0) > _RAPID_WPM,
        "has_dramatic_pauses": len(kinds) > _MANY_PAUSES and "dramatic" in kinds,
        "repetitive_emphasis": len(found.repeated) >= _MANY_REPETITIONS,
        "direct_address_heavy": (ratio(found.direct_address, found.transcript.total_words) or 0.0) > _MUCH_ADDRESS,
        "cta_clustered": bool(found.cta_clusters),
        "energy_building": found.burst_pattern == "climax" or found.rhythm_type == "building",
        "clear_articulation": (found.clarity or 0.0) > _CLEAR,
        "high_gesture_sync": (found.seen.gesture_sync or 0.0) > _SYNCHRONOUS,
        "face_focused_delivery": (found.seen.face_share or 0.0) > _ON_CAMERA,
    }
    return [name for name, there in signs.items() if there]
