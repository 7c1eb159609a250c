"""Reads a CTranslate2 Whisper model into openai-whisper's parameters.

The file (binary version 6, as CTranslate2's ``model_spec.py`` writes it, little endian): u32 version, string spec name,
u32 revision, u32 number of variables; per variable string name, u8 rank, u32 dimensions, u8 dtype, u32 bytes, data; u32
number of aliases and their pairs of strings. A string is a u16 length that counts its closing NUL, then the bytes.

CTranslate2 stacks projections: self-attention ``linear_0`` is query, key and value, cross-attention ``linear_0`` is the
query and ``linear_1`` key and value. openai-whisper's key projection has no bias; CTranslate2 stores zeros there.
"""

from __future__ import annotations

import json
import math
import mmap
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays
from rumiai.errors import WeightsError

BINARY_VERSION: Final = 6
SPEC_NAME: Final = "WhisperSpec"
SPEC_REVISION: Final = 3
# CTranslate2's DataType by number. bfloat16 (5) has no numpy type and int8 weights need their scales: both are refused.
DTYPES: Final[dict[int, np.dtype[Any]]] = {
    0: np.dtype("<f4"),
    1: np.dtype("i1"),
    2: np.dtype("<i2"),
    3: np.dtype("<i4"),
    4: np.dtype("<f2"),
}
FLOATS: Final = frozenset({np.dtype("<f4"), np.dtype("<f2")})
# A tensor of Whisper has three dimensions at most; a greater rank means that we are not reading what we think.
MAX_RANK: Final = 4

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class WhisperWeights:
    """A model in openai-whisper's terms.

    Attributes:
        dims: The members of ``whisper.model.ModelDimensions``.
        state: openai-whisper's state dict: name -> read-only array, float16 or float32.
        alignment_heads: (layer, head) pairs of the decoder whose cross-attention follows the audio.
    """

    dims: Mapping[str, int]
    state: Mapping[str, Array]
    alignment_heads: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        freeze_arrays(self, state=(np.floating, ...))


class _BinaryReader:
    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path, self._data, self.at = path, data, 0

    def fail(self, what: str) -> WeightsError:
        return WeightsError(f"{self._path}: {what}", hint="fetch the weights again, or convert them to float16")

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._data):
            raise self.fail(f"ends at byte {len(self._data)}, expected at least {end}: the file is cut short")
        out = self._data[self.at : end]
        self.at = end
        return out

    def number(self, form: str) -> int:
        return int(struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0])

    def string(self) -> str:
        raw = self.take(self.number("H"))
        if not raw.endswith(b"\0") or not raw[:-1].isascii():
            raise self.fail(f"got {raw[:32]!r} at byte {self.at - len(raw)}, expected a name that ends in NUL")
        return raw[:-1].decode("ascii")

    def variable(self) -> tuple[str, Array]:
        name, rank = self.string(), self.number("B")
        if rank > MAX_RANK:
            raise self.fail(f"{name}: got rank {rank}, expected at most {MAX_RANK}")
        shape = tuple(self.number("I") for _ in range(rank))
        code, size = self.number("B"), self.number("I")
        dtype = DTYPES.get(code)
        if dtype is None:
            raise self.fail(f"{name}: got data type {code}, expected one of {sorted(DTYPES)}")
        if size != math.prod(shape) * dtype.itemsize:
            raise self.fail(f"{name}: got {size} bytes for {dtype} {shape}")
        return name, np.frombuffer(self.take(size), dtype).reshape(shape)


def read_variables(model_bin: Path) -> dict[str, Array]:
    """Read every variable of a CTranslate2 Whisper file, aliases included, under CTranslate2's names.

    Raises:
        WeightsError: No such file, cut short, another version or model, or a layout that cannot be.
    """
    try:
        with model_bin.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(_BinaryReader(model_bin, data))
    except (OSError, ValueError) as exc:  # mmap refuses an empty file with ValueError
        raise WeightsError(f"{model_bin}: could not be read: {exc}", hint="fetch the weights again") from exc


def _parse(reader: _BinaryReader) -> dict[str, Array]:
    version = reader.number("I")
    if version != BINARY_VERSION:
        raise reader.fail(f"got CTranslate2 format version {version}, expected {BINARY_VERSION}")
    name, revision = reader.string(), reader.number("I")
    if (name, revision) != (SPEC_NAME, SPEC_REVISION):
        raise reader.fail(f"got {name} revision {revision}, expected {SPEC_NAME} revision {SPEC_REVISION}")
    variables = dict(reader.variable() for _ in range(reader.number("I")))
    for _ in range(reader.number("I")):
        alias, target = reader.string(), reader.string()
        if target not in variables:
            raise reader.fail(f"alias {alias}: its target {target!r} is not in the file")
        variables[alias] = variables[target]
    return variables


def load_weights(folder: Path) -> WhisperWeights:
    """Read ``model.bin`` and ``config.json`` of a CTranslate2 Whisper folder.

    Raises:
        WeightsError: As ``read_variables``; or a variable is missing, quantised or left over.
    """
    model_bin = folder / "model.bin"
    variables = read_variables(model_bin)
    # The output projection is the embedding itself in openai-whisper.
    variables.pop("decoder/projection/weight", None)
    try:
        dims = _dimensions(variables)
        state = dict(_state(variables, dims))
    except KeyError as exc:
        raise WeightsError(f"{model_bin}: got no {exc.args[0]}, expected a Whisper model") from exc
    except ValueError as exc:
        raise WeightsError(f"{model_bin}: not a Whisper model: {exc}") from exc
    left = sorted(name for name, array in variables.items() if array.ndim)
    if left:
        raise WeightsError(f"{model_bin}: got {', '.join(left[:5])}, which openai-whisper has no place for")
    for name, array in state.items():
        if array.dtype not in FLOATS:
            raise WeightsError(
                f"{model_bin}: {name}: got {array.dtype}, expected float16 or float32",
                hint="a quantised file serves the ctranslate2 engine only",
            )
    return WhisperWeights(dims, state, _alignment_heads(folder / "config.json", dims))


def _layers(variables: Mapping[str, Array], side: str) -> int:
    return len({name.split("/")[1] for name in variables if re.match(rf"{side}/layer_\d+/", name)})


def _dimensions(variables: Mapping[str, Array]) -> dict[str, int]:
    state, mels, _ = variables["encoder/conv1/weight"].shape
    vocabulary, text_state = variables["decoder/embeddings/weight"].shape
    return {
        "n_mels": mels,
        "n_audio_ctx": len(variables["encoder/position_encodings/encodings"]),
        "n_audio_state": state,
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": _layers(variables, "encoder"),
        "n_vocab": vocabulary,
        "n_text_ctx": len(variables["decoder/position_encodings/encodings"]),
        "n_text_state": text_state,
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": _layers(variables, "decoder"),
    }


def _state(variables: dict[str, Array], dims: Mapping[str, int]) -> Iterator[tuple[str, Array]]:
    """Yield openai-whisper's parameters, taking what they are made of out of ``variables``."""
    yield "encoder.positional_embedding", variables.pop("encoder/position_encodings/encodings")
    yield "decoder.positional_embedding", variables.pop("decoder/position_encodings/encodings")
    yield "decoder.token_embedding.weight", variables.pop("decoder/embeddings/weight")
    for conv in ("conv1", "conv2"):
        yield from _pair(variables, f"encoder/{conv}", f"encoder.{conv}")
    yield from _norm(variables, "encoder/layer_norm", "encoder.ln_post")
    yield from _norm(variables, "decoder/layer_norm", "decoder.ln")
    for side, count in (("encoder", dims["n_audio_layer"]), ("decoder", dims["n_text_layer"])):
        for i in range(count):
            yield from _block(variables, f"{side}/layer_{i}", f"{side}.blocks.{i}", cross=side == "decoder")


def _block(variables: dict[str, Array], source: str, target: str, *, cross: bool) -> Iterator[tuple[str, Array]]:
    attention = f"{source}/self_attention"
    yield from _stacked(variables, f"{attention}/linear_0", f"{target}.attn", ("query", "key", "value"))
    yield from _pair(variables, f"{attention}/linear_1", f"{target}.attn.out")
    yield from _norm(variables, f"{attention}/layer_norm", f"{target}.attn_ln")
    if cross:
        attention = f"{source}/attention"
        yield from _pair(variables, f"{attention}/linear_0", f"{target}.cross_attn.query")
        yield from _stacked(variables, f"{attention}/linear_1", f"{target}.cross_attn", ("key", "value"))
        yield from _pair(variables, f"{attention}/linear_2", f"{target}.cross_attn.out")
        yield from _norm(variables, f"{attention}/layer_norm", f"{target}.cross_attn_ln")
    yield from _pair(variables, f"{source}/ffn/linear_0", f"{target}.mlp.0")
    yield from _pair(variables, f"{source}/ffn/linear_1", f"{target}.mlp.2")
    yield from _norm(variables, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")


def _pair(variables: dict[str, Array], source: str, target: str) -> Iterator[tuple[str, Array]]:
    for part in ("weight", "bias"):
        yield f"{target}.{part}", variables.pop(f"{source}/{part}")


def _norm(variables: dict[str, Array], source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.weight", variables.pop(f"{source}/gamma")
    yield f"{target}.bias", variables.pop(f"{source}/beta")


def _stacked(
    variables: dict[str, Array], source: str, target: str, names: tuple[str, ...]
) -> Iterator[tuple[str, Array]]:
    for part in ("weight", "bias"):
        rows = np.split(variables.pop(f"{source}/{part}"), len(names))
        for name, array in zip(names, rows, strict=True):
            if (name, part) != ("key", "bias"):
                yield f"{target}.{name}.{part}", array
            elif array.any():
                raise ValueError(f"{source}/bias: the key has a bias, which openai-whisper's has not")


def _alignment_heads(config: Path, dims: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    try:
        pairs = json.loads(config.read_bytes())["alignment_heads"]
        heads = tuple((int(layer), int(head)) for layer, head in pairs)
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise WeightsError(f"{config}: got no alignment_heads: {exc}", hint="fetch the weights again") from exc
    if not heads or any(
        not (0 <= layer < dims["n_text_layer"] and 0 <= head < dims["n_text_head"]) for layer, head in heads
    ):
        raise WeightsError(
            f"{config}: got alignment heads {heads[:8]} outside the decoder of {dims['n_text_layer']} layers"
        )
    return heads
