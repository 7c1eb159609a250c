"""What the client does without a server: runs of frames, boxes, contrasts, and finding the token."""

from __future__ import annotations

import asyncio
import json
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.contracts import tensors
from rumiai.contracts.frames import FrameBatch, SharedSpan
from rumiai.core.processes import ProcessIdentity
from rumiai.errors import ConfigurationError, ContractError
from rumiai.inference.client import TritonClient
from rumiai.inference.ocr import CAPTIONS, box_contrasts, read_texts
from rumiai.inference.server_file import read_server_file
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


class CountingClient(TritonClient):
    """Finds one text on every frame, named by the frame's first value, and sees how many requests wait at once."""

    def __init__(self):
        self.sizes, self.now, self.most = [], 0, 0

    async def infer(self, spec, inputs, parameters=None):
        images = inputs["IMAGES"].array
        self.sizes.append(len(images))
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        n = len(images)
        return {
            "TEXTS": np.array([[str(image[0, 0, 0]).encode()] for image in images], object),
            "QUADS": np.zeros((n, 1, 4, 2), np.float32),
            "SCORES": np.full((n, 1), 0.5, np.float32),
            "COUNTS": np.ones((n, 1), np.int32),
        }


def test_a_video_has_one_request_of_a_batch_at_ocr():
    client, batch = CountingClient(), batch_of(8)
    found = asyncio.run(read_texts(client, batch, CAPTIONS, [0, 2, 3, 4, 7]))
    assert (client.sizes, client.most) == ([1, 3, 1], 1)
    assert [frame.frame_number for frame in found] == [0, 2, 3, 4, 7]
    assert [frame.texts for frame in found] == [(str(batch.images[i, 0, 0, 0]),) for i in (0, 2, 3, 4, 7)]


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


def test_contrast_is_the_spread_of_the_luminance_in_the_box():
    image = np.zeros((100, 200, 3), np.uint8)
    image[:50, :100] = (255, 0, 0)  # luminance 76.245
    image[:50, 100:] = 255
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0, 1, 0.5], [0.5, 0, 0.5, 1], [0.999, 0.999, 0, 0]], np.float32)
    expected = [0, 1 - 0.299, 1, 0]
    np.testing.assert_allclose(box_contrasts(image, boxes), expected, atol=1e-6)
    assert box_contrasts(image, np.zeros((0, 4), np.float32)).shape == (0,)


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


@pytest.mark.parametrize("url", ["", "localhost", "localhost:", ":8001", "localhost:99999", "http://localhost:8000"])
def test_addresses_that_are_none_are_refused(url):
    with pytest.raises(ConfigurationError, match=r"server: got .*, expected"):
        TritonClient(url)


@pytest.fixture
def server_file(tmp_path, monkeypatch):
    """A valid file for port 8001; returns its path."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    path = tmp_path / "run/rumiai/8001.json"
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    own = str(ProcessIdentity.own())
    path.write_text(json.dumps({"grpc": "127.0.0.1:8001", "http": "127.0.0.1:8000", "token": "t", "owner": own}))
    return path


def test_the_token_is_found_by_port_on_loopback_only(server_file):
    found = read_server_file("127.0.0.1:8001")
    assert found is not None
    assert (found.token, found.http) == ("t", "127.0.0.1:8000")
    assert "'t'" not in repr(found)
    assert read_server_file("127.0.0.1:8002") is None
    assert read_server_file("example.org:8001") is None


def test_the_cache_folder_is_looked_in_too(server_file, tmp_path, monkeypatch):
    folder = tmp_path / ".cache/rumiai/run"
    folder.mkdir(parents=True)
    server_file.rename(folder / "8001.json")
    assert read_server_file("localhost:8001") is not None
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert read_server_file("localhost:8001") is not None


def test_a_file_that_others_can_read_is_not_trusted(server_file, caplog):
    server_file.chmod(0o644)
    assert read_server_file("127.0.0.1:8001") is None
    assert "not private" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"grpc": "x"}', '{"grpc": 1, "http": 1, "token": 1, "owner": 7}'])
def test_a_file_that_cannot_be_read_is_reported(server_file, caplog, text):
    server_file.write_text(text)
    assert read_server_file("127.0.0.1:8001") is None
    assert "cannot be read" in caplog.text


def test_the_file_of_a_server_that_has_ended_is_no_token(server_file):
    with subprocess.Popen(["sleep", "60"]) as child:
        owner = ProcessIdentity.of(child.pid)
        child.kill()
    server_file.write_text(json.dumps({"grpc": "127.0.0.1:8001", "http": None, "token": "t", "owner": str(owner)}))
    assert read_server_file("127.0.0.1:8001") is None
