"""Wrong requests to a real server, over gRPC and HTTP, while a good client goes on beside them.

The good client asks for the same small picture again and again; its answers must stay the same. Its errors and delays
are counted. Of the wrong requests every one must be answered or refused in time, and no model may end by them.
"""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from rumiai.contracts.tensors import ENDPOINTS, YOLO

from .report import Report

# Any request here is small; a server that has not answered by then hangs.
REQUEST_LIMIT_S: Final = 60.0
_SERVE: Final = (sys.executable, "-m", "rumiai_server", "serve", "--json", "--until-stdin-closes")
_DTYPES: Final = ("UINT8", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64", "BOOL", "BYTES", "nonsense")
_BYTES: Final = {"INT16": 2, "INT32": 4, "INT64": 8, "FP32": 4, "FP64": 8}
_PARAMETERS: Final = ("conf", "iou", "max_det", "mode", "engine", "canvas_size", "mag_ratio", "language", "task", "odd")
_VALUES: Final = (
    0,
    -1,
    10**9,
    0.5,
    1e308,
    float("nan"),
    "",
    "nan",
    "fast",
    "x" * 5000,
    True,
    "[1,2]",
    "\N{PILE OF POO}",
)
_PATHS: Final = (
    "/v2/models/yolo/infer", "/v2/models/ocr/infer", "/v2/models/whisper/infer", "/v2",
    "/v2/models/../../etc/passwd", "/", "/v2/models/yolo/versions/99/infer", "/v2/health/ready",
    "/v2/repository/index", "/v2/systemsharedmemory/region/x/register",
)  # fmt: skip


@dataclass
class RequestsReport(Report):
    """What wrong requests did to a server and to a good client beside them.

    Attributes:
        requests: How many wrong ones were sent.
        answered: Of these, how many were answered in spite of it (some are right by chance).
        good: Requests of the good client.
        delays_s: Of the good client.
        errors: What the good client was refused, by message.
        different: Answers of the good client that differ from the first.
        hangs: Wrong requests without an answer in time.
        restarts: Models or servers that had to be started again, as the server's log tells.
        tracebacks: In the server's log.
    """

    must_be_empty = ("errors", "different", "hangs", "restarts", "tracebacks")

    requests: int = 0
    answered: int = 0
    good: int = 0
    delays_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    def headline(self) -> Iterator[str]:
        """How many wrong requests, and how the good client fared."""
        yield f"requests: {self.requests} wrong ones, {self.answered} of them answered"
        if self.delays_s:
            ranked = sorted(self.delays_s)
            middle, late, last = statistics.median(ranked), ranked[int(len(ranked) * 0.99)], ranked[-1]
            yield (
                f"  good client beside them: {self.good} requests; "
                f"median {middle:.3f} s, 99 % within {late:.3f} s, longest {last:.3f} s"
            )


@dataclass(frozen=True)
class Served:
    """Addresses of a running server, and its log."""

    grpc: str
    http: str
    log: Path


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """All models, on the CPU or what there is; stopped at the end."""
    log = folder / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            _SERVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream, text=True, cwd=folder
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")
        ready = json.loads(line)
        yield Served(ready["grpc"], ready["http"], log)
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            process.kill()
            process.stdout.close()


class GoodClient(threading.Thread):
    """Asks for the same picture until it is told to stop."""

    def __init__(self, server: Served, report: RequestsReport) -> None:
        super().__init__(daemon=True)
        self._server, self._report = server, report
        self._image = np.full((1, 64, 64, 3), 90, np.uint8)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Ask, look, wait a little."""
        first: dict[str, Any] | None = None
        with contextlib.closing(triton_grpc.InferenceServerClient(self._server.grpc)) as client:
            while not self.stopping.is_set():
                began = time.monotonic()
                try:
                    answer = self._ask(client)
                except InferenceServerException as error:
                    self._report.errors.append(str(error)[:200])
                else:
                    first = first or answer
                    if answer != first:
                        self._report.different.append(f"{answer} for {first}"[:300])
                self._report.good += 1
                self._report.delays_s.append(time.monotonic() - began)
                self.stopping.wait(0.05)

    def _ask(self, client: Any) -> dict[str, Any]:
        wire = triton_grpc.InferInput("IMAGES", list(self._image.shape), "UINT8")
        wire.set_data_from_numpy(self._image)
        result = client.infer(YOLO.model, [wire], client_timeout=REQUEST_LIMIT_S)
        return {spec.name: result.as_numpy(spec.name).tolist() for spec in YOLO.outputs}


class WrongRequests:
    """Draws wrong requests and sends them."""

    def __init__(self, server: Served, seed: int) -> None:
        self._server = server
        self._rng = np.random.default_rng(seed)
        host, _, port = server.http.removeprefix("http://").rpartition(":")
        self._http = (host, int(port))

    def send(self, client: Any) -> tuple[str, bool]:
        """Send one; what it was, and whether it was answered in spite of it.

        Raises:
            TimeoutError: It was neither answered nor refused in time.
        """
        if self._rng.integers(3) == 0:
            return self._by_http()
        return self._by_grpc(client)

    def _by_grpc(self, client: Any) -> tuple[str, bool]:
        spec = list(ENDPOINTS.values())[int(self._rng.integers(len(ENDPOINTS)))]
        known = spec.inputs[0]
        name = known.name if self._rng.integers(8) else str(self._pick(("", "IMAGES", "AUDIO", "x" * 3000)))
        dtype = known.dtype if self._rng.integers(3) else str(self._pick(_DTYPES))
        rank = int(self._rng.integers(0, 6)) if self._rng.integers(3) == 0 else len(known.dims) + 1
        shape = [int(self._pick((0, 1, 2, 3, 7, 8, 64, 65, 1000, -1, 2**31, 2**62))) for _ in range(rank)]
        sent = int(self._rng.integers(0, 20_000))
        if self._rng.integers(4):  # as many as the shape says, so that the model gets to see them
            shape = [side % 66 for side in shape]
            sent = int(np.prod(shape, dtype=np.int64)) * _BYTES.get(dtype, 1)
        if shape and shape[0] == 0 and not sent:
            shape[0] = 1  # Triton never answers a request of no items (docs/endpoints.md)
        parameters = {str(self._pick(_PARAMETERS)): self._pick(_VALUES) for _ in range(int(self._rng.integers(0, 3)))}
        told = f"{spec.model} {name[:12]} {dtype} {shape} {sent} bytes {str(parameters)[:80]}"
        wire = triton_grpc.InferInput(name, shape, dtype)
        wire._raw_content = self._rng.integers(0, 256, sent, dtype=np.uint8).tobytes()
        try:
            client.infer(spec.model, [wire], parameters=parameters, client_timeout=REQUEST_LIMIT_S)
        except InferenceServerException as error:
            if "Deadline Exceeded" in str(error):
                raise TimeoutError(told) from error
            return told, False
        except (TypeError, ValueError, OverflowError):
            return told, False  # the client library itself cannot write it
        return told, True

    def _by_http(self) -> tuple[str, bool]:
        path = str(self._pick(_PATHS))
        method = str(self._pick(("GET", "POST", "PUT", "DELETE", "x")))
        body = self._body()
        length = len(body) if self._rng.integers(4) else int(self._rng.integers(0, 2 * len(body) + 2))
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n"
        if self._rng.integers(4) == 0:
            head += f"Inference-Header-Content-Length: {int(self._pick((-1, 0, 5, 10**9, 2**63)))}\r\n"
        raw = head.encode() + b"\r\n" + body
        if self._rng.integers(6) == 0:
            raw = self._rng.integers(0, 256, len(raw), dtype=np.uint8).tobytes()
        told = f"HTTP {method} {path} {len(body)} of {length} bytes"
        try:
            with socket.create_connection(self._http, timeout=REQUEST_LIMIT_S) as connection:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(64)
        except TimeoutError as error:
            raise TimeoutError(told) from error
        except OSError:
            return told, False
        return told, answer.startswith(b"HTTP/1.1 200")

    def _body(self) -> bytes:
        kind = int(self._rng.integers(5))
        if kind == 0:
            return self._rng.integers(0, 256, int(self._rng.integers(0, 5000)), dtype=np.uint8).tobytes()
        if kind == 1:
            return b"[" * int(self._rng.integers(1, 500))
        tensor = {
            "name": self._pick(("IMAGES", "AUDIO", "", 5)),
            "datatype": self._pick((*_DTYPES, None)),
            "shape": self._pick(([1, 8, 8, 3], [1, 4], [], [-1], [2**62], "x", None)),
            "data": self._pick(([], [1] * 192, ["a"], "x", None, [[0.5] * 4], [1e400])),
        }
        request: dict[str, Any] = {"inputs": self._pick(([tensor], [tensor] * 9, tensor, None, []))}
        if kind == 2:
            request["parameters"] = {str(self._pick(_PARAMETERS)): self._pick(_VALUES)}
        if kind == 3:
            request["outputs"] = self._pick(([{"name": "BOXES"}], [{"name": "x"}], "x", [5]))
        return json.dumps(request).encode()

    def _pick(self, options: Any) -> Any:
        return options[int(self._rng.integers(len(options)))]


def run(folder: Path, *, count: int, seed: int) -> RequestsReport:
    """Serve, and send ``count`` wrong requests beside a good client."""
    folder.mkdir(parents=True)
    with serving(folder) as server:
        return attack(server, count=count, seed=seed)


def attack(server: Served, *, count: int, seed: int) -> RequestsReport:
    """Send ``count`` wrong requests to a running server beside a good client; its log counts from here on."""
    report = RequestsReport()
    logged = server.log.stat().st_size
    good = GoodClient(server, report)
    good.start()
    wrong = WrongRequests(server, seed)
    with contextlib.closing(triton_grpc.InferenceServerClient(server.grpc)) as client:
        for _ in range(count):
            report.requests += 1
            try:
                _, answered = wrong.send(client)
            except TimeoutError as error:
                report.hangs.append(str(error))
            else:
                report.answered += answered
    good.stopping.set()
    good.join(REQUEST_LIMIT_S)
    lines = server.log.read_bytes()[logged:].decode(errors="replace").splitlines()
    report.restarts = [line for line in lines if "died" in line or "serves again" in line or "started again" in line]
    report.tracebacks = [line for line in lines if line.startswith("Traceback")]
    return report
