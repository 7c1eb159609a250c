"""Schema of speech_analysis."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.model import Analysis, analysis, judge, num, sure
from rumiai.contracts.blocks.types import (
    FLAG,
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
    Table,
    words,
)

_RATE = Number(low=0, unit="words/s")
_SPAN_OF_TIME = {"start": TIME, "end": TIME}
_BURST = Record(
    _SPAN_OF_TIME, duration=SECONDS, words=Maybe(POSITIVE), wpm=Maybe(POSITIVE), energy=Maybe(RATIO),
    type=words("rapid energetic high_energy"),
)  # fmt: skip
_CTA = Record(
    text=TEXT, timestamp=TIME, urgency=words("low medium high"),
    category=words("engagement traffic conversion save viral"),
)  # fmt: skip

SPEECH_ANALYSIS: Final[Analysis] = analysis(
    "speech_analysis",
    "speech",
    core=(
        num("speechPresent", FLAG, "coverage >= .1 and >= 5 words"),
        num("totalSpeechSegments", INT, "segments of the transcript"),
        num("speechDuration", SECONDS, "union of voiced time"),
        num("speechRate", _RATE, "words / D"),
        num("wordsPerMinute", POSITIVE, "words / speechDuration"),
        num("uniqueSpeakers", INT, "null unless diarised"),
        num("primarySpeakerDominance", RATIO, "null unless diarised"),
        num("avgConfidence", RATIO, "mean segment confidence"),
        num("speechClarityScore", RATIO, "duration weighted"),
        num("pauseCount", INT, "gaps >= .5 s"),
        num("avgPauseDuration", SECONDS, "mean gap"),
        num("totalWords", INT, "tokens with a letter or digit", origin="P"),
        num("uniqueWords", INT, "distinct tokens, punctuation and case aside", origin="P"),
        num("vocabularyDiversity", RATIO, "uniqueWords / totalWords", origin="P"),
        num("speechCoverage", RATIO, "speechDuration / D", origin="P"),
        num("silenceRatio", RATIO, "1 - speechCoverage", origin="P"),
        num("speechDensity", _RATE, "= speechRate", origin="P"),
        num("avgSegmentDuration", SECONDS, "mean segment", origin="P"),
        num("firstWordTimestamp", TIME, "start of the first word", origin="T"),
        num("lastWordTimestamp", TIME, "end of the last word", origin="T"),
        num("fillerWordRatio", RATIO, "fillers / words", origin="T"),
        num("directAddressCount", INT, "you, your, you're, you'll, you've", origin="T"),
        num("questionCount", INT, "questions asked", origin="T"),
        num("language", TEXT, "ISO code of the transcript"),
    ),
    dynamics=(
        num(
            "speechPacingCurve",
            ListOf(Record(timestamp=SPAN, wordsPerSecond=_RATE, intensity=words("low moderate high"))),
            "5 s windows",
        ),
        num("pacingVariation", RATIO, "min(1, cv)"),
        num("speechRhythm", words("steady variable accelerating decelerating"), "cv < .2 steady; acceleration +-.2"),
        num("pausePattern", words("natural dramatic rushed irregular"), "by length and spread of the pauses"),
        num(
            "emphasisMoments",
            ListOf(Record(timestamp=TIME, word=TEXT, emphasisType=TEXT)),
            "energy peaks on words; null without audio energy",
        ),
        num("wpmProgression", ListOf(POSITIVE), "whole video", origin="P"),
        num("silencePeriods", ListOf(Record(_SPAN_OF_TIME, duration=SECONDS)), ">= 1 s", origin="P"),
        num("speechBursts", ListOf(_BURST), "rapid, energetic or loud stretches", origin="P"),
        num("burstPattern", TEXT, "where the bursts lie", origin="P"),
        num("energyVariance", RATIO, "of the normalised energy windows", origin="P"),
        sure("hasAudioEnergy", FLAG, "whether audio energy was measured", origin="P"),
        num("speechFrontLoadRatio", RATIO, "words in the first 20 % / words", origin="T"),
        num("accelerationScore", SIGNED, "(words of the second half - first)/(sum)", origin="T"),
    ),
    interactions=(
        num("speechGestureSync", RATIO, "segments overlapped by a gesture / segments"),
        num(
            "speechExpressionAlignment",
            RATIO,
            "sentiment of the words against the face",
            aliases=("speechEmotionAlignment",),
        ),
        num("speechTextOverlap", RATIO, "overlay words also spoken within +-1.5 s", origin="P"),
        num("faceOnScreenDuringSpeech", RATIO, "time with a face during speech / speech time", origin="T"),
        num("verbalVisualCoherence", RATIO, "mean of available", aliases=("multiModalCoherence",)),
        num(
            "multimodalEmphasis",
            ListOf(Record(timestamp=TIME, speech=TEXT, gesture=TEXT, alignment=Maybe(RATIO))),
            "words and gestures together",
        ),
        num("conversationalDynamics", words("monologue dialogue mixed unknown none"), "who speaks; a model may judge"),
    ),
    key_events=(
        num(
            "keyPhrases",
            ListOf(Record(timestamp=TIME, phrase=TEXT, significance=TEXT)),
            "phrase must exist in the transcript; a model may append",
            judged=("significance",),
            extensible=True,
        ),
        num(
            "speechClimax",
            Record(timestamp=TIME, text=TEXT, intensity=RATIO),
            "energy peak inside speech",
            aliases=("climaxMoment",),
        ),
        num(
            "silentMoments",
            ListOf(Record(_SPAN_OF_TIME, duration=SECONDS, purpose=TEXT)),
            "silences and what they serve",
            judged=("purpose",),
        ),
        judge(
            "transitionPhrases",
            ListOf(Record(timestamp=TIME, phrase=TEXT, function=TEXT)),
            "verified against the transcript",
        ),
        num("longestSegment", Record(duration=SECONDS, timestamp=SPAN, words=INT), "of the transcript", origin="P"),
        num(
            "hookPhrases",
            ListOf(Record(text=TEXT, timestamp=TIME, type=TEXT, confidence=RATIO)),
            "hooks with their real times",
            origin="T",
        ),
        num("ctaPhrases", ListOf(_CTA), "calls to action with their real times", origin="T"),
        num(
            "offCameraSpeechSegments",
            ListOf(Record(_SPAN_OF_TIME, speechContent=TEXT)),
            "face visible < 20 % of the segment",
            origin="T",
        ),
        num(
            "mumblingSections",
            ListOf(Record(_SPAN_OF_TIME, confidence=RATIO)),
            "segments of confidence < .6",
            origin="T",
        ),
    ),
    patterns=(
        judge("deliveryStyle", words("conversational instructional narrative promotional none"), "manner of speaking"),
        judge("speechTechniques", STRINGS, "direct_address, rhetorical_questions, repetition, listing"),
        judge("toneCategory", words("enthusiastic calm urgent informative"), "tone of voice and words"),
        num("linguisticComplexity", words("simple moderate complex"), "by sentence length and long words"),
        judge("engagementStrategy", words("storytelling demonstration explanation"), "how it holds attention"),
        num("repetitionRate", RATIO, "repeated n-gram tokens / words", origin="P"),
        num("verbalHooks", STRINGS, "texts of the hooks", origin="P"),
        num("openingHookStrength", RATIO, "hooks in the first 5 s", origin="T"),
    ),
    quality=(
        num("transcriptionConfidence", RATIO, "mean segment confidence"),
        num("audioQuality", words("clear moderate poor"), "by noise ratio .3/.6"),
        sure("speechDataCompleteness", RATIO, "used services that ran / used services"),
        num("backgroundNoiseRatio", RATIO, "1 - clamp((snr_db - 5)/25)"),
        num("clarityByWindow", Table(Maybe(RATIO), span_keys=True), "mean confidence per 5 s window"),
        sure("analysisLimitations", STRINGS, "what could not be measured"),
    ),
)
