"""Speech to text: one interface, two engines.

``ctranslate2`` (the default) is faster-whisper, ``openai`` is openai-whisper. Both take whole tracks, cut them at
silence with the same voice activity detector and decode the chunks of all tracks of a call together, at temperature 0
and without the previous text as a prompt; see ``whisper_batching``. This module imports neither library.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ, MAX_AUDIO_S
from rumiai.errors import ConfigurationError, ContractError

EngineKind = Literal["ctranslate2", "openai"]
Task = Literal["transcribe", "translate"]

TASKS: Final[tuple[Task, ...]] = ("transcribe", "translate")

# The codes of Whisper's language tokens, in the order of the tokens; a test compares them with both libraries.
LANGUAGES: Final[tuple[str, ...]] = (
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi", "fi",
    "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la", "mi", "ml",
    "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs",
    "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am",
    "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln",
    "ha", "ba", "jw", "su", "yue",
)  # fmt: skip

# Lossy decoders overshoot 1.0 by a few decibels; beyond this the samples are integers that nobody scaled.
MAX_PEAK: Final = 32.0


@dataclass(frozen=True)
class WhisperParams:
    """What one request asks for.

    Attributes:
        language: Whisper's code of the language spoken; None lets the model find out.
        task: ``transcribe``, or ``translate`` into English.
        word_timestamps: Whether each segment carries its words with their times.

    Raises:
        ContractError: The language is none of Whisper's, or the task none of the two.
    """

    language: str | None = None
    task: Task = "transcribe"
    word_timestamps: bool = True

    def __post_init__(self) -> None:
        if self.language is not None and self.language not in LANGUAGES:
            raise ContractError(
                f"language: got {self.language!r}, expected one of Whisper's {len(LANGUAGES)} codes such as 'pt'",
                hint="leave the parameter out to have the language detected",
            )
        if self.task not in TASKS:
            raise ContractError(f"task: got {self.task!r}, expected one of {', '.join(TASKS)}")


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
    """

    start_s: float
    end_s: float
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    words: tuple[Word, ...] = ()
    recovered: bool = False


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
    * ``segments``: ``{start_s, end_s, text, avg_logprob, no_speech_prob, compression_ratio, words, recovered}`` each,
      ``words`` a list of ``{word, start_s, end_s, probability}``; times are seconds from the start of the track;
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


def make_engine(
    kind: EngineKind,
    model_path: Path,
    *,
    device: str = "auto",
    compute_type: str | None = None,
    threads: int | None = None,
    batch_size: int | None = None,
) -> WhisperEngine:
    """Load a model.

    Args:
        kind: Which library runs it.
        model_path: A folder with a CTranslate2 model (``model.bin``, ``config.json``, ``tokenizer.json``, vocabulary)
            for either engine, or openai-whisper's own ``.pt`` file for ``openai``. Nothing is fetched.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.
        compute_type: CTranslate2's name of a precision; by default ``int8`` on a CPU and ``float16`` on a GPU.
            ``openai`` knows ``float32``, its default on a CPU, and ``float16``, on a GPU alone and its default there.
        threads: CPU threads; by default as many as this process may use.
        batch_size: The most chunks that go through the model together; by default 2 on a CPU and 8 on a GPU.

    Raises:
        ConfigurationError: No such engine, device or precision.
        WeightsError: The model is missing or not one that can be read.
    """
    if batch_size is not None and batch_size < 1:
        raise ConfigurationError(f"batch_size: got {batch_size}, expected at least 1")
    threads = threads or len(os.sched_getaffinity(0))
    if kind == "ctranslate2":
        from rumiai_server.engines.whisper.ctranslate2 import CTranslate2Whisper

        return CTranslate2Whisper(model_path, device, compute_type, threads, batch_size)
    if kind == "openai":
        from rumiai_server.engines.whisper.openai import OpenAIWhisper

        return OpenAIWhisper(model_path, device, compute_type, threads, batch_size)
    raise ConfigurationError(f"whisper engine: got {kind!r}, expected 'ctranslate2' or 'openai'")
