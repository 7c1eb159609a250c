"""The ``openai`` engine: openai-whisper on torch, with the chunks of many tracks in one batch.

A chunk is decoded as ``whisper.transcribe(chunk, temperature=0, condition_on_previous_text=False)`` decodes it:
greedily, the library's default, with its own spectrogram, decoding task and word timing. Runs from openai-whisper's
``.pt`` file or from the tensors of a CTranslate2 folder.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import torch
import whisper
from whisper.audio import HOP_LENGTH, N_FRAMES, N_SAMPLES, SAMPLE_RATE, log_mel_spectrogram, pad_or_trim
from whisper.decoding import DecodingOptions, DecodingResult, DecodingTask, LogitFilter
from whisper.model import ModelDimensions, Whisper
from whisper.timing import add_word_timestamps
from whisper.tokenizer import Tokenizer, get_tokenizer

from rumiai.contracts.transcript import EngineKind
from rumiai.contracts.whisper import Task, WhisperParams
from rumiai.errors import ConfigurationError, MLError, WeightsError
from rumiai_server.engines.shared.precision import resolve_device
from rumiai_server.engines.whisper.batching import CHUNKS, BatchingWhisper, Setup
from rumiai_server.engines.whisper.ctranslate2_weights import load_weights
from rumiai_server.engines.whisper.fallback import SEED, Attempt
from rumiai_server.engines.whisper.languages import Probabilities
from rumiai_server.engines.whisper.pieces import Features, Piece, Track, encoder_frames, split_at_timestamps

# faster-whisper's and openai-whisper's default.
BEST_OF: Final = 5


class OpenAIWhisper(BatchingWhisper):
    """``WhisperEngine`` over openai-whisper; see ``make_engine`` for the arguments and errors."""

    kind: ClassVar[EngineKind] = "openai"

    def __init__(
        self, model_path: Path, device: str, compute_type: str | None, threads: int, batch_size: int | None
    ) -> None:
        self._device = resolve_device(device)
        known = ("float16", "float32") if self._device.type == "cuda" else ("float32",)
        compute_type = compute_type or known[0]
        if compute_type not in known:
            raise ConfigurationError(
                f"compute type: got {compute_type!r}, expected one of {', '.join(known)} on {self._device}"
            )
        self._half = compute_type == "float16"
        torch.set_num_threads(threads)
        self._model = load_model(model_path).to(self._device).eval()
        if self._half:
            # These layers cast their weights to their input's precision in every call; once is enough.
            for module in self._model.modules():
                if isinstance(module, torch.nn.Linear | torch.nn.Conv1d):
                    module.half()
        super().__init__(
            Setup(
                _model_name(model_path),
                compute_type,
                self._device.type,
                threads,
                batch_size or CHUNKS[self._device.type],
            ),
            multilingual=self._model.is_multilingual,
        )

    def _features(self, samples: npt.NDArray[np.float32]) -> Features:
        # The padding takes part in the normalisation, as in whisper.transcribe.
        # np.array: torch warns about memory that it may not write.
        mel: Features = log_mel_spectrogram(np.array(samples), self._model.dims.n_mels, padding=N_SAMPLES).numpy()
        return mel[:, : mel.shape[1] - N_FRAMES]

    def _tokenizer(self, language: str, task: Task) -> Tokenizer:
        return get_tokenizer(self._multilingual, num_languages=self._model.num_languages, language=language, task=task)

    def _text(self, tokens: Sequence[int], language: str, task: Task) -> str:
        tokenizer = self._tokenizer(language, task)
        return str(tokenizer.decode([token for token in tokens if token < tokenizer.eot]))

    def _batch(self, pieces: Sequence[Piece]) -> torch.Tensor:
        mel = torch.from_numpy(np.stack([pad_or_trim(piece.mel, N_FRAMES) for piece in pieces]))
        return mel.to(self._device, torch.float16 if self._half else torch.float32)

    def _detect_languages(self, tracks: Sequence[Track]) -> list[tuple[str, float]]:
        firsts = [track.pieces[0] for track in tracks]
        for piece in firsts:
            piece.features = self._features(piece.chunk.samples)
        try:
            _, rows = self._model.detect_language(self._batch(firsts))
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: language detection failed: {exc}") from exc
        return [max(row.items(), key=lambda pair: pair[1]) for row in rows]

    def _languages(self, pieces: Sequence[Piece]) -> list[Probabilities]:
        try:
            _, rows = self._model.detect_language(self._encoded(pieces))
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: language detection failed: {exc}") from exc
        return list(rows)

    def _languages_within(self, pieces: Sequence[Piece]) -> list[list[Probabilities]]:
        try:
            return [
                [self._language_of(row[encoder_frames(span)]) for span in piece.stretches]
                for piece, row in zip(pieces, self._encoded(pieces), strict=True)
            ]
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: language detection failed: {exc}") from exc

    @torch.no_grad()
    def _encoded(self, pieces: Sequence[Piece]) -> torch.Tensor:
        """(pieces, 1500, states), as ``Whisper.encoder`` gives it; the first piece holds it."""
        rows = tuple(id(piece) for piece in pieces)
        if pieces[0].encoded is None or pieces[0].encoded[0] != rows:
            pieces[0].encoded = (rows, self._model.encoder(self._batch(pieces)))
        found: torch.Tensor = pieces[0].encoded[1]
        return found

    @torch.no_grad()
    def _language_of(self, encoded: torch.Tensor) -> Probabilities:
        """As ``Whisper.detect_language``, which takes whole windows only, for some rows of one, (rows, states)."""
        tokenizer = get_tokenizer(multilingual=True, num_languages=self._model.num_languages)
        start = torch.tensor([[tokenizer.sot]], device=encoded.device)
        logits = self._model.logits(start, encoded[None])[0, 0, list(tokenizer.all_language_tokens)]
        chances = logits.float().softmax(dim=-1).tolist()
        return dict(zip(tokenizer.all_language_codes, chances, strict=True))

    def _decode(self, pieces: Sequence[Piece], language: str, params: WhisperParams, attempt: Attempt) -> None:
        tokenizer = self._tokenizer(language, params.task)
        options = DecodingOptions(
            task=params.task,
            language=language,
            temperature=attempt.temperature,
            best_of=BEST_OF if attempt.temperature else None,
            fp16=self._half,
        )
        task = DecodingTask(self._model, options)
        if attempt.no_repeat_ngram:
            task.logit_filters.append(NoRepeats(attempt.no_repeat_ngram, task.sample_begin))
        if attempt.temperature:
            torch.manual_seed(SEED)
        try:
            batch = self._batch(pieces)
            for piece, mel, result in zip(pieces, batch, task.run(batch), strict=True):
                _take(piece, result, tokenizer)
                if params.word_timestamps:
                    self._time_words(piece, mel, tokenizer)
                _shift(piece)
        except RuntimeError as exc:
            raise MLError(f"{self._setup.model}: a batch of {len(pieces)} chunks failed: {exc}") from exc

    def _time_words(self, piece: Piece, mel: torch.Tensor, tokenizer: Tokenizer) -> None:
        add_word_timestamps(
            segments=piece.drafts,
            model=self._model,
            tokenizer=tokenizer,
            mel=mel,
            num_frames=_frames(piece),
            # whisper.transcribe, given a chunk, begins with 0.0: for it each chunk is a file of its own.
            last_speech_timestamp=piece.seek * HOP_LENGTH / SAMPLE_RATE,
        )


class NoRepeats(LogitFilter):  # type: ignore[misc]
    """Forbids what would write a run of tokens a second time, as CTranslate2's ``no_repeat_ngram_size`` does."""

    def __init__(self, size: int, sample_begin: int) -> None:
        self._size, self._begin = size, sample_begin

    def apply(self, logits: torch.Tensor, tokens: torch.Tensor) -> None:
        """Mask logits, (rows, vocabulary), in place by the tokens so far, (rows, tokens)."""
        for row, line in zip(logits, tokens[:, self._begin :].tolist(), strict=True):
            head = line[len(line) - self._size + 1 :]
            ends = [
                line[i + self._size - 1]
                for i in range(len(line) - self._size + 1)
                if line[i : i + self._size - 1] == head
            ]
            row[ends] = -torch.inf


def _frames(piece: Piece) -> int:
    return min(int(N_FRAMES), piece.mel.shape[1])


def _take(piece: Piece, result: DecodingResult, tokenizer: Tokenizer) -> None:
    """Fill a piece, on the clock of its chunk."""
    start_s = piece.seek * HOP_LENGTH / SAMPLE_RATE
    duration_s = _frames(piece) * HOP_LENGTH / SAMPLE_RATE
    piece.avg_logprob, piece.no_speech_prob = float(result.avg_logprob), float(result.no_speech_prob)
    parts, piece.stopped_at = split_at_timestamps(result.tokens, tokenizer.timestamp_begin, duration_s)
    piece.drafts = [
        {"seek": piece.seek, "start": start_s + start, "end": start_s + end, "tokens": part}
        for start, end, part in parts
    ]


def _shift(piece: Piece) -> None:
    """From the clock of the chunk to that of the track's speech."""
    for draft in piece.drafts:
        for timed in (draft, *draft.get("words", ())):
            timed["start"] += piece.chunk.offset_s
            timed["end"] += piece.chunk.offset_s


def load_model(model_path: Path) -> Whisper:
    """Build openai-whisper's model, float32 on the CPU, from its ``.pt`` file or a CTranslate2 folder.

    Raises:
        WeightsError: Neither of the two, or not one that can be read.
    """
    if model_path.is_dir():
        weights = load_weights(model_path)
        # np.array: torch wants memory it may write.
        state = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in weights.state.items()}
        return _build(model_path, dict(weights.dims), state, weights.alignment_heads)
    if not model_path.is_file():
        raise WeightsError(f"{model_path}: no such file or folder", hint="fetch the weights")
    try:
        checkpoint = torch.load(model_path, map_location="cpu", weights_only=True)
        dims, state = dict(checkpoint["dims"]), dict(checkpoint["model_state_dict"])
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as exc:
        raise WeightsError(f"{model_path}: not an openai-whisper checkpoint: {exc}", hint="fetch it again") from exc
    return _build(model_path, dims, state, None)


def _build(
    path: Path, dims: dict[str, Any], state: dict[str, torch.Tensor], heads: tuple[tuple[int, int], ...] | None
) -> Whisper:
    try:
        model = Whisper(ModelDimensions(**dims))
        model.load_state_dict(state)
        if heads is not None:
            mask = torch.zeros(model.dims.n_text_layer, model.dims.n_text_head, dtype=torch.bool)
            mask[tuple(zip(*heads, strict=True))] = True
            model.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
        elif path.stem in whisper._ALIGNMENT_HEADS:
            # A .pt file does not name them; openai-whisper keeps them by the file's name. Without, it takes every head
            # of the decoder's upper half, and so do we.
            model.set_alignment_heads(whisper._ALIGNMENT_HEADS[path.stem])
    except (RuntimeError, TypeError) as exc:
        raise WeightsError(f"{path}: does not hold the model it should: {exc}", hint="fetch it again") from exc
    return model


def _model_name(model_path: Path) -> str:
    return model_path.name.removesuffix("-ct2") if model_path.is_dir() else f"whisper-{model_path.stem}"
