"""What is said, with its times: the canonical data of the ``whisper`` service."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import model_validator

from rumiai.contracts.services.base import (
    Count,
    Flag,
    Number,
    Seconds,
    ServiceData,
    ServiceMetadata,
    ServiceModel,
    Share,
    Stretches,
    Text,
    interval_problem,
)

# Below this the language of a transcript is named as doubtful.
SURE_LANGUAGE: Final = 0.6


class Word(ServiceModel):
    """One spoken word; ``probability`` is None where the model does not tell."""

    word: Text
    start_s: Seconds
    end_s: Seconds
    probability: Number | None = None


class Segment(ServiceModel):
    """A stretch of speech.

    Attributes:
        id: Its place in the transcript, from 0.
        start_s: Seconds from the start of the video.
        end_s: After ``start_s``.
        text: What is said, stripped.
        confidence: Mean probability of its words, 0..1; None when unknown.
        language: Whisper's code of the language that its chunk was decoded in; None where the file does not tell it.
        language_probability: 0..1; None where it is not told.
        no_speech_prob: Of the chunk that it comes from.
        avg_logprob: Of the chunk that it comes from.
        words: Timed words; empty or None where the model gave none.
    """

    id: Count | None = None
    start_s: Seconds
    end_s: Seconds
    text: Text
    confidence: Share | None = None
    language: Text | None = None
    language_probability: Share | None = None
    no_speech_prob: Number | None = None
    avg_logprob: Number | None = None
    words: tuple[Word, ...] | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Segment:
        if problem := interval_problem(self.start_s, self.end_s, may_be_instant=False):
            raise problem
        return self


class NonSpeech(ServiceModel):
    """A segment that is no speech: a sound tag, or what a silent chunk was taken for; ``reason`` says which."""

    start_s: Number | None = None
    end_s: Number | None = None
    text: Text | None = None
    confidence: Number | None = None
    no_speech_prob: Number | None = None
    avg_logprob: Number | None = None
    words: tuple[Word, ...] | None = None
    reason: Text | None = None


class Repetition(ServiceModel):
    """A run of the same words or segments that is written once; ``count`` says how often it stood there."""

    scope: Text
    text: Text
    count: Count
    start_s: Seconds
    end_s: Seconds


class LostSpeech(ServiceModel):
    """A stretch in which a voice was heard that could not be decoded; ``reason`` says why.

    Attributes:
        start_s: Seconds from the start of the video.
        end_s: After ``start_s``.
        reason: Such as ``decoding loops``.
    """

    start_s: Seconds
    end_s: Seconds
    reason: Text

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> LostSpeech:
        if problem := interval_problem(self.start_s, self.end_s, may_be_instant=False):
            raise problem
        return self


class WhisperMetadata(ServiceMetadata):
    """``has_audio`` False is a success without speech; ``reason`` says why there are no segments."""

    backend: Text | None = None
    compute_type: Text | None = None
    task: Text | None = None
    success: Flag | None = None
    has_audio: Flag | None = None
    language_detected: Flag | None = None
    language_probability: Number | None = None
    speech_duration_s: Number | None = None
    recovered_segments: Count | None = None
    segments_dropped: Count | None = None
    repetitions: tuple[Repetition, ...] | None = None
    reason: Text | None = None


class WhisperData(ServiceData):
    """The transcript of one video.

    Attributes:
        text: All segments, joined by one space.
        segments: By start.
        language: ISO code, or ``unknown``.
        duration_s: End of the last segment, 0.0 without segments.
        audio_duration_s: Length of the audio track.
        non_speech: What was heard and is no speech.
        speech_lost: Stretches of speech that could not be decoded, by start: nothing is known of their words. None
            where the file does not tell it.
        metadata: How it was made.
    """

    service: ClassVar[str] = "whisper"
    entry_types: ClassVar[tuple[str, ...]] = ("speech",)

    text: Text
    segments: tuple[Segment, ...]
    language: Text
    duration_s: Seconds
    audio_duration_s: Number | None = None
    non_speech: tuple[NonSpeech, ...] | None = None
    speech_lost: tuple[LostSpeech, ...] | None = None
    metadata: WhisperMetadata

    @property
    def lost_s(self) -> float:
        """Seconds of speech that could not be decoded."""
        return sum(lost.end_s - lost.start_s for lost in self.speech_lost or ())

    @property
    def unclear(self) -> Stretches:
        """The stretches of speech that could not be decoded."""
        return tuple((lost.start_s, lost.end_s) for lost in self.speech_lost or ())

    @property
    def doubtful_language(self) -> bool:
        """Whether words were written down in a language that may be another."""
        probability = self.metadata.language_probability
        return bool(self.segments) and probability is not None and probability < SURE_LANGUAGE

    @property
    def known_language(self) -> str | None:
        """The language, None when it is not known."""
        return None if self.language in ("", "unknown") else self.language

    @property
    def soundness(self) -> float:
        """How sure the language is, times the share of the speech that was decoded without loops.

        A loop is a run of the same words that the decoder repeated (``metadata.repetitions``); what still looped is
        lost (``speech_lost``). 1 where no speech was heard.
        """
        looped_s = sum(loop.end_s - loop.start_s for loop in self.metadata.repetitions or ())
        spoken_s = sum(segment.end_s - segment.start_s for segment in self.segments)
        heard_s = spoken_s + self.lost_s
        decoded = max(0.0, spoken_s - looped_s) / heard_s if heard_s else 1.0
        language = self.metadata.language_probability
        return decoded if language is None or not self.segments else decoded * min(1.0, max(0.0, language))

    @property
    def found_confidences(self) -> list[float | None]:
        """Of every segment."""
        return [segment.confidence for segment in self.segments]
