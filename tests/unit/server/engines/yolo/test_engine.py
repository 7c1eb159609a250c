"""The detector against ultralytics on the same weights and pictures."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torchvision
import ultralytics
from ultralytics import YOLO
from ultralytics.nn.tasks import DetectionModel

from rumiai.contracts.tensors import COCO_NAMES
from rumiai.errors import ContractError, WeightsError
from rumiai_server.engines.yolo.engine import (
    Letterbox,
    YoloEngine,
    YoloParams,
    letterbox_on_cpu,
    letterbox_on_device,
    strongest,
)
from rumiai_server.engines.yolo.types import Detections
from rumiai_server.engines.yolo.weights import load_yolo

pytestmark = pytest.mark.weights

STRICT = YoloParams(mode="strict")
# Height, width: as shipped, 9:16, 16:9, odd, square, tiny, thin.
SIZES = [(1080, 810), (1280, 720), (720, 1280), (333, 217), (640, 640), (48, 64), (9, 200)]


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    """ultralytics' own two pictures, RGB."""
    assets = Path(ultralytics.__file__).parent / "assets"
    return {
        name: np.ascontiguousarray(cv2.imread(str(assets / f"{name}.jpg"))[..., ::-1]) for name in ("bus", "zidane")
    }


@pytest.fixture(scope="module")
def engine(weights) -> YoloEngine:
    return YoloEngine(weights("yolov8n.onnx"), device="cpu", threads=2)


@pytest.fixture(scope="module")
def checkpoint(weights, tmp_path_factory) -> Path:
    """The same weights as an ultralytics checkpoint: unfused, half precision, with norms that change nothing."""
    fused = load_yolo(weights("yolov8n.onnx")).module.state_dict()
    model = DetectionModel("yolov8n.yaml", verbose=False)
    state = model.state_dict()
    for key in state:
        if key.endswith("bn.running_var"):
            state[key] = torch.full_like(state[key], 1 - 1e-3)  # plus the norm's epsilon it is 1
        elif key.endswith("bn.bias"):
            state[key] = fused[key.replace("bn.bias", "conv.bias")]
        elif key in fused:
            state[key] = fused[key]
    model.load_state_dict(state)
    model.names = dict(enumerate(COCO_NAMES))
    path = tmp_path_factory.mktemp("yolo") / "yolov8n.pt"
    torch.save({"model": model.half(), "ema": None, "train_args": {"imgsz": 640, "task": "detect"}}, path)
    return path


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)


def pairwise_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU by the definition, in float64."""
    a, b = a.astype(float)[:, None], b.astype(float)[None]
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    common = sides.prod(-1)
    return common / ((a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common)


def assert_equal_to_ultralytics(found, result) -> None:
    boxes = result.boxes.xyxy.numpy()
    assert found.class_ids.tolist() == result.boxes.cls.int().tolist()
    np.testing.assert_allclose(found.scores, result.boxes.conf.numpy(), atol=1e-4)
    if len(boxes):
        assert pairwise_iou(found.boxes, boxes).diagonal().min() >= 0.999


def test_bus_is_what_upstream_documents(engine, pictures):
    [[found]] = engine.detect([(pictures["bus"][None], STRICT)])
    assert [engine.names[i] for i in found.class_ids] == ["person", "person", "person", "bus", "person"]
    assert found.scores.round(2).tolist() == pytest.approx([0.89, 0.88, 0.88, 0.84, 0.44], abs=1e-6)
    assert found.boxes.dtype == np.float32
    assert found.scores.dtype == np.float32
    assert found.class_ids.dtype == np.int32


@pytest.mark.parametrize("kind", ["onnx", "pt"])
def test_strict_equals_ultralytics_on_the_same_file(kind, weights, checkpoint, pictures):
    path = weights("yolov8n.onnx") if kind == "onnx" else checkpoint
    engine = YoloEngine(path, device="cpu", threads=2)
    upstream = YOLO(str(path), task="detect")
    objects = 0
    for picture in pictures.values():
        for size in SIZES:
            image = resized(picture, size)
            [[found]] = engine.detect([(image[None], STRICT)])
            [result] = upstream.predict(np.ascontiguousarray(image[..., ::-1]), verbose=False, device="cpu")
            assert_equal_to_ultralytics(found, result)
            objects += len(found)
    assert objects > 40


def test_strict_takes_thresholds_as_ultralytics_does(engine, weights, pictures):
    upstream = YOLO(str(weights("yolov8n.onnx")), task="detect")
    bgr = np.ascontiguousarray(pictures["bus"][..., ::-1])
    for conf, iou, max_det in ((0.05, 0.7, 300), (0.25, 0.2, 300), (0.01, 0.95, 7)):
        [[found]] = engine.detect([(pictures["bus"][None], YoloParams(conf, iou, max_det, "strict"))])
        [result] = upstream.predict(bgr, conf=conf, iou=iou, max_det=max_det, verbose=False, device="cpu")
        assert_equal_to_ultralytics(found, result)


def variations(picture: np.ndarray):
    """Crops, mirrors, darker and noisier copies in the shapes of real videos."""
    rng = np.random.default_rng(7)
    for height, width in ((1280, 720), (720, 1280), (720, 720)):
        for _ in range(2):
            h, w = (int(side * rng.uniform(0.6, 1.0)) for side in picture.shape[:2])
            top, left = rng.integers(0, picture.shape[0] - h + 1), rng.integers(0, picture.shape[1] - w + 1)
            crop = picture[top : top + h, left : left + w]
            scale = min(height / h, width / w)
            inner = cv2.resize(crop, (int(w * scale), int(h * scale)), interpolation=cv2.INTER_CUBIC)
            image = np.zeros((height, width, 3), np.uint8)
            image[: inner.shape[0], : inner.shape[1]] = inner
            yield image
            noise = rng.normal(0, 8, image.shape)
            yield np.clip(image[:, ::-1] * rng.uniform(0.5, 0.9) + noise, 0, 255).astype(np.uint8)


def test_fast_finds_what_strict_is_sure_of(engine, pictures):
    images = [image for picture in pictures.values() for image in variations(picture)]
    strict = engine.detect([(image[None], STRICT) for image in images])
    fast = engine.detect([(image[None], YoloParams()) for image in images])
    matched = []
    for [reference], [found] in zip(strict, fast, strict=True):
        overlap = pairwise_iou(reference.boxes, found.boxes)
        same = reference.class_ids[:, None] == found.class_ids[None]
        hit = ((overlap >= 0.5) & same).any(1) if len(found) else np.zeros(len(reference), bool)
        matched.extend(hit[reference.scores >= 0.4])
    assert len(matched) >= 60
    assert np.mean(matched) >= 0.98, f"{np.sum(matched)} of {len(matched)}"


@pytest.mark.parametrize("mode", ["fast", "strict"])
def test_mixed_requests_are_answered_as_if_alone_and_in_order(engine, pictures, mode):
    params = YoloParams(mode=mode)
    bus, zidane = pictures["bus"], pictures["zidane"]
    items = [
        (np.stack([resized(bus, (640, 360)), resized(zidane, (640, 360))]), params),
        (resized(zidane, (360, 640))[None], params),
        (resized(bus, (640, 360))[None], YoloParams(conf=0.6, mode=mode)),
        (np.zeros((0, 64, 64, 3), np.uint8), params),
        (np.stack([resized(zidane, (640, 360))] * 3), params),
    ]
    alone = [engine.detect([item])[0] for item in items]
    assert [len(answer) for answer in alone] == [2, 1, 1, 0, 3]
    order = [4, 2, 0, 3, 1]
    for i, answer in zip(order, engine.detect([items[i] for i in order]), strict=True):
        for a, b in zip(answer, alone[i], strict=True):
            assert a.class_ids.tolist() == b.class_ids.tolist()
            # Another batch size may take another kernel; in bf16 that is a rounding of the logits.
            np.testing.assert_allclose(a.scores, b.scores, atol=0.02 if mode == "fast" else 1e-5)
            np.testing.assert_allclose(a.boxes, b.boxes, atol=4 if mode == "fast" else 0.01)
    assert alone[2][0].scores.min() > 0.6


def test_boxes_stay_inside_and_scores_descend(engine, pictures):
    for size in SIZES:
        [[found]] = engine.detect([(resized(pictures["bus"], size)[None], YoloParams(conf=0.01, max_det=20))])
        assert len(found) <= 20
        assert (np.diff(found.scores) <= 0).all()
        assert (found.boxes >= 0).all()
        assert (found.boxes[:, [0, 2]] <= size[1]).all()
        assert (found.boxes[:, [1, 3]] <= size[0]).all()


def test_extreme_thresholds(engine, pictures):
    image = resized(pictures["bus"], (128, 96))[None]
    for mode in ("fast", "strict"):
        [[nothing]] = engine.detect([(image, YoloParams(conf=1.0, mode=mode))])
        assert nothing.boxes.shape == (0, 4)
        assert nothing.scores.shape == (0,)
        assert nothing.class_ids.shape == (0,)
        [[everything]] = engine.detect([(image, YoloParams(conf=0.0, iou=1.0, mode=mode, max_det=1000))])
        assert len(everything) == 1000


@pytest.mark.parametrize(("height", "width", "expected"), [(1280, 720, (640, 384)), (720, 1280, (384, 640))])
def test_a_vertical_picture_is_not_padded_to_a_square(height, width, expected):
    box = Letterbox.of(height, width, 640, 32)
    assert (box.input_height, box.input_width) == expected


def test_fitting_on_the_device_is_that_of_opencv(pictures):
    for size in SIZES:
        image = resized(pictures["bus"], size)
        box = Letterbox.of(*size, 640, 32)
        by_opencv = letterbox_on_cpu([image], box).astype(float)
        by_torch = letterbox_on_device(torch.from_numpy(image[None]), box).permute(0, 2, 3, 1).numpy()
        assert by_torch.shape == by_opencv.shape == (1, box.input_height, box.input_width, 3)
        # OpenCV's weights have 11 bits and its result is rounded to a byte.
        assert np.abs(by_torch - by_opencv).max() < 1.5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conf", -0.1),
        ("conf", 1.5),
        ("conf", float("nan")),
        ("iou", 2.0),
        ("max_det", 0),
        ("max_det", 1.5),
        ("mode", "x"),
    ],
)
def test_bad_parameters_are_refused_with_what_was_expected(field, value):
    with pytest.raises(ContractError, match=rf"{field}: got .*, expected"):
        YoloParams(**{field: value})


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((1, 64, 64, 4), np.uint8),
        np.zeros((1, 64, 64, 3), np.float32),
        np.zeros((1, 7, 64, 3), np.uint8),
        np.zeros((1, 16, 5000, 3), np.uint8),
        [[1, 2, 3]],
    ],
)
def test_bad_pictures_are_refused(engine, images):
    with pytest.raises(ContractError, match=r"images: got .*, expected"):
        engine.detect([(images, YoloParams())])


ROWS = {"boxes": np.zeros((2, 4), np.float32), "scores": np.zeros(2, np.float32), "class_ids": np.zeros(2, np.int32)}


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("boxes", np.zeros((2, 4))),
        ("boxes", np.zeros((1, 4), np.float32)),
        ("scores", np.zeros(2)),
        ("scores", np.zeros(3, np.float32)),
        ("class_ids", np.zeros(2, np.int64)),
    ],
)
def test_detections_of_a_wrong_shape_or_dtype_are_refused(name, array):
    with pytest.raises(ContractError, match=r"got .*, expected"):
        Detections(**{**ROWS, name: array})


def test_detections_are_read_only():
    found = Detections(**{name: array.copy() for name, array in ROWS.items()})
    for name in ROWS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(found, name)[0] = 1


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("evil-was-here"),))


def test_a_checkpoint_runs_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match="opened safely"):
        load_yolo(tmp_path / "evil.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(WeightsError, match="opened safely"):
        load_yolo(tmp_path / "plain.pt")
    assert not (tmp_path / "evil-was-here").exists()


def test_files_that_are_no_detector_are_refused(tmp_path):
    for name, content, reason in (
        ("none.onnx", None, "no such file"),
        ("model.engine", b"x", "expected .pt or .onnx"),
        ("broken.onnx", b"\xff" * 64, "not an ONNX file"),
        ("empty.onnx", b"", "not an ONNX file"),
        ("empty.pt", b"", "opened safely"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(WeightsError, match=reason):
            load_yolo(path)
    torch.save({"model": {"a": torch.zeros(1)}}, tmp_path / "state.pt")
    with pytest.raises(WeightsError, match="expected a DetectionModel"):
        load_yolo(tmp_path / "state.pt")


def test_the_scale_is_read_from_the_tensors(weights):
    model = load_yolo(weights("yolov8s.onnx"))
    assert model.names == COCO_NAMES
    assert model.image_size_px == 640
    assert model.square
    assert model.stride_px == 32
    assert sum(p.numel() for p in model.module.parameters()) == pytest.approx(11.2e6, rel=0.01)


def test_suppression_does_not_depend_on_the_place_in_the_batch():
    # Clusters of nearly equal boxes: many overlaps lie near the threshold, where a rounding would tip them.
    rng = np.random.default_rng(5)
    centres = np.repeat(rng.uniform(100, 500, (40, 1, 2)), 5, axis=1) + rng.normal(0, 6, (40, 5, 2))
    sizes = rng.uniform(40, 60, (40, 5, 2))
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=2).reshape(-1, 4)
    boxes = torch.tensor(boxes, dtype=torch.float32)
    scores = torch.tensor(rng.uniform(0.3, 0.9, len(boxes)), dtype=torch.float32)
    alone = torchvision.ops.nms(boxes, scores, 0.7)
    assert 40 < len(alone) < len(boxes)
    for picture, kind in ((0, 0), (1, 79), (63, 70)):
        tail = torch.tensor([[kind, picture]], dtype=torch.float32).expand(len(boxes), 2)
        kept = strongest(torch.cat((boxes, scores[:, None], tail), 1), len(COCO_NAMES), 0.7)
        assert kept.tolist() == alone.tolist()


def test_suppression_keeps_classes_and_pictures_apart():
    box = [10.0, 10.0, 50.0, 50.0]
    rows = torch.tensor([[*box, 0.5, 1, 0], [*box, 0.9, 1, 0], [*box, 0.6, 2, 0], [*box, 0.7, 1, 3]])
    assert strongest(rows, len(COCO_NAMES), 0.7).tolist() == [1, 3, 2]
