"""Schema of creative_density."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.model import Analysis, analysis, num, sure
from rumiai.contracts.blocks.types import (
    FLAG,
    FLOAT,
    INT,
    POSITIVE,
    RATIO,
    SECONDS,
    SPAN,
    STRINGS,
    TEXT,
    TIME,
    ListOf,
    Maybe,
    Record,
    Table,
    words,
)

_ELEMENTS = ("text", "sticker", "effect", "transition", "object", "gesture", "expression")
_RELIABILITY = ("textOverlay", "sticker", "effect", "transition", "sceneChange", "object", "gesture")
_FLAGS = (
    "strongOpeningHook", "crescendoPattern", "frontLoaded", "consistentPacing", "finalCallToAction", "rhythmicPattern",
)  # fmt: skip
_LEVEL = words("high medium low")

CREATIVE_DENSITY: Final[Analysis] = analysis(
    "creative_density",
    "density",
    core=(
        num("avgDensity", POSITIVE, "mean concurrency per bin = mean of densityCurve"),
        num("maxDensity", POSITIVE, "fullest one-second bin"),
        num("minDensity", POSITIVE, "emptiest bin"),
        num("stdDeviation", POSITIVE, "population std over bins"),
        num("totalElements", INT, "sum of elementCounts; null if any element service failed"),
        num("elementsPerSecond", POSITIVE, "totalElements / D; not avgDensity"),
        sure(
            "elementCounts",
            Record({name: Maybe(INT) for name in _ELEMENTS}),
            "items over the video; object = per scene and class the 90th percentile of simultaneous boxes, summed",
        ),
        num("sceneChangeCount", INT, "number of cuts"),
        num("timelineCoverage", RATIO, "share of bins with at least one element"),
    ),
    dynamics=(
        num("densityCurve", ListOf(Record(second=INT, density=POSITIVE, primaryElement=TEXT)), "one per bin"),
        num("volatility", RATIO, "min(1, std/mean)"),
        num("accelerationPattern", words("front_loaded even back_loaded oscillating"), "first third against last"),
        num("densityProgression", words("increasing decreasing stable erratic"), "trend of the curve"),
        num("emptySeconds", ListOf(INT), "bins with nothing"),
    ),
    interactions=(
        num(
            "multiModalPeaks",
            ListOf(Record(timestamp=SPAN, elements=STRINGS, syncType=words("reinforcing complementary redundant"))),
            "bins with three or more element types",
        ),
        num("elementCooccurrence", Table(INT), "bins in which both types of the pair occur"),
        num("dominantCombination", TEXT, 'most frequent pair or "none"'),
        num("coordinationScore", RATIO, "multiModalPeaks / bins"),
    ),
    key_events=(
        num(
            "peakMoments",
            ListOf(Record(timestamp=SPAN, totalElements=INT, surpriseScore=FLOAT, elementBreakdown=Table(INT)), 10),
            "local maxima",
        ),
        num("deadZones", ListOf(Record(start=TIME, end=TIME, duration=SECONDS)), "two or more empty seconds in a row"),
        num(
            "densityShifts",
            ListOf(Record({"timestamp": TIME, "from": _LEVEL, "to": _LEVEL, "magnitude": RATIO}), 10),
            "sudden level changes",
        ),
    ),
    patterns=(
        num("structuralFlags", Record({name: FLAG for name in _FLAGS}), "shape of the curve; closing call to action"),
        num("densityClassification", words("sparse moderate dense overwhelming"), "by avgDensity"),
        num("pacingStyle", words("steady building burst_fade oscillating"), "by cv, trend and thirds"),
        num("cognitiveLoadCategory", words("minimal optimal challenging overwhelming"), "by avgDensity and maxDensity"),
        num("mlTags", STRINGS, "machine tags; a model may append", extensible=True),
    ),
    quality=(
        sure("dataCompleteness", RATIO, "used services that ran / used services"),
        sure(
            "detectionReliability",
            Record({name: RATIO for name in _RELIABILITY}),
            "quality of each type's service",
        ),
    ),
)
