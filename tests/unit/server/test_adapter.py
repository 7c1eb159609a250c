"""From Triton's requests to an engine's items and back; ``pb_utils`` is Triton's, so a stand-in speaks for it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rumiai import weights as catalogue
from rumiai.contracts.tensors import MAX_AUDIO_S, MAX_REQUEST_BYTES, OCR, WHISPER, YOLO
from rumiai.errors import ConfigurationError, ContractError, WeightsError
from rumiai_server import adapter
from rumiai_server.adapter import BadRequestError, ModelSettings


class TritonError(Exception):
    INVALID_ARG = "INVALID_ARG"
    INTERNAL = "INTERNAL"

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Tensor(SimpleNamespace):
    def __init__(self, name: str, array: np.ndarray) -> None:
        super().__init__(name=name, array=array)

    def as_numpy(self) -> np.ndarray:
        return self.array


class InferenceResponse(SimpleNamespace):
    def __init__(self, output_tensors: list[Tensor] | None = None, error: TritonError | None = None) -> None:
        super().__init__(outputs={t.name: t.array for t in output_tensors or []}, error=error)


class Request:
    def __init__(self, name: str, array: np.ndarray, **parameters: Any) -> None:
        self.tensor = Tensor(name, array)
        self.raw = json.dumps(parameters)

    def parameters(self) -> str:
        return self.raw


PB: Any = SimpleNamespace(
    Tensor=Tensor,
    InferenceResponse=InferenceResponse,
    TritonError=TritonError,
    get_input_tensor_by_name=lambda request, name: request.tensor if request.tensor.name == name else None,
)


def images(n: int = 1, height: int = 16, width: int = 16, channels: int = 3) -> np.ndarray:
    return np.zeros((n, height, width, channels), np.uint8)


def args(kind: str, **parameters: str) -> dict[str, str]:
    values = {key: {"string_value": value} for key, value in parameters.items()}
    config = json.dumps({"parameters": values})
    return {"model_config": config, "model_instance_kind": kind, "model_instance_device_id": "3"}


def test_settings_are_the_configs_parameters_and_the_place_of_the_instance():
    on_cpu = ModelSettings.from_args(args("CPU", mode="strict", threads="4"))
    assert (on_cpu["mode"], on_cpu.device, on_cpu.threads) == ("strict", "cpu", 4)
    assert ModelSettings.from_args(args("GPU")).device == "cuda:3"
    assert ModelSettings.from_args(args("CPU", threads="0")).threads is None
    assert ModelSettings.from_args(args("CPU")).threads is None
    assert ModelSettings.from_args({**args("CPU"), "model_config": "{}"}).values == {}


def test_a_switch_is_true_or_false():
    settings = ModelSettings.from_args(args("GPU", on="true", off="False", odd="maybe"))
    assert (settings.flag("on"), settings.flag("off")) == (True, False)
    with pytest.raises(ConfigurationError, match=r"odd in config\.pbtxt: got 'maybe', expected true or false"):
        settings.flag("odd")


def test_weights_are_a_path_or_a_name_of_the_catalogue(tmp_path, monkeypatch):
    settings = ModelSettings.from_args(args("CPU", here=str(tmp_path / "own.onnx"), listed="yolov8n.onnx", other="x"))
    assert settings.weights("here") == tmp_path / "own.onnx"
    monkeypatch.setenv("RUMIAI_WEIGHTS_DIR", str(tmp_path))
    assert catalogue.weights_dir() == tmp_path
    with pytest.raises(WeightsError, match=r"yolov8n\.onnx"):
        settings.weights("listed")


def test_request_parameters():
    assert adapter.read_parameters("", YOLO) == {}
    assert adapter.read_parameters('{"conf": 0.5, "mode": "fast"}', YOLO) == {"conf": 0.5, "mode": "fast"}
    assert adapter.read_parameters('{"sequence_id": 1, "timeout": 2, "priority": 1, "triton_x": 1}', YOLO) == {}
    with pytest.raises(BadRequestError, match="whisper: unknown request parameter conf, iou; known: language, task"):
        adapter.read_parameters('{"iou": 1, "conf": 1}', WHISPER)


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), ("0.25", 0.25), (" 1e-3 ", 1e-3), (-2.5, -2.5)])
def test_numbers(value, number):
    assert adapter.as_number({"conf": value}, "conf", 7.0) == number
    assert adapter.as_number({}, "conf", 7.0) == 7.0


@pytest.mark.parametrize("value", [True, False, "x", "", None, [1], {}, "nan", float("inf"), "-Infinity"])
def test_what_is_no_number(value):
    with pytest.raises(BadRequestError, match=r"parameter conf: got .*, expected a (finite )?number"):
        adapter.as_number({"conf": value}, "conf", 0.0)


def test_whole_numbers():
    assert [adapter.as_int({"n": value}, "n", 9) for value in (3, "3", 3.0, "3e2")] == [3, 3, 3, 300]
    assert adapter.as_int({}, "n", 9) == 9
    with pytest.raises(BadRequestError, match=r"parameter n: got '2\.5', expected a whole number"):
        adapter.as_int({"n": "2.5"}, "n", 9)


def test_booleans():
    for true in (True, "true", "True", 1, "1"):
        assert adapter.as_bool({"w": true}, "w", False) is True
    for false in (False, "false", "FALSE", 0, "0"):
        assert adapter.as_bool({"w": false}, "w", True) is False
    assert adapter.as_bool({}, "w", True) is True
    for neither in ("yes", 2, None, ""):
        with pytest.raises(BadRequestError, match=r"parameter w: got .*, expected true or false"):
            adapter.as_bool({"w": neither}, "w", True)


def test_pictures_that_fit_are_handed_on_as_they_are():
    for fitting in (images(), images(64, 8, 8), images(1, 4096, 8), images(10, 4096, 4096)):
        assert adapter.check_images(fitting) is fitting
    assert images(10, 4096, 4096).nbytes <= MAX_REQUEST_BYTES < images(11, 4096, 4096).nbytes


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (images().astype(np.int8), "got dtype int8, expected uint8"),
        (images()[0], r"got shape \(16, 16, 3\), expected \(n, height, width, 3\)"),
        (images(channels=4), r"got shape \(1, 16, 16, 4\)"),
        (images(0), "got 0 pictures of 0 bytes in all, expected 1..64 pictures"),
        (images(65, 8, 8), "got 65 pictures of 12480 bytes"),
        (images(1, 7, 8), "got 8 x 7 px, expected each side within 8..4096 px"),
        (images(1, 8, 4097), "got 4097 x 8 px"),
        (images(11, 4096, 4096), r"got 11 pictures of 553648128 bytes .* at most 536870912 bytes a request"),
    ],
)
def test_pictures_that_do_not_fit(array, message):
    with pytest.raises(BadRequestError, match=message):
        adapter.check_images(array)


def test_tracks():
    track = np.linspace(-1, 1, 9, dtype=np.float32)[None]
    np.testing.assert_array_equal(adapter.check_audio(track), track[0])
    longest = int(MAX_AUDIO_S * 16_000)
    wrong = {
        "got dtype float64": track.astype(np.float64),
        r"got shape \(9,\), expected \(1, samples\)": track[0],
        r"got shape \(2, 9\), expected \(1, samples\): one track": np.concatenate([track, track]),
        "got 0 samples": track[:, :0],
        # A view of one zero: an hour's memory need not be had to be refused.
        f"got {longest + 1} samples, expected 1..{longest}": np.broadcast_to(np.float32(0), (1, longest + 1)),
        "got NaN or infinite": np.array([[0, np.nan]], np.float32),
        "NaN or infinite samples, expected finite": np.array([[0, -np.inf]], np.float32),
    }
    for message, array in wrong.items():
        with pytest.raises(BadRequestError, match=message):
            adapter.check_audio(array)


def test_padding():
    rows = [np.array([[1, 2]], np.float32), np.zeros((0, 2), np.float32), np.array([[3, 4], [5, 6]], np.float32)]
    padded = adapter.pad_rows(rows, -1)
    assert padded.dtype == np.float32
    assert padded.tolist() == [[[1, 2], [-1, -1]], [[-1, -1], [-1, -1]], [[3, 4], [5, 6]]]
    assert adapter.pad_rows([np.zeros((0, 4), np.float32)], 0.0).shape == (1, 0, 4)
    texts = [np.array([b"a"], object), np.array([], object)]
    assert adapter.pad_rows(texts, b"").tolist() == [[b"a"], [b""]]
    assert adapter.counts([[1, 2], [], [3]]).tolist() == [[2], [0], [1]]
    assert adapter.counts([[]]).dtype == np.int32


def run(requests: list[Request], infer: Any) -> list[InferenceResponse]:
    """A model that answers the mean brightness of each request's pictures as its text's score."""

    def parse(array: np.ndarray, parameters: dict[str, Any]) -> tuple[np.ndarray, str]:
        mode = parameters.get("mode", "fast")
        if mode == "turbo":
            raise ContractError("mode: got 'turbo'", hint="say fast")
        return adapter.check_images(array), mode

    def pack(result: float) -> dict[str, np.ndarray]:
        return {output.name: np.full((1, 1), result) for output in OCR.outputs}

    return adapter.execute(PB, requests, OCR, parse, infer, pack)


def mean_of_each(items: list[tuple[np.ndarray, str]]) -> list[float]:
    return [float(array.mean()) for array, _ in items]


def test_one_batch_one_call_and_the_contracts_outputs_in_their_order():
    calls = []

    def infer(items):
        calls.append(len(items))
        return mean_of_each(items)

    responses = run([Request("IMAGES", images() + value) for value in (3, 1, 2)], infer)
    assert calls == [3]
    assert [response.error for response in responses] == [None] * 3
    assert [response.outputs["SCORES"].item() for response in responses] == [3.0, 1.0, 2.0]
    assert list(responses[0].outputs) == [
        "QUADS", "TEXTS", "SCORES", "COUNTS", "CHAR_POSITIONS",
        "UNREAD_QUADS", "UNREAD_SCRIPTS", "UNREAD_SCORES", "UNREAD_COUNTS",
    ]  # fmt: skip


def test_rows_of_rows_are_padded_to_one_length():
    one, two = np.float32([0.5]), np.float32([0.1, 0.9])
    first, second, third = adapter.pad_columns([[one, two], [], [one]], -1.0)
    np.testing.assert_array_equal(first, np.float32([[0.5, -1], [0.1, 0.9]]))
    assert second.shape == (0, 2)
    np.testing.assert_array_equal(third, np.float32([[0.5, -1]]))
    assert adapter.pad_columns([[], []], -1.0)[0].shape == (0, 0)
    assert adapter.encoded(["é", ""]).tolist() == ["é".encode(), b""]


def test_a_bad_request_costs_only_itself():
    responses = run(
        [
            Request("IMAGES", images(1, 4, 4)),
            Request("IMAGES", images() + 5),
            Request("IMAGES", images(), mode="turbo"),
            Request("IMAGES", images(), conf=1),
            Request("IMAGES", images() + 7),
        ],
        mean_of_each,
    )
    assert [r.error and r.error.code for r in responses] == ["INVALID_ARG", None, "INVALID_ARG", "INVALID_ARG", None]
    assert str(responses[0].error).startswith("IMAGES: got 4 x 4 px")
    assert str(responses[2].error) == "mode: got 'turbo' (say fast)"
    assert str(responses[3].error).startswith("ocr: unknown request parameter conf")
    assert [responses[i].outputs["SCORES"].item() for i in (1, 4)] == [5.0, 7.0]


def test_nothing_good_is_nothing_asked_of_the_engine():
    def infer(items):
        raise AssertionError("asked")

    assert [r.error.code for r in run([Request("IMAGES", images(0))], infer)] == ["INVALID_ARG"]


def test_an_item_that_breaks_the_engine_costs_only_itself(caplog):
    calls = []

    def infer(items):
        calls.append(len(items))
        if any(array.max() == 9 for array, _ in items):
            raise RuntimeError("out of memory")
        return mean_of_each(items)

    responses = run([Request("IMAGES", images() + value) for value in (1, 9, 2)], infer)
    assert calls == [3, 1, 1, 1]
    assert [r.error and (r.error.code, str(r.error)) for r in responses] == [
        None,
        ("INTERNAL", "ocr: out of memory"),
        None,
    ]
    assert [responses[i].outputs["SCORES"].item() for i in (0, 2)] == [1.0, 2.0]
    assert "ocr failed on a batch of 3" in caplog.text
    assert "RuntimeError: out of memory" in caplog.text
