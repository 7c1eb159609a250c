"""Load a model again whose process has died.

Triton 2.51 goes on calling such a model ready and answers every request to it with "Stub process is not healthy". One
request is enough to get there: the Python backend makes NumPy arrays before our code sees them, and ends when a shape
is negative or overflows. The kernel's memory killer is the other way.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Final

import psutil

from rumiai.contracts.tensors import ACCESS_TOKEN_HEADER
from rumiai_server.address import ServerAddress

LOG = logging.getLogger("rumiai_server")

# Looking at a few processes costs microseconds; loading a model takes tens of seconds.
_POLL_S: Final = 1.0
_STUB: Final = "triton_python_backend_stub"


def model_processes(models: tuple[str, ...]) -> dict[str, list[psutil.Process]]:
    """This program's descendants in which Triton runs each model, one per instance."""
    found: dict[str, list[psutil.Process]] = {model: [] for model in models}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            program, *arguments = process.cmdline() or [""]
            for model in models:
                if program.endswith(_STUB) and arguments and arguments[0].endswith(f"/models/{model}/1/model.py"):
                    found[model].append(process)
    return found


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def keep_models_alive(
    address: ServerAddress, processes: dict[str, list[psutil.Process]], stop: threading.Event
) -> None:
    """Watch the models' processes until ``stop`` is set; to be run in a thread of its own.

    Args:
        address: Of the server.
        processes: Of :func:`model_processes`, found before anybody was told where the server is: a model that the first
            request kills would be missing in a later list.
        stop: Ends the watch.
    """
    from tritonclient.grpc import InferenceServerClient
    from tritonclient.utils import InferenceServerException

    def dead(model: str) -> bool:
        return not processes[model] or not all(map(_alive, processes[model]))

    with contextlib.closing(InferenceServerClient(address.grpc)) as client:
        while not stop.wait(_POLL_S):
            for model in filter(dead, address.models):
                if stop.wait(_POLL_S):  # a server that is being stopped loses its models too
                    return
                LOG.error("%s: its process has died; loading it again", model)
                try:
                    client.load_model(model, headers={ACCESS_TOKEN_HEADER: address.token})
                except InferenceServerException as exc:
                    LOG.error("%s: could not be loaded again: %s", model, exc)
                    continue
                processes[model] = model_processes((model,))[model]
                LOG.warning("%s: serves again", model)
