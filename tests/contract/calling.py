"""One request to an endpoint by each of the ways that docs/endpoints.md names."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
import ultralytics
from tritonclient.utils import InferenceServerException, deserialize_bytes_tensor

from rumiai.contracts.tensors import ACCESS_TOKEN_HEADER, AUDIO_SAMPLE_RATE_HZ, NUMPY_DTYPES, EndpointSpec

from ..conftest import RunningServer

Arrays = dict[str, np.ndarray]
Parameters = Mapping[str, Any]
Transport = Callable[[RunningServer, EndpointSpec, np.ndarray, Parameters], Arrays]

JFK = Path(__file__).parents[1] / "data/jfk.opus"


def bus() -> np.ndarray:
    """(1080, 810, 3) RGB: a bus and four persons, ultralytics' own example."""
    path = Path(ultralytics.__file__).parent / "assets/bus.jpg"
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def caption(text: str = "WAIT FOR IT") -> np.ndarray:
    """(160, 480, 3) RGB: white letters on dark grey."""
    picture = np.full((160, 480, 3), 40, np.uint8)
    cv2.putText(picture, text, (30, 100), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (255, 255, 255), 5, cv2.LINE_AA)
    return picture


def speech() -> np.ndarray:
    """(1, samples) float32, 16 kHz: eleven seconds of Kennedy."""
    with av.open(str(JFK)) as source:
        resampler = av.AudioResampler("flt", "mono", AUDIO_SAMPLE_RATE_HZ)
        parts = [part for frame in [*source.decode(audio=0), None] for part in resampler.resample(frame)]
    return np.concatenate([part.to_ndarray() for part in parts], axis=1)


def by_grpc(server: RunningServer, spec: EndpointSpec, array: np.ndarray, parameters: Parameters) -> Arrays:
    with contextlib.closing(triton_grpc.InferenceServerClient(server.grpc)) as client:
        wire = triton_grpc.InferInput(spec.inputs[0].name, list(array.shape), spec.inputs[0].dtype)
        wire.set_data_from_numpy(array)
        answer = client.infer(spec.model, [wire], parameters=dict(parameters))
    return {output.name: answer.as_numpy(output.name) for output in spec.outputs}


def by_http(server: RunningServer, spec: EndpointSpec, array: np.ndarray, parameters: Parameters) -> Arrays:
    with contextlib.closing(triton_http.InferenceServerClient(server.http, network_timeout=300)) as client:
        wire = triton_http.InferInput(spec.inputs[0].name, list(array.shape), spec.inputs[0].dtype)
        wire.set_data_from_numpy(array)
        answer = client.infer(spec.model, [wire], parameters=dict(parameters))
    return {output.name: answer.as_numpy(output.name) for output in spec.outputs}


def by_shared_memory(server: RunningServer, spec: EndpointSpec, array: np.ndarray, parameters: Parameters) -> Arrays:
    with (
        region(server, array.tobytes(), offset_bytes=4096) as name,
        contextlib.closing(triton_grpc.InferenceServerClient(server.grpc)) as client,
    ):
        wire = triton_grpc.InferInput(spec.inputs[0].name, list(array.shape), spec.inputs[0].dtype)
        wire.set_shared_memory(name, array.nbytes, 4096)
        answer = client.infer(spec.model, [wire], parameters=dict(parameters))
        return {output.name: answer.as_numpy(output.name) for output in spec.outputs}


def by_plain_binary(server: RunningServer, spec: EndpointSpec, array: np.ndarray, parameters: Parameters) -> Arrays:
    """KServe v2 with its binary extension, and nothing but the standard library."""
    head = {
        "parameters": dict(parameters),
        "inputs": [
            {
                "name": spec.inputs[0].name,
                "shape": list(array.shape),
                "datatype": spec.inputs[0].dtype,
                "parameters": {"binary_data_size": array.nbytes},
            }
        ],
        "outputs": [{"name": output.name, "parameters": {"binary_data": True}} for output in spec.outputs],
    }
    text = json.dumps(head).encode()
    request = urllib.request.Request(
        f"http://{server.http}/v2/models/{spec.model}/infer",
        data=text + array.tobytes(),
        headers={"Inference-Header-Content-Length": str(len(text)), "Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(request, timeout=300) as response:
        length = int(response.headers["Inference-Header-Content-Length"])
        answer, rest = json.loads(response.read(length)), response.read()
    found = {}
    for output in answer["outputs"]:
        raw, rest = np.split(np.frombuffer(rest, np.uint8), [output["parameters"]["binary_data_size"]])
        if output["datatype"] == "BYTES":
            values = deserialize_bytes_tensor(raw.tobytes())
        else:
            values = np.frombuffer(raw.tobytes(), NUMPY_DTYPES[output["datatype"]])
        found[output["name"]] = values.reshape(output["shape"])
    return found


def by_plain_json(server: RunningServer, spec: EndpointSpec, array: np.ndarray, parameters: Parameters) -> Arrays:
    """KServe v2 as every implementation has it: JSON numbers there and back."""
    tensor = {
        "name": spec.inputs[0].name,
        "shape": list(array.shape),
        "datatype": spec.inputs[0].dtype,
        "data": array.ravel().tolist(),
    }
    body = json.dumps({"parameters": dict(parameters), "inputs": [tensor]}).encode()
    request = urllib.request.Request(f"http://{server.http}/v2/models/{spec.model}/infer", data=body)
    with urllib.request.urlopen(request, timeout=300) as response:
        answer = json.load(response)
    found = {}
    for output in answer["outputs"]:
        data = [item.encode() for item in output["data"]] if output["datatype"] == "BYTES" else output["data"]
        found[output["name"]] = np.array(data, NUMPY_DTYPES[output["datatype"]]).reshape(output["shape"])
    return found


TRANSPORTS: dict[str, Transport] = {
    "grpc": by_grpc,
    "http": by_http,
    "shared memory": by_shared_memory,
    "plain binary": by_plain_binary,
    "plain json": by_plain_json,
}


@contextlib.contextmanager
def region(server: RunningServer, content: bytes, *, offset_bytes: int = 0) -> Iterator[str]:
    """A registered region with this content; its key is its name with a slash before it."""
    name = f"rumiai-test-{os.getpid()}-{secrets.token_hex(4)}"
    path = Path("/dev/shm") / name
    path.write_bytes(bytes(offset_bytes) + content)
    headers = {ACCESS_TOKEN_HEADER: server.token}
    try:
        with contextlib.closing(triton_grpc.InferenceServerClient(server.grpc)) as client:
            client.register_system_shared_memory(name, f"/{name}", offset_bytes + len(content), headers=headers)
            try:
                yield name
            finally:
                _unregister(client, name, headers)
    finally:
        path.unlink()


def _unregister(client: Any, name: str, headers: dict[str, str]) -> None:
    """Triton lets go of a request's memory a moment after it has answered."""
    for _ in range(500):
        try:
            client.unregister_system_shared_memory(name, headers=headers)
        except InferenceServerException as exc:
            if "in use" not in str(exc):
                raise
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{name} is still in use")


def metric(server: RunningServer, name: str, model: str) -> float:
    """The value of a Prometheus counter of a model."""
    with urllib.request.urlopen(server.metrics, timeout=30) as response:
        text = response.read().decode()
    return sum(float(v) for v in re.findall(rf'^{name}{{model="{model}",[^}}]*}} (\S+)$', text, re.MULTILINE))
