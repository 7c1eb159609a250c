"""Shared by both Whisper engines: cut tracks into chunks, decode chunks of many tracks in batches, join the results.

The decoder may stop before a chunk's end: its last tokens are then two equal timestamps, from which on more is spoken.
The rest of such a chunk goes into the next round of batches. The sequential loops of both libraries do the same;
faster-whisper's batched pipeline drops the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ
from rumiai.contracts.transcript import EngineKind, Transcript, TranscriptSegment, TranscriptWord
from rumiai.contracts.whisper import NO_SPEECH_LOGPROB, NO_SPEECH_PROB, TIMESTAMP_STEP_S, Task, WhisperParams
from rumiai.core.repeats import compression_ratio
from rumiai.errors import ContractError
from rumiai_server.engines.whisper import languages
from rumiai_server.engines.whisper.fallback import AGAIN, FIRST, Attempt, good_enough, loops
from rumiai_server.engines.whisper.languages import Probabilities
from rumiai_server.engines.whisper.level import cut_levelled
from rumiai_server.engines.whisper.types import Item, check_samples
from rumiai_server.engines.whisper.vad import SpeechChunk, SpeechCut, cut_at_silence

# Mel frames a second, fixed by the model's training.
FRAMES_PER_S: Final = 100
# The detector pads each stretch of speech by up to 0.4 s, so a shorter remainder holds no word.
MIN_REMAINDER_S: Final = 0.5
# An upper bound: each round moves forward, but a track could be made to stop the decoder every 20 ms.
MAX_ROUNDS: Final = 8

# A segment while it is decoded, in the form that both libraries' timing functions read and complete: seek, start, end,
# tokens, then words. Times are on the clock of the track's speech.
Draft = dict[str, Any]
T = TypeVar("T")
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
        encoded: Held by the first of a batch that language detection has encoded: the ids of its pieces, and the
            encoder's output.
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
    encoded: tuple[tuple[int, ...], Any] | None = None
    drafts: list[Draft] = field(default_factory=list)
    decoding: Attempt = FIRST
    loops: bool = False
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    stopped_at: int | None = None

    @property
    def offset_s(self) -> float:
        """Where the piece starts on the clock of the track's speech."""
        return self.chunk.offset_s + self.seek / FRAMES_PER_S

    @property
    def duration_s(self) -> float:
        """Length of the piece."""
        return self.chunk.duration_s - self.seek / FRAMES_PER_S

    @property
    def mel(self) -> Features:
        """(mels, frames) from ``seek`` on."""
        assert self.features is not None
        return self.features[:, self.seek :]

    @property
    def silent(self) -> bool:
        """Whether openai-whisper would skip it as holding no speech."""
        return self.no_speech_prob > NO_SPEECH_PROB and self.avg_logprob < NO_SPEECH_LOGPROB


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


# Chunks of 30 s per batch. On a CPU a larger batch gains nothing and each chunk takes memory: with two, a long track
# takes hardly more than a short one. A GPU is busy only with more.
CHUNKS: Final[Mapping[str, int]] = {"cpu": 2, "cuda": 8}


@dataclass(frozen=True)
class Setup:
    """How an engine was set up: the model's name, CTranslate2's name of the precision, ``cpu`` or ``cuda``."""

    model: str
    compute_type: str
    device: str
    threads: int
    batch_size: int


class BatchingWhisper(ABC):
    """Tracks in, transcripts out; a subclass says how features are made, languages detected and batches decoded."""

    kind: ClassVar[EngineKind]

    def __init__(self, setup: Setup, *, multilingual: bool) -> None:
        self._setup = setup
        self._multilingual = multilingual

    @abstractmethod
    def _features(self, samples: npt.NDArray[np.float32]) -> Features:
        """(samples,) float32 of a chunk -> its log-mel spectrogram, (mels, frames), frames = samples / 160."""

    @abstractmethod
    def _detect_languages(self, tracks: Sequence[Track]) -> list[tuple[str, float]]:
        """Code and probability for tracks that have at least one piece; at most a batch of them."""

    @abstractmethod
    def _languages(self, pieces: Sequence[Piece]) -> list[Probabilities]:
        """The probabilities of all languages for each piece; at most a batch."""

    @abstractmethod
    def _decode(self, pieces: Sequence[Piece], language: str, params: WhisperParams, attempt: Attempt) -> None:
        """Fill drafts, their words when asked for, avg_logprob, no_speech_prob and stopped_at; at most a batch."""

    @abstractmethod
    def _text(self, tokens: Sequence[int], language: str, task: Task) -> str:
        """The text of tokens, timestamps left out."""

    def check(self, samples: npt.NDArray[Any], params: WhisperParams) -> None:
        """As ``WhisperEngine.check``."""
        check_samples(samples)
        if not self._multilingual and (params.language not in (None, "en") or params.task != "transcribe"):
            raise ContractError(
                f"{self._setup.model}: got language {params.language!r} and task {params.task!r}, expected 'en' and "
                "'transcribe', since this model knows English only",
                hint="serve a multilingual model such as whisper-base",
            )

    def transcribe(self, items: Sequence[Item]) -> list[Transcript]:
        """As ``WhisperEngine.transcribe``."""
        for samples, params in items:
            self.check(samples, params)
        # The detector uses one core and releases the interpreter lock while it runs, so tracks run in parallel.
        with ThreadPoolExecutor(max_workers=self._setup.threads) as pool:
            cuts = list(pool.map(_cut, items))
        tracks = [Track(params, len(samples), cut) for (samples, params), cut in zip(items, cuts, strict=True)]
        for track in tracks:
            track.pieces = [Piece(track, chunk, i) for i, chunk in enumerate(track.cut.chunks)]
        self._set_languages(tracks)
        pieces = [piece for track in tracks for piece in track.pieces]
        for _ in range(MAX_ROUNDS):
            rests: list[Piece] = []
            for batch in self._batches(pieces):
                self._run(batch)
                rests += [rest for piece in batch if (rest := self._remainder(piece))]
            pieces = rests
        return [self._transcript(track) for track in tracks]

    def warm_up(self) -> None:
        """As ``WhisperEngine.warm_up``: the detector, then silence through every step of the model.

        On a GPU a whole batch, which is what takes its memory; on a CPU one row, since more only cost time.
        """
        silence = np.zeros(2 * AUDIO_SAMPLE_RATE_HZ, np.float32)
        chunk = SpeechChunk(silence, 0.0, 2.0)
        track = Track(WhisperParams(), len(silence), SpeechCut((chunk,), cut_at_silence(silence).clock, 2.0), "en", 1.0)
        rows = self._setup.batch_size if self._setup.device == "cuda" else 1
        self._run([Piece(track, chunk, i, language="en") for i in range(rows)])

    def _set_languages(self, tracks: Sequence[Track]) -> None:
        unknown: list[Track] = []
        for track in tracks:
            given = track.params.language or (None if self._multilingual else "en")
            if not track.pieces:
                continue
            if given:
                track.language, track.language_probability = given, 1.0
            else:
                unknown.append(track)
        self._set_by_track([track for track in unknown if not track.params.multilingual])
        self._set_by_chunk([track for track in unknown if track.params.multilingual])
        for piece in (piece for track in tracks for piece in track.pieces):
            if piece.language is None:
                piece.language, piece.language_probability = piece.track.language, piece.track.language_probability

    def _set_by_track(self, tracks: Sequence[Track]) -> None:
        for batch in _chunked(tracks, self._setup.batch_size):
            for track, found in zip(batch, self._detect_languages(batch), strict=True):
                track.language, track.language_probability = found

    def _set_by_chunk(self, tracks: Sequence[Track]) -> None:
        pieces = [piece for track in tracks for piece in track.pieces]
        rows = [row for batch in _chunked(pieces, self._setup.batch_size) for row in self._heard_languages(batch)]
        of_piece = {id(piece): row for piece, row in zip(pieces, rows, strict=True)}
        for track in tracks:
            lengths = [piece.duration_s for piece in track.pieces]
            found = languages.of_track([of_piece[id(piece)] for piece in track.pieces], lengths)
            track.language, track.language_probability = found
            for piece in track.pieces:
                own = languages.of_chunk(of_piece[id(piece)], piece.duration_s, found[0])
                piece.language, piece.language_probability = own

    def _heard_languages(self, batch: Sequence[Piece]) -> list[Probabilities]:
        for piece in batch:
            piece.features = self._features(piece.chunk.samples)
        return self._languages(batch)

    def _batches(self, pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
        # Rows of one batch share prompt tokens and the wish for words; within a group the order of tracks and chunks
        # stays, because word timing carries from chunk to chunk.
        groups: dict[tuple[str | None, Task, bool], list[Piece]] = {}
        for piece in pieces:
            params = piece.track.params
            groups.setdefault((piece.language, params.task, params.word_timestamps), []).append(piece)
        for group in groups.values():
            yield from _chunked(group, self._setup.batch_size)

    def _run(self, batch: Sequence[Piece]) -> None:
        for piece in batch:
            if piece.features is None:
                piece.features = self._features(piece.chunk.samples)
        self._attempt(batch, FIRST)
        for piece in batch:
            if piece.loops and piece.track.params.fallback:
                self._decode_again(piece)

    def _attempt(self, batch: Sequence[Piece], attempt: Attempt) -> None:
        first = batch[0]
        assert first.language is not None
        self._decode(batch, first.language, first.track.params, attempt)
        for piece in batch:
            piece.decoding, piece.loops = attempt, self._piece_loops(piece)

    def _piece_loops(self, piece: Piece) -> bool:
        assert piece.language is not None
        texts = [self._text(draft["tokens"], piece.language, piece.track.params.task) for draft in piece.drafts]
        return loops(piece.drafts, texts, piece.chunk.samples, piece.chunk.offset_s)

    def _decode_again(self, piece: Piece) -> None:
        """Try the other ways, alone, so that the answer does not depend on the batch; the least bad one stays."""
        tried = [replace(piece)]
        for attempt in AGAIN:
            piece.track.last_speech_s = min(piece.track.last_speech_s, piece.offset_s)
            self._attempt([piece], attempt)
            tried.append(replace(piece))
            if good_enough(piece.loops, piece.avg_logprob):
                return
        best = max(tried, key=lambda one: (not one.loops, one.avg_logprob))
        for name in ("drafts", "avg_logprob", "no_speech_prob", "stopped_at", "decoding", "loops"):
            setattr(piece, name, getattr(best, name))

    def _remainder(self, piece: Piece) -> Piece | None:
        """The undecoded rest of a chunk for the next round, or None; frees the features when there is none."""
        features, piece.features = piece.features, None
        if not piece.stopped_at or (piece.seek and piece.silent):
            return None
        seek = piece.seek + piece.stopped_at
        if piece.chunk.duration_s - seek / FRAMES_PER_S < MIN_REMAINDER_S:
            return None
        rest = Piece(piece.track, piece.chunk, piece.index, seek, features, piece.language, piece.language_probability)
        piece.track.pieces.append(rest)
        return rest

    def _transcript(self, track: Track) -> Transcript:
        pieces = sorted(track.pieces, key=lambda piece: (piece.index, piece.seek))
        segments = tuple(
            segment
            for piece in pieces
            if not (piece.seek and piece.silent)
            for draft in piece.drafts
            if (segment := self._segment(piece, draft)).text
        )
        if track.samples == 0:
            reason = "the track is empty"
        elif not track.cut.chunks:
            reason = "the voice activity detector found no speech"
        else:
            reason = "the model found no words in what sounded like speech"
        return Transcript(
            language=track.language,
            language_probability=track.language_probability,
            task=track.params.task,
            duration_s=track.samples / AUDIO_SAMPLE_RATE_HZ,
            speech_s=track.cut.speech_s,
            segments=segments,
            reason=None if segments else reason,
            engine=self.kind,
            model=self._setup.model,
            compute_type=self._setup.compute_type,
        )

    def _segment(self, piece: Piece, draft: Draft) -> TranscriptSegment:
        """Put a draft on the clock of the track; rounding and order of the steps are faster-whisper's."""
        track, clock = piece.track, piece.track.cut.clock
        assert piece.language is not None
        text = self._text(draft["tokens"], piece.language, track.params.task)
        words = tuple(
            TranscriptWord(word["word"], *clock.interval(word["start"], word["end"]), float(word["probability"]))
            for word in draft.get("words", ())
        )
        if words:
            start_s, end_s = words[0].start_s, words[-1].end_s
        else:
            start_s = clock.point(round(draft["start"], 3))
            end_s = clock.point(round(draft["end"], 3), is_end=True)
        return TranscriptSegment(
            start_s=start_s,
            end_s=end_s,
            text=text.strip(),
            avg_logprob=piece.avg_logprob,
            no_speech_prob=piece.no_speech_prob,
            compression_ratio=compression_ratio(text),
            words=words,
            recovered=piece.seek > 0,
            language=piece.language,
            language_probability=piece.language_probability,
            decoding=piece.decoding.name,
            loops=piece.loops,
            chunk_s=(clock.point(piece.offset_s), clock.point(piece.offset_s + piece.duration_s, is_end=True)),
        )


def _cut(item: Item) -> SpeechCut:
    samples, params = item
    return cut_levelled(samples) if params.level else cut_at_silence(samples)


def _chunked(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
