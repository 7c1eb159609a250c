"""What goes into a Whisper engine, what comes out of it, and the interface that both engines have.

This module imports neither library; :mod:`rumiai_server.engines.whisper.factory` loads the one that is asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ, MAX_AUDIO_S
from rumiai.contracts.whisper import Task, WhisperParams
from rumiai.errors import ContractError

EngineKind = Literal["ctranslate2", "openai"]

# What a segment's ``decoding`` says when nothing had to be tried again.
FIRST_DECODING: Final = "first"
# Lossy decoders overshoot 1.0 by a few decibels; beyond this the samples are integers that nobody scaled.
MAX_PEAK: Final = 32.0


@dataclass(frozen=True)
class Word:
    """One word as the model wrote it (with its leading space), its times on the track's clock, its probability 0..1."""

    word: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech, in the order of the track.

    Attributes:
        start_s: Seconds from the start of the track.
        end_s: Seconds; may pass the end of the track by the model's rounding.
        text: As the model wrote it, stripped; never empty.
        avg_logprob: Mean log probability of the tokens of the chunk that the segment comes from.
        no_speech_prob: The model's probability that this chunk holds no speech.
        compression_ratio: Bytes of the text by its zlib-compressed bytes; above 2.4 it repeats itself.
        words: Empty when they were not asked for.
        recovered: The decoder stopped before the end of its chunk and this is what it found when it was sent back for
            the rest. faster-whisper's batched pipeline loses that speech; without these segments the transcript is
            equal to the pipeline's.
        language: Whisper's code of the language that its chunk was decoded in.
        language_probability: 0..1; 1.0 when the request gave the language or the model knows English only.
        decoding: What it was found with: ``first``, or what helped when that looped: ``no repeats`` or a temperature as
            ``temperature 0.4``.
        loops: Whether its chunk repeats itself although the sound does not: its words are the decoder's own.
        chunk_s: Start and end of what was decoded together with it, in seconds from the start of the track.
    """

    start_s: float
    end_s: float
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    words: tuple[Word, ...] = ()
    recovered: bool = False
    language: str | None = None
    language_probability: float | None = None
    decoding: str = FIRST_DECODING
    loops: bool = False
    chunk_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Transcript:
    """What was said on one track.

    ``to_json`` is the payload of the endpoint's ``TRANSCRIPT``; its keys are those of this class and of ``Segment`` and
    ``Word``:

    * ``language``: Whisper's code, or null when there is no speech;
    * ``language_probability``: 0..1; 1.0 when the request gave the language or the model knows English only; null with
      a null language;
    * ``task``: ``transcribe`` or ``translate``;
    * ``duration_s``: length of the track; ``speech_s``: what the voice activity detector left of it;
    * ``segments``: ``{start_s, end_s, text, avg_logprob, no_speech_prob, compression_ratio, words, recovered, language,
      language_probability, decoding, loops, chunk_s}`` each, ``words`` a list of ``{word, start_s, end_s,
      probability}``; times are seconds from the start of the track;
    * ``reason``: why there are no segments; null when there are;
    * ``engine``: ``ctranslate2`` or ``openai``; ``model``: such as ``whisper-base``; ``compute_type``: as ``int8``.
    """

    language: str | None
    language_probability: float | None
    task: Task
    duration_s: float
    speech_s: float
    segments: tuple[Segment, ...]
    reason: str | None
    engine: EngineKind
    model: str
    compute_type: str

    @property
    def text(self) -> str:
        """The texts of the segments, joined by one space."""
        return " ".join(segment.text for segment in self.segments)

    def to_json(self) -> bytes:
        """The payload, UTF-8 JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


Item = tuple[npt.NDArray[np.float32], WhisperParams]


class WhisperEngine(Protocol):
    """A loaded model. One thread at a time."""

    def check(self, samples: npt.NDArray[Any], params: WhisperParams) -> None:
        """Say whether this item can be transcribed, so that a bad one need not spoil the batch it came in.

        Raises:
            ContractError: Not (samples,) float32, too long, not finite, not scaled to -1..1, or something asked for
                that the model does not know.
        """

    def transcribe(self, items: Sequence[Item]) -> list[Transcript]:
        """Transcribe tracks, decoding their chunks together.

        Args:
            items: Each a track, (samples,) float32 mono at 16 kHz, at most ``MAX_AUDIO_S`` long, and what is asked.

        Returns:
            One transcript per item, in order; no items give an empty list. What an item yields does not depend on the
            others.

        Raises:
            ContractError: As ``check``.
            MLError: The model failed.
        """

    def warm_up(self) -> None:
        """Run every step once, so that the first request does not pay for it."""


def check_samples(samples: npt.NDArray[Any]) -> None:
    """Refuse what no Whisper engine takes; an empty track is fine.

    Raises:
        ContractError: Not (samples,) float32, longer than ``MAX_AUDIO_S``, not finite, or not scaled to -1..1.
    """
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ContractError(f"AUDIO: got {samples.dtype} {samples.shape}, expected float32 (samples,)")
    if len(samples) > MAX_AUDIO_S * AUDIO_SAMPLE_RATE_HZ:
        raise ContractError(
            f"AUDIO: got {len(samples) / AUDIO_SAMPLE_RATE_HZ:.0f} s, expected at most {MAX_AUDIO_S:.0f} s at "
            f"{AUDIO_SAMPLE_RATE_HZ} Hz",
            hint="split the track",
        )
    if len(samples) == 0:
        return
    peak = max(float(samples.max()), -float(samples.min()))
    if not math.isfinite(peak):
        raise ContractError("AUDIO: got samples that are not finite, expected -1..1", hint="decode the track again")
    if peak > MAX_PEAK:
        raise ContractError(
            f"AUDIO: got a peak of {peak:.0f}, expected -1..1", hint="divide 16-bit samples by 32768 before sending"
        )
