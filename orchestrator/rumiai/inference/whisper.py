"""The transcript of a video: the request to the ``whisper`` endpoint, and its answer as the canonical service data.

How segments become speech:

* ``confidence`` of a segment is the mean probability of its words; without words it is exp(mean token log-probability),
  which the model knows only for the chunk that the segment comes from.
* Two kinds of segments are not speech and are kept under ``non_speech`` with the reason. One has only sound tags
  ("[Music]", "(chimes)", "♪♪") or signs without a letter or digit. The other lies in a chunk that the model takes for
  silent (``no_speech_prob`` > 0.6) and is doubtful too: its log-probability is below -1.0 (openai-whisper's own rule),
  its confidence is below 0.5, or it repeats itself.
* A run of the same words, letters or segments is written once (:mod:`rumiai.inference.repetitions`);
  ``metadata.repetitions`` says what stood there and how often.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from rumiai.contracts import tensors
from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.services.whisper import NonSpeech, Repetition, Segment, WhisperData, WhisperMetadata, Word
from rumiai.contracts.whisper import NO_SPEECH_LOGPROB, NO_SPEECH_PROB, TIMESTAMP_STEP_S, Task, WhisperParams
from rumiai.errors import ContractError
from rumiai.inference.client import TritonClient
from rumiai.inference.repetitions import collapse_segments, collapse_words
from rumiai.inference.sound_windows import windows
from rumiai.inference.spans import SharedTensor

# Below this a segment is more likely wrong than right.
LOW_CONFIDENCE: Final = 0.5
# Whisper's detection of the language is made for 30 s; with this much, a sentence or two, it is mostly right.
ENOUGH_SPEECH_S: Final = 10.0
BACKENDS: Final = {"ctranslate2": "faster-whisper", "openai": "openai-whisper"}

_TAG = re.compile(r"\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|\*[^*]*\*|\uff08[^\uff09]*\uff09|\u3010[^\u3011]*\u3011")


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=())


class WordPayload(_Payload):
    """One word; times in seconds from the start of the track."""

    word: str
    start_s: float
    end_s: float
    probability: float


class SegmentPayload(_Payload):
    """One segment; see the engine's ``Segment``."""

    start_s: float
    end_s: float
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    words: tuple[WordPayload, ...] = ()
    recovered: bool = False


class TranscriptPayload(_Payload):
    """The endpoint's ``TRANSCRIPT``; see docs/endpoints.md."""

    language: str | None
    language_probability: float | None
    task: Task
    duration_s: float
    speech_s: float
    segments: tuple[SegmentPayload, ...]
    reason: str | None
    engine: str
    model: str
    compute_type: str

    @classmethod
    def from_json(cls, raw: bytes | str) -> TranscriptPayload:
        """Read the tensor's one element.

        Raises:
            ContractError: Not JSON, or a key is missing or of the wrong type.
        """
        try:
            return cls.model_validate_json(raw)
        except ValidationError as exc:
            raise ContractError(
                f"TRANSCRIPT: {exc.error_count()} faults, first: {exc.errors()[0]['loc']} {exc.errors()[0]['msg']}",
                hint="serve the whisper endpoint with the same version of RumiAI",
            ) from exc


async def transcribe(
    client: TritonClient, track: AudioTrack, params: WhisperParams, progress: Callable[[int, int], None] | None = None
) -> TranscriptPayload | None:
    """Have one track transcribed, a long one window by window; None when it has no samples.

    A language that was found in enough speech holds for the windows after it.

    Args:
        client: Where the endpoint is.
        track: Its samples, and where the server finds them.
        params: Of each request.
        progress: Told at the start and after each window how many are done, of how many.

    Raises:
        ContractError: The track is not at 16 kHz or longer than ``tensors.MAX_AUDIO_S``, or an answer is malformed.
        MLError: The model refused or failed.
        ServerError: The server is gone or too slow.
    """
    if track.sample_rate_hz != tensors.AUDIO_SAMPLE_RATE_HZ:
        raise ContractError(f"audio: got {track.sample_rate_hz} Hz, expected {tensors.AUDIO_SAMPLE_RATE_HZ} Hz")
    if track.duration_s > tensors.MAX_AUDIO_S:
        raise ContractError(f"audio: got {track.duration_s:.0f} s, expected at most {tensors.MAX_AUDIO_S:.0f} s")
    parts = windows(track.samples)
    answers: list[tuple[float, TranscriptPayload]] = []
    if progress is not None:
        progress(0, len(parts))
    for part in parts:
        answer = await _ask(client, track, part, params)
        answers.append((part.start / track.sample_rate_hz, answer))
        if params.language is None and answer.speech_s >= ENOUGH_SPEECH_S:
            params = replace(params, language=answer.language)
        if progress is not None:
            progress(len(answers), len(parts))
    return _joined(answers) if answers else None


async def _ask(client: TritonClient, track: AudioTrack, part: slice, params: WhisperParams) -> TranscriptPayload:
    samples, span = track.samples[part], track.span
    if span is not None:
        offset = span.offset_bytes + part.start * samples.itemsize
        span = replace(span, offset_bytes=offset, size_bytes=samples.nbytes)
    outputs = await client.infer(
        tensors.WHISPER, {"AUDIO": SharedTensor(samples[np.newaxis, :], span)}, params.parameters()
    )
    found = outputs["TRANSCRIPT"]
    if found.shape != (1, 1):
        raise ContractError(f"whisper returned TRANSCRIPT {found.shape}, expected (1, 1)")
    return TranscriptPayload.from_json(found[0, 0])


def _joined(answers: Sequence[tuple[float, TranscriptPayload]]) -> TranscriptPayload:
    """Join the transcripts of windows, each with its start in seconds; most speech decides the language."""
    (_, first), *rest = answers
    if not rest:
        return first
    # A window that was told its language reports it as certain: the probability is that of the first that found it.
    heard = max((answer for _, answer in answers if answer.language), key=lambda a: a.speech_s, default=first)
    found = next((a for _, a in answers if a.language == heard.language), first)
    segments = tuple(_moved(segment, start_s) for start_s, answer in answers for segment in answer.segments)
    return first.model_copy(
        update={
            "language": found.language,
            "language_probability": found.language_probability,
            "duration_s": sum(answer.duration_s for _, answer in answers),
            "speech_s": sum(answer.speech_s for _, answer in answers),
            "segments": segments,
            # When no window has words, the reason of the one with the most speech tells the most.
            "reason": None if segments else max((a for _, a in answers), key=lambda a: a.speech_s).reason,
        }
    )


def _moved(segment: SegmentPayload, by_s: float) -> SegmentPayload:
    def later(timed: Any) -> dict[str, float]:
        return {"start_s": timed.start_s + by_s, "end_s": timed.end_s + by_s}

    words = tuple(word.model_copy(update=later(word)) for word in segment.words)
    return segment.model_copy(update={**later(segment), "words": words})


def assemble(
    payload: TranscriptPayload | None, *, has_audio: bool, audio_duration_s: float, audio_offset_s: float = 0.0
) -> WhisperData:
    """The data of the service ``whisper``.

    Args:
        payload: What ``transcribe`` gave; None when there was nothing to transcribe.
        has_audio: Whether the video has an audio track; without one the data is that of a success with no speech.
        audio_duration_s: Length of the track, 0.0 without one.
        audio_offset_s: Where the track's first sample stands on the video's clock.

    Returns:
        The transcript; ``duration_s`` is the end of the last segment, 0.0 without segments.
    """
    repetitions: list[Repetition] = []
    spoken: list[Segment] = []
    non_speech: list[NonSpeech] = []
    for found in payload.segments if payload else ():
        segment, loops = collapse_words(_segment(found, audio_offset_s, audio_offset_s + audio_duration_s))
        if reason := _not_speech(segment, found, looping=bool(loops)):
            non_speech.append(_non_speech(segment, found.text, reason))
        elif segment.text:
            repetitions.extend(loops)
            spoken.append(segment)
    spoken.sort(key=lambda segment: (segment.start_s, segment.end_s))
    spoken, repeated = collapse_segments(spoken)
    return WhisperData(
        text=" ".join(segment.text for segment in spoken),
        segments=tuple(segment.model_copy(update={"id": i}) for i, segment in enumerate(spoken)),
        language=(payload.language if payload else None) or "unknown",
        duration_s=spoken[-1].end_s if spoken else 0.0,
        audio_duration_s=audio_duration_s,
        non_speech=tuple(non_speech),
        metadata=_metadata(payload, has_audio, (*repetitions, *repeated), spoken=bool(spoken)),
    )


def _metadata(
    payload: TranscriptPayload | None, has_audio: bool, repetitions: tuple[Repetition, ...], *, spoken: bool
) -> WhisperMetadata:
    reason = payload.reason if payload else "the track is empty" if has_audio else "the video has no audio track"
    if not spoken and reason is None:
        reason = "nothing that was heard is speech; see non_speech"
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


def _segment(found: SegmentPayload, offset_s: float, limit_s: float) -> Segment:
    def clock(time_s: float) -> float:
        return round(min(max(time_s + offset_s, 0.0), limit_s), 3)

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
    if end_s <= start_s:
        # Shorter than one step of the model's timestamps: it gets one, before it at the very end of the track.
        start_s = min(start_s, max(0.0, round(limit_s - TIMESTAMP_STEP_S, 3)))
        end_s = round(start_s + TIMESTAMP_STEP_S, 3)
    sure = [min(max(word.probability, 0.0), 1.0) for word in found.words if word.word.strip()]
    confidence = sum(sure) / len(sure) if sure else math.exp(min(found.avg_logprob, 0.0))
    return Segment(
        start_s=start_s,
        end_s=end_s,
        text=found.text.strip(),
        confidence=confidence,
        no_speech_prob=found.no_speech_prob,
        avg_logprob=found.avg_logprob,
        words=words,
    )


def _non_speech(segment: Segment, text: str, reason: str) -> NonSpeech:
    return NonSpeech(
        start_s=segment.start_s,
        end_s=segment.end_s,
        text=text,
        confidence=segment.confidence,
        no_speech_prob=segment.no_speech_prob,
        avg_logprob=segment.avg_logprob,
        words=segment.words,
        reason=reason,
    )


def _not_speech(segment: Segment, found: SegmentPayload, *, looping: bool) -> str | None:
    """The reason why a segment is not speech; None when it is."""
    if not any(char.isalnum() for char in _TAG.sub("", segment.text)):
        return "sound_tag"
    unsure = segment.confidence is not None and segment.confidence < LOW_CONFIDENCE
    doubtful = found.avg_logprob < NO_SPEECH_LOGPROB or unsure or looping
    return "no_speech" if found.no_speech_prob > NO_SPEECH_PROB and doubtful else None
