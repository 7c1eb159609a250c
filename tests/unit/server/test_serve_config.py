"""What a server can be asked for is looked at before Triton is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from rumiai.errors import ConfigurationError
from rumiai_server.serve_config import ServeConfig


def config(**parameters: dict[str, str]) -> ServeConfig:
    return ServeConfig(parameters=parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"yolo": {"weights": "yolov8n.onnx"}, "whisper": {"model": "whisper-base-ct2"}, "ocr": {"languages": "en,de"}},
        {"yolo": {"weights": __file__}},
    ],
)
def test_what_is_known_is_taken(parameters: dict[str, dict[str, str]]) -> None:
    config(**parameters).check_parameters()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"yolo": {"weights": "nope"}}, r"--yolo-weights: got 'nope', expected yolov8n.onnx, .* or the path of a file"),
        ({"yolo": {"weights": "/no/such/file.onnx"}}, "--yolo-weights: got '/no/such/file.onnx', expected"),
        ({"yolo": {"weights": "craft_mlt_25k.pth"}}, "--yolo-weights: got 'craft_mlt_25k.pth', expected yolov8n"),
        ({"whisper": {"model": "whisper-huge-ct2"}}, r"--whisper-model: got 'huge', expected base, tiny\.en or the"),
        ({"ocr": {"languages": "en,xx"}}, "--ocr-langs: got 'xx', expected EasyOCR's codes: ab, "),
    ],
)
def test_what_is_not_known_is_named_with_what_is(parameters: dict[str, dict[str, str]], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        config(**parameters).check_parameters()


def test_only_models_that_are_served_are_looked_at(tmp_path: Path) -> None:
    ServeConfig(models=("ocr",), parameters={"yolo": {"weights": "nope"}}).check_parameters()
