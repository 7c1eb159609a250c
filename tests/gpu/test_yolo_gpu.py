"""The detector on a CUDA device against itself on the CPU."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import ultralytics

from rumiai_server.engines.yolo.engine import YoloEngine, YoloParams

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.weights,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize(("mode", "score_atol", "box_atol_px"), [("strict", 0.01, 1.0), ("fast", 0.05, 6.0)])
def test_cuda_finds_what_the_cpu_finds(weights, mode, score_atol, box_atol_px):
    picture = cv2.imread(str(Path(ultralytics.__file__).parent / "assets/bus.jpg"))[..., ::-1]
    items = [
        (np.stack([cv2.resize(picture, (width, height))] * 3), YoloParams(conf=0.5, mode=mode))
        for height, width in ((1280, 720), (640, 480), (333, 217))
    ]
    on_cpu = YoloEngine(weights("yolov8n.onnx"), device="cpu").detect(items)
    on_cuda = YoloEngine(weights("yolov8n.onnx"), device="cuda").detect(items)
    for expected, found in zip(chain(*on_cpu), chain(*on_cuda), strict=True):
        assert sorted(found.class_ids) == sorted(expected.class_ids)
        np.testing.assert_allclose(found.scores, expected.scores, atol=score_atol)
        order, reference = np.argsort(found.boxes[:, 0]), np.argsort(expected.boxes[:, 0])
        np.testing.assert_allclose(found.boxes[order], expected.boxes[reference], atol=box_atol_px)
