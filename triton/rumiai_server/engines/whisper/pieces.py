"""What is decoded: tracks, their pieces, and how the text of a piece falls into segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.whisper import NO_SPEECH_LOGPROB, NO_SPEECH_PROB, TIMESTAMP_STEP_S, WhisperParams
from rumiai.core.arrays import freeze_arrays
from rumiai_server.engines.whisper.fallback import FIRST, Attempt
from rumiai_server.engines.whisper.vad import SpeechChunk, SpeechCut

# Mel frames a second, fixed by the model's training.
FRAMES_PER_S: Final = 100
# Samples that one row of the encoder's output stands for: two mel frames.
ENCODER_STEP: Final = 320

# A segment while it is decoded, in the form that both libraries' timing functions read and complete: seek, start, end,
# tokens, then words. Times are on the clock of the track's speech.
Draft = dict[str, Any]
Features = npt.NDArray[np.float32]


@dataclass(eq=False)
class Track:
    """One item of a call. ``last_speech_s`` is the end of the last word, which the timing of the next chunk needs."""

    params: WhisperParams
    samples: int
    cut: SpeechCut
    language: str | None = None
    language_probability: float | None = None
    last_speech_s: float = 0.0
    pieces: list[Piece] = field(default_factory=list)


@dataclass(eq=False)
class Piece:
    """What one row of a batch decodes: a chunk from mel frame ``seek`` on.

    Attributes:
        track: Where it belongs.
        chunk: The speech.
        index: Of the chunk in its track.
        seek: Mel frames of the chunk that earlier rounds have decoded; 0 in the first.
        features: (mels, frames) of the whole chunk while it is needed.
        language: Of the chunk.
        language_probability: 0..1.
        rivals: Other languages that it may be in, with their probabilities, when the first is not sure.
        encoded: Held by the first of a batch, while it is decoded: the ids of its pieces, and the encoder's output.
        drafts: The segments found.
        decoding: With what.
        loops: Whether they repeat themselves although the sound does not.
        avg_logprob: Mean log probability of the tokens found.
        no_speech_prob: 0..1.
        stopped_at: Mel frames from ``seek`` on after which the decoder left the rest; None when it left nothing.
    """

    track: Track
    chunk: SpeechChunk
    index: int
    seek: int = 0
    features: Features | None = None
    language: str | None = None
    language_probability: float | None = None
    rivals: tuple[tuple[str, float], ...] = ()
    encoded: tuple[tuple[int, ...], Any] | None = None
    drafts: list[Draft] = field(default_factory=list)
    decoding: Attempt = FIRST
    loops: bool = False
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    stopped_at: int | None = None

    def __post_init__(self) -> None:
        freeze_arrays(self, features=(np.float32, "mels", "frames"))

    def take(self, other: Piece) -> None:
        """Take over what another attempt at the same piece has found."""
        for name in ("language", "drafts", "avg_logprob", "no_speech_prob", "stopped_at", "decoding", "loops"):
            setattr(self, name, getattr(other, name))

    @property
    def offset_s(self) -> float:
        """Where the piece starts on the clock of the track's speech."""
        return self.chunk.offset_s + self.seek / FRAMES_PER_S

    @property
    def duration_s(self) -> float:
        """Length of the piece."""
        return self.chunk.duration_s - self.seek / FRAMES_PER_S

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """First sample and the one after the last of each stretch of speech in the chunk, pauses left out."""
        edges = [0, *self.chunk.borders, len(self.chunk.samples)]
        return list(pairwise(edges))

    @property
    def mel(self) -> Features:
        """(mels, frames) from ``seek`` on."""
        assert self.features is not None
        return self.features[:, self.seek :]

    @property
    def silent(self) -> bool:
        """Whether openai-whisper would skip it as holding no speech."""
        return self.no_speech_prob > NO_SPEECH_PROB and self.avg_logprob < NO_SPEECH_LOGPROB


def encoder_frames(span: tuple[int, int]) -> slice:
    """The rows of the encoder's output that stand for some samples of a window, at least one."""
    start, stop = span
    first = start // ENCODER_STEP
    return slice(first, max(first + 1, stop // ENCODER_STEP))


def split_at_timestamps(
    tokens: Sequence[int], timestamp_begin: int, duration_s: float
) -> tuple[list[tuple[float, float, list[int]]], int | None]:
    """Split what the decoder wrote for one window into segments, by the rules of openai-whisper's ``transcribe``.

    Args:
        tokens: Text tokens and timestamp tokens; the latter are those from ``timestamp_begin`` on, 0.02 s apart.
        timestamp_begin: The token of 0.0 s.
        duration_s: Length of the window, the end of a segment that has no end of its own.

    Returns:
        Start, end (seconds from the start of the window) and tokens of each segment; and the mel frame from which the
        decoder left speech unread, None when it read to the end.
    """
    is_time = [token >= timestamp_begin for token in tokens]
    ends_in_one = is_time[-2:] == [False, True]
    cuts = [i for i in range(1, len(tokens)) if is_time[i - 1] and is_time[i]]

    def seconds(token: int) -> float:
        return (token - timestamp_begin) * TIMESTAMP_STEP_S

    if not cuts:
        last = next((token for token in reversed(tokens) if token >= timestamp_begin), timestamp_begin)
        return [(0.0, seconds(last) if last != timestamp_begin else duration_s, list(tokens))], None
    if ends_in_one:
        cuts.append(len(tokens))
    parts = [list(tokens[start:stop]) for start, stop in zip([0, *cuts], cuts, strict=False)]
    left_at = None if ends_in_one else round(seconds(parts[-1][-1]) * FRAMES_PER_S)
    return [(seconds(part[0]), seconds(part[-1]), part) for part in parts], left_at
