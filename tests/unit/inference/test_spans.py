"""Which frames go into one request, and what its outputs must be, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.contracts import tensors
from rumiai.contracts.frames import FrameBatch, SharedSpan
from rumiai.errors import ContractError
from rumiai.inference.spans import SharedTensor, check_scores, frame_runs, normalised_xywh, rows_of


def batch_of(n: int, height: int = 2, width: int = 3) -> FrameBatch:
    images = np.arange(n * height * width * 3, dtype=np.uint8).reshape(n, height, width, 3)
    span = SharedSpan("region", "/key", 4096, images.nbytes)
    return FrameBatch(images, np.arange(n) / 2.0, np.arange(n), "sampled", span, lambda: None)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_runs_name_exactly_the_wanted_frames_by_their_place(case):
    n, chosen = case
    batch = batch_of(n)
    runs = frame_runs(batch, sorted(chosen))
    assert [i for run in runs for i in range(run.start, run.stop)] == sorted(chosen)
    for run in runs:
        tensor = run.tensor(batch)
        assert len(tensor.array) == run.stop - run.start <= tensors.MAX_IMAGES_PER_REQUEST
        assert np.shares_memory(tensor.array, batch.images)
        assert tensor.span == SharedSpan("region", "/key", 4096 + run.start * 18, tensor.array.nbytes)


def test_neighbours_share_a_request_up_to_its_limits():
    assert [(r.start, r.stop) for r in frame_runs(batch_of(70))] == [(0, 64), (64, 70)]
    assert [(r.start, r.stop) for r in frame_runs(batch_of(9), [1, 2, 4, 8])] == [(1, 3), (4, 5), (8, 9)]
    assert frame_runs(batch_of(9), []) == []


@pytest.mark.parametrize("indices", [[1, 1], [2, 1], [-1], [9]])
def test_indices_that_are_none_are_refused(indices):
    with pytest.raises(ValueError, match="expected ascending ones below 9"):
        frame_runs(batch_of(9), indices)


def test_a_shared_tensor_is_what_its_span_says():
    with pytest.raises(ValueError, match="span of 1 bytes for 4 bytes"):
        SharedTensor(np.zeros(4, np.uint8), SharedSpan("r", "/k", 0, 1))
    with pytest.raises(ValueError, match="not C-contiguous"):
        SharedTensor(np.zeros((4, 4), np.uint8)[:, ::2])


def test_boxes_are_normalised_and_clipped():
    corners = np.array([[10, 20, 30, 60], [-5, -5, 205, 105], [200, 100, 300, 300]], np.float32)
    expected = [[0.05, 0.2, 0.1, 0.4], [0, 0, 1, 1], [1, 1, 0, 0]]
    np.testing.assert_allclose(normalised_xywh(corners, height=100, width=200), expected, atol=1e-7)
    assert normalised_xywh(np.zeros((0, 4), np.float32), 100, 200).shape == (0, 4)


def outputs(n: int = 2, m: int = 3, counts: tuple[int, ...] = (3, 0)) -> dict[str, np.ndarray]:
    return {
        "BOXES": np.zeros((n, m, 4), np.float32),
        "SCORES": np.zeros((n, m), np.float32),
        "CLASS_IDS": np.zeros((n, m), np.int32),
        "COUNTS": np.array(counts, np.int32)[:, None],
    }


def test_rows_are_counted_after_the_shapes_agree():
    assert rows_of(outputs(), tensors.YOLO, 2) == [3, 0]
    with pytest.raises(ContractError, match=r"BOXES of shape \(2, 3, 4\), expected \(1, 3\)"):
        rows_of(outputs(), tensors.YOLO, 1)
    with pytest.raises(ContractError, match=r"SCORES of shape \(2, 4\)"):
        rows_of({**outputs(), "SCORES": np.zeros((2, 4), np.float32)}, tensors.YOLO, 2)
    for counts in ((4, 0), (-1, 0)):
        with pytest.raises(ContractError, match=r"expected each within 0\.\.3"):
            rows_of(outputs(counts=counts), tensors.YOLO, 2)


@pytest.mark.parametrize("score", [-0.1, 1.1, np.nan])
def test_scores_that_are_none_are_refused(score):
    check_scores(np.array([0.0, 1.0]), "yolo")
    check_scores(np.array([]), "yolo")
    with pytest.raises(ContractError, match="expected all within"):
        check_scores(np.array([0.5, score]), "yolo")
