"""The command line and the environment of tritonserver."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rumiai_server.address import ServerAddress
from rumiai_server.leftovers import OWNER_VARIABLE
from rumiai_server.triton_process import triton_command, triton_environment
from rumiai_server.workspace import TritonFiles, Workspace

SPACE = Workspace(Path("/private"))
FILES = TritonFiles(Path("/t/tritonserver"), Path("/t/python"), Path("/t/stub"), Path("/t/libs"))
ADDRESS = ServerAddress(
    "127.0.0.1:8001", "127.0.0.1:8000", "http://127.0.0.1:8002/metrics", "t0ken", ("yolo",), 7, "cpu"
)


def flags(address: ServerAddress) -> dict[str, str]:
    program, *options = triton_command(address, SPACE, FILES, "pool-", verbose=False)
    assert program == "/t/tritonserver"
    pairs = (option.removeprefix("--").partition("=") for option in options)
    return {name: value for name, _, value in pairs}


def test_every_port_is_on_the_address_and_guarded() -> None:
    found = flags(ADDRESS)
    assert {found[f"{kind}-address"] for kind in ("grpc", "http", "metrics")} == {"127.0.0.1"}
    assert [found[f"{kind}-port"] for kind in ("grpc", "http", "metrics")] == ["8001", "8000", "8002"]
    guard = "shared-memory,model-repository,statistics,trace,logging:triton-access-token=t0ken"
    assert found["grpc-restricted-protocol"] == found["http-restricted-api"] == guard


def test_grpc_alone() -> None:
    found = flags(ServerAddress("127.0.0.1:8001", None, None, "t0ken", ("yolo",), 7, "cpu"))
    assert (found["allow-http"], found["allow-metrics"]) == ("false", "false")
    assert not [name for name in found if name.startswith(("http", "metrics"))]


def test_the_environment_is_private_and_without_secrets() -> None:
    base = {"PATH": "/bin", "LD_LIBRARY_PATH": "/mine", "CLAUDE_API_KEY": "sk", "TMPDIR": "/tmp", "HOME": "/home/x"}
    found = triton_environment({**base, "YOLO_CONFIG_DIR": "/tmp"}, SPACE, FILES, "1-2-3-1")
    assert "CLAUDE_API_KEY" not in found
    assert found["HOME"] == "/home/x"
    assert {found[name] for name in ("YOLO_CONFIG_DIR", "MPLCONFIGDIR")} == {"/private/settings"}
    assert found["TMPDIR"] == "/private/tmp"
    assert found[OWNER_VARIABLE] == "1-2-3-1"
    assert found["PATH"].split(":") == [f"{sys.exec_prefix}/bin", "/bin"]
    assert found["LD_LIBRARY_PATH"].split(":")[-2:] == ["/mine", "/t/libs"]
    assert base["TMPDIR"] == "/tmp"


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"])
def test_what_the_caller_has_chosen_stays(name: str) -> None:
    assert triton_environment({name: "7"}, SPACE, FILES, "1-2-3-1")[name] == "7"
