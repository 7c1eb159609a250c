"""The client against a real Triton whose two models compute something simple from the pixels they are sent."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import socket
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rumiai.contracts import tensors
from rumiai.contracts.frames import FrameBatch, SharedSpan
from rumiai.errors import ContractError, MLError, ServerError
from rumiai.inference.client import TritonClient
from rumiai.inference.ocr import ReadParams, read_texts
from rumiai.inference.spans import SharedTensor
from rumiai.inference.yolo import DetectionParams, detect
from rumiai_server.address import ServerAddress
from rumiai_server.launch import running
from rumiai_server.serve_config import ServeConfig

pytestmark = pytest.mark.server

# "Detects" the bright part of each picture; score and class are the request's conf and max_det.
YOLO_MODEL = """
import json, time
import numpy as np
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        images = pb.get_input_tensor_by_name(request, "IMAGES").as_numpy()
        given = json.loads(request.parameters() or "{}")
        conf, max_det = float(given.get("conf", 0.25)), int(given.get("max_det", 300))
        if max_det == 999:
            open(given.get("started", "/dev/null"), "a").close()
            time.sleep(2)
        if conf == 1.0:
            return pb.InferenceResponse(error=pb.TritonError("conf 1.0 finds nothing", pb.TritonError.INVALID_ARG))
        found = []
        for image in images:
            y, x = np.nonzero(image[..., 0])
            found.append([[x.min(), y.min(), x.max() + 1, y.max() + 1]] if len(x) else [])
        m = max(map(len, found))
        boxes = np.zeros((len(images), m, 4), np.float32)
        for row, box in zip(boxes, found):
            row[: len(box)] = np.array(box, np.float32).reshape(-1, 4)
        scores = np.full((len(images), m), conf, np.float32)
        return pb.InferenceResponse([
            pb.Tensor("BOXES", boxes),
            pb.Tensor("SCORES", scores),
            pb.Tensor("CLASS_IDS", np.full((len(images), m), max_det, np.int32)),
            pb.Tensor("COUNTS", np.array([[len(f)] for f in found], np.int32)),
        ])
"""

# "Reads" the value of the first bright pixel, the number of frames of the request, and the parameters.
OCR_MODEL = """
import json
import numpy as np
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        images = pb.get_input_tensor_by_name(request, "IMAGES").as_numpy()
        given = json.loads(request.parameters() or "{}")
        texts, quads = [], []
        for image in images:
            y, x = np.nonzero(image[..., 0])
            if not len(x):  # the trial request
                y = x = np.zeros(1, int)
            texts.append([f"caf\\u00e9 {image[y[0], x[0], 0]} of {len(images)} {sorted(given.items())}".encode()])
            left, top, right, bottom = x.min(), y.min(), x.max() + 1, y.max() + 1
            # a tilted line: its left end hangs over the frame
            quads.append([[[left - 9, top], [right, top], [right, bottom], [left, bottom]]])
        return pb.InferenceResponse([
            pb.Tensor("QUADS", np.array(quads, np.float32)),
            pb.Tensor("TEXTS", np.array(texts, dtype=np.object_)),
            pb.Tensor("SCORES", np.full((len(images), 1), 0.5, np.float32)),
            pb.Tensor("COUNTS", np.ones((len(images), 1), np.int32)),
            pb.Tensor("CHAR_POSITIONS", np.zeros((len(images), 1, 0), np.float32)),
            pb.Tensor("UNREAD_QUADS", np.zeros((len(images), 0, 4, 2), np.float32)),
            pb.Tensor("UNREAD_SCRIPTS", np.zeros((len(images), 0), np.object_)),
            pb.Tensor("UNREAD_SCORES", np.zeros((len(images), 0), np.float32)),
            pb.Tensor("UNREAD_COUNTS", np.zeros((len(images), 1), np.int32)),
        ])
"""


SLOW = {"conf": 0.5, "max_det": 999}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ServerAddress]:
    """Triton with the two models above, its server file in a folder of its own."""
    repository = tmp_path_factory.mktemp("repository")
    for spec, source in ((tensors.YOLO, YOLO_MODEL), (tensors.OCR, OCR_MODEL)):
        folder = repository / spec.model / "1"
        folder.mkdir(parents=True)
        (folder / "model.py").write_text(textwrap.dedent(source))
        lines = [f'name: "{spec.model}" backend: "python" max_batch_size: {spec.max_batch_size}']
        for kind, group in (("input", spec.inputs), ("output", spec.outputs)):
            for tensor in group:
                dtype = {"BYTES": "STRING"}.get(tensor.dtype, tensor.dtype)
                lines.append(
                    f'{kind} [ {{ name: "{tensor.name}" data_type: TYPE_{dtype} dims: {list(tensor.dims)} }} ]'
                )
        (folder.parent / "config.pbtxt").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        config = ServeConfig(models=("yolo", "ocr"), device="cpu", repository=repository)
        with running(config, threading.Event()) as found:
            yield found.address


@pytest.fixture
def batch() -> Iterator[FrameBatch]:
    """Six 60 x 100 frames in shared memory, at an offset; frame i has a bright box at x = 10 i that is i + 1 bright."""
    offset, shape = 4096, (6, 60, 100, 3)
    key = f"/rumiai-test-{os.getpid()}-{secrets.token_hex(4)}"
    path = Path("/dev/shm") / key[1:]
    region = np.memmap(path, np.uint8, "w+", shape=(offset + int(np.prod(shape)),))
    images = region[offset:].reshape(shape)
    for i, image in enumerate(images):
        image[20:40, 10 * i : 10 * i + 25] = i + 1
    images.flags.writeable = False
    yield FrameBatch(
        images=images,
        timestamps_s=np.arange(6) / 2,
        frame_numbers=np.arange(6) * 15,
        kind="sampled",
        span=SharedSpan(key[1:], key, offset, images.nbytes),
        release=lambda: None,
    )
    path.unlink()


def in_session(address: ServerAddress, work, **options):
    """Run ``work(client)`` with a client that finds the token by itself."""

    async def session():
        async with TritonClient.connect(address.grpc, **options) as client:
            await client.wait_ready(["yolo", "ocr"], 10)
            return await work(client)

    return asyncio.run(session())


async def register(client: TritonClient, batch: FrameBatch) -> bool:
    return await client.register(batch.span.region, batch.span.key, batch.span.offset_bytes + batch.span.size_bytes)


def spoil_bytes(batch: FrameBatch) -> SharedTensor:
    """The same span with other bytes beside it: shows which of the two the server was sent."""
    return SharedTensor(np.zeros_like(batch.images), batch.span)


def test_metadata_names_the_server(server):
    found = in_session(server, lambda client: client.metadata())
    assert found["name"] == "triton"
    assert "system_shared_memory" in found["extensions"]


def test_detections_by_reference_are_normalised_and_carry_time_and_parameters(server, batch):
    async def work(client):
        assert await register(client, batch)
        found = await detect(client, batch, DetectionParams(conf=0.3, max_det=7))
        await client.unregister(batch.span.region)
        return found

    found = in_session(server, work)
    assert [f.timestamp_s for f in found] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert [f.frame_number for f in found] == [0, 15, 30, 45, 60, 75]
    for i, frame in enumerate(found):
        np.testing.assert_allclose(frame.boxes, [[0.1 * i, 1 / 3, 0.25, 1 / 3]], atol=1e-6)
        assert frame.boxes.dtype == np.float32
        assert frame.scores.tolist() == [pytest.approx(0.3)]
        assert frame.class_ids.tolist() == [7]


def test_registered_frames_travel_by_reference_and_others_as_bytes(server, batch):
    async def work(client):
        parameters = {"conf": 0.5, "max_det": 1}
        as_bytes = await client.infer(tensors.YOLO, {"IMAGES": spoil_bytes(batch)}, parameters)
        assert await register(client, batch)
        by_reference = await client.infer(tensors.YOLO, {"IMAGES": spoil_bytes(batch)}, parameters)
        await client.unregister(batch.span.region)
        return as_bytes["COUNTS"].ravel().tolist(), by_reference["COUNTS"].ravel().tolist()

    assert in_session(server, work) == ([0] * 6, [1] * 6)


def test_nothing_found_is_an_empty_answer(server, batch):
    async def work(client):
        outputs = await client.infer(
            tensors.YOLO, {"IMAGES": np.zeros((2, 8, 8, 3), np.uint8)}, {"conf": 0.5, "max_det": 1}
        )
        return {name: array.shape for name, array in outputs.items()}

    assert in_session(server, work) == {"BOXES": (2, 0, 4), "SCORES": (2, 0), "CLASS_IDS": (2, 0), "COUNTS": (2, 1)}


def test_texts_of_some_frames_are_sent_as_runs_of_neighbours(server, batch):
    async def work(client):
        assert await register(client, batch)
        found = await read_texts(client, batch, ReadParams(canvas_size=640, mag_ratio=1.5), indices=[0, 1, 4])
        await client.unregister(batch.span.region)
        return found

    found = in_session(server, work)
    parameters = [("canvas_size", 640), ("engine", "auto"), ("mag_ratio", 1.5), ("mode", "fast")]
    assert [f.texts for f in found] == [
        (f"café 1 of 2 {parameters}",),
        (f"café 2 of 2 {parameters}",),
        (f"café 5 of 1 {parameters}",),
    ]
    assert [f.frame_number for f in found] == [0, 15, 60]
    assert {f.origin for f in found} == {"read"}
    # frame 0: the corner at x = -9 is clipped; frame 4: x from 31 to 65
    np.testing.assert_allclose(found[0].boxes, [[0.0, 1 / 3, 0.25, 1 / 3]], atol=1e-6)
    np.testing.assert_allclose(found[2].boxes, [[0.31, 1 / 3, 0.34, 1 / 3]], atol=1e-6)
    # all of frame 0's box is equally bright; 9 of frame 4's 34 columns are black
    assert found[0].contrasts.tolist() == [0.0]
    assert found[2].contrasts.tolist() == [pytest.approx(5 / 255)]


def test_without_a_token_frames_travel_as_bytes_with_one_warning(server, batch, caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    async def work(client):
        registered = [await register(client, batch), await register(client, batch)]
        return registered, await detect(client, batch, DetectionParams(max_det=7))

    with caplog.at_level(logging.WARNING):
        registered, found = in_session(server, work)
    assert registered == [False, False]
    assert [len(f.boxes) for f in found] == [1] * 6
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 1
    assert "wants a token" in warnings[0]


def test_memory_that_is_not_there_travels_as_bytes_with_the_servers_reason(server, caplog):
    with caplog.at_level(logging.WARNING):
        assert not in_session(server, lambda client: client.register("nowhere", "/rumiai-test-nowhere", 4096))
    assert "nowhere" in caplog.text


def test_more_than_grpcs_own_four_megabytes(server):
    async def work(client):
        images = np.ones((8, 720, 1280, 3), np.uint8)
        return await client.infer(tensors.YOLO, {"IMAGES": images}, {"conf": 0.5, "max_det": 1})

    assert in_session(server, work)["BOXES"].tolist() == [[[0, 0, 1280, 720]]] * 8


def test_a_refusal_carries_the_models_words(server, batch):
    with pytest.raises(MLError, match=r"yolo .*conf 1\.0 finds nothing"):
        in_session(server, lambda client: detect(client, batch, DetectionParams(conf=1.0)))


def test_an_answer_that_cannot_be_is_not_taken(server, batch):
    with pytest.raises(ContractError, match=r"yolo returned classes \[300\], expected COCO's 0\.\.79"):
        in_session(server, lambda client: detect(client, batch, DetectionParams(max_det=300)))


def test_too_slow_is_the_servers_fault(server, batch):
    with pytest.raises(ServerError, match=r"limit 0\.3 s.*no answer in time"):
        in_session(server, lambda client: detect(client, batch, DetectionParams(max_det=999)), timeout_s=0.3)


def test_a_region_that_the_server_has_lost_is_the_servers_fault(server, batch):
    async def work(client):
        assert await register(client, batch)
        async with TritonClient.connect(server.grpc) as other:
            await other.unregister(batch.span.region)
            await other.unregister(batch.span.region)  # not there any more: nothing to do
        await detect(client, batch, DetectionParams())

    with pytest.raises(ServerError, match="shared memory region"):
        in_session(server, work)


def test_unregistering_waits_for_requests_that_use_the_region(server, batch, tmp_path):
    started = tmp_path / "started"

    async def work(client):
        assert await register(client, batch)
        pictures = {"IMAGES": SharedTensor(batch.images, batch.span)}
        slow = asyncio.create_task(client.infer(tensors.YOLO, pictures, {**SLOW, "started": str(started)}))
        while not started.exists():
            assert not slow.done()
            await asyncio.sleep(0.05)
        await client.unregister(batch.span.region)
        return (await slow)["COUNTS"].ravel().tolist()

    assert in_session(server, work) == [1] * 6


def test_models_that_are_not_served_are_named(server):
    async def waiting():
        async with TritonClient.connect(server.grpc) as client:
            await client.wait_ready(["yolo", "whisper"], 0.5)

    with pytest.raises(ServerError, match="whisper not ready after"):
        asyncio.run(waiting())

    async def asking(client):
        await client.infer(tensors.WHISPER, {"AUDIO": np.zeros((1, 160), np.float32)})

    with pytest.raises(ServerError, match="unknown model"):
        in_session(server, asking)


def test_a_server_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"

    async def run(work):
        async with TritonClient.connect(address) as client:
            await work(client)

    with pytest.raises(ServerError, match="server not ready after"):
        asyncio.run(run(lambda client: client.wait_ready(["yolo"], 0.3)))
    with pytest.raises(ServerError, match="gone or not ready"):
        asyncio.run(run(lambda client: client.metadata()))
    with pytest.raises(ServerError, match="gone or not ready"):
        asyncio.run(run(lambda client: client.register("r", "/rumiai-test-r", 4096)))


def test_inputs_are_checked_before_they_travel(server):
    def sending(inputs):
        return lambda client: client.infer(tensors.YOLO, inputs)

    with pytest.raises(ContractError, match=r"got inputs \['AUDIO'\], expected \['IMAGES'\]"):
        in_session(server, sending({"AUDIO": np.zeros(1)}))
    with pytest.raises(
        ContractError, match=r"got input IMAGES float32 \(1, 8, 8, 3\), expected UINT8 \(n, any, any, 3\)"
    ):
        in_session(server, sending({"IMAGES": np.zeros((1, 8, 8, 3), np.float32)}))


def test_the_server_file_was_private_and_named_the_server(server):
    path = Path(os.environ["XDG_RUNTIME_DIR"]) / "rumiai" / f"{server.grpc.rpartition(':')[2]}.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["grpc"] == server.grpc
