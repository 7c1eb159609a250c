"""What ``bench/gpu.py`` works out of its measurements, and what it says where there is nothing to measure."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

BENCH = Path(__file__).parents[3] / "bench"


def load(name):
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # the one imports the other
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def engines():
    yield load("gpu_engines")
    del sys.modules["gpu_engines"]


@pytest.fixture(scope="module")
def gpu(engines):
    yield load("gpu")
    del sys.modules["gpu"]


@pytest.fixture
def bench(engines, tmp_path):
    return engines.Bench(argparse.Namespace(device="cpu", batches="1,2", seconds=0.0, weights="random"), tmp_path)


def test_the_slowest_stage_alone_is_the_speed_of_light(gpu):
    bare = {"decode": (9.0, 9.0), "decode + scenes": (2.0, 4.0), "yolo": (0.5, 0.4), "mediapipe": (3.0, 3.2)}
    alone = gpu.videos_per_second_alone(bare, cores=16, on_gpu=True)
    # Sixteen cores by 4 and by 3.2 CPU seconds; one device in half a second.
    assert alone == pytest.approx({"yolo": 2.0, "decode + scenes": 4.0, "mediapipe": 5.0})
    assert next(iter(alone)) == "yolo"
    assert gpu.videos_per_second_alone(bare, cores=16, on_gpu=False)["yolo"] == pytest.approx(40.0)
    figures = gpu.pipeline_figures(1.5, 30.0, alone)
    # 1.5 videos a second of 30 s are 45 s of video a second: as many hours an hour, for 24 hours.
    assert figures["video_hours_per_day_per_gpu"] == 1080.0
    assert (figures["slowest_stage_alone"], figures["fraction_of_speed_of_light"]) == ("yolo", 0.75)
    assert gpu.pipeline_figures(1.5, 30.0, {})["fraction_of_speed_of_light"] is None


def test_wrong_answers_are_remembered(bench):
    right = np.array([1.0, -2.0, 4.0])
    bench.compare("a", [right, right + 0.1], [right, right], 0.05)  # 0.1 of 4
    assert bench.wrong == []
    bench.compare("b", [right, right + 0.3], [right, right], 0.05)
    bench.compare("c", [np.array([np.nan]), right], [np.ones(1), right], 0.05)
    assert [line[0] for line in bench.wrong] == ["b", "c"]


def test_rates_and_flops(bench):
    bench.measure("network", 2, "fast", lambda: None, 2, graphs=True, gflop=5.0)
    [(what, batch, mode, graphs, rate, by_eager, tflops, memory)] = bench.rows
    assert (what, batch, mode) == ("network", 2, "fast")
    assert tflops == pytest.approx(rate * 5.0 / 1e3)
    assert (graphs, by_eager, memory) == (None, None, None)  # a CPU has none


def test_random_weights_look_at_the_picture(engines):
    """As ultralytics makes it, the network answers alike to everything: a comparison on it would prove nothing."""
    from ultralytics.nn.tasks import DetectionModel

    from rumiai_server.engines.yolo.engine import network_outputs

    torch.manual_seed(0)
    pictures = torch.rand(2, 3, 96, 64)
    model = DetectionModel("yolov8n.yaml", verbose=False)
    engines._adapt(model, network_outputs, pictures)
    with torch.inference_mode():
        for output in network_outputs(model, pictures):
            assert (output[0] - output[1]).abs().max() > 0.2 * output.abs().max()
        best = network_outputs(model, pictures)[0]
    assert int((best.sigmoid() >= 0.25 - 1e-6).sum()) == 20 * len(pictures)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_it_says_so():
    ran = subprocess.run([sys.executable, str(BENCH / "gpu.py")], capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    assert "no CUDA device" in ran.stdout


_HIDDEN = """
import runpy, sys
folder, out = sys.argv[1:]
sys.modules.update(dict.fromkeys(["ultralytics", "easyocr", "faster_whisper", "whisper", "pytriton"]))
sys.path.insert(0, folder)
sys.argv = ["gpu.py", "--device", "cpu", "--batches", "1", "--seconds", "0", "--out", out]
runpy.run_path(folder + "/gpu.py", run_name="__main__")
"""


def test_a_machine_where_nothing_can_be_measured_is_told_so(tmp_path):
    run = [sys.executable, "-c", _HIDDEN, str(BENCH), str(tmp_path)]
    ran = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (ran.returncode, "WRONG: nothing could be measured" in ran.stdout) == (1, True), ran.stderr
    (written,) = tmp_path.glob("gpu-*.json")
    figures = json.loads(written.read_text())
    assert figures["rows"] == []
    assert all(any(line.startswith(name) for line in figures["left_out"]) for name in ("yolo", "ocr", "whisper"))
