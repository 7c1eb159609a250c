"""Networks replayed as CUDA graphs against the same networks run eagerly, on the device."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import ultralytics

from rumiai_server.engines.ocr.detector import Canvas, CraftDetector
from rumiai_server.engines.shared.cuda_graphs import GRAPH_FROM_USE, CudaRecorder, GraphedForward
from rumiai_server.engines.yolo.engine import YoloEngine, YoloParams

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]

# Of the largest value: a batch that was filled up may be computed by other kernels, in float16.
TOLERANCE = 0.05


@pytest.fixture(scope="module")
def device() -> torch.device:
    return torch.device("cuda", 0)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return cv2.imread(str(Path(ultralytics.__file__).parent / "assets/bus.jpg"))[..., ::-1]


def views(picture, n, height, width):
    """n different pictures (n, height, width, 3): it moves to the left, and round again."""
    image = cv2.resize(picture, (width, height))
    return np.stack([np.roll(image, -16 * i, axis=1) for i in range(n)])


def assert_near(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        assert (a.float() - b.float()).abs().max() <= TOLERANCE * b.float().abs().max()


def graphed(forward, device, **changes):
    return GraphedForward(forward, name="test", record=CudaRecorder(device), batch_sizes=(1, 2, 4, 8), **changes)


def twice(x):
    return x * 2, x.flatten(1).sum(1)


def test_replays_of_many_shapes_take_turns(device):
    net = graphed(twice, device)
    for turn in range(4):
        for n, width in ((3, 5), (8, 5), (1, 7), (4, 5), (3, 7)):
            x = torch.rand(n, width, generator=torch.Generator().manual_seed(turn)).to(device)
            for found, expected in zip(net(x), twice(x), strict=True):
                torch.testing.assert_close(found, expected)
    assert net.failure is None
    assert net.recorded == 4  # 4 x 5, 8 x 5, 1 x 7, 4 x 7


def test_graphs_that_were_dropped_are_recorded_again(device):
    net = graphed(twice, device, max_graphs=1)
    for width in (3, 4, 5, 3, 4, 5):
        for turn in range(GRAPH_FROM_USE + 1):
            x = torch.full((2, width), float(turn), device=device)
            torch.testing.assert_close(net(x)[0], x * 2)
    assert net.failure is None
    assert net.recorded == 1


def test_what_waits_for_the_device_is_not_recorded_and_still_answered(device, caplog):
    def waits(x):
        return (x * x.sum().item(),)

    net = graphed(waits, device)
    x = torch.arange(4.0, device=device).view(2, 2)
    with caplog.at_level(logging.WARNING, "rumiai_server"):
        for _ in range(4):
            torch.testing.assert_close(net(x)[0], x * 6)
    assert net.failure is not None
    assert len(caplog.records) == 1
    # The device, its default stream and later recordings are as good as before.
    assert torch.cuda.current_stream(device) == torch.cuda.default_stream(device)
    other = graphed(twice, device)
    for _ in range(GRAPH_FROM_USE + 1):
        torch.testing.assert_close(other(x)[0], x * 2)
    assert other.failure is None
    assert other.recorded == 1


@pytest.mark.weights
def test_yolo_replayed_is_yolo(weights, device, picture):
    engines = {on: YoloEngine(weights("yolov8n.onnx"), device="cuda", cuda_graphs=on) for on in (False, True)}
    assert engines[False].graphs is None
    graphs = engines[True].graphs
    assert graphs is not None
    objects = 0
    for _ in range(3):
        for n, height, width in ((5, 1280, 720), (1, 640, 640), (8, 1280, 720), (3, 360, 640), (64, 640, 360)):
            items = [(views(picture, n, height, width), YoloParams(conf=0.5))]
            [eager], [replayed] = engines[False].detect(items), engines[True].detect(items)
            for expected, found in zip(eager, replayed, strict=True):
                # One at the threshold may be on either side of it.
                assert abs(len(found) - len(expected)) <= 1
                strong = expected.scores > 0.55
                objects += int(strong.sum())
                np.testing.assert_array_equal(
                    np.sort(found.class_ids[found.scores > 0.55]), np.sort(expected.class_ids[strong])
                )
    assert objects > 50
    assert graphs.failure is None
    assert graphs.recorded == 4  # 640 x 384 in 8 and 64, 640 x 640, 384 x 640
    x = torch.rand(7, 3, 640, 384).to(device, torch.float16, memory_format=torch.channels_last)
    assert_near(graphs(x), graphs.forward(x))


@pytest.mark.weights
def test_warming_up_records(weights):
    engine = YoloEngine(weights("yolov8n.onnx"), device="cuda")
    engine.warm_up([(8, 1280, 720)])
    assert engine.graphs is not None
    assert engine.graphs.recorded == 1


@pytest.mark.weights
def test_craft_replayed_is_craft_also_with_two_batches_in_flight(weights, device, picture):
    detectors = {on: CraftDetector(weights("craft_mlt_25k.pth"), device, cuda_graphs=on) for on in (False, True)}
    # Three shapes are three batches, which share memory; the maps of one are collected while the next is computed.
    canvases = [
        Canvas(view, 1.0)
        for n, height, width in ((3, 640, 384), (5, 384, 640), (1, 320, 320))
        for view in views(picture, n, height, width)
    ]
    score = partial(sorted, key=lambda item: item[0])
    for turn in range(4):
        expected = score(detectors[False].score(canvases, exact=False))
        found = score(detectors[True].score(canvases[turn:] + canvases[:turn], exact=False))
        for index, maps in found:
            _, wanted = expected[(index + turn) % len(canvases)]
            for a, b in ((maps.text, wanted.text), (maps.link, wanted.link)):
                assert np.abs(a - b).max() <= TOLERANCE * np.abs(b).max()
    graphs = detectors[True].graphs
    assert graphs is not None
    assert graphs.failure is None
    assert graphs.recorded == 3
