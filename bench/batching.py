"""How long may Triton wait for company, and for how much? Throughput and latency of each endpoint.

    python bench/batching.py [--seconds 3] [--delays-ms 0,2,5,10,20,50] [--concurrency 1,6] [--preferred served,none,4]

For every delay and preferred batch size one server is started over a copy of ``model_repository/`` in which
``max_queue_delay_microseconds`` and ``preferred_batch_size`` are these; everything else is as it is served. Each client
of a cell sends its next request when it has its answer (frames as bytes by gRPC, loopback). Prints a table and writes
JSON to bench/results/.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import os
import re
import shutil
import signal
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Before torch is imported: idle OpenMP threads that spin would take the cores of the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import av
import cv2
import numpy as np
import tritonclient.grpc as triton_grpc
from common import ROOT, write_result

from rumiai.contracts.tensors import ENDPOINTS
from rumiai_server.address import ServerAddress
from rumiai_server.launch import running
from rumiai_server.repository import repository_source
from rumiai_server.serve_config import ServeConfig


@dataclass(frozen=True)
class Cell:
    """One measurement; ``batch`` is the mean number of items (frames or tracks) of an execution."""

    model: str
    delay_ms: float
    preferred: str
    concurrency: int
    requests: int
    requests_per_s: float
    p50_ms: float
    p95_ms: float
    batch: float


def inputs() -> dict[str, np.ndarray]:
    """One request of each endpoint: a portrait frame for yolo, a captioned strip for ocr, 3 s of speech."""
    import ultralytics  # after rumiai, which switches telemetry off

    picture = cv2.imread(str(Path(ultralytics.__file__).parent / "assets/bus.jpg"))[..., ::-1]
    frame = np.ascontiguousarray(cv2.resize(picture, (360, 640), interpolation=cv2.INTER_AREA))
    captioned = np.ascontiguousarray(frame[352:480])
    cv2.putText(captioned, "WAIT FOR IT", (40, 88), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 4, cv2.LINE_AA)
    with av.open(str(ROOT / "tests/data/jfk.opus")) as source:
        resampler = av.AudioResampler("flt", "mono", 16_000)
        parts = [part for item in [*source.decode(audio=0), None] for part in resampler.resample(item)]
    track = np.concatenate([part.to_ndarray() for part in parts], axis=1)[:, : 3 * 16_000]
    return {"yolo": frame[None], "ocr": captioned[None], "whisper": np.ascontiguousarray(track)}


@contextlib.contextmanager
def serving(models: tuple[str, ...], delay_ms: float, preferred: str, device: str) -> Iterator[ServerAddress]:
    """These models with this queue delay and this preferred batch size: ``served`` as it is, ``none`` without one."""
    with tempfile.TemporaryDirectory(prefix="rumiai-bench-") as folder:
        repository = Path(folder)
        for model in models:
            shutil.copytree(repository_source() / model, repository / model)
            path = repository / model / "config.pbtxt"
            text, found = re.subn(
                r"max_queue_delay_microseconds: \d+",
                f"max_queue_delay_microseconds: {int(delay_ms * 1000)}",
                path.read_text(),
            )
            assert found == 1, path
            if preferred != "served":
                text = re.sub(r" *preferred_batch_size: .*\n", "", text)
            if preferred not in ("served", "none"):
                text = text.replace(
                    "dynamic_batching {", f"dynamic_batching {{\n  preferred_batch_size: [ {preferred} ]"
                )
            path.write_text(text)
        config = ServeConfig(models=models, device=device, repository=repository, log_level="WARNING")  # type: ignore[arg-type]
        with running(config, threading.Event()) as server:
            yield server.address


def counters(address: ServerAddress, model: str) -> tuple[float, float]:
    """Items and executions so far."""
    assert address.metrics is not None
    with urllib.request.urlopen(address.metrics, timeout=30) as response:
        text = response.read().decode()
    items, executions = (
        sum(float(v) for v in re.findall(rf'^{name}{{model="{model}",[^}}]*}} (\S+)$', text, re.MULTILINE))
        for name in ("nv_inference_count", "nv_inference_exec_count")
    )
    return items, executions


def measure(address: ServerAddress, model: str, array: np.ndarray, concurrency: int, seconds: float) -> dict[str, Any]:
    """The measured members of a ``Cell``."""
    spec = ENDPOINTS[model].inputs[0]
    parameters = {"language": "en"} if model == "whisper" else {}
    latencies: list[float] = []
    began = time.perf_counter()

    def send_until_the_end() -> None:
        with contextlib.closing(triton_grpc.InferenceServerClient(address.grpc)) as client:
            while time.perf_counter() - began < seconds:
                wire = triton_grpc.InferInput(spec.name, list(array.shape), spec.dtype)
                wire.set_data_from_numpy(array)
                sent = time.perf_counter()
                client.infer(model, [wire], parameters=parameters)
                latencies.append(time.perf_counter() - sent)

    items, executions = counters(address, model)
    clients = [threading.Thread(target=send_until_the_end) for _ in range(concurrency)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    took_s = time.perf_counter() - began  # the last answers come after the limit, and count
    after = counters(address, model)
    return {
        "requests": len(latencies),
        "requests_per_s": round(len(latencies) / took_s, 2),
        "p50_ms": round(float(np.percentile(latencies, 50)) * 1000, 1),
        "p95_ms": round(float(np.percentile(latencies, 95)) * 1000, 1),
        "batch": round((after[0] - items) / max(1.0, after[1] - executions), 2),
    }


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default=",".join(ENDPOINTS))
    parser.add_argument("--delays-ms", default="0,2,5,10,20,50")
    parser.add_argument("--concurrency", default="1,6")
    parser.add_argument("--preferred", default="served", help="sizes, none, or served: as it is")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each cell")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    return parser.parse_args()


def main() -> None:
    """Measure every cell, print as it goes, write the file at the end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = arguments()
    models = tuple(options.models.split(","))
    requests = inputs()
    cells: list[Cell] = []
    say = functools.partial(print, flush=True)
    columns = ("delay ms", "preferred", " clients", "   req/s", "  p50 ms", "  p95 ms", "   batch")
    say(f"{'model':8}", *columns)
    try:
        delays = map(float, options.delays_ms.split(","))
        for delay_ms, preferred in itertools.product(delays, options.preferred.split(",")):
            with serving(models, delay_ms, preferred, options.device) as address:
                for model in models:
                    for concurrency in map(int, options.concurrency.split(",")):
                        found = measure(address, model, requests[model], concurrency, options.seconds)
                        cell = Cell(model, delay_ms, preferred, concurrency, **found)
                        cells.append(cell)
                        rates = (cell.requests_per_s, cell.p50_ms, cell.p95_ms, cell.batch)
                        say(f"{model:8} {delay_ms:8g} {preferred:>9} {concurrency:8}", *(f"{n:8.2f}" for n in rates))
    finally:  # what was measured before an interruption is kept
        write_result("batching", {"seconds_per_cell": options.seconds, "cells": [asdict(cell) for cell in cells]})


if __name__ == "__main__":
    main()
