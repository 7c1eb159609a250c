"""CTranslate2's file as openai-whisper's parameters."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from whisper.model import ModelDimensions, Whisper

from rumiai.errors import WeightsError
from rumiai_server.engines.whisper.ctranslate2_weights import load_weights, read_variables
from rumiai_server.engines.whisper.openai import load_model

Weights = Callable[[str], Path]

# openai-whisper's published dimensions (its model card).
DIMENSIONS = {
    "whisper-base-ct2": dict(
        n_mels=80, n_audio_ctx=1500, n_audio_state=512, n_audio_head=8, n_audio_layer=6,
        n_vocab=51865, n_text_ctx=448, n_text_state=512, n_text_head=8, n_text_layer=6,
    ),
    "whisper-tiny.en-ct2": dict(
        n_mels=80, n_audio_ctx=1500, n_audio_state=384, n_audio_head=6, n_audio_layer=4,
        n_vocab=51864, n_text_ctx=448, n_text_state=384, n_text_head=6, n_text_layer=4,
    ),
}  # fmt: skip


@pytest.mark.weights
@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_parameter_is_there_and_nothing_else(weights: Weights, name: str) -> None:
    found = load_weights(weights(name))
    assert dict(found.dims) == DIMENSIONS[name]
    expected = Whisper(ModelDimensions(**DIMENSIONS[name])).state_dict()
    assert {key: array.shape for key, array in found.state.items()} == {
        key: tuple(tensor.shape) for key, tensor in expected.items()
    }
    # openai-whisper makes this one from sines, so its values are known without any file.
    position = "encoder.positional_embedding"
    np.testing.assert_allclose(found.state[position], expected[position], atol=1e-3)


@pytest.mark.weights
def test_alignment_heads_are_the_configs(weights: Weights) -> None:
    folder = weights("whisper-tiny.en-ct2")
    expected = json.loads((folder / "config.json").read_text())["alignment_heads"]
    heads = load_model(folder).alignment_heads.to_dense().nonzero().tolist()
    assert heads == sorted(expected)


def small() -> dict[str, np.ndarray]:
    """The variables of a Whisper with one layer a side, 8 wide, 2 heads, with values that tell them apart."""
    rng = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "encoder/conv1/weight": (8, 4, 3), "encoder/conv1/bias": (8,),
        "encoder/conv2/weight": (8, 8, 3), "encoder/conv2/bias": (8,),
        "encoder/position_encodings/encodings": (10, 8), "decoder/position_encodings/encodings": (12, 8),
        "decoder/embeddings/weight": (20, 8),
    }  # fmt: skip
    blocks = {"encoder/layer_0": False, "decoder/layer_0": True}
    for block, cross in blocks.items():
        sizes = {"self_attention/linear_0": (24, 8), "self_attention/linear_1": (8, 8),
                 "ffn/linear_0": (32, 8), "ffn/linear_1": (8, 32)}  # fmt: skip
        norms = ["self_attention/layer_norm", "ffn/layer_norm"]
        if cross:
            sizes |= {"attention/linear_0": (8, 8), "attention/linear_1": (16, 8), "attention/linear_2": (8, 8)}
            norms.append("attention/layer_norm")
        for name, shape in sizes.items():
            shapes |= {f"{block}/{name}/weight": shape, f"{block}/{name}/bias": shape[:1]}
        for name in norms:
            shapes |= {f"{block}/{name}/gamma": (8,), f"{block}/{name}/beta": (8,)}
    for side in ("encoder", "decoder"):
        shapes |= {f"{side}/layer_norm/gamma": (8,), f"{side}/layer_norm/beta": (8,)}
    variables = {name: rng.standard_normal(shape).astype(np.float16) for name, shape in shapes.items()}
    variables["encoder/layer_0/self_attention/linear_0/bias"][8:16] = 0
    variables["decoder/layer_0/self_attention/linear_0/bias"][8:16] = 0
    variables["decoder/layer_0/attention/linear_1/bias"][:8] = 0
    return variables | {"encoder/num_heads": np.int16(2), "decoder/num_heads": np.int16(2)}  # type: ignore[return-value]


def string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def write(
    folder: Path, variables: dict[str, np.ndarray], *, version: int = 6, name: str = "WhisperSpec", revision: int = 3
) -> Path:
    """A folder in CTranslate2's format, written from its specification."""
    codes = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
    out = struct.pack("<I", version) + string(name) + struct.pack("<II", revision, len(variables))
    for key, array in variables.items():
        out += string(key) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += struct.pack("<BI", codes[str(array.dtype)], array.nbytes) + array.tobytes()
    out += struct.pack("<I", 1) + string("decoder/projection/weight") + string("decoder/embeddings/weight")
    (folder / "model.bin").write_bytes(out)
    (folder / "config.json").write_text('{"alignment_heads": [[0, 1]]}')
    return folder


def test_stacked_projections_come_apart(tmp_path: Path) -> None:
    variables = small()
    state = load_weights(write(tmp_path, variables)).state
    stacked = variables["decoder/layer_0/self_attention/linear_0/weight"]
    for i, name in enumerate(("query", "key", "value")):
        np.testing.assert_array_equal(state[f"decoder.blocks.0.attn.{name}.weight"], stacked[8 * i : 8 * i + 8])
    crossed = variables["decoder/layer_0/attention/linear_1/weight"]
    np.testing.assert_array_equal(state["decoder.blocks.0.cross_attn.key.weight"], crossed[:8])
    np.testing.assert_array_equal(state["decoder.blocks.0.cross_attn.value.weight"], crossed[8:])
    np.testing.assert_array_equal(
        state["decoder.blocks.0.cross_attn.value.bias"], variables["decoder/layer_0/attention/linear_1/bias"][8:]
    )
    np.testing.assert_array_equal(
        state["encoder.blocks.0.attn_ln.weight"], variables["encoder/layer_0/self_attention/layer_norm/gamma"]
    )
    assert "encoder.blocks.0.attn.key.bias" not in state


def test_openai_whispers_own_file_gives_the_same_model(tmp_path: Path) -> None:
    folder = write(tmp_path, small())
    from_folder = load_model(folder)
    checkpoint = {"dims": vars(from_folder.dims), "model_state_dict": from_folder.half().state_dict()}
    torch.save(checkpoint, tmp_path / "own.pt")
    from_file = load_model(tmp_path / "own.pt")
    for name, tensor in from_folder.float().state_dict().items():
        assert torch.equal(from_file.state_dict()[name], tensor), name
    assert from_folder.alignment_heads.to_dense().tolist() == [[False, True]]


class Pickled:
    """Runs what it likes when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return (pytest.fail, ("the checkpoint's code was run",))


def test_a_checkpoint_that_carries_code_is_refused(tmp_path: Path) -> None:
    torch.save({"dims": {}, "model_state_dict": Pickled()}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match="not an openai-whisper checkpoint"):
        load_model(tmp_path / "evil.pt")
    (tmp_path / "text.pt").write_text("no model at all")
    with pytest.raises(WeightsError, match="not an openai-whisper checkpoint"):
        load_model(tmp_path / "text.pt")
    with pytest.raises(WeightsError, match="no such file"):
        load_model(tmp_path / "absent.pt")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"version": 5}, "format version 5, expected 6"),
        ({"revision": 2}, "revision 2, expected WhisperSpec revision 3"),
        ({"name": "TransformerSpec"}, "got TransformerSpec"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, form: dict[str, object], says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        load_weights(write(tmp_path, small(), **form))  # type: ignore[arg-type]


def test_models_that_are_not_whispers_are_refused(tmp_path: Path) -> None:
    missing = small()
    del missing["decoder/layer_0/ffn/linear_1/bias"]
    with pytest.raises(WeightsError, match="got no decoder/layer_0/ffn/linear_1/bias"):
        load_weights(write(tmp_path, missing))
    with pytest.raises(WeightsError, match="decoder/extra, which openai-whisper has no place for"):
        load_weights(write(tmp_path, small() | {"decoder/extra": np.zeros(3, np.float16)}))
    quantised = small()
    quantised["encoder/layer_0/ffn/linear_0/weight"] = np.zeros((32, 8), np.int8)
    with pytest.raises(WeightsError, match="got int8, expected float16 or float32"):
        load_weights(write(tmp_path, quantised))
    biased = small()
    biased["encoder/layer_0/self_attention/linear_0/bias"][9] = 1
    with pytest.raises(WeightsError, match="the key has a bias"):
        load_weights(write(tmp_path, biased))
    (write(tmp_path, small()) / "config.json").write_text('{"alignment_heads": [[3, 0]]}')
    with pytest.raises(WeightsError, match="outside the decoder"):
        load_weights(tmp_path)


def test_every_cut_and_many_flips_end_in_a_clean_error_or_a_whole_read(tmp_path: Path) -> None:
    whole = (write(tmp_path, small()) / "model.bin").read_bytes()
    names = set(read_variables(tmp_path / "model.bin"))
    target = tmp_path / "model.bin"
    for size in [*range(0, 64), *range(64, len(whole), 97), len(whole) - 1]:
        target.write_bytes(whole[:size])
        with pytest.raises(WeightsError):
            read_variables(target)
    rng = np.random.default_rng(3)
    for at in rng.integers(0, len(whole), 300):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << int(rng.integers(8))
        target.write_bytes(flipped)
        try:
            assert len(read_variables(target)) <= len(names)
        except WeightsError:
            continue
