"""Blocks and further metrics of speech_analysis."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from rumiai.contracts.blocks import AnalysisBlocks, Block, MoreMetrics, QualityBlock, Record, Schema, judge, num
from rumiai.contracts.blocks.types import (
    Count,
    Flag,
    Level,
    Number,
    Positive,
    Ratio,
    Real,
    Seconds,
    Signed,
    Span,
    Text,
    Time,
)
from rumiai.metrics.speech_analysis.energy import AudioQuality, BurstType
from rumiai.metrics.speech_analysis.manner import Delivery, Strategy, Tone
from rumiai.metrics.speech_analysis.pauses import PauseKind, PausePattern
from rumiai.metrics.speech_analysis.phrases import CtaCategory
from rumiai.metrics.speech_analysis.rate import Intensity, Rhythm
from rumiai.metrics.speech_analysis.wording import Complexity

Rate: TypeAlias = Annotated[float, Number(low=0, unit="words/s")]
ConversationalDynamics: TypeAlias = Literal["monologue", "dialogue", "mixed", "unknown", "none"]


class PacingWindow(Record):
    """One window of ``speechPacingCurve``; null where nothing was heard or could be made out."""

    timestamp: Span
    words_per_second: Rate | None
    intensity: Intensity | None


class EmphasisMoment(Record):
    """One item of ``emphasisMoments``."""

    timestamp: Time
    word: Text
    emphasis_type: Text


class SilencePeriod(Record):
    """One item of ``silencePeriods``."""

    start: Time
    end: Time
    duration: Seconds


class Burst(Record):
    """One item of ``speechBursts``."""

    start: Time
    end: Time
    duration: Seconds
    words: Positive | None
    wpm: Positive | None
    energy: Ratio | None
    type: BurstType


class MultimodalEmphasis(Record):
    """One item of ``multimodalEmphasis``."""

    timestamp: Time
    speech: Text
    gesture: Text
    alignment: Ratio | None


class KeyPhrase(Record):
    """One item of ``keyPhrases``."""

    timestamp: Time
    phrase: Text
    significance: Text


class SpeechClimax(Record):
    """The value of ``speechClimax``."""

    timestamp: Time
    text: Text
    intensity: Ratio


class SilentMoment(Record):
    """One item of ``silentMoments``."""

    start: Time
    end: Time
    duration: Seconds
    purpose: Text | None


class TransitionPhrase(Record):
    """One item of ``transitionPhrases``."""

    timestamp: Time
    phrase: Text
    function: Text


class LongestSegment(Record):
    """The value of ``longestSegment``."""

    duration: Seconds
    timestamp: Span
    words: Count


class HookPhrase(Record):
    """One item of ``hookPhrases``."""

    text: Text
    timestamp: Time
    type: Text
    confidence: Ratio


class Cta(Record):
    """One item of ``ctaPhrases``."""

    text: Text
    timestamp: Time
    urgency: Level
    category: CtaCategory


class OffCameraSpeechSegment(Record):
    """One item of ``offCameraSpeechSegments``."""

    start: Time
    end: Time
    speech_content: Text


class MumblingSection(Record):
    """One item of ``mumblingSections``."""

    start: Time
    end: Time
    confidence: Ratio


class CoreMetrics(Block):
    """The block ``speechCoreMetrics``."""

    speech_present: Annotated[Flag | None, num("coverage >= .1 and >= 5 words; true where speech was heard and lost")]
    total_speech_segments: Annotated[Count | None, num("segments of the transcript")]
    speech_duration: Annotated[Seconds | None, num("union of voiced time")]
    speech_rate: Annotated[Rate | None, num("words / time observed")]
    words_per_minute: Annotated[Positive | None, num("words / speechDuration; null without speech")]
    unique_speakers: Annotated[Count | None, num("null unless diarised")]
    primary_speaker_dominance: Annotated[Ratio | None, num("null unless diarised")]
    avg_confidence: Annotated[Ratio | None, num("mean segment confidence")]
    speech_clarity_score: Annotated[Ratio | None, num("duration weighted")]
    pause_count: Annotated[Count | None, num("gaps >= .5 s; null without words")]
    avg_pause_duration: Annotated[Seconds | None, num("mean gap")]
    total_words: Annotated[Count | None, num("tokens with a letter or digit", origin="P")]
    unique_words: Annotated[Count | None, num("distinct tokens, punctuation and case aside", origin="P")]
    vocabulary_diversity: Annotated[Ratio | None, num("uniqueWords / totalWords", origin="P")]
    speech_coverage: Annotated[Ratio | None, num("speechDuration / time observed", origin="P")]
    silence_ratio: Annotated[Ratio | None, num("1 - speechCoverage", origin="P")]
    speech_density: Annotated[Rate | None, num("= speechRate", origin="P")]
    avg_segment_duration: Annotated[Seconds | None, num("mean segment", origin="P")]
    first_word_timestamp: Annotated[Time | None, num("start of the first word", origin="T")]
    last_word_timestamp: Annotated[Time | None, num("end of the last word", origin="T")]
    filler_word_ratio: Annotated[Ratio | None, num("fillers / words", origin="T")]
    direct_address_count: Annotated[Count | None, num("you, your, you're, you'll, you've", origin="T")]
    question_count: Annotated[Count | None, num("questions asked", origin="T")]
    language: Annotated[Text | None, num("ISO code of the transcript")]


class Dynamics(Block):
    """The block ``speechDynamics``."""

    speech_pacing_curve: Annotated[list[PacingWindow] | None, num("5 s windows")]
    pacing_variation: Annotated[Ratio | None, num("min(1, cv)")]
    speech_rhythm: Annotated[Rhythm | None, num("cv < .2 steady; acceleration +-.2")]
    pause_pattern: Annotated[PausePattern | None, num("by length and spread of the pauses")]
    emphasis_moments: Annotated[list[EmphasisMoment] | None, num("energy peaks on words; null without audio energy")]
    wpm_progression: Annotated[list[Positive | None] | None, num("whole video", origin="P")]
    silence_periods: Annotated[list[SilencePeriod] | None, num(">= 1 s", origin="P")]
    speech_bursts: Annotated[list[Burst] | None, num("rapid, energetic or loud stretches", origin="P")]
    burst_pattern: Annotated[Text | None, num("where the bursts lie; null for none without audio energy", origin="P")]
    energy_variance: Annotated[Ratio | None, num("of the normalised energy windows", origin="P")]
    has_audio_energy: Annotated[Flag, num("whether audio energy was measured", origin="P")]
    speech_front_load_ratio: Annotated[Ratio | None, num("words in the first 20 % / words", origin="T")]
    acceleration_score: Annotated[
        Signed | None, num("(words per s heard of the second half - first)/(sum)", origin="T")
    ]


class Interactions(Block):
    """The block ``speechInteractions``."""

    speech_gesture_sync: Annotated[Ratio | None, num("segments overlapped by a gesture / segments")]
    speech_expression_alignment: Annotated[
        Ratio | None, num("sentiment of the words against the face", aliases=("speechEmotionAlignment",))
    ]
    speech_text_overlap: Annotated[Ratio | None, num("overlay words also spoken within +-1.5 s", origin="P")]
    face_on_screen_during_speech: Annotated[
        Ratio | None, num("time with a face during speech / speech time", origin="T")
    ]
    verbal_visual_coherence: Annotated[
        Ratio | None, num("mean of available, at least two", aliases=("multiModalCoherence",))
    ]
    multimodal_emphasis: Annotated[list[MultimodalEmphasis] | None, num("words and gestures together")]
    conversational_dynamics: Annotated[ConversationalDynamics | None, num("who speaks; a model may judge")]


class KeyEvents(Block):
    """The block ``speechKeyEvents``."""

    key_phrases: Annotated[
        list[KeyPhrase] | None,
        num("phrase must exist in the transcript; a model may append", judged=("significance",), extensible=True),
    ]
    speech_climax: Annotated[SpeechClimax | None, num("energy peak inside speech", aliases=("climaxMoment",))]
    silent_moments: Annotated[list[SilentMoment] | None, num("silences and what they serve", judged=("purpose",))]
    transition_phrases: Annotated[list[TransitionPhrase] | None, judge("verified against the transcript")]
    longest_segment: Annotated[LongestSegment | None, num("of the transcript", origin="P")]
    hook_phrases: Annotated[list[HookPhrase] | None, num("hooks with their real times", origin="T")]
    cta_phrases: Annotated[list[Cta] | None, num("calls to action with their real times", origin="T")]
    off_camera_speech_segments: Annotated[
        list[OffCameraSpeechSegment] | None, num("face visible < 20 % of the segment", origin="T")
    ]
    mumbling_sections: Annotated[list[MumblingSection] | None, num("segments of confidence < .6", origin="T")]


class Patterns(Block):
    """The block ``speechPatterns``."""

    delivery_style: Annotated[Delivery | None, judge("manner of speaking; none: nobody speaks")]
    speech_techniques: Annotated[
        list[Text] | None, judge("direct_address, rhetorical_questions, repetition, listing; null without words")
    ]
    tone_category: Annotated[
        Tone | None,
        judge("tone of voice and words; null with too little speech or when no rule fits", open_to_model=True),
    ]
    linguistic_complexity: Annotated[Complexity | None, num("by sentence length and long words")]
    engagement_strategy: Annotated[
        Strategy | None, judge("how it holds attention; null when no rule fits", open_to_model=True)
    ]
    repetition_rate: Annotated[Ratio | None, num("repeated n-gram tokens / words", origin="P")]
    verbal_hooks: Annotated[list[Text] | None, num("texts of the hooks", origin="P")]
    opening_hook_strength: Annotated[Ratio | None, num("hooks in the first 5 s; null without a listed one", origin="T")]


class Quality(QualityBlock):
    """The block ``speechQuality``."""

    transcription_confidence: Annotated[Ratio | None, num("mean segment confidence")]
    audio_quality: Annotated[AudioQuality | None, num("by noise ratio .3/.6")]
    speech_data_completeness: Annotated[Ratio, num("used services that ran / used services")]
    background_noise_ratio: Annotated[Ratio | None, num("1 - clamp((snr_db - 5)/25)")]
    clarity_by_window: Annotated[dict[Span, Ratio | None] | None, num("mean confidence per 5 s window")]
    analysis_limitations: Annotated[list[Text], num("what could not be measured")]

    @property
    def completeness(self) -> float:
        """Used services that ran / used services, 0..1."""
        return self.speech_data_completeness


class Pause(MoreMetrics):
    """One pause between words."""

    start: Time
    duration: Seconds
    type: PauseKind


class PauseAnalysis(MoreMetrics):
    """All pauses by kind; the silence before the first and after the last word apart."""

    gaps: list[Pause]
    total_pause_time: Seconds
    pause_count: Count
    longest_pause_duration: Seconds
    strategic_pauses: Count
    awkward_pauses: Count
    leading_silence: Seconds | None
    trailing_silence: Seconds | None


class CtaCluster(MoreMetrics):
    """Calls to action close to each other."""

    start: Time
    end: Time
    count: Count


class RepeatedText(MoreMetrics):
    """A phrase that is said more than once."""

    text: Text
    count: Count
    timestamps: list[Positive]


class RepetitionPatterns(MoreMetrics):
    """The most repeated phrases, and words that are stressed by repetition or by capitals on screen."""

    phrases: list[RepeatedText]
    emphasis_words: list[Text]


class ExpressionPeak(MoreMetrics):
    """A strong expression while speaking."""

    timestamp: Positive
    emotion: Text


class VisualAlignment(MoreMetrics):
    """Gestures on words and expressions while speaking; nothing measures lips."""

    gesture_emphasis_moments: list[MultimodalEmphasis] | None
    expression_peaks_during_speech: list[ExpressionPeak] | None
    lip_sync_quality: None
    body_language_congruence: Ratio | None


class FurtherMetrics(MoreMetrics):
    """Everything that stands under ``precompute`` where there is a transcript."""

    mattr_50: Ratio | None
    longest_segment: Seconds | None
    longest_segment_time: Time | None
    longest_segment_words: Count | None
    shortest_segment: Seconds | None
    avg_words_per_segment: Positive | None
    wpm_by_segment: dict[Span, Positive | None]
    speech_rhythm_type: Text | None
    rhythm_consistency_score: Ratio | None
    pause_analysis: PauseAnalysis
    hook_density_per_10s: dict[Span, Count]
    cta_density_per_10s: dict[Span, Count]
    cta_clustering: list[CtaCluster]
    inclusive_language_ratio: Ratio | None
    repetition_patterns: RepetitionPatterns
    speech_only_ratio: Ratio | None
    expression_variety_during_speech: Ratio | None
    speech_visual_alignment: VisualAlignment
    visual_punctuation_count: Count | None
    speech_pattern_tags: list[Text]
    speech_type: Text | None
    speaker_changes: None
    dominant_speaker_ratio: None
    energy_level_windows: dict[Span, Real] | None
    climax_timestamp: Real | None
    hook_effectiveness_score: Ratio | None
    cta_effectiveness_score: Ratio | None
    delivery_confidence_score: Ratio | None
    authenticity_score: Ratio | None
    verbal_engagement_score: Ratio | None
    visual_verbal_harmony_score: Ratio | None


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


SCHEMA: Final = Schema("speech_analysis", "speech", Blocks)
