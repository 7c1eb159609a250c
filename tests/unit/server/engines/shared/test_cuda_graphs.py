"""The bookkeeping of CUDA graphs, on a CPU: the recorder here does the work again instead of replaying a graph.

As a graph does, it reads the one input buffer and leaves its results in the one place where the first ones were.
"""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import ultralytics
from easyocr.craft import CRAFT
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from ultralytics.nn.tasks import DetectionModel

from rumiai_server.engines.ocr import detector as ocr_detector
from rumiai_server.engines.shared.cuda_graphs import GRAPH_FROM_USE, GraphedForward
from rumiai_server.engines.yolo import engine as yolo

SIZES = (1, 2, 4, 8)


class Again:
    """A recording that runs the pass again."""

    def __init__(self, run):
        self._run = run
        self.outputs = run()
        self.replays = 0

    def replay(self):
        self.replays += 1
        for kept, new in zip(self.outputs, self._run(), strict=True):
            kept.copy_(new)


class Recorder:
    """Makes ``Again``s and keeps them; fails from the ``fail_at``-th on."""

    def __init__(self, fail_at=None, error=RuntimeError):
        self.made = []
        self.tries = 0
        self._fail_at = fail_at
        self._error = error

    def __call__(self, run):
        self.tries += 1
        if self.tries == self._fail_at:
            raise self._error("operation not permitted when stream is capturing")
        self.made.append(Again(run))
        return self.made[-1]


def forward(x):
    """Two outputs, rows independent of each other."""
    return x.float().cumsum(-1), x.flatten(1).amax(1)


def graphed(recorder, **changes):
    options = {"name": "test", "record": recorder, "batch_sizes": SIZES, **changes}
    return GraphedForward(options.pop("forward", forward), **options)


def batch(n, *shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8))


def equal(found, x):
    return all(torch.equal(a, b) for a, b in zip(found, forward(x), strict=True))


def test_a_shape_is_recorded_when_it_comes_again():
    recorder = Recorder()
    net = graphed(recorder)
    for use in range(1, 6):
        x = batch(4, 3, 5, seed=use)
        assert equal(net(x), x)
        assert len(recorder.made) == net.recorded == (use >= GRAPH_FROM_USE)
    assert recorder.made[0].replays == 6 - GRAPH_FROM_USE


def test_odd_batches_are_filled_up_and_share_a_recording():
    recorder = Recorder()
    net = graphed(recorder)
    for turn, n in enumerate((8, 5, 6, 7, 8, 5)):
        x = batch(n, 4, seed=turn)
        found = net(x)
        assert [len(output) for output in found] == [n, n]
        assert equal(found, x)
    assert [made.outputs[0].shape for made in recorder.made] == [(8, 4)]


def test_a_batch_larger_than_the_largest_size_is_not_recorded():
    recorder = Recorder()
    net = graphed(recorder)
    for _ in range(4):
        assert equal(net(batch(9, 4)), batch(9, 4))
    assert recorder.tries == 0


def test_the_same_shape_of_another_dtype_is_another_graph():
    recorder = Recorder()
    net = graphed(recorder)
    for x in (batch(2, 4), batch(2, 4).float()) * 3:
        assert equal(net(x), x)
        assert net(x)[1].dtype == x.dtype
    assert len(recorder.made) == 2


def test_outputs_are_those_of_the_latest_call():
    """What the engines must know: a result lies where the next one of that shape will be."""
    net = graphed(Recorder())
    for _ in range(GRAPH_FROM_USE):
        net(batch(2, 4))
    first = net(batch(2, 4, seed=1))
    kept = first[0].clone()
    net(batch(2, 4, seed=2))
    assert equal((first[0], first[1]), batch(2, 4, seed=2))
    assert torch.equal(kept, forward(batch(2, 4, seed=1))[0])


def test_the_input_buffer_has_the_layout_that_was_asked_for():
    seen = []

    def spy(x):
        seen.append(x.is_contiguous(memory_format=torch.channels_last))
        return (x * 2,)

    net = graphed(Recorder(), forward=spy, memory_format=torch.channels_last)
    for _ in range(GRAPH_FROM_USE):
        net(torch.ones(2, 3, 4, 5))  # contiguous, not channels last
    assert seen[0] is False  # eager: as given
    assert all(seen[GRAPH_FROM_USE - 1 :])


def test_the_least_recently_used_goes_and_must_earn_its_place_again():
    recorder = Recorder()
    net = graphed(recorder, max_graphs=2)
    for width in (3, 4):
        for _ in range(GRAPH_FROM_USE):
            net(batch(1, width))
    net(batch(1, 3))  # 4 is now the older one
    for _ in range(GRAPH_FROM_USE):
        net(batch(1, 5))
    assert net.recorded == 2
    made = len(recorder.made)
    net(batch(1, 3))
    net(batch(1, 5))
    assert len(recorder.made) == made
    for use in range(1, GRAPH_FROM_USE + 1):
        assert equal(net(batch(1, 4)), batch(1, 4))
        assert len(recorder.made) == made + (use == GRAPH_FROM_USE)


def test_one_graph_is_recorded_before_the_other_goes():
    """A pool that its last graph has left cannot be recorded into again."""
    alive = []
    net = graphed(lambda run: (alive.append(net.recorded), Again(run))[1], max_graphs=1)
    for width in (3, 4, 5):
        for _ in range(GRAPH_FROM_USE):
            net(batch(1, width))
    assert alive == [0, 1, 1]
    assert net.recorded == 1


def test_many_shapes_that_come_once_are_forgotten():
    recorder = Recorder()
    net = graphed(recorder)
    for width in range(1, 300):
        net(batch(1, width))
    assert recorder.tries == 0
    assert len(net._uses) < 100
    net(batch(1, 299))
    assert recorder.tries == 1


@pytest.mark.parametrize("error", [RuntimeError, torch.OutOfMemoryError])
def test_a_failure_is_told_once_and_everything_goes_on(caplog, error):
    recorder = Recorder(fail_at=2, error=error)
    net = graphed(recorder)
    for _ in range(GRAPH_FROM_USE):
        net(batch(1, 3))
    assert net.failure is None
    with caplog.at_level(logging.WARNING, "rumiai_server"):
        for turn in range(5):
            for width in (3, 4, 5):
                x = batch(2, width, seed=turn)
                assert equal(net(x), x)
    assert net.failure == f"{error.__name__}: operation not permitted when stream is capturing"
    assert net.recorded == 0
    assert recorder.tries == 2
    [record] = caplog.records
    assert "test: no CUDA graphs from here on" in record.getMessage()
    assert "not permitted" in record.getMessage()


def test_an_error_of_the_network_itself_is_not_swallowed():
    def broken(x):
        raise RuntimeError("shapes do not fit")

    net = graphed(Recorder(), forward=broken)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="do not fit"):
            net(batch(1, 3))


@given(
    calls=st.lists(st.tuples(st.integers(0, 10), st.sampled_from([(3,), (4,), (2, 3), (1, 1)])), max_size=30),
    max_graphs=st.integers(1, 4),
    fail_at=st.none() | st.integers(1, 6),
)
def test_whatever_comes_the_answers_are_those_of_the_network(calls, max_graphs, fail_at):
    net = graphed(Recorder(fail_at), max_graphs=max_graphs)
    for turn, (n, shape) in enumerate(calls):
        x = batch(n, *shape, seed=turn)
        before = x.clone()
        assert equal(net(x), x)
        assert torch.equal(x, before)
        assert net.recorded <= max_graphs
        assert not (net.failure and net.recorded)


@pytest.mark.weights
def test_the_detector_sees_the_same_with_its_network_replayed(weights):
    pictures = Path(ultralytics.__file__).parent / "assets"
    images = [cv2.imread(str(pictures / name))[..., ::-1] for name in ("bus.jpg", "zidane.jpg")]
    plain, replaying = (yolo.YoloEngine(weights("yolov8n.onnx"), device="cpu", threads=1) for _ in range(2))
    recorder = Recorder()
    replaying._forward = graphed(recorder, forward=replaying._forward, memory_format=torch.channels_last)
    objects = 0
    for n in (2, 1, 2, 1, 2):
        items = [
            (np.stack([cv2.resize(image, (width, height)) for image in images[:n]]), yolo.YoloParams())
            for height, width in ((320, 180), (180, 320))
        ]
        for expected, found in zip(plain.detect(items), replaying.detect(items), strict=True):
            assert [len(frame) for frame in found] == [len(frame) for frame in expected]
            for a, b in zip(expected, found, strict=True):
                np.testing.assert_array_equal(a.class_ids, b.class_ids)
                np.testing.assert_array_equal(a.boxes, b.boxes)
                np.testing.assert_array_equal(a.scores, b.scores)
                objects += len(a)
    assert objects > 20
    assert len(recorder.made) == 4  # of two sizes in two shapes


class NothingFromTheHost(TorchDispatchMode):
    """Fails when an operation is given a tensor that is not on the meta device: on CUDA that would be a copy."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves((args, kwargs, result)):
            assert not isinstance(tensor, torch.Tensor) or tensor.is_meta, f"{func}: {tensor.device}"
        return result


def test_the_networks_can_be_captured():
    """Neither waits for a value (the meta device has none) nor takes anything from the host."""
    detector = DetectionModel("yolov8n.yaml", verbose=False).fuse(verbose=False).eval().to("meta")
    meta = torch.device("meta")
    craft = ocr_detector._Network(
        ocr_detector._reduce(CRAFT().eval().to("meta"), meta)[0], torch.float32, torch.channels_last, meta
    )
    with torch.inference_mode(), NothingFromTheHost():
        best, logits, sides = yolo.network_outputs(detector, torch.empty(2, 3, 640, 384, device=meta))
        (scores,) = craft(torch.empty(2, 640, 384, 3, dtype=torch.uint8, device=meta))
    anchors = 640 * 384 * (1 / 8**2 + 1 / 16**2 + 1 / 32**2)
    assert (best.shape, logits.shape, sides.shape) == ((2, anchors), (2, anchors, 80), (2, anchors, 64))
    assert scores.shape == (2, 320, 192, 2)
