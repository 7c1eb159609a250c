"""Memory that a server maps, with a server that speaks Triton's protocol and keeps a list of what it mapped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from rumiai.inference.client import TritonClient
from rumiai.media.shared_frames import FrameArena, SharedRegion
from rumiai.perception.server_memory import Memory, mapped_by_server


class Mapper(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Maps what it is asked to, or refuses."""

    def __init__(self, refuse: str = "") -> None:
        self.refuse = refuse
        self.mapped: dict[str, tuple[str, int]] = {}

    async def SystemSharedMemoryRegister(self, request, context):
        if self.refuse == "map":
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "cannot open it")
        self.mapped[request.name] = (request.key, request.byte_size)
        return service_pb2.SystemSharedMemoryRegisterResponse()

    async def SystemSharedMemoryUnregister(self, request, context):
        if self.refuse == "unmap":
            await context.abort(grpc.StatusCode.INTERNAL, "lost it")
        del self.mapped[request.name]
        return service_pb2.SystemSharedMemoryUnregisterResponse()


@asynccontextmanager
async def connected(mapper: Mapper) -> AsyncIterator[TritonClient]:
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(mapper, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with TritonClient(f"127.0.0.1:{port}") as client:
            yield client
    finally:
        await server.stop(None)


@pytest.fixture(params=["region", "arena"])
def memory(request: pytest.FixtureRequest) -> Iterator[Memory]:
    kinds = {"region": SharedRegion("test-map", 100), "arena": FrameArena("test-map", slots=2, slot_bytes=9)}
    yield kinds[request.param]
    for made in kinds.values():
        made.close()


def is_linked(memory: Memory) -> bool:
    return Path("/dev/shm" + memory.key).exists()


def test_the_server_maps_it_for_the_length_of_the_body(memory: Memory) -> None:
    async def run() -> None:
        mapper = Mapper()
        async with connected(mapper) as client:
            async with mapped_by_server(memory, client):
                assert mapper.mapped == {memory.region: (memory.key, memory.size_bytes)}
            assert mapper.mapped == {}
            assert is_linked(memory)

    asyncio.run(run())


def test_an_error_in_the_body_closes_it_and_unmaps_it(memory: Memory) -> None:
    async def run() -> None:
        mapper = Mapper()
        async with connected(mapper) as client:
            with pytest.raises(KeyError, match="typo"):
                async with mapped_by_server(memory, client):
                    raise KeyError("typo")
            assert mapper.mapped == {}
            assert not is_linked(memory)

    asyncio.run(run())


def test_without_a_server_the_body_runs_all_the_same(memory: Memory) -> None:
    async def run() -> str:
        async with TritonClient("127.0.0.1:9") as client, mapped_by_server(memory, client):
            return "body"

    assert asyncio.run(run()) == "body"


def test_what_the_server_refused_to_map_is_not_unmapped(memory: Memory) -> None:
    async def run() -> None:
        mapper = Mapper("map")
        async with connected(mapper) as client, mapped_by_server(memory, client):
            mapper.mapped["other"] = ("/other", 1)
        assert list(mapper.mapped) == ["other"]

    asyncio.run(run())


def test_a_server_that_fails_to_unmap_it_is_told_and_costs_nothing(
    memory: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with connected(Mapper("unmap")) as client, mapped_by_server(memory, client):
            pass

    with caplog.at_level("WARNING"):
        asyncio.run(run())
    assert "lost it" in caplog.text
