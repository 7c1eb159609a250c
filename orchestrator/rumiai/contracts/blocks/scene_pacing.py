"""Schema of scene_pacing."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.model import Analysis, analysis, judge, num, sure
from rumiai.contracts.blocks.types import (
    INT,
    POSITIVE,
    RATIO,
    SECONDS,
    SIGNED,
    SPAN,
    STRINGS,
    TEXT,
    TIME,
    ListOf,
    Maybe,
    Number,
    Record,
    words,
)

_LEVEL = words("low medium high")
_PACE = words("rapid fast moderate slow")
_SCENE = Record(duration=SECONDS, timestamp=SPAN, position=words("intro middle outro"))
_VARIANCE = Number(low=0, unit="s^2")
_RATE = Number(low=0, unit="per s")

SCENE_PACING: Final[Analysis] = analysis(
    "scene_pacing",
    "scenePacing",
    alias_prefixes=("pacing",),
    core=(
        num("totalScenes", INT, "shots"),
        num("sceneChangeRate", _RATE, "cuts / D"),
        num("avgSceneDuration", SECONDS, "D / totalScenes", aliases=("averageSceneDuration",)),
        num("minSceneDuration", SECONDS, "shortest scene"),
        num("maxSceneDuration", SECONDS, "longest scene"),
        num("sceneDurationVariance", _VARIANCE, "population"),
        num("quickCutsCount", INT, "scenes < 1.0 s"),
        num("longTakesCount", INT, "scenes >= 5 s"),
        num("sceneRhythmScore", RATIO, "1/(1+cv); null for one scene"),
        num("pacingConsistency", RATIO, "1 - min(1, cv)"),
        sure("videoDuration", SECONDS, "D"),
        num("scenesPerMinute", POSITIVE, "60 totalScenes / D", origin="P"),
        num("pacingClassification", _PACE, "by mean scene: < 2 s, < 4 s, < 8 s, longer"),
    ),
    dynamics=(
        num(
            "pacingCurve",
            ListOf(Record(second=TIME, cutsPerSecond=_RATE, intensity=_LEVEL), 10),
            "clamp(floor(D/2), 1, 10) equal windows, second = start",
        ),
        num("accelerationPattern", words("steady building declining variable"), "by halves and quarters"),
        num("rhythmRegularity", RATIO, "1/(1+cv) of the durations without first and last"),
        num("pacingMomentum", words("maintaining accelerating decelerating"), "by accelerationScore"),
        num("dynamicRange", RATIO, "(max - min)/max duration"),
        num("accelerationScore", SIGNED, "(cuts of the second half - first)/(sum)"),
        num("introPacing", INT, "cuts in the first 3 s"),
        num("outroPacing", INT, "cuts in the last 3 s"),
        num("accelerationPoints", ListOf(TIME), "instants where the local rate doubles", origin="P"),
        num("decelerationPoints", ListOf(TIME), "instants where the local rate halves", origin="P"),
    ),
    interactions=(
        num("contentPacingAlignment", RATIO, "cut rate against other density; null when either series is constant"),
        num("emotionalPacingSync", RATIO, "cut rate against arousal; null when either series is constant"),
        judge("narrativeFlowScore", Maybe(RATIO), "1 - share of rhythm breaks"),
        judge("viewerAdaptationCurve", words("smooth jarring engaging"), "by rhythmBreaks per minute"),
        num(
            "pacingContrastMoments",
            ListOf(Record(timestamp=TIME, shift=words("accelerating decelerating"), impact=_LEVEL)),
            "local rate ratio >= 2",
        ),
        num("audioVisualSync", RATIO, "cuts on energy onsets above chance", origin="P"),
        num("beatMatching", RATIO, "cuts on beats above chance", origin="P"),
        num(
            "objectDensityPacing",
            Record(avgObjectsPerShot=POSITIVE, complexityLevel=words("low moderate high")),
            "objects per sampled frame, mean over scenes",
        ),
    ),
    key_events=(
        num("pacingPeaks", ListOf(Record(timestamp=SPAN, cutsPerSecond=_RATE, intensity=RATIO)), "windows cut fastest"),
        num("pacingValleys", ListOf(Record(timestamp=SPAN, sceneDuration=SECONDS, type=TEXT)), "scenes held long"),
        num(
            "criticalTransitions",
            ListOf(Record(timestamp=TIME, fromPace=_PACE, toPace=_PACE, effect=TEXT)),
            "cuts between stretches of different pace",
            judged=("effect",),
        ),
        num(
            "rhythmBreaks",
            ListOf(Record(timestamp=TIME, expectedDuration=SECONDS, actualDuration=SECONDS)),
            "abs(d_i - median of previous three) > 2 x population std of all durations",
        ),
        num("longestScene", _SCENE, "with its place", origin="P"),
        num("shortestScene", _SCENE, "with its place", origin="P"),
        num(
            "montageSegments",
            ListOf(Record(start=TIME, end=TIME, shots=INT, avgShotDuration=SECONDS)),
            "runs of three or more scenes < 1.5 s",
        ),
        num("climaxTiming", RATIO, "position of the densest cutting", origin="P"),
    ),
    patterns=(
        num("pacingStyle", words("music_video narrative montage documentary"), "by mean scene and montages"),
        num("editingRhythm", words("metronomic syncopated free_form accelerando"), "by cv and trend"),
        num("visualTempo", words("slow moderate fast variable"), "by pacingClassification and cv"),
        judge(
            "cutMotivation", words("action_driven beat_driven emotion_driven random unknown"), "what the cuts follow"
        ),
        judge("pacingTechniques", STRINGS, "only techniques with evidence"),
        num("editingStyle", words("mtv_style classic_narrative rhythmic experimental standard"), "by rule", origin="P"),
        num("pacingTags", STRINGS, "tags by rule"),
        num("transitionTypes", STRINGS, "distinct kinds of transition"),
    ),
    quality=(
        num("sceneDetectionAccuracy", RATIO, "mean cut confidence"),
        num("transitionAnalysisReliability", RATIO, "1 when transition types are detected, .5 when only cuts"),
        sure("pacingDataCompleteness", RATIO, "used services that ran / used services"),
        judge("technicalQuality", words("professional amateur mixed"), "impression of the edit"),
        sure("analysisLimitations", STRINGS, "what could not be measured"),
    ),
)
