"""speech_analysis: what is said, how fast and clearly, and with what it goes together (docs: analyses, section 5)."""

from __future__ import annotations

from typing import Any, Final

from rumiai.contracts.blocks import MoreMetrics
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import clamp, mean, ratio
from rumiai.metrics.speech_analysis.blocks import SCHEMA, Blocks
from rumiai.metrics.speech_analysis.extras import further_metrics
from rumiai.metrics.speech_analysis.pacing import Pace
from rumiai.metrics.speech_analysis.phrases import Phrases
from rumiai.metrics.speech_analysis.visual import Visual
from rumiai.metrics.speech_analysis.words import Spoken

WEIGHTS: Final = Weights(
    core_metrics={"whisper": 0.9, "audio": 0.1},
    dynamics={"whisper": 0.6, "audio": 0.4},
    interactions={"whisper": 0.5, "mediapipe": 0.3, "ocr": 0.1, "emotion": 0.1},
    key_events={"whisper": 0.7, "audio": 0.2, "mediapipe": 0.1},
    patterns={"whisper": 1.0},
)

_CLEAR, _MODERATE = 0.3, 0.6  # noise ratio
_QUIETEST_DB, _RANGE_DB = 5.0, 25.0  # signal to noise of the noisiest sound, and up to the clearest


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video."""
    spoken = None if evidence.speech is None else Spoken(evidence.speech, evidence)
    known = {} if spoken is None else _known(spoken)
    noise = noise_ratio(evidence)
    audio = evidence.audio

    def block(name: str) -> dict[str, Any]:
        return {**unknown(SCHEMA, name), **known.get(name, {})}

    return assemble(
        Blocks,
        core=block("CoreMetrics"),
        dynamics=block("Dynamics")
        | {
            "energyVariance": None if audio is None or audio.variance is None else clamp(audio.variance),
            "hasAudioEnergy": audio is not None,
        },
        interactions=block("Interactions"),
        key_events={"transitionPhrases": []} | block("KeyEvents"),
        patterns=_SILENT | block("Patterns"),
        quality=block("Quality")
        | {
            "audioQuality": audio_quality(noise),
            "backgroundNoiseRatio": noise,
            "speechDataCompleteness": evidence.services.completeness(WEIGHTS),
            "analysisLimitations": limitations(evidence, spoken),
        },
        precompute=known.get("precompute", {}),
    )


# What is said of the manner of speaking where there is no transcript.
_SILENT: Final = {
    "deliveryStyle": "none",
    "speechTechniques": [],
    "toneCategory": "informative",
    "engagementStrategy": "explanation",
}


def _known(spoken: Spoken) -> dict[str, dict[str, Any]]:
    pace, phrases, visual = Pace(spoken), Phrases(spoken), Visual(spoken)
    return {
        "CoreMetrics": _core(spoken, phrases),
        "Dynamics": _dynamics(pace),
        "Interactions": {
            "speechGestureSync": visual.gesture_sync,
            "speechExpressionAlignment": visual.expression_alignment,
            "speechTextOverlap": visual.text_overlap,
            "faceOnScreenDuringSpeech": visual.face_share,
            "verbalVisualCoherence": visual.coherence,
            "multimodalEmphasis": visual.emphasis,
            # Who speaks is not told apart.
            "conversationalDynamics": "unknown" if spoken.total_words else "none",
        },
        "KeyEvents": _key_events(pace, phrases, visual),
        "Patterns": {
            "deliveryStyle": phrases.delivery,
            "speechTechniques": phrases.techniques(),
            "toneCategory": phrases.tone,
            "linguisticComplexity": phrases.complexity,
            "engagementStrategy": phrases.strategy,
            "repetitionRate": phrases.repetition_rate,
            "verbalHooks": [hook.text for hook in phrases.hooks],
            "openingHookStrength": phrases.opening_strength,
        },
        "Quality": {
            "transcriptionConfidence": spoken.confidence,
            "clarityByWindow": clarity(spoken),
        },
        "precompute": further_metrics(pace, phrases, visual),
    }


def _core(spoken: Spoken, phrases: Phrases) -> dict[str, Any]:
    spans, lengths = spoken.word_spans_s, spoken.segment_spans_s()
    pauses = spoken.pauses_s[:, 1] - spoken.pauses_s[:, 0]
    rate = spoken.total_words / spoken.duration_s
    return {
        "speechPresent": spoken.present,
        "totalSpeechSegments": len(spoken.segments),
        "speechDuration": spoken.speech_s,
        "speechRate": rate,
        "wordsPerMinute": spoken.words_per_minute,
        "uniqueSpeakers": None,
        "primarySpeakerDominance": None,
        "avgConfidence": spoken.confidence,
        "speechClarityScore": spoken.clarity,
        "pauseCount": int(pauses.size),
        "avgPauseDuration": mean(pauses),
        "totalWords": spoken.total_words,
        "uniqueWords": spoken.unique_words,
        "vocabularyDiversity": spoken.diversity,
        "speechCoverage": spoken.coverage,
        "silenceRatio": 1 - spoken.coverage,
        "speechDensity": rate,
        "avgSegmentDuration": mean(lengths[:, 1] - lengths[:, 0]),
        "firstWordTimestamp": float(spans[:, 0].min()) if len(spans) else None,
        "lastWordTimestamp": float(spans[:, 1].max()) if len(spans) else None,
        "fillerWordRatio": ratio(phrases.fillers, spoken.total_words),
        "directAddressCount": phrases.direct_address,
        "questionCount": phrases.questions,
        "language": spoken.speech.language,
    }


def _dynamics(pace: Pace) -> dict[str, Any]:
    spoken = pace.spoken
    return {
        "speechPacingCurve": pace.curve(),
        "pacingVariation": None if pace.spread is None else min(1.0, pace.spread),
        "speechRhythm": pace.rhythm,
        "pausePattern": pace.pause_pattern,
        "emphasisMoments": pace.emphasis(),
        "wpmProgression": (60 * spoken.window_rates).tolist(),
        "silencePeriods": pace.silences(),
        "speechBursts": pace.bursts,
        "burstPattern": pace.burst_pattern(),
        "speechFrontLoadRatio": spoken.front_load,
        "accelerationScore": spoken.acceleration,
    }


def _key_events(pace: Pace, phrases: Phrases, visual: Visual) -> dict[str, Any]:
    spoken = pace.spoken
    return {
        "keyPhrases": phrases.key_phrases(),
        "speechClimax": pace.climax(),
        "silentMoments": pace.silent_moments(),
        "transitionPhrases": phrases.transition_phrases(),
        "longestSegment": longest_segment(spoken),
        "hookPhrases": phrases.hook_items(),
        "ctaPhrases": phrases.cta_items,
        "offCameraSpeechSegments": visual.off_camera(),
        "mumblingSections": [
            {"start": start, "end": end, "confidence": segment.confidence}
            for segment in spoken.mumbled()
            for start, end in [(min(segment.start_s, spoken.duration_s), min(segment.end_s, spoken.duration_s))]
        ],
    }


def longest_segment(spoken: Spoken) -> dict[str, Any] | None:
    """The longest segment, the first of equals; None without any."""
    rows = list(zip(spoken.segment_spans_s().tolist(), spoken.word_counts, strict=True))
    if not rows:
        return None
    # Differences of times miss each other by less than a microsecond.
    (start, end), words = max(rows, key=lambda row: round(row[0][1] - row[0][0], 6))
    return {"duration": end - start, "timestamp": span(start, end), "words": words}


def clarity(spoken: Spoken) -> dict[str, float | None]:
    """Mean confidence of the segments that start in each 5 s window."""
    edges = spoken.windows_s.tolist()
    found = zip(edges, edges[1:], spoken.clarity_by_window(), strict=False)
    return {span(start, end): confidence for start, end, confidence in found}


def noise_ratio(evidence: Evidence) -> float | None:
    """1 - (signal to noise - 5 dB) / 25 dB within 0..1; None where the sound was not measured."""
    audio = evidence.audio
    if audio is None or audio.snr_db is None:
        return None
    return 1 - clamp((audio.snr_db - _QUIETEST_DB) / _RANGE_DB)


def audio_quality(noise: float | None) -> str | None:
    """By the noise ratio."""
    if noise is None:
        return None
    return "clear" if noise < _CLEAR else "moderate" if noise < _MODERATE else "poor"


def limitations(evidence: Evidence, spoken: Spoken | None) -> list[str]:
    """What could not be measured, and why."""
    found = {"no_transcript": spoken is None}
    if spoken is not None:
        words = spoken.total_words > 0
        found |= {
            "no_audio_track": not spoken.speech.has_audio,
            "no_speech": not words,
            "little_speech": words and not spoken.present,
            "no_word_timestamps": words and not spoken.timed,
            "no_confidence": words and spoken.confidence is None,
            "no_speaker_diarisation": words,
        }
    found |= {
        "no_audio_energy": evidence.audio is None,
        "no_people_data": evidence.people is None,
        "no_overlay_data": evidence.texts is None,
        "no_expression_data": evidence.expressions is None or not evidence.expressions.labels,
    }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    return None if blocks.core_metrics.speech_present else "hardly anything is said"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge)
