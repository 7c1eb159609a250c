"""Schema of emotional_journey."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.model import Analysis, analysis, judge, num, sure
from rumiai.contracts.blocks.types import (
    FLAG,
    INT,
    RATIO,
    SPAN,
    STRINGS,
    TEXT,
    ListOf,
    Maybe,
    Record,
    words,
)

_LABEL = words("joy sadness anger fear surprise disgust neutral")
_MOMENT = Record(timestamp=SPAN, emotion=_LABEL, intensity=RATIO)
_ARCHETYPES = words("surprise_delight problem_solution transformation discovery steady_state")

EMOTIONAL_JOURNEY: Final[Analysis] = analysis(
    "emotional_journey",
    "emotional",
    core=(
        num("uniqueEmotions", INT, "distinct labels seen (0 when no face)"),
        num("emotionTransitions", INT, "changes of the smoothed label"),
        num("dominantEmotion", _LABEL, "most common known label, weighted by confidence"),
        num("emotionalDiversity", RATIO, "entropy / ln 7"),
        num("gestureEmotionAlignment", RATIO, "compatible overlaps / overlaps"),
        num("audioEmotionAlignment", RATIO, "(correlation of energy and arousal + 1)/2; null when either is constant"),
        num("captionSentiment", words("positive negative neutral mixed"), "sentiment of the caption"),
        num("emotionalIntensity", RATIO, "mean of confidence x |valence weight|"),
    ),
    dynamics=(
        num(
            "emotionProgression",
            ListOf(Record(timestamp=SPAN, emotion=Maybe(_LABEL), intensity=Maybe(RATIO))),
            "about ten equal windows covering all of D; emotion null without a face",
        ),
        num("transitionSmoothness", RATIO, "1 - mean valence jump / 2"),
        num("emotionalArc", words("rising falling stable rollercoaster"), "valence of the thirds, and transitions"),
        num("peakEmotionMoments", ListOf(_MOMENT, 5), "highest non-neutral intensity, time ordered"),
        num("stabilityScore", RATIO, "1 - emotionTransitions / (samples - 1)"),
        num(
            "tempoEmotionSync",
            RATIO,
            "transitions on beats above chance; null unless the step is <= 0.1 s and the window < a quarter beat",
        ),
    ),
    interactions=(
        num("gestureReinforcement", RATIO, "emotion peaks with a gesture within 1 s / peaks"),
        num("audioMoodCongruence", RATIO, "1 - mean over thirds of abs(rank difference of energy and arousal) / 2"),
        num("captionEmotionAlignment", RATIO, "1 - abs(caption polarity - mean valence) / 2"),
        num("multimodalCoherence", RATIO, "mean of available alignments"),
        num(
            "emotionalContrastMoments",
            ListOf(Record(timestamp=SPAN, conflict=TEXT, fromEmotion=Maybe(_LABEL), toEmotion=Maybe(_LABEL))),
            "opposite-valence neighbours or face/speech conflicts",
            judged=("conflict",),
        ),
    ),
    key_events=(
        num(
            "emotionalPeaks",
            ListOf(Record(timestamp=SPAN, emotion=_LABEL, intensity=RATIO, trigger=TEXT), 5),
            "strongest moments with what may have caused them",
            judged=("trigger",),
        ),
        num(
            "transitionPoints",
            ListOf(Record({"timestamp": SPAN, "from": _LABEL, "to": _LABEL, "trigger": TEXT})),
            "changes of the smoothed label",
            judged=("trigger",),
        ),
        num("climaxMoment", _MOMENT, "highest intensity"),
        num("resolutionMoment", Record(timestamp=SPAN, emotion=_LABEL, closure=FLAG), "last return to neutral or joy"),
    ),
    patterns=(
        judge("journeyArchetype", Maybe(_ARCHETYPES), "shape of the journey; null without a face"),
        judge("emotionalTechniques", STRINGS, "e.g. emotional_variety, gesture_reinforcement, contrast, repetition"),
        num("pacingStrategy", words("gradual_build quick_shifts steady_state"), "by transitions per minute"),
        judge("engagementHooks", STRINGS, "emotional moments that hold attention"),
        judge("viewerJourneyMap", words("engaged_throughout slow_build immediate_hook passive"), "by where peaks lie"),
    ),
    quality=(
        num("detectionConfidence", RATIO, "mean detector confidence"),
        num("timelineCoverage", RATIO, "bins with a face / bins"),
        sure("emotionalDataCompleteness", RATIO, "samples analysed / expected"),
        sure("analysisReliability", words("high medium low"), "by coverage and confidence"),
        sure("missingDataPoints", STRINGS, "no_emotions_detected, limited_emotional_range, no_audio, no_speech"),
    ),
)
