"""A supervised Triton over a toy model, as a process of its own; its events go to standard output.

    python toy_server.py REPOSITORY [FAILURES]

The model is called ``yolo`` (a second one may be ``ocr``) and takes IMAGES (n, height, width, 3) uint8. The value of
the first pixel says what it does: 1 sleeps, 2 computes in C without letting go of the interpreter; anything else
answers with its pid.
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


def write_repository(folder: Path, load_s: float = 0.0, models: tuple[str, ...] = ("yolo",)) -> Path:
    """The toy model under each of these names; it takes this long to load."""
    for model in models:
        (folder / model / "1").mkdir(parents=True)
        (folder / model / "config.pbtxt").write_text(CONFIG.replace("yolo", model))
        (folder / model / "1/model.py").write_text(MODEL.replace("LOAD_S", str(load_s)))
    return folder


def main() -> int:
    """Serve until SIGTERM; 1 when the server gave up or did not come up."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    failures = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    repository = Path(sys.argv[1])
    models = tuple(sorted(path.name for path in repository.iterdir()))
    config = ServeConfig(
        models=models, device="cpu", repository=repository, restart_limit=RestartLimit(failures, 120.0)
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
