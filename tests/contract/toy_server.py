"""A supervised Triton over a toy model, as a process of its own; its events go to standard output.

    python toy_server.py REPOSITORY [FAILURES]

The model is called ``yolo`` and takes IMAGES (n, height, width, 3) uint8. The value of the first pixel says what it
does: 1 sleeps, 2 computes in C without letting go of the interpreter; anything else answers with its pid.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from rumiai.contracts.server_events import ServerEvent
from rumiai.errors import ServerError
from rumiai_server.launch import running
from rumiai_server.serve_config import RestartLimit, ServeConfig

MODEL = """
import os, time
import numpy as np
import triton_python_backend_utils as pb
from rumiai_server import adapter

class TritonPythonModel:
    def initialize(self, args):
        adapter.guard_process()
        time.sleep(LOAD_S)

    def execute(self, requests):
        for request in requests:
            wish = pb.get_input_tensor_by_name(request, "IMAGES").as_numpy().flat[0]
            if wish == 1:
                time.sleep(60)
            elif wish == 2:
                sum(range(10**10))
        return [pb.InferenceResponse([pb.Tensor("PID", np.array([[os.getpid()]], np.int64))]) for _ in requests]
"""
CONFIG = """
name: "yolo"
backend: "python"
max_batch_size: 64
input [ { name: "IMAGES" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] } ]
output [ { name: "PID" data_type: TYPE_INT64 dims: [ 1 ] } ]
"""


def write_repository(folder: Path, load_s: float = 0.0) -> Path:
    """The toy model, which takes this long to load."""
    (folder / "yolo/1").mkdir(parents=True)
    (folder / "yolo/config.pbtxt").write_text(CONFIG)
    (folder / "yolo/1/model.py").write_text(MODEL.replace("LOAD_S", str(load_s)))
    return folder


def main() -> int:
    """Serve until SIGTERM; 1 when the server gave up or did not come up."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    failures = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    config = ServeConfig(
        models=("yolo",), device="cpu", repository=Path(sys.argv[1]), restart_limit=RestartLimit(failures, 120.0)
    )

    def emit(event: ServerEvent) -> None:
        sys.stdout.write(event.model_dump_json() + "\n")
        sys.stdout.flush()

    try:
        with running(config, stop, emit) as server:
            server.wait()
    except ServerError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
