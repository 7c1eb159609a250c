"""Requests that are wrong, absurd or forged: a clear refusal each, and the next good request is answered."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from rumiai.contracts.tensors import (
    ACCESS_TOKEN_HEADER,
    AUDIO_SAMPLE_RATE_HZ,
    MAX_AUDIO_S,
    MAX_REQUEST_BYTES,
    OCR,
    WHISPER,
    YOLO,
    EndpointSpec,
)

from ..conftest import RunningServer
from .calling import by_grpc, by_http, region

pytestmark = pytest.mark.server

RANDOM = np.random.default_rng(1).bytes(4096)
IMAGE = np.full((1, 64, 64, 3), 90, np.uint8)
AUDIO = np.zeros((1, 1600), np.float32)


@pytest.fixture
def client(triton_server) -> Iterator[Any]:
    with contextlib.closing(triton_grpc.InferenceServerClient(triton_server.grpc)) as found:
        yield found


@pytest.fixture(autouse=True)
def _a_good_request_still_works(triton_server: RunningServer) -> Iterator[None]:
    """After every test of this file."""
    yield
    answer = by_grpc(triton_server, YOLO, IMAGE, {})
    assert answer["COUNTS"].tolist() == [[0]]


def tensor(name: str, array: np.ndarray, dtype: str) -> Any:
    assert array.dtype == triton_to_np_dtype(dtype)
    wire = triton_grpc.InferInput(name, list(array.shape), dtype)
    wire.set_data_from_numpy(array)
    return wire


# Triton checks these against the config before our code sees them; it says what it got and what it expected.
SHAPES = {
    "dtype": (IMAGE.astype(np.float32), "FP32", r"data-type is 'FP32', but model '{model}' expects 'UINT8'"),
    "rank": (IMAGE[0], "UINT8", r"Expected \[-1,-1,-1,3\], got \[64,64,3\]"),
    "channels": (np.zeros((1, 64, 64, 4), np.uint8), "UINT8", r"Expected \[-1,-1,-1,3\], got \[1,64,64,4\]"),
    "no frames": (IMAGE[:0], "UINT8", r"byte size mismatch .*Expected 12288, got 0"),
    "65 frames": (np.zeros((65, 8, 8, 3), np.uint8), "UINT8", r"batch-size must be <= 64 for '{model}'"),
    "no pixels": (IMAGE[:, :, :0], "UINT8", r"got 0 x 64 px, expected each side within 8\.\.4096 px"),
    "too small": (np.zeros((1, 7, 64, 3), np.uint8), "UINT8", r"got 64 x 7 px, expected each side within 8\.\.4096"),
    "too wide": (np.zeros((1, 8, 4097, 3), np.uint8), "UINT8", r"got 4097 x 8 px, expected each side within 8\.\.4096"),
}


@pytest.mark.parametrize("spec", [YOLO, OCR], ids=["yolo", "ocr"])
@pytest.mark.parametrize("case", SHAPES)
def test_pictures_of_a_wrong_kind(client, spec, case):
    array, dtype, message = SHAPES[case]
    with pytest.raises(InferenceServerException, match=message.format(model=spec.model)) as failure:
        client.infer(spec.model, [tensor("IMAGES", np.ascontiguousarray(array), dtype)])
    assert failure.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_more_bytes_than_a_request_may_have(client):
    images = np.zeros((11, 4096, 4096, 3), np.uint8)
    assert images.nbytes > MAX_REQUEST_BYTES
    with pytest.raises(
        InferenceServerException,
        match=rf"got 11 pictures of {images.nbytes} bytes in all, expected .* at most {MAX_REQUEST_BYTES} bytes",
    ):
        client.infer("yolo", [tensor("IMAGES", images, "UINT8")])


def with_sample(value: float) -> np.ndarray:
    track = AUDIO.copy()
    track[0, 7] = value
    return track


TRACKS = {
    "nan": (with_sample(np.nan), "FP32", "got NaN or infinite samples, expected finite ones within -1..1"),
    "infinite": (with_sample(-np.inf), "FP32", "got NaN or infinite samples"),
    "not scaled": (with_sample(-3000.0), "FP32", r"got a peak of 3000, expected -1\.\.1 \(divide 16-bit samples by"),
    "two tracks": (np.zeros((2, 1600), np.float32), "FP32", r"got shape \(2, 1600\), expected \(1, samples\): one"),
    "empty": (AUDIO[:, :0], "FP32", r"got 0 samples, expected 1\.\.57600000 \(3600 s at 16 kHz\)"),
    "integers": (AUDIO.astype(np.int16), "INT16", "data-type is 'INT16', but model 'whisper' expects 'FP32'"),
    "no batch axis": (AUDIO[0], "FP32", "batch-size must be <= 16"),
    "stereo": (AUDIO.reshape(1, 2, 800), "FP32", r"Expected \[-1,-1\], got \[1,2,800\]"),
}


@pytest.mark.parametrize("case", TRACKS)
def test_audio_of_a_wrong_kind(client, case):
    array, dtype, message = TRACKS[case]
    with pytest.raises(InferenceServerException, match=message) as failure:
        client.infer("whisper", [tensor("AUDIO", array, dtype)])
    assert failure.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_audio_longer_than_an_hour(client):
    samples = int(MAX_AUDIO_S) * AUDIO_SAMPLE_RATE_HZ + 1
    with pytest.raises(InferenceServerException, match=rf"got {samples} samples, expected 1\.\.{samples - 1}"):
        client.infer("whisper", [tensor("AUDIO", np.zeros((1, samples), np.float32), "FP32")])


PARAMETERS: list[tuple[EndpointSpec, dict[str, Any], str]] = [
    (YOLO, {"conf": 5}, r"conf: got 5\.0, expected a number from 0 to 1"),
    (YOLO, {"conf": "nan"}, "parameter conf: got 'nan', expected a finite number"),
    (YOLO, {"conf": True}, "parameter conf: got True, expected a finite number"),
    (YOLO, {"iou": "x"}, "parameter iou: got 'x', expected a number"),
    (YOLO, {"max_det": 0}, "max_det: got 0, expected an integer from 1 to 1000"),
    (YOLO, {"max_det": "2.5"}, "parameter max_det: got '2.5', expected a whole number"),
    (YOLO, {"mode": "turbo"}, "mode: got 'turbo', expected 'fast' or 'strict'"),
    (YOLO, {"mode": 1}, "mode: got 1, expected 'fast' or 'strict'"),
    (YOLO, {"languages": "en"}, "unknown request parameter languages; known: conf, iou, max_det, mode"),
    (OCR, {"mode": "turbo"}, "mode: got 'turbo', expected one of fast, strict"),
    (OCR, {"canvas_size": 10**9}, "canvas_size: got 1000000000, expected a whole number from 32 to 2560"),
    (OCR, {"canvas_size": -1}, "canvas_size: got -1, expected a whole number from 32"),
    (OCR, {"mag_ratio": "-inf"}, "parameter mag_ratio: got '-inf', expected a finite number"),
    (OCR, {"width_ths": -1}, r"width_ths: got -1\.0, expected a number from 0"),
    (OCR, {"slope_ths": "steep"}, "parameter slope_ths: got 'steep', expected a number"),
    (OCR, {"conf": 1}, "unknown request parameter conf; known: engine, mode, canvas_size, mag_ratio, slope_ths, "),
    (WHISPER, {"language": "klingon"}, "language: got 'klingon', expected one of Whisper's 100 codes"),
    (WHISPER, {"language": 5}, "language: got 5, expected one of Whisper's"),
    (WHISPER, {"task": "sing"}, "task: got 'sing', expected one of transcribe, translate"),
    (WHISPER, {"word_timestamps": "perhaps"}, "word_timestamps: got 'perhaps', expected true or false"),
]


@pytest.mark.parametrize("call", [by_grpc, by_http], ids=["grpc", "http"])
@pytest.mark.parametrize(
    ("spec", "parameters", "message"), PARAMETERS, ids=[f"{s.model}-{p}" for s, p, _ in PARAMETERS]
)
def test_absurd_parameters(triton_server, spec, parameters, message, call):
    with pytest.raises(InferenceServerException, match=message) as failure:
        call(triton_server, spec, AUDIO if spec is WHISPER else IMAGE, parameters)
    assert failure.value.status() in ("StatusCode.INVALID_ARGUMENT", "400")


def test_names_that_are_not_there(client):
    good = tensor("IMAGES", IMAGE, "UINT8")
    with pytest.raises(InferenceServerException, match="unknown model: 'yolo9'"):
        client.infer("yolo9", [good])
    with pytest.raises(InferenceServerException, match="unexpected inference input 'PICTURES' for model 'yolo'"):
        client.infer("yolo", [tensor("PICTURES", IMAGE, "UINT8")])
    with pytest.raises(InferenceServerException, match="unexpected inference output 'MASKS' for model 'yolo'"):
        client.infer("yolo", [good], outputs=[triton_grpc.InferRequestedOutput("MASKS")])


def test_a_bad_request_in_a_batch_costs_the_others_nothing(client):
    results: queue.Queue[Any] = queue.Queue()
    for i in range(6):
        client.async_infer(
            "yolo",
            [tensor("IMAGES", IMAGE, "UINT8")],
            lambda result, error: results.put(error or result),
            parameters={"conf": 7} if i == 2 else {},
        )
    answers = [results.get(timeout=60) for _ in range(6)]
    refused = [answer for answer in answers if isinstance(answer, InferenceServerException)]
    assert len(refused) == 1
    assert "conf: got 7.0, expected a number from 0 to 1" in str(refused[0])


GUARDED = {
    "register": lambda client: client.register_system_shared_memory("r", "/r", 4096),
    "register cuda": lambda client: client.register_cuda_shared_memory("r", b"AAAA", 0, 4096),
    "unregister": lambda client: client.unregister_system_shared_memory(),
    "list": lambda client: client.get_system_shared_memory_status(),
    "unload": lambda client: client.unload_model("yolo"),
    "load": lambda client: client.load_model("yolo"),
    "index": lambda client: client.get_model_repository_index(),
    "statistics": lambda client: client.get_inference_statistics("yolo"),
    "trace": lambda client: client.update_trace_settings("yolo", {"trace_file": ["/tmp/trace"]}),
    "logging": lambda client: client.update_log_settings({"log_file": "/tmp/log"}),
}


@pytest.mark.parametrize("protocol", GUARDED)
def test_without_the_token_guarded_protocols_are_closed(client, protocol):
    with pytest.raises(InferenceServerException, match="This protocol is restricted, expecting header"):
        GUARDED[protocol](client)


def test_a_wrong_token_is_no_token(client):
    with pytest.raises(InferenceServerException, match="This protocol is restricted"):
        client.get_system_shared_memory_status(headers={ACCESS_TOKEN_HEADER: "guessed"})


def test_over_http_the_same_protocols_are_closed(triton_server):
    for path in ("systemsharedmemory/status", "models/stats", "logging", "trace/setting"):
        status, text = ask(triton_server, "GET", f"/v2/{path}")
        assert status == 403
        assert b"This API is restricted, expecting header 'triton-access-token'" in text
    assert ask(triton_server, "POST", "/v2/repository/models/yolo/unload")[0] == 403


@pytest.mark.parametrize(
    ("key", "size", "offset"),
    [
        ("/rumiai-test-not-there", 4096, 0),
        ("/../etc/passwd", 64, 0),
        ("../../etc/passwd", 64, 0),
        ("", 4096, 0),
        ("REGION", 1 << 40, 0),
        ("REGION", 2**64 - 1, 0),
        ("REGION", 4096, 1 << 40),
        ("REGION", 4096, 2**64 - 4096),
        ("REGION", 0, 0),
    ],
)
def test_forged_regions_are_not_mapped(triton_server, client, key, size, offset):
    headers = {ACCESS_TOKEN_HEADER: triton_server.token}
    path = Path(f"/dev/shm/rumiai-test-{os.getpid()}-forged")
    path.write_bytes(bytes(16384))
    try:
        with pytest.raises(InferenceServerException, match=r"Unable to open|failed to register"):
            client.register_system_shared_memory(
                "forged", key.replace("REGION", f"/{path.name}"), size, offset, headers=headers
            )
    finally:
        path.unlink()
    registered = client.get_system_shared_memory_status(as_json=True, headers=headers).get("regions", {})
    assert "forged" not in registered


@pytest.mark.parametrize(
    ("offset", "size", "shape", "message"),
    [
        (4097, 12288, (1, 64, 64, 3), "Invalid offset"),
        (1 << 40, 12288, (1, 64, 64, 3), "Invalid offset"),
        (2**63 - 1, 12288, (1, 64, 64, 3), "Invalid offset"),
        (0, 100, (1, 64, 64, 3), "Expected 12288, got 100"),
        (0, 16384, (1, 64, 64, 3), "Expected 12288, got 16384"),
        (0, 0, (1, 64, 64, 3), "Invalid offset"),
        (0, 16384, (1, 1000, 1000, 3), "Expected 3000000, got 16384"),
    ],
)
def test_forged_spans_are_not_read(triton_server, client, offset, size, shape, message):
    with region(triton_server, bytes(16384)) as name:
        wire = triton_grpc.InferInput("IMAGES", list(shape), "UINT8")
        wire.set_shared_memory(name, size, offset)
        with pytest.raises(InferenceServerException, match=message):
            client.infer("yolo", [wire])


def test_regions_that_nobody_registered_and_answers_too_long_for_theirs(triton_server, client):
    wire = triton_grpc.InferInput("IMAGES", [1, 64, 64, 3], "UINT8")
    wire.set_shared_memory("nobodys", 12288, 0)
    with pytest.raises(InferenceServerException, match="Unable to find shared memory region: 'nobodys'"):
        client.infer("yolo", [wire])
    with region(triton_server, bytes(4096)) as name:
        output = triton_grpc.InferRequestedOutput("COUNTS")
        output.set_shared_memory(name, 2, 0)
        with pytest.raises(InferenceServerException, match=r"'COUNTS' \(2 bytes\) should be at least 4 bytes"):
            client.infer("yolo", [tensor("IMAGES", IMAGE, "UINT8")], outputs=[output])


def ask(server: RunningServer, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.http, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read()


HEAD = json.dumps(
    {
        "inputs": [
            {"name": "IMAGES", "shape": [1, 8, 8, 3], "datatype": "UINT8", "parameters": {"binary_data_size": 192}}
        ]
    }
).encode()
TEXT = json.dumps(
    {"inputs": [{"name": "IMAGES", "shape": [1, 8, 8, 3], "datatype": "UINT8", "data": [9] * 192}]}
).encode()
BODIES: dict[str, tuple[bytes, dict[str, str], str]] = {
    "empty": (b"", {}, "can not be deduced"),
    "truncated JSON": (TEXT[:100], {}, "failed to parse the request JSON buffer"),
    "random bytes": (b"\x00\xff" + RANDOM[:2000], {}, "failed to parse the request JSON buffer"),
    "a hundred thousand brackets": (b"[" * 100_000, {}, "failed to parse"),
    "a list": (b"[]", {}, "Unable to parse 'inputs'"),
    "no inputs": (b"{}", {}, "Unable to parse 'inputs'"),
    "too few numbers": (TEXT.replace(b"[9, 9,", b"["), {}, "Shape does not match true shape of 'data' field"),
    "text for numbers": (TEXT.replace(b"[9,", b'["x",'), {}, "Unable to parse 'data'"),
    "negative shape": (TEXT.replace(b"[1, 8, 8, 3]", b"[1, -8, -8, 3]"), {}, "Unable to parse 'shape'"),
    "truncated pixels": (HEAD + bytes(100), {"Inference_Header_Content_Length": str(len(HEAD))}, "expecting 92 addit"),
    "too many pixels": (HEAD + bytes(300), {"Inference_Header_Content_Length": str(len(HEAD))}, "additional input"),
    "header beyond the body": (HEAD + bytes(192), {"Inference_Header_Content_Length": "1000000000"}, "should be in ra"),
    "header of no length": (HEAD + bytes(192), {"Inference_Header_Content_Length": "-5"}, "should be in range"),
    "header cut": (HEAD + bytes(192), {"Inference_Header_Content_Length": "10"}, "failed to parse"),
    "not gzip": (b"not gzip", {"Content_Encoding": "gzip"}, "can not be deduced"),
}


@pytest.mark.parametrize("case", BODIES)
def test_garbage_over_http(triton_server, case):
    body, headers, message = BODIES[case]
    status, answer = ask(triton_server, "POST", "/v2/models/yolo/infer", body, **headers)
    assert status in (400, 500)
    assert message in json.loads(answer)["error"]


def test_connections_that_break_off_or_speak_something_else(triton_server):
    for address in (triton_server.http, triton_server.grpc):
        host, _, port = address.rpartition(":")
        for sent in (b"POST /v2/models/yolo/infer HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{", RANDOM):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(sent)
