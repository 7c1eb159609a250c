"""The payload of the ``whisper`` endpoint's ``TRANSCRIPT``: the engines write it, the orchestrator reads it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rumiai.contracts.whisper import Task
from rumiai.errors import ContractError

EngineKind = Literal["ctranslate2", "openai"]

# What a segment's ``decoding`` says when nothing had to be tried again.
FIRST_DECODING: Final = "first"
# JSON has neither NaN nor infinity.
_FINITE: Final = ConfigDict(allow_inf_nan=False)


@dataclass(frozen=True)
class TranscriptWord:
    """One word as the model wrote it (with its leading space), its times on the track's clock, its probability 0..1."""

    __pydantic_config__ = _FINITE

    word: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True)
class TranscriptSegment:
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
        chunk_s: Start and end of what was decoded together with it, in seconds from the start of the track; None
            where an engine does not tell.
    """

    __pydantic_config__ = _FINITE

    start_s: float
    end_s: float
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    words: tuple[TranscriptWord, ...] = ()
    recovered: bool = False
    language: str | None = None
    language_probability: float | None = None
    decoding: str = FIRST_DECODING
    loops: bool = False
    chunk_s: tuple[float, float] | None = None


@dataclass(frozen=True)
class Transcript:
    """What was said on one track.

    ``to_json`` is the payload of the endpoint's ``TRANSCRIPT``; its keys are those of this class, of
    :class:`TranscriptSegment` and of :class:`TranscriptWord`:

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

    __pydantic_config__ = _FINITE

    language: str | None
    language_probability: float | None
    task: Task
    duration_s: float
    speech_s: float
    segments: tuple[TranscriptSegment, ...]
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

    @classmethod
    def from_json(cls, raw: bytes | str) -> Transcript:
        """Read the payload; keys that are not known are passed over.

        Raises:
            ContractError: Not JSON, or a key is missing or of the wrong type.
        """
        try:
            return _READER.validate_json(raw)
        except ValidationError as exc:
            raise ContractError(
                f"TRANSCRIPT: {exc.error_count()} faults, first: {exc.errors()[0]['loc']} {exc.errors()[0]['msg']}",
                hint="serve the whisper endpoint with the same version of RumiAI",
            ) from exc


_READER: Final = TypeAdapter(Transcript)
