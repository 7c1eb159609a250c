"""The ``ctranslate2`` engine: faster-whisper, with the chunks of many tracks in one batch.

Equal to ``faster_whisper.BatchedInferencePipeline`` called with ``vad_filter=True, temperature=0,
condition_on_previous_text=False, without_timestamps=False``, apart from the segments marked ``recovered``. The pipeline
batches within one track only; here its steps are called one by one, so that many short tracks fill a batch.

The pipeline encodes a track's first 30 s of speech twice, once to detect the language. Tracks of a single chunk are
encoded once here, which saves up to 44 % of the processor time of an 11 s clip. What the language is read from then
lacks one frame that the pipeline appends, so its probability differs in the second decimal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import ctranslate2
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from rumiai.contracts.transcript import EngineKind
from rumiai.contracts.whisper import Task, WhisperParams
from rumiai.errors import ConfigurationError, MLError, WeightsError
from rumiai_server.engines.shared.cuda_libraries import load_cublas_12
from rumiai_server.engines.shared.precision import resolve_device
from rumiai_server.engines.whisper.batching import CHUNKS, BatchingWhisper, Setup
from rumiai_server.engines.whisper.fallback import SEED, Attempt
from rumiai_server.engines.whisper.languages import Probabilities
from rumiai_server.engines.whisper.pieces import (
    FRAMES_PER_S,
    Features,
    Piece,
    Track,
    encoder_frames,
    split_at_timestamps,
)

# faster-whisper's default, also of its batched pipeline.
BEAM_SIZE: Final = 5
BEST_OF: Final = 5
# Punctuation that belongs to the word after it, or before it: the defaults of both libraries.
PREPEND_PUNCTUATIONS: Final = "\"'“¿([{-"
APPEND_PUNCTUATIONS: Final = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001
# faster-whisper puts one frame of this value behind the speech before it detects the language.
DETECTION_TAIL: Final = -1.5
# Mel frames of Whisper's window.
WINDOW_FRAMES: Final = 3000
MODEL_FILES: Final = ("model.bin", "config.json", "tokenizer.json")


class _Model(WhisperModel):  # type: ignore[misc]
    """faster-whisper's model, whose word timing also accepts finished alignments.

    ``add_word_timestamps`` calls ``find_alignment`` and carries the end of the last word from chunk to chunk. A batch
    of several tracks is aligned in one call and timed chunk by chunk. The finished alignment of a chunk is therefore
    passed in place of the encoder's output, and ``find_alignment`` returns it unchanged.
    """

    def find_alignment(
        self, tokenizer: Tokenizer, text_tokens: Any, encoder_output: Any, num_frames: Any, *rest: Any
    ) -> Any:
        if isinstance(encoder_output, list):
            return encoder_output
        return super().find_alignment(tokenizer, text_tokens, encoder_output, num_frames, *rest)


class CTranslate2Whisper(BatchingWhisper):
    """``WhisperEngine`` over a folder in CTranslate2's format; see ``make_engine`` for the arguments and errors."""

    kind: ClassVar[EngineKind] = "ctranslate2"

    def __init__(
        self, model_path: Path, device: str, compute_type: str | None, threads: int, batch_size: int | None
    ) -> None:
        _require_model(model_path)
        target = resolve_device(device)
        if target.type == "cuda":
            load_cublas_12()
        compute_type = compute_type or ("float16" if target.type == "cuda" else "int8")
        try:
            known = ctranslate2.get_supported_compute_types(target.type, target.index or 0)
        except (RuntimeError, ValueError) as exc:
            raise ConfigurationError(
                f"device: got {target}, which CTranslate2 {ctranslate2.__version__} cannot use: {exc}",
                hint="install the CUDA libraries it names, or choose device 'cpu'",
            ) from exc
        if compute_type not in known:
            raise ConfigurationError(
                f"compute type: got {compute_type!r}, expected one of {', '.join(sorted(known))} on {target}"
            )
        try:
            self._model = _Model(
                str(model_path),
                device=target.type,
                device_index=target.index or 0,
                compute_type=compute_type,
                cpu_threads=threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as exc:
            raise WeightsError(
                f"{model_path}: CTranslate2 {ctranslate2.__version__} could not load it: {exc}",
                hint="fetch the weights again; on a GPU check that the CUDA libraries are installed",
            ) from exc
        super().__init__(
            Setup(
                model_path.name.removesuffix("-ct2"),
                compute_type,
                target.type,
                threads,
                batch_size or CHUNKS[target.type],
            ),
            multilingual=self._model.model.is_multilingual,
        )
        self._tokenizers: dict[tuple[str, Task], Tokenizer] = {}

    def _features(self, samples: npt.NDArray[np.float32]) -> Features:
        features: Features = self._model.feature_extractor(samples)[..., :-1]
        return features

    def _tokenizer(self, language: str, task: Task) -> Tokenizer:
        key = (language, task)
        if key not in self._tokenizers:
            self._tokenizers[key] = Tokenizer(
                self._model.hf_tokenizer, self._multilingual, task=task, language=language
            )
        return self._tokenizers[key]

    def _text(self, tokens: Sequence[int], language: str, task: Task) -> str:
        return str(self._tokenizer(language, task).decode(list(tokens)))

    def _detect_languages(self, tracks: Sequence[Track]) -> list[tuple[str, float]]:
        try:
            encoded = self._model.encode(np.stack([self._detection_features(track) for track in tracks]))
            found = self._model.model.detect_language(encoded)
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: language detection failed: {exc}") from exc
        if all(len(track.pieces) == 1 for track in tracks):
            rows = tuple(id(track.pieces[0]) for track in tracks)
            tracks[0].pieces[0].encoded = (rows, encoded)
        return [(str(best[0][0][2:-2]), float(best[0][1])) for best in found]

    def _languages(self, pieces: Sequence[Piece]) -> list[Probabilities]:
        try:
            encoded = self._encode(pieces)
            found = self._model.model.detect_language(encoded)
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: language detection failed: {exc}") from exc
        return [{str(token[2:-2]): float(probability) for token, probability in row} for row in found]

    def _languages_within(self, pieces: Sequence[Piece]) -> list[list[Probabilities]]:
        if self._setup.device == "cuda":
            return super()._languages_within(pieces)
        try:
            encoded = np.asarray(self._encode(pieces))
            return [
                [self._language_of(row[np.newaxis, encoder_frames(span)]) for span in piece.stretches]
                for piece, row in zip(pieces, encoded, strict=True)
            ]
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: language detection failed: {exc}") from exc

    def _language_of(self, encoded: npt.NDArray[np.float32]) -> Probabilities:
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(encoded))
        (row,) = self._model.model.detect_language(view)
        return {str(token[2:-2]): float(probability) for token, probability in row}

    def _detection_features(self, track: Track) -> Features:
        """(mels, 3000): of a single chunk what ``_decode`` encodes, else the pipeline's choice."""
        frames: list[Features] = []
        for piece in track.pieces:
            piece.features = self._features(piece.chunk.samples)
            frames.append(piece.features)
            if sum(part.shape[1] for part in frames) >= WINDOW_FRAMES:
                break
        if len(track.pieces) > 1:
            frames.append(np.full((frames[0].shape[0], 1), DETECTION_TAIL, np.float32))
        out: Features = pad_or_trim(np.concatenate(frames, axis=1)[:, :WINDOW_FRAMES])
        return out

    def _encode(self, pieces: Sequence[Piece]) -> Any:
        rows = tuple(id(piece) for piece in pieces)
        known = pieces[0].encoded
        if known and known[0] == rows:
            return known[1]
        windows = np.stack([pad_or_trim(piece.mel) for piece in pieces])
        if self._setup.device == "cuda":
            encoded = self._model.encode(windows)
        else:
            # One by one: a CPU is no faster with several, and each takes 100 MB while its attention is computed.
            parts = [np.asarray(self._model.encode(windows[i : i + 1])) for i in range(len(windows))]
            encoded = ctranslate2.StorageView.from_array(np.concatenate(parts))
        pieces[0].encoded = (rows, encoded)
        return encoded

    def _decode(self, pieces: Sequence[Piece], language: str, params: WhisperParams, attempt: Attempt) -> None:
        tokenizer = self._tokenizer(language, params.task)
        try:
            encoded = self._encode(pieces)
            results = self._model.model.generate(
                encoded,
                [list(tokenizer.sot_sequence) for _ in pieces],
                max_length=self._model.max_length,
                suppress_blank=True,
                suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
                return_scores=True,
                return_no_speech_prob=True,
                no_repeat_ngram_size=attempt.no_repeat_ngram,
                **_search(attempt),
            )
            for piece, result in zip(pieces, results, strict=True):
                _take(piece, result, tokenizer)
            if params.word_timestamps:
                self._time_words(pieces, encoded, tokenizer)
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: a batch of {len(pieces)} chunks failed: {exc}") from exc

    def _time_words(self, pieces: Sequence[Piece], encoded: Any, tokenizer: Tokenizer) -> None:
        texts = [
            [token for draft in piece.drafts for token in draft["tokens"] if token < tokenizer.eot] for piece in pieces
        ]
        sizes = [math.ceil(piece.duration_s) * FRAMES_PER_S for piece in pieces]
        alignments = self._model.find_alignment(tokenizer, texts, encoded, sizes)
        for piece, alignment, size in zip(pieces, alignments, sizes, strict=True):
            # The rest of a chunk is timed in a later round, out of the pipeline's order: it starts from its own offset.
            last_speech_s = piece.offset_s if piece.seek else piece.track.last_speech_s
            last_speech_s = self._model.add_word_timestamps(
                [piece.drafts],
                tokenizer,
                [alignment],
                [size],
                PREPEND_PUNCTUATIONS,
                APPEND_PUNCTUATIONS,
                last_speech_s,
            )
            if not piece.seek:
                piece.track.last_speech_s = last_speech_s


def _search(attempt: Attempt) -> dict[str, Any]:
    """Beam search, or, above temperature 0, the best of five drawn texts, as faster-whisper does it."""
    if attempt.temperature == 0:
        return {"beam_size": BEAM_SIZE, "sampling_temperature": 0}
    ctranslate2.set_random_seed(SEED)
    return {
        "beam_size": 1,
        "num_hypotheses": BEST_OF,
        "sampling_topk": 0,
        "sampling_temperature": attempt.temperature,
    }


def _take(piece: Piece, result: Any, tokenizer: Tokenizer) -> None:
    tokens = result.sequences_ids[0]
    # The score is the mean over the tokens; the end token, which has its share in the sum, is not among them.
    piece.avg_logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)
    piece.no_speech_prob = result.no_speech_prob
    parts, piece.stopped_at = split_at_timestamps(tokens, tokenizer.timestamp_begin, piece.duration_s)
    piece.drafts = [
        {
            "seek": int(piece.offset_s * FRAMES_PER_S),
            "start": piece.offset_s + start_s,
            "end": piece.offset_s + end_s,
            "tokens": part,
        }
        for start_s, end_s, part in parts
    ]


def _require_model(model_path: Path) -> None:
    missing = [name for name in MODEL_FILES if not (model_path / name).is_file()]
    # Without tokenizer.json faster-whisper would ask the network for one.
    if missing:
        raise WeightsError(
            f"{model_path}: got no {', '.join(missing)}, expected a folder with a CTranslate2 model",
            hint="fetch the weights again; a .pt file is for the openai engine",
        )
