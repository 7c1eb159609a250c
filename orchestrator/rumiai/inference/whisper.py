"""The request to the ``whisper`` endpoint, window by window, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from rumiai.contracts import tensors
from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.transcript import Transcript, TranscriptSegment, TranscriptWord
from rumiai.contracts.whisper import WhisperParams
from rumiai.errors import ContractError
from rumiai.inference.client import TritonClient
from rumiai.inference.sound_windows import windows
from rumiai.inference.spans import SharedTensor

# Whisper's detection of the language is made for 30 s; with this much, a sentence or two, it is mostly right.
ENOUGH_SPEECH_S: Final = 10.0


def params_for(language: str, mode: str) -> WhisperParams:
    """What is asked for a video: all that helps, and in ``strict`` mode what the upstream libraries do.

    Args:
        language: Whisper's code; "" has it detected.
        mode: Of the settings.
    """
    fast = mode != "strict"
    return WhisperParams(language=language or None, level=fast, fallback=fast, multilingual=fast)


async def transcribe(
    client: TritonClient, track: AudioTrack, params: WhisperParams, progress: Callable[[int, int], None] | None = None
) -> Transcript | None:
    """Have one track transcribed, a long one window by window; None when it has no samples.

    A language that was found in enough speech holds for the windows after it; with ``multilingual`` for short ones.

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
    # A short window at the end says little about its language.
    long = ENOUGH_SPEECH_S * track.sample_rate_hz
    asked = params
    answers: list[tuple[float, Transcript]] = []
    if progress is not None:
        progress(0, len(parts))
    for part in parts:
        answer = await _ask(client, track, part, params if part.stop - part.start < long else asked)
        answers.append((part.start / track.sample_rate_hz, answer))
        if params.language is None and answer.speech_s >= ENOUGH_SPEECH_S:
            params = replace(params, language=answer.language)
            asked = asked if asked.multilingual else params
        if progress is not None:
            progress(len(answers), len(parts))
    return _joined(answers) if answers else None


async def _ask(client: TritonClient, track: AudioTrack, part: slice, params: WhisperParams) -> Transcript:
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
    return Transcript.from_json(found[0, 0])


def _joined(answers: Sequence[tuple[float, Transcript]]) -> Transcript:
    """Join the transcripts of windows, each with its start in seconds; most speech decides the language."""
    (_, first), *rest = answers
    if not rest:
        return first
    # A window that was told its language reports it as certain: the probability is that of the first that found it.
    heard = max((answer for _, answer in answers if answer.language), key=lambda a: a.speech_s, default=first)
    found = next((a for _, a in answers if a.language == heard.language), first)
    segments = tuple(_moved(segment, start_s) for start_s, answer in answers for segment in answer.segments)
    return replace(
        first,
        language=found.language,
        language_probability=found.language_probability,
        duration_s=sum(answer.duration_s for _, answer in answers),
        speech_s=sum(answer.speech_s for _, answer in answers),
        segments=segments,
        # When no window has words, the reason of the one with the most speech tells the most.
        reason=None if segments else max((a for _, a in answers), key=lambda a: a.speech_s).reason,
    )


def _moved(segment: TranscriptSegment, by_s: float) -> TranscriptSegment:
    return replace(
        segment,
        start_s=segment.start_s + by_s,
        end_s=segment.end_s + by_s,
        words=tuple(_moved_word(word, by_s) for word in segment.words),
        chunk_s=None if segment.chunk_s is None else (segment.chunk_s[0] + by_s, segment.chunk_s[1] + by_s),
    )


def _moved_word(word: TranscriptWord, by_s: float) -> TranscriptWord:
    return replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s)
