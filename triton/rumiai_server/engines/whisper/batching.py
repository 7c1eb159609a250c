"""Shared by both Whisper engines: cut tracks into chunks, decode chunks of many tracks in batches, join the results.

The decoder may stop before a chunk's end: its last tokens are then two equal timestamps, from which on more is spoken.
The rest of such a chunk goes into the next round of batches. The sequential loops of both libraries do the same;
faster-whisper's batched pipeline drops the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
import numpy.typing as npt

from rumiai.contracts.tensors import AUDIO_SAMPLE_RATE_HZ
from rumiai.contracts.transcript import EngineKind, Transcript, TranscriptSegment, TranscriptWord
from rumiai.contracts.whisper import Task, WhisperParams
from rumiai.core.repeats import compression_ratio
from rumiai.errors import ContractError
from rumiai_server.engines.whisper import languages, stretches
from rumiai_server.engines.whisper.fallback import AGAIN, FIRST, Attempt, good_enough, loops
from rumiai_server.engines.whisper.languages import Probabilities
from rumiai_server.engines.whisper.level import cut_levelled
from rumiai_server.engines.whisper.pieces import FRAMES_PER_S, Draft, Features, Piece, Track
from rumiai_server.engines.whisper.stretches import Span
from rumiai_server.engines.whisper.types import Item, check_samples
from rumiai_server.engines.whisper.vad import SpeechChunk, SpeechCut, cut_at_silence

# The detector pads each stretch of speech by up to 0.4 s, so a shorter remainder holds no word.
MIN_REMAINDER_S: Final = 0.5
# An upper bound: each round moves forward, but a track could be made to stop the decoder every 20 ms.
MAX_ROUNDS: Final = 8

T = TypeVar("T")
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

    def _languages_within(self, pieces: Sequence[Piece]) -> list[list[Probabilities]]:
        """The same for each stretch of each piece, when ``_languages`` has just heard these pieces.

        Here each stretch is encoded anew. An engine that holds the encoder's output takes the stretch's part of it.
        """
        parts = [_alone(piece, span) for piece in pieces for span in piece.stretches]
        rows = iter([row for batch in _chunked(parts, self._setup.batch_size) for row in self._heard_languages(batch)])
        return [[next(rows) for _ in piece.stretches] for piece in pieces]

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
        rows: dict[int, Probabilities] = {}
        runs: dict[int, list[Span]] = {}
        for batch in _chunked(pieces, self._setup.batch_size):
            ids = [id(piece) for piece in batch]
            rows |= zip(ids, self._heard_languages(batch), strict=True)
            runs |= zip(ids, self._runs(batch), strict=True)
        for track in tracks:
            self._set_track(track, [rows[id(piece)] for piece in track.pieces])
            track.pieces = [part for piece in track.pieces for part in self._split(piece, runs[id(piece)])]
            for i, piece in enumerate(track.pieces):
                piece.index = i
        if sum(len(track.pieces) for track in tracks) > len(pieces):
            # What was encoded is known by the pieces of its batch, and some of them are gone.
            for piece in (piece for track in tracks for piece in track.pieces):
                piece.encoded = None

    def _set_track(self, track: Track, rows: Sequence[Probabilities]) -> None:
        found = languages.of_track(rows, [piece.duration_s for piece in track.pieces])
        track.language, track.language_probability = found
        for piece, row in zip(track.pieces, rows, strict=True):
            own = languages.of_chunk(row, piece.duration_s, found[0])
            piece.language, piece.language_probability = own
            piece.rivals = languages.rivals(row, own)

    def _heard_languages(self, batch: Sequence[Piece]) -> list[Probabilities]:
        for piece in batch:
            piece.features = self._features(piece.chunk.samples)
        return self._languages(batch)

    def _runs(self, batch: Sequence[Piece]) -> list[list[Span]]:
        """Of each piece the runs of samples that may be in one language each."""
        found = []
        for piece, rows in zip(batch, self._languages_within(batch), strict=True):
            spans = piece.stretches
            runs = stretches.changes(rows, [(stop - start) / AUDIO_SAMPLE_RATE_HZ for start, stop in spans])
            found.append([(spans[first][0], spans[last - 1][1]) for first, last in runs])
        return found

    def _split(self, piece: Piece, runs: Sequence[Span]) -> list[Piece]:
        """The piece, or a piece for each of its languages: when its runs, heard alone, are sure of different ones."""
        if len(runs) == 1:
            return [piece]
        parts = [_alone(piece, run) for run in runs]
        # One by one, so that the answer does not depend on the batch.
        rows = [row for part in parts for row in self._heard_languages([part])]
        found = self._settled(parts, rows)
        held = stretches.joined(runs, found)
        if len(held) < 2:
            if not piece.rivals:
                own = [
                    (row.get(str(piece.language), 0.0), part.duration_s) for row, part in zip(rows, parts, strict=True)
                ]
                mean = sum(chance * length for chance, length in own) / piece.duration_s
                piece.language_probability = min(piece.language_probability or 0.0, mean)
            return [piece]
        return [
            Piece(piece.track, piece.chunk.part(*run), piece.index, language=code, language_probability=chance)
            for run, code, chance in held
        ]

    def _settled(self, parts: Sequence[Piece], rows: Sequence[Probabilities]) -> list[tuple[str, float]]:
        """Language and probability of parts of a chunk: where they are sure and differ, as their texts agree."""
        found = [max(row.items(), key=lambda pair: pair[1]) for row in rows]
        sure = {code for code, chance in found if chance >= stretches.SURE}
        if len(sure) < 2:
            return found
        for part, row, (code, chance) in zip(parts, rows, found, strict=True):
            part.language, part.language_probability = code, chance
            if chance >= stretches.SURE:
                others = sorted(sure - {code})
                part.rivals = tuple((other, max(row.get(other, 0.0), stretches.LEAST_CHANCE)) for other in others)
                self._attempt([part], FIRST)
                self._settle_language(part)
        return [(str(part.language), part.language_probability or 0.0) for part in parts]

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
            if piece.rivals:
                self._settle_language(piece)
            if piece.loops and piece.track.params.fallback:
                self._decode_again(piece)
        for piece in batch:
            piece.encoded = None

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
            self._try(piece, attempt)
            tried.append(replace(piece))
            if good_enough(piece.loops, piece.avg_logprob):
                return
        piece.take(max(tried, key=lambda one: (not one.loops, one.avg_logprob)))

    def _try(self, piece: Piece, attempt: Attempt) -> None:
        piece.track.last_speech_s = min(piece.track.last_speech_s, piece.offset_s)
        self._attempt([piece], attempt)

    def _settle_language(self, piece: Piece) -> None:
        """Decode in the other languages that it may be in, alone; the language whose text is the likeliest stays."""
        assert piece.language is not None
        heard = [(piece.language, piece.language_probability or 0.0), *piece.rivals]
        tried = [replace(piece)]
        for code, _ in piece.rivals:
            piece.language = code
            self._try(piece, FIRST)
            tried.append(replace(piece))
        texts = [(one.avg_logprob, one.loops) for one in tried]
        best, probability = languages.likeliest([chance for _, chance in heard], texts)
        piece.take(tried[best])
        piece.language_probability, piece.rivals = probability, ()

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
        language, probability = _language(track)
        return Transcript(
            language=language,
            language_probability=probability,
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


def _language(track: Track) -> tuple[str | None, float | None]:
    """The language of most of a track's speech, and its mean probability there."""
    if not track.params.multilingual or track.params.language or not track.pieces:
        return track.language, track.language_probability
    seconds: dict[str, float] = {}
    certain: dict[str, float] = {}
    for piece in track.pieces:
        code, chance = str(piece.language), piece.language_probability or 0.0
        seconds[code] = seconds.get(code, 0.0) + piece.duration_s
        certain[code] = certain.get(code, 0.0) + chance * piece.duration_s
    most = max(seconds, key=lambda code: seconds[code])
    return most, min(1.0, certain[most] / seconds[most])


def _alone(piece: Piece, span: Span) -> Piece:
    """Some samples of a piece on trial: its track does not learn of it, and no words are timed."""
    params = replace(piece.track.params, word_timestamps=False)
    return Piece(replace(piece.track, params=params, pieces=[]), piece.chunk.part(*span), piece.index)


def _cut(item: Item) -> SpeechCut:
    samples, params = item
    return cut_levelled(samples) if params.level else cut_at_silence(samples)


def _chunked(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
