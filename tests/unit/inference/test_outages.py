"""Requests that meet a server or a model that is being restarted, with a server that speaks Triton's protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from rumiai.contracts.frames import SharedSpan
from rumiai.contracts.tensors import EndpointSpec, TensorSpec
from rumiai.errors import MLError, ServerError, ServerGoneError
from rumiai.inference import client as client_module
from rumiai.inference.client import TritonClient
from rumiai.inference.outages import ATTEMPTS, delay_s, outage_of
from rumiai.inference.spans import SharedTensor

DOUBLE = EndpointSpec("double", (TensorSpec("X", "FP32", (1,)),), (TensorSpec("Y", "FP32", (1,)),), 8, ())
UNHEALTHY = (grpc.StatusCode.INTERNAL, "Stub process 'double_0_0' is not healthy.")
UNLOADED = (grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'double' has no available versions")
REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, "X must not be negative")
REGION = ("region", "/region", 4096)


class Doubler(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Doubles X; first it fails as it was told to. It forgets its regions when it is started anew."""

    def __init__(self, *failures: tuple[grpc.StatusCode, str], ready_after: int = 0) -> None:
        self.failures = list(failures)
        self.asked = 0
        self.mapped: set[str] = set()
        self.by_reference: list[bool] = []
        self._not_ready = ready_after

    async def ServerReady(self, request, context):
        return service_pb2.ServerReadyResponse(ready=True)

    async def ModelReady(self, request, context):
        self._not_ready -= 1
        return service_pb2.ModelReadyResponse(ready=self._not_ready < 0)

    async def SystemSharedMemoryRegister(self, request, context):
        if request.name in self.mapped:
            await context.abort(
                grpc.StatusCode.ALREADY_EXISTS, f"shared memory region '{request.name}' already in manager"
            )
        self.mapped.add(request.name)
        return service_pb2.SystemSharedMemoryRegisterResponse()

    async def ModelInfer(self, request, context):
        self.asked += 1
        if self.failures:
            await context.abort(*self.failures.pop(0))
        region = request.inputs[0].parameters["shared_memory_region"].string_param
        self.by_reference.append(bool(region))
        if region and region not in self.mapped:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Unable to find shared memory region: '{region}'")
        x = np.float32(21) if region else np.frombuffer(request.raw_input_contents[0], np.float32)
        answer = service_pb2.ModelInferResponse(model_name="double")
        answer.outputs.add(name="Y", datatype="FP32", shape=[1, 1])
        answer.raw_output_contents.append((2 * x).astype(np.float32).tobytes())
        return answer


@asynccontextmanager
async def serving(doubler: Doubler, port: int = 0) -> AsyncIterator[int]:
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(doubler, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def double(client: TritonClient, *, shared: bool = False) -> float:
    x = np.array([[21]], np.float32)
    tensor = SharedTensor(x, SharedSpan(REGION[0], REGION[1], 0, x.nbytes)) if shared else x
    return float((await client.infer(DOUBLE, {"X": tensor}, timeout_s=10))["Y"][0, 0])


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "delay_s", lambda attempt: 0.01)
    monkeypatch.setattr(client_module, "_POLL_S", 0.02)


def asked(doubler: Doubler, patience_s: float = 20.0) -> float:
    async def run() -> float:
        async with serving(doubler) as port, TritonClient(f"127.0.0.1:{port}", patience_s=patience_s) as client:
            return await double(client)

    return asyncio.run(run())


@pytest.mark.parametrize("failures", [(UNHEALTHY,), (UNLOADED,), (UNHEALTHY, UNLOADED, UNHEALTHY)])
def test_a_request_that_met_a_dying_model_is_sent_again_when_it_serves(failures) -> None:
    doubler = Doubler(*failures, ready_after=3)
    assert asked(doubler) == 42.0
    assert doubler.asked == len(failures) + 1


def test_a_request_that_ends_its_model_each_time_is_given_up() -> None:
    doubler = Doubler(*[UNHEALTHY] * 20)
    with pytest.raises(ServerError, match="not healthy"):
        asked(doubler)
    assert doubler.asked == ATTEMPTS


def test_a_refused_request_is_not_sent_again() -> None:
    doubler = Doubler(REFUSED)
    with pytest.raises(MLError, match="must not be negative"):
        asked(doubler)
    assert doubler.asked == 1


def test_without_patience_nothing_is_sent_again() -> None:
    doubler = Doubler(UNHEALTHY)
    with pytest.raises(ServerError, match="not healthy"):
        asked(doubler, 0.0)
    assert doubler.asked == 1


def test_a_model_that_does_not_come_back_is_waited_for_once() -> None:
    async def run() -> list[float]:
        doubler = Doubler(*[UNHEALTHY] * 9, ready_after=10_000)
        waits = []
        async with serving(doubler) as port, TritonClient(f"127.0.0.1:{port}", patience_s=0.6) as client:
            for _ in range(3):
                began = time.monotonic()
                with pytest.raises(ServerError, match="not healthy"):
                    await double(client)
                waits.append(time.monotonic() - began)
        assert doubler.asked == 3
        return waits

    first, *others = asyncio.run(run())
    assert first >= 0.6
    assert max(others) < 0.5


def test_a_server_that_was_started_again_gets_the_regions_again() -> None:
    async def run() -> None:
        first, second = Doubler(), Doubler()
        async with serving(first) as port, TritonClient(f"127.0.0.1:{port}", patience_s=30) as client:
            assert await client.register(*REGION)
            assert await double(client, shared=True) == 42.0
        # The same client, whose server has ended; another one starts at the same address a moment later.
        async with TritonClient(f"127.0.0.1:{port}", patience_s=30) as client:
            client._regions, client._mapped = {REGION[0]: REGION[1:]}, {REGION[0]}
            waiting = asyncio.create_task(double(client, shared=True))
            await asyncio.sleep(0.5)
            async with serving(second, port):
                assert await waiting == 42.0
        assert second.mapped == {"region"}
        assert second.by_reference == [True]

    asyncio.run(run())


def test_a_region_that_the_server_has_lost_is_registered_again() -> None:
    async def run() -> None:
        doubler = Doubler()
        async with serving(doubler) as port, TritonClient(f"127.0.0.1:{port}", patience_s=30) as client:
            assert await client.register(*REGION)
            doubler.mapped.clear()
            assert await double(client, shared=True) == 42.0
            assert doubler.asked == 2
            # Registering what is registered is no refusal.
            assert await client.register(*REGION)
            assert client.maps("region")
            client.forget("region")
            assert await double(client, shared=True) == 42.0
            assert doubler.by_reference == [True, True, False]

    asyncio.run(run())


def test_a_region_that_could_not_be_registered_is_when_the_server_is_back() -> None:
    async def run() -> None:
        doubler = Doubler()
        async with serving(Doubler()) as port:
            pass
        async with TritonClient(f"127.0.0.1:{port}", patience_s=30) as client:
            with pytest.raises(ServerGoneError):
                await client.register(*REGION)
            waiting = asyncio.create_task(double(client, shared=True))
            await asyncio.sleep(0.3)
            async with serving(doubler, port):
                assert await waiting == 42.0
        assert doubler.mapped == {"region"}

    asyncio.run(run())


def test_a_server_that_stays_away_has_gone() -> None:
    async def run() -> None:
        async with serving(Doubler()) as port:
            pass
        async with TritonClient(f"127.0.0.1:{port}", patience_s=0.3) as client:
            with pytest.raises(ServerGoneError, match=r"server not ready after 0 s"):
                await double(client)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "message", "outage"),
    [
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses", "server"),
        ("StatusCode.UNAVAILABLE", "recvmsg:Connection reset by peer", "server"),
        ("StatusCode.INTERNAL", "Received RST_STREAM with error code 2", "server"),
        ("StatusCode.INTERNAL", "Stub process 'yolo_0_0' is not healthy.", "model"),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'yolo' has no available versions", "model"),
        ("StatusCode.INVALID_ARGUMENT", "Unable to find shared memory region: 'a'", "memory"),
        ("StatusCode.INVALID_ARGUMENT", "conf: got 2, expected 0..1", None),
        ("StatusCode.INTERNAL", "out of memory", None),
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", None),
    ],
)
def test_what_passes_by_itself(status: str, message: str, outage: str | None) -> None:
    assert outage_of(InferenceServerException(message, status)) == outage


def test_delays_double_up_to_eight_seconds() -> None:
    assert [delay_s(attempt) for attempt in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
