"""The answer of the ``whisper`` endpoint as the canonical service data.

How segments become speech:

* ``confidence`` of a segment is the mean probability of its words; without words it is exp(mean token log-probability),
  which the model knows only for the chunk that the segment comes from.
* Two kinds of segments are not speech and are kept under ``non_speech`` with the reason. One has only sound tags
  ("[Music]", "(chimes)", "♪♪") or signs without a letter or digit. The other lies in a chunk that the model takes for
  silent (``no_speech_prob`` > 0.6) and is doubtful too: its log-probability is below -1.0 (openai-whisper's own rule),
  its confidence is below 0.5, or it repeats itself.
* A run of the same words, letters or segments that the sound does not show is written once
  (:mod:`rumiai.inference.repetitions`); ``metadata.repetitions`` says what stood there and how often. The time of its
  repeats is ``speech_lost``. A chunk of which hardly anything else is left is lost as a whole.
* Words begin and end with the sound (:mod:`rumiai.inference.word_times`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rumiai.contracts.services.whisper import (
    LostSpeech,
    NonSpeech,
    Repetition,
    Segment,
    WhisperData,
    WhisperMetadata,
    Word,
)
from rumiai.contracts.transcript import Transcript, TranscriptSegment
from rumiai.contracts.whisper import NO_SPEECH_LOGPROB, NO_SPEECH_PROB, TIMESTAMP_STEP_S
from rumiai.core.text import joined
from rumiai.inference.repetitions import (
    Collapsed,
    Sound,
    Stretch,
    collapse_segments,
    collapse_words,
    recounted,
)
from rumiai.inference.word_times import by_sound

# Below this a segment is more likely wrong than right.
LOW_CONFIDENCE: Final = 0.5
# Of a chunk of which less than this share of its letters is left without loops, what is left is chance too.
LEAST_LEFT: Final = 0.3
LOOPS: Final = "decoding loops"
BACKENDS: Final = {"ctranslate2": "faster-whisper", "openai": "openai-whisper"}

_TAG: Final = re.compile(r"\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|\*[^*]*\*|\uff08[^\uff09]*\uff09|\u3010[^\u3011]*\u3011")


def assemble(
    payload: Transcript | None,
    *,
    has_audio: bool,
    audio_duration_s: float,
    audio_offset_s: float = 0.0,
    sound: Sound | None = None,
) -> WhisperData:
    """The data of the service ``whisper``.

    Args:
        payload: What ``transcribe`` gave; None when there was nothing to transcribe.
        has_audio: Whether the video has an audio track; without one the data is that of a success with no speech.
        audio_duration_s: Length of the track, 0.0 without one.
        audio_offset_s: Where the track's first sample stands on the video's clock.
        sound: The track, on the video's clock: what words and their repeats are held against. None leaves words where
            the model put them, and takes every run for a loop.

    Returns:
        The transcript; ``duration_s`` is the end of the last segment, 0.0 without segments.
    """
    clock = Clock(audio_offset_s, audio_offset_s + audio_duration_s)
    segments = payload.segments if payload else ()
    beside = Counter(found.chunk_s for found in segments)
    heard = [_heard(found, clock, sound, alone=beside[found.chunk_s] == 1) for found in segments]
    non_speech = [_non_speech(one.read, one.reason) for one in heard if one.reason]
    spoken = [one for one in heard if not one.reason and one.read.text]
    lost_chunks = _lost_chunks(spoken, clock)
    kept = sorted(
        (one.left.segment for one in spoken if one.chunk_s not in lost_chunks and one.left.segment.text),
        key=lambda segment: (segment.start_s, segment.end_s),
    )
    kept, repeated, repeated_s = collapse_segments(kept, sound)
    stretches = [stretch for one in spoken for stretch in one.left.lost] + repeated_s + list(lost_chunks.values())
    return WhisperData(
        text=joined(segment.text for segment in kept),
        segments=tuple(segment.model_copy(update={"id": i}) for i, segment in enumerate(kept)),
        language=(payload.language if payload else None) or "unknown",
        duration_s=kept[-1].end_s if kept else 0.0,
        audio_duration_s=audio_duration_s,
        non_speech=tuple(non_speech),
        speech_lost=_lost_speech(stretches),
        metadata=_metadata(
            payload,
            has_audio,
            (*(repetition for one in spoken for repetition in one.left.repetitions), *repeated),
            spoken=bool(kept),
            lost=bool(stretches),
        ),
    )


@dataclass(frozen=True)
class Clock:
    """From the clock of the track to that of the video, within the track."""

    offset_s: float
    limit_s: float

    def __call__(self, time_s: float) -> float:
        """An instant, rounded to milliseconds."""
        return round(min(max(time_s + self.offset_s, 0.0), self.limit_s), 3)


@dataclass(frozen=True)
class _Heard:
    """A segment as the model wrote it, what is left of it without loops, and why it is no speech."""

    read: Segment
    left: Collapsed
    loops: bool
    reason: str | None
    chunk_s: tuple[float, float] | None


def _heard(found: TranscriptSegment, clock: Clock, sound: Sound | None, *, alone: bool) -> _Heard:
    read = _segment(found, clock, sound)
    chunk_s = found.chunk_s or (found.start_s, found.end_s)
    stretch = (clock(chunk_s[0]), clock(chunk_s[1]))
    spoken = recounted(read, stretch, sound) if alone and sound is not None else None
    read = spoken or read
    left = Collapsed(read) if spoken else collapse_words(read, sound)
    left = replace(left, segment=_with_confidence(left.segment))
    reason = _not_speech(left.segment, found, looping=bool(left.repetitions))
    return _Heard(read, left, found.loops, reason, found.chunk_s)


def _with_confidence(segment: Segment) -> Segment:
    """The mean probability of the words that are left."""
    sure = [word.probability for word in segment.words or () if word.probability is not None]
    return segment.model_copy(update={"confidence": sum(sure) / len(sure)}) if sure else segment


def _lost_chunks(spoken: Sequence[_Heard], clock: Clock) -> dict[tuple[float, float] | None, Stretch]:
    """The chunks of which too little is left, or that repeat themselves without a run to take out."""
    lost: dict[tuple[float, float] | None, Stretch] = {}
    for chunk_s in dict.fromkeys(one.chunk_s for one in spoken):
        if chunk_s is None:
            continue
        inside = [one for one in spoken if one.chunk_s == chunk_s]
        written = sum(len(one.read.text) for one in inside)
        left = sum(len(one.left.segment.text) for one in inside)
        runs = any(one.left.repetitions for one in inside)
        if left < LEAST_LEFT * written or (not runs and any(one.loops for one in inside)):
            lost[chunk_s] = (clock(chunk_s[0]), clock(chunk_s[1]))
    return lost


def _lost_speech(stretches: Sequence[Stretch]) -> tuple[LostSpeech, ...]:
    """Stretches by start, those that touch or overlap as one."""
    merged: list[Stretch] = []
    for start_s, end_s in sorted(stretches):
        if merged and start_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_s))
        elif end_s > start_s:
            merged.append((start_s, end_s))
    return tuple(LostSpeech(start_s=start_s, end_s=end_s, reason=LOOPS) for start_s, end_s in merged)


def _metadata(
    payload: Transcript | None, has_audio: bool, repetitions: tuple[Repetition, ...], *, spoken: bool, lost: bool
) -> WhisperMetadata:
    reason = payload.reason if payload else "the track is empty" if has_audio else "the video has no audio track"
    if not spoken and reason is None:
        reason = (
            "what was said could not be decoded; see speech_lost"
            if lost
            else "nothing that was heard is speech; see non_speech"
        )
    return WhisperMetadata(
        processed=True,
        model=payload.model if payload else None,
        backend=BACKENDS.get(payload.engine, payload.engine) if payload else None,
        compute_type=payload.compute_type if payload else None,
        task=payload.task if payload else None,
        success=True,
        has_audio=has_audio,
        language_detected=payload is not None and payload.language is not None,
        language_probability=payload.language_probability if payload else None,
        speech_duration_s=payload.speech_s if payload else 0.0,
        recovered_segments=sum(segment.recovered for segment in payload.segments) if payload else 0,
        repetitions=repetitions,
        reason=reason,
    )


def _segment(found: TranscriptSegment, clock: Clock, sound: Sound | None) -> Segment:
    words = tuple(
        Word(
            word=text,
            start_s=clock(word.start_s),
            end_s=max(clock(word.start_s), clock(word.end_s)),
            probability=min(max(word.probability, 0.0), 1.0),
        )
        for word in found.words
        if (text := word.word.strip())
    )
    start_s, end_s = clock(found.start_s), clock(found.end_s)
    if sound is not None and words:
        words = by_sound(words, sound)
        start_s, end_s = words[0].start_s, max(word.end_s for word in words)
    if end_s <= start_s:
        # Shorter than one step of the model's timestamps: it gets one, before it at the very end of the track.
        start_s = min(start_s, max(0.0, round(clock.limit_s - TIMESTAMP_STEP_S, 3)))
        end_s = round(start_s + TIMESTAMP_STEP_S, 3)
    sure = [word.probability for word in words if word.probability is not None]
    return Segment(
        start_s=start_s,
        end_s=end_s,
        text=found.text.strip(),
        confidence=sum(sure) / len(sure) if sure else math.exp(min(found.avg_logprob, 0.0)),
        language=found.language,
        language_probability=found.language_probability,
        no_speech_prob=found.no_speech_prob,
        avg_logprob=found.avg_logprob,
        words=words,
    )


def _non_speech(segment: Segment, reason: str) -> NonSpeech:
    return NonSpeech(
        start_s=segment.start_s,
        end_s=segment.end_s,
        text=segment.text,
        confidence=segment.confidence,
        no_speech_prob=segment.no_speech_prob,
        avg_logprob=segment.avg_logprob,
        words=segment.words,
        reason=reason,
    )


def _not_speech(segment: Segment, found: TranscriptSegment, *, looping: bool) -> str | None:
    """The reason why a segment is not speech; None when it is."""
    if not any(char.isalnum() for char in _TAG.sub("", segment.text)):
        return "sound_tag"
    unsure = segment.confidence is not None and segment.confidence < LOW_CONFIDENCE
    doubtful = found.avg_logprob < NO_SPEECH_LOGPROB or unsure or looping
    return "no_speech" if found.no_speech_prob > NO_SPEECH_PROB and doubtful else None
