"""Schema of person_framing."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.model import Analysis, analysis, judge, num, sure
from rumiai.contracts.blocks.types import (
    INT,
    PERCENT,
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
    words,
)

_SHOT = words("close medium wide none")
_LEVEL = words("high medium low")
_CHANGE = Record({"timestamp": TIME, "from": _SHOT, "to": _SHOT})
_RUN = Record(start=TIME, end=TIME, duration=SECONDS)
_ARCHETYPES = words("talking_head dynamic_demo product_focused balanced_presence creator_centered unknown")

PERSON_FRAMING: Final[Analysis] = analysis(
    "person_framing",
    "personFraming",
    alias_prefixes=("framing",),
    core=(
        num("personPresenceRate", RATIO, "samples with any person signal"),
        num("avgPersonCount", POSITIVE, "people per sample with a person"),
        num("maxSimultaneousPeople", INT, "95th percentile rounded, 0 allowed"),
        num("dominantFraming", _SHOT, "visible people that fit no other class are wide"),
        num("framingChanges", INT, "changes of the smoothed shot type"),
        num("personScreenCoverage", RATIO, "mean area share of people"),
        num("positionStability", RATIO, "1 - min(1, median speed / 0.3 frame widths per s)"),
        num("gestureClarity", RATIO, "mean gesture confidence"),
        num("faceVisibilityRate", RATIO, "samples with a face"),
        num("bodyVisibilityRate", RATIO, "samples with hips and shoulders visible"),
        num("overallFramingQuality", RATIO, "heuristic: mean of presence, stability and headroom"),
        num("averageFaceSize", PERCENT, "median largest-face area", origin="P"),
        num("eyeContactRate", RATIO, "of face samples", origin="P"),
        num("primarySubject", words("none single multiple"), "by subjectCount", origin="P"),
        num("subjectCount", INT, "90th percentile of faces per frame", origin="P"),
        num("framingConsistency", RATIO, "1 - volatility", origin="P"),
    ),
    dynamics=(
        num(
            "framingProgression",
            ListOf(Record(timestamp=SPAN, distance=_SHOT, coverage=Maybe(RATIO), start=TIME, end=TIME)),
            "runs of shot type",
        ),
        num("movementPattern", words("static gradual dynamic"), "by median speed"),
        num("zoomTrend", words("in out stable varied"), "slope of face area inside scenes"),
        num("stabilityTimeline", ListOf(Record(second=INT, stability=Maybe(RATIO))), "per bin"),
        num("framingTransitions", ListOf(_CHANGE), "changes of the smoothed shot type"),
        num("gazeSteadiness", words("high medium low unknown"), "by std of the eye-contact score", origin="P"),
        num("distanceVariation", POSITIVE, "cv of face area", origin="P"),
    ),
    interactions=(
        num("gestureFramingSync", RATIO, "gestures fully in frame, by their bbox"),
        num("expressionVisibility", RATIO, "faces large enough to read"),
        num("multiPersonCoordination", RATIO, "null when never two people"),
        num("actionSpaceUtilization", RATIO, "area of the union of person boxes over the video / frame"),
        num("framingPurposeAlignment", RATIO, "1 - intent risk; null without people or a rule for the intent"),
        num(
            "speakerFraming",
            Record(speechWithFaceRatio=Maybe(RATIO), dominantShotWhileSpeaking=Maybe(_SHOT)),
            "framing while somebody speaks",
            origin="P",
        ),
        num("socialDistance", words("intimate personal social public"), "from face size", origin="P"),
    ),
    key_events=(
        num(
            "framingHighlights",
            ListOf(Record(timestamp=SPAN, type=words("close_up group_shot eye_contact_run return"), impact=_LEVEL)),
            "close_up, group_shot, eye_contact_run, return",
            judged=("impact",),
        ),
        num(
            "criticalFramingMoments",
            ListOf(Record(timestamp=TIME, event=TEXT, framing=_SHOT)),
            "enter, exit, first close, zoom",
        ),
        num(
            "optimalFramingPeriods",
            ListOf(Record(start=TIME, end=TIME, reason=TEXT)),
            "runs >= 3 s with face visible, eye contact and stability",
        ),
        num("closeUpMoments", ListOf(_RUN), "runs of close", origin="P"),
        num("groupShots", ListOf(_RUN), "runs with two or more faces", origin="P"),
        num("framingChanges", ListOf(_CHANGE), "a list here", origin="P"),
    ),
    patterns=(
        num("framingStrategy", words("intimate observational dynamic staged"), "null when nobody is visible"),
        num("visualNarrative", words("single_focus multi_person environment_aware"), "by people and presence"),
        judge("technicalExecution", words("professional casual experimental"), "how it is shot"),
        judge("engagementTechniques", STRINGS, "direct_eye_contact, gesture_emphasis, close_up_intro ..."),
        judge("productionValue", _LEVEL, "impression of the effort"),
        num(
            "framingDistribution",
            Record(close=RATIO, medium=RATIO, wide=RATIO, none=RATIO),
            "measured shares",
            origin="P",
        ),
        num("framingArchetype", _ARCHETYPES, "dynamic_demo needs at least 3 of the six actions"),
        num("patternTags", STRINGS, "tags by rule"),
    ),
    quality=(
        sure("detectionReliability", RATIO, "quality of the person services"),
        num("trackingConsistency", RATIO, "1 - gaps / samples"),
        sure("framingDataCompleteness", RATIO, "used services that ran / used services"),
        sure("analysisLimitations", STRINGS, "no_body_landmarks, low_face_confidence, occlusion, few_samples"),
    ),
)
