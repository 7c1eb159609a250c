"""speech_analysis: what is said, how fast and clearly, and with what it goes together."""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, unknown_because
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import clamp, mean
from rumiai.metrics.speech_analysis import blocks as b
from rumiai.metrics.speech_analysis import pauses, phrases, rate, repetition, wording
from rumiai.metrics.speech_analysis.energy import audio_quality, noise_ratio
from rumiai.metrics.speech_analysis.further import NAMED_REPETITIONS, emphasis_on_words, further_metrics
from rumiai.metrics.speech_analysis.manner import engagement_strategy
from rumiai.metrics.speech_analysis.measures import SpeechMeasures
from rumiai.metrics.speech_analysis.transcript import (
    Transcript,
    bare,
    confidence_by_window,
    longest_segment,
    quote_at,
)
from rumiai.metrics.speech_analysis.v1 import V1

WEIGHTS: Final = Weights(
    core_metrics={"whisper": 0.9, "audio": 0.1},
    dynamics={"whisper": 0.6, "audio": 0.4},
    interactions={"whisper": 0.5, "mediapipe": 0.3, "ocr": 0.1, "emotion": 0.1},
    key_events={"whisper": 0.7, "audio": 0.2, "mediapipe": 0.1},
    patterns={"whisper": 1.0},
)

_TIMES_TO_ADDRESS: Final = 2


def measure(evidence: Evidence) -> tuple[b.Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video.

    Source: docs/analyses.md, speech_analysis. Rates divide by the time that was listened to and could be made out.

    Args:
        evidence: What the services found in the video.

    Returns:
        The blocks. Without a transcript they tell what the sound alone does; when all speech was heard and lost, that
        there is some, and its language. In both cases the further metrics are empty.
    """
    if evidence.speech is None:
        return _without_transcript(evidence), MoreMetrics()
    found = SpeechMeasures(evidence, Transcript(evidence.speech, evidence.duration_s))
    if found.lost and not found.transcript.total_words:
        return _lost_speech(evidence, found), MoreMetrics()
    blocks = b.Blocks(
        core_metrics=_core_metrics(found),
        dynamics=_dynamics(found),
        interactions=_interactions(found),
        key_events=_key_events(found),
        patterns=_patterns(found),
        quality=_quality(evidence, found),
    )
    return blocks, further_metrics(found)


def _without_transcript(evidence: Evidence) -> b.Blocks:
    return b.Blocks(
        core_metrics=b.CoreMetrics.unknown(),
        dynamics=b.Dynamics.unknown(
            energy_variance=_energy_variance(evidence), has_audio_energy=evidence.audio is not None
        ),
        interactions=b.Interactions.unknown(),
        key_events=b.KeyEvents.unknown(),
        patterns=b.Patterns.unknown(),
        quality=_quality(evidence, None),
    )


def _lost_speech(evidence: Evidence, found: SpeechMeasures) -> b.Blocks:
    """What is said of a video whose speech was heard and could not be decoded: that somebody speaks, and no more."""
    core = b.CoreMetrics.unknown(speech_present=True, language=found.transcript.speech.language)
    return _without_transcript(evidence).model_copy(update={"core_metrics": core, "quality": _quality(evidence, found)})


def _core_metrics(found: SpeechMeasures) -> b.CoreMetrics:
    transcript = found.transcript
    words_s, segments_s = transcript.word_spans_s, transcript.segment_spans_s
    words_per_second = transcript.total_words / found.heard.seconds
    return b.CoreMetrics(
        speech_present=found.present or found.lost,
        total_speech_segments=len(found.segments),
        speech_duration=found.speech_s,
        speech_rate=words_per_second,
        words_per_minute=found.words_per_minute,
        unique_speakers=None,  # nothing tells the speakers apart
        primary_speaker_dominance=None,
        avg_confidence=found.confidence,
        speech_clarity_score=found.clarity,
        pause_count=len(found.pauses_s) if len(words_s) else None,
        avg_pause_duration=mean(found.pause_lengths_s),
        total_words=transcript.total_words,
        unique_words=found.unique_words,
        vocabulary_diversity=found.diversity,
        speech_coverage=found.coverage,
        silence_ratio=1 - found.coverage,
        speech_density=words_per_second,
        avg_segment_duration=mean(segments_s[:, 1] - segments_s[:, 0]),
        first_word_timestamp=float(words_s[:, 0].min()) if len(words_s) else None,
        last_word_timestamp=float(words_s[:, 1].max()) if len(words_s) else None,
        filler_word_ratio=found.filler_share,
        direct_address_count=found.direct_address,
        question_count=found.questions,
        language=transcript.speech.language,
    )


def _dynamics(found: SpeechMeasures) -> b.Dynamics:
    starts_s, weights = found.transcript.word_spans_s[:, 0], found.transcript.word_weights
    present = found.present
    return b.Dynamics(
        speech_pacing_curve=_pacing_curve(found),
        pacing_variation=None if found.rate_spread is None else min(1.0, found.rate_spread),
        speech_rhythm=rate.rhythm(found.rate_spread, found.acceleration) if present else None,
        pause_pattern=pauses.pause_pattern(found.pause_lengths_s, found.words_per_minute) if present else None,
        emphasis_moments=_emphasis_moments(found),
        wpm_progression=[None if np.isnan(words) else 60 * words for words in found.window_rates.tolist()],
        silence_periods=[b.SilencePeriod(start=s, end=e, duration=e - s) for s, e in found.silences_s.tolist()],
        speech_bursts=_bursts(found),
        burst_pattern=found.burst_pattern,
        energy_variance=_energy_variance(found.evidence),
        has_audio_energy=found.audio is not None,
        speech_front_load_ratio=rate.front_load(starts_s, weights, found.heard),
        acceleration_score=found.acceleration,
    )


def _pacing_curve(found: SpeechMeasures) -> list[b.PacingWindow]:
    return [
        b.PacingWindow(timestamp=label, words_per_second=words, intensity=rate.intensity(words))
        for label, number in zip(found.window_labels, found.window_rates.tolist(), strict=True)
        for words in (None if np.isnan(number) else number,)
    ]


def _emphasis_moments(found: SpeechMeasures) -> list[b.EmphasisMoment] | None:
    if found.stressed_words is None:
        return None
    words, starts_s = found.transcript.words, found.transcript.word_spans_s[:, 0].tolist()
    return [
        b.EmphasisMoment(timestamp=starts_s[i], word=bare(words[i].text), emphasis_type="volume")
        for i in found.stressed_words
    ]


def _bursts(found: SpeechMeasures) -> list[b.Burst]:
    return [
        b.Burst(
            start=burst.start_s,
            end=burst.end_s,
            duration=burst.end_s - burst.start_s,
            words=burst.words,
            wpm=burst.words_per_minute,
            energy=burst.energy,
            type=burst.kind,
        )
        for burst in found.bursts
    ]


def _energy_variance(evidence: Evidence) -> float | None:
    audio = evidence.audio
    return None if audio is None or audio.variance is None else clamp(audio.variance)


def _interactions(found: SpeechMeasures) -> b.Interactions:
    return b.Interactions(
        speech_gesture_sync=found.seen.gesture_sync,
        speech_expression_alignment=found.seen.expression_alignment,
        speech_text_overlap=found.seen.text_overlap,
        face_on_screen_during_speech=found.seen.face_share,
        verbal_visual_coherence=found.seen.coherence,
        multimodal_emphasis=emphasis_on_words(found),
        conversational_dynamics="unknown" if found.transcript.total_words else "none",
    )


def _key_events(found: SpeechMeasures) -> b.KeyEvents:
    return b.KeyEvents(
        key_phrases=_key_phrases(found),
        speech_climax=_climax(found),
        silent_moments=[
            b.SilentMoment(start=start_s, end=end_s, duration=end_s - start_s, purpose=purpose)
            for (start_s, end_s), purpose in zip(found.silences_s.tolist(), found.silence_purposes(), strict=True)
        ],
        transition_phrases=[
            b.TransitionPhrase(timestamp=start_s, phrase=phrase.text, function=phrase.kind)
            for phrase, start_s in zip(found.transitions, found.starts_of(found.transitions), strict=True)
        ],
        longest_segment=_longest_segment(found),
        hook_phrases=[
            b.HookPhrase(
                text=hook.text, timestamp=start_s, type=hook.kind, confidence=phrases.hook_confidence(hook.start_s)
            )
            for hook, start_s in zip(found.hooks, found.starts_of(found.hooks), strict=True)
        ],
        cta_phrases=_cta_phrases(found),
        off_camera_speech_segments=_off_camera(found),
        mumbling_sections=[
            b.MumblingSection(
                start=min(segment.start_s, found.duration_s),
                end=min(segment.end_s, found.duration_s),
                confidence=confidence,
            )
            for segment, confidence in found.mumbled
        ],
    )


def _key_phrases(found: SpeechMeasures) -> list[b.KeyPhrase]:
    """Hooks, calls to action and the most repeated phrases, by time."""
    rows = {(at, p.text, f"hook: {p.kind}") for p, at in zip(found.hooks, found.starts_of(found.hooks), strict=True)}
    ctas = zip(found.ctas, found.starts_of(found.ctas), strict=True)
    rows |= {(at, p.text, f"call to action: {p.kind}") for p, at in ctas}
    for phrase in found.repeated[:NAMED_REPETITIONS]:
        text, times_s = found.spelled(phrase), found.times_of(phrase)
        if text in found.transcript.text:
            rows.add((min(times_s[0], found.duration_s), text, f"said {len(times_s)} times"))
    return [b.KeyPhrase(timestamp=at, phrase=text, significance=why) for at, text, why in sorted(rows)]


def _climax(found: SpeechMeasures) -> b.SpeechClimax | None:
    climax = found.climax
    if climax is None:
        return None
    text = quote_at(found.segments, climax.time_s)
    return b.SpeechClimax(timestamp=climax.time_s, text=text, intensity=climax.intensity)


def _longest_segment(found: SpeechMeasures) -> b.LongestSegment | None:
    index = longest_segment(found.transcript.segment_spans_s)
    if index is None:
        return None
    start_s, end_s = found.transcript.segment_spans_s[index].tolist()
    words = found.transcript.segment_words[index]
    return b.LongestSegment(duration=end_s - start_s, timestamp=span(start_s, end_s), words=words)


def _cta_phrases(found: SpeechMeasures) -> list[b.Cta]:
    rows = zip(found.ctas, found.starts_of(found.ctas), found.cta_urgencies, strict=True)
    return [
        b.Cta(text=cta.text, timestamp=start_s, urgency=urgency, category=phrases.cta_category(cta.kind))
        for cta, start_s, urgency in rows
    ]


def _off_camera(found: SpeechMeasures) -> list[b.OffCameraSpeechSegment] | None:
    if found.seen.off_camera is None:
        return None
    spans_s = found.transcript.segment_spans_s.tolist()
    return [
        b.OffCameraSpeechSegment(start=start_s, end=end_s, speech_content=segment.text)
        for segment, (start_s, end_s), hidden in zip(found.segments, spans_s, found.seen.off_camera, strict=True)
        if hidden
    ]


def _patterns(found: SpeechMeasures) -> b.Patterns:
    complexity = wording.complexity(found.sentences, found.transcript.tokens) if found.present else None
    return b.Patterns(
        delivery_style=found.delivery,
        speech_techniques=techniques(found) if found.transcript.total_words else None,
        tone_category=found.tone,
        linguistic_complexity=complexity,
        engagement_strategy=engagement_strategy(found.delivery),
        repetition_rate=repetition.repetition_rate(found.repeated, len(found.transcript.token_words)),
        verbal_hooks=[hook.text for hook in found.hooks],
        opening_hook_strength=found.opening_strength,
    )


def techniques(found: SpeechMeasures) -> list[str]:
    """Techniques of speaking for which there is evidence.

    Source: docs/analyses.md, speechPatterns, ``speechTechniques``.

    Args:
        found: Measures of a transcript.

    Returns:
        Names in a fixed order: the listener addressed twice, a question, a repeated phrase, things counted up, a hook,
        a call to action; empty for none.
    """
    signs = {
        "direct_address": found.direct_address >= _TIMES_TO_ADDRESS,
        "rhetorical_questions": found.questions > 0,
        "repetition": bool(found.repeated),
        "listing": found.listing,
        "hooks": bool(found.hooks),
        "call_to_action": bool(found.ctas),
    }
    return [name for name, there in signs.items() if there]


def _quality(evidence: Evidence, found: SpeechMeasures | None) -> b.Quality:
    noise = noise_ratio(None if evidence.audio is None else evidence.audio.snr_db)
    return b.Quality(
        transcription_confidence=None if found is None else found.confidence,
        audio_quality=audio_quality(noise),
        speech_data_completeness=evidence.services.completeness(WEIGHTS),
        background_noise_ratio=noise,
        clarity_by_window=None if found is None else _clarity_by_window(found),
        analysis_limitations=limitations(evidence, found),
    )


def _clarity_by_window(found: SpeechMeasures) -> dict[str, float | None]:
    starts_s = [segment.start_s for segment in found.segments]
    clarity = confidence_by_window(starts_s, found.confidences, found.edges_s)
    return dict(zip(found.window_labels, clarity, strict=True))


def limitations(evidence: Evidence, found: SpeechMeasures | None) -> list[str]:
    """What could not be measured, and why.

    Source: docs/analyses.md, speechQuality, ``analysisLimitations``.

    Args:
        evidence: What the services found in the video.
        found: Measures of its transcript; None without one.

    Returns:
        Names in a fixed order; empty when everything was there. With words it never was: nothing tells speakers apart.
    """
    there = {"no_transcript": found is None}
    if found is not None:
        words = found.transcript.total_words > 0
        there |= {
            "no_audio_track": not found.transcript.speech.has_audio,
            "no_speech": not words,
            "little_speech": words and not found.present,
            "speech_lost": found.lost,
            "doubtful_language": found.transcript.speech.doubtful_language,
            "foreign_language": words and found.transcript.speech.language not in (None, "en"),
            "no_word_timestamps": words and not found.transcript.timed,
            "no_confidence": words and found.confidence is None,
            "no_speaker_diarisation": words,
        }
    there |= {
        "no_audio_energy": evidence.audio is None,
        "no_people_data": evidence.people is None,
        "no_overlay_data": evidence.texts is None,
        "no_expression_data": evidence.expressions is None or not evidence.expressions.labels,
    }
    return [name for name, holds in there.items() if holds]


def nothing_to_judge(blocks: b.Blocks) -> str | None:
    """Why no model is asked about these blocks.

    Args:
        blocks: Of the video.

    Returns:
        The reason unless enough is said to be described, or speech was lost; None when there is something to judge.
    """
    if blocks.core_metrics.speech_present is None:
        return unknown_because(blocks, "the spoken words", "whisper")
    return None if blocks.core_metrics.speech_present else "hardly anything is said"


FAMILY: Final = Family(b.SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (b.FurtherMetrics,))
