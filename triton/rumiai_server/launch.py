"""Start Triton over a runtime copy of ``model_repository/`` and stop it without leaving anything behind."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import logging
import os
import secrets
import shutil
import socket
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import psutil

from rumiai.contracts import tensors
from rumiai.errors import ConfigurationError, ServerError
from rumiai_server.address import ServerAddress, write_server_file
from rumiai_server.threads import threads_per_model
from rumiai_server.triton_log import TritonLog

if TYPE_CHECKING:
    from pytriton.triton import Triton

LOG = logging.getLogger("rumiai_server")

Device = Literal["auto", "cpu", "cuda"]

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
# Workspaces are named with this and the pid that owns them, so that those of dead processes can be told and removed.
_WORKSPACE_PREFIX: Final = "rumiai-serve-"
_SHM: Final = Path("/dev/shm")
# PyTriton names its segments so (its own spelling).
_PYTRITON_SHM_PREFIX: Final = "pytrtion"
_POLL_S: Final = 0.2
# Within this Triton's process is there; after it, not being there means that it has died.
_SPAWN_S: Final = 10.0
_LOAD_S: Final = 900.0
# What a terminated process gets before it is killed.
_TERMINATE_S: Final = 5.0


@dataclass(frozen=True)
class ServeConfig:
    """What ``rumiai-triton serve`` was asked for.

    A port of 0 is any free one. ``instances`` and ``parameters`` are per model; what they leave out is as in
    ``config.pbtxt``.
    """

    models: tuple[str, ...] = tuple(tensors.ENDPOINTS)
    device: Device = "auto"
    address: str = "127.0.0.1"
    grpc_port: int = 0
    http_port: int = 0
    metrics_port: int = 0
    insecure_bind: bool = False
    instances: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    repository: Path | None = None
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        unknown = sorted({*self.models, *self.instances, *self.parameters} - set(tensors.ENDPOINTS))
        if unknown or not self.models:
            raise ConfigurationError(
                f"got models {', '.join(unknown) or 'none'}, expected some of {', '.join(tensors.ENDPOINTS)}"
            )
        if self.address not in LOOPBACK and not self.insecure_bind:
            raise ConfigurationError(
                f"will not listen on {self.address}: the embedded Triton 2.51 has known vulnerabilities, open to "
                "anyone who reaches its ports",
                hint="read docs/security.md; pass --insecure-bind if you know the network",
            )


def repository_source() -> Path:
    """The ``model_repository/`` of this installation: inside the wheel, or beside the sources of a checkout.

    Raises:
        ServerError: Neither is there.
    """
    inside = Path(str(resources.files("rumiai_server"))) / "model_repository"
    beside = Path(__file__).resolve().parents[2] / "model_repository"
    for candidate in (inside, beside):
        if candidate.is_dir():
            return candidate
    raise ServerError(f"no model_repository/ at {inside} or {beside}", hint="reinstall rumiai[server]")


def resolve_device(device: Device) -> Literal["cpu", "cuda"]:
    """Where the models run.

    Raises:
        ConfigurationError: CUDA was asked for and torch does not report it.
    """
    if device != "cpu" and _has_cuda_driver():
        import torch

        if torch.cuda.is_available():
            return "cuda"
    if device == "cuda":
        raise ConfigurationError(
            "device cuda was asked for, but torch sees no CUDA device", hint="use --device auto, or check nvidia-smi"
        )
    return "cpu"


def _has_cuda_driver() -> bool:
    """Whether there is anything to ask torch about, whose import alone takes seconds."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def render_repository(config: ServeConfig, device: Literal["cpu", "cuda"], target: Path) -> None:
    """Copy the chosen models to ``target`` and write device, instance count and parameters into their configs.

    Raises:
        ServerError: A model is not in the repository.
    """
    from google.protobuf import text_format
    from tritonclient.grpc import model_config_pb2

    source = config.repository or repository_source()
    threads = threads_per_model(device, config.models, config.instances)
    for model in config.models:
        if not (source / model / "config.pbtxt").is_file():
            raise ServerError(f"{source} holds no model {model}: expected {source / model / 'config.pbtxt'}")
        shutil.copytree(source / model, target / model, ignore=shutil.ignore_patterns("__pycache__"))
        path = target / model / "config.pbtxt"
        rendered = text_format.Parse(path.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())
        del rendered.instance_group[:]
        group = rendered.instance_group.add()
        group.kind = group.KIND_GPU if device == "cuda" else group.KIND_CPU
        group.count = config.instances.get(model, 1)
        values = {"threads": str(threads[model]), **config.parameters.get(model, {})}
        for key, value in values.items():
            rendered.parameters[key].string_value = value
        path.write_text(text_format.MessageToString(rendered), encoding="utf-8")


def _free_ports(address: str, wanted: tuple[int, ...]) -> list[int]:
    """The wanted ports, 0 replaced by free ones; all are held open together so that no two are the same."""
    ports, sockets = [], []
    try:
        for port in wanted:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            held = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(held)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                held.bind((address, port))
            except OSError as exc:
                raise ConfigurationError(
                    f"cannot listen on {address}:{port}: {exc.strerror}",
                    hint="choose another port, or 0 for a free one",
                ) from exc
            ports.append(held.getsockname()[1])
    finally:
        for held in sockets:
            held.close()
    return ports


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def sweep_stale(*, ours: bool = False) -> list[str]:
    """Remove what servers that were killed left in ``/dev/shm`` and in the temporary folder.

    Args:
        ours: Of this process too: its Triton has ended, and models that died have left their segments.

    Returns:
        The names of what was removed.
    """
    removed = []
    for entry in _SHM.glob(f"{_PYTRITON_SHM_PREFIX}*"):
        digits = entry.name.removeprefix(_PYTRITON_SHM_PREFIX).split("-")[0]
        if digits.isdigit() and (not _alive(int(digits)) or (ours and int(digits) == os.getpid())):
            with contextlib.suppress(OSError):
                entry.unlink()
                removed.append(entry.name)
    for folder in Path(tempfile.gettempdir()).glob(f"{_WORKSPACE_PREFIX}*"):
        digits = folder.name.removeprefix(_WORKSPACE_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):  # another server that starts may sweep it first
            if digits.isdigit() and not _alive(int(digits)) and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder.name)
    return removed


def _prepare_environment() -> None:
    """What Triton's backend processes inherit."""
    # The backend stub links libpython dynamically and must find the one of this very interpreter. Debian's own is where
    # the linker looks anyway; naming that folder would put it before the CUDA libraries that torch brings.
    libdir = Path(sysconfig.get_config_var("LIBDIR"))
    if Path("/usr/lib") not in (libdir, libdir.parent):
        paths = [str(libdir), *filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep))]
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
    # Idle OpenMP threads that spin would take the cores from the other models' instances.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    # oneDNN keeps what it made for every shape of tile that OCR ever met, 1024 pieces by default: memory that grows
    # with the length of a video. YOLO alone needs more than a hundred; with 64 it made them anew for every batch.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
    os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    # The stub's standard streams are ASCII otherwise, and a library that logs a dash fails.
    os.environ.setdefault("PYTHONIOENCODING", "utf-8")


@contextlib.contextmanager
def running(config: ServeConfig, stop: threading.Event) -> Iterator[tuple[Triton, ServerAddress]]:
    """A Triton server with all models loaded and warm; stopped, and everything of it removed, at the end.

    Args:
        config: What to serve.
        stop: Gives up loading when it is set.

    Raises:
        ServerError: It did not come up.
        ConfigurationError: A port is taken, or the device is not there.
    """
    sweep_stale()
    _prepare_environment()
    device = resolve_device(config.device)
    log = TritonLog(on_gpu=device == "cuda")
    address = _addresses(config)
    folder = Path(tempfile.mkdtemp(prefix=f"{_WORKSPACE_PREFIX}{os.getpid()}-"))
    written: Path | None = None
    triton: Triton | None = None
    started = False
    try:
        render_repository(config, device, folder / "models")
        triton = _make_triton(config, address, folder)
        with contextlib.redirect_stdout(log):  # PyTriton prints Triton's log; stdout is for the address alone
            started = _start(triton, address, stop)
            if not started:
                raise ServerError("Triton was stopped while it loaded its models", hint="its log above may say why")
            _check_loaded(address)
            written = write_server_file(address)
            yield triton, address
    finally:
        if written:
            written.unlink(missing_ok=True)
        if triton is not None:
            with contextlib.redirect_stdout(log):
                triton.stop() if started else _abandon(triton)
        shutil.rmtree(folder, ignore_errors=True)
        sweep_stale(ours=True)


def _addresses(config: ServeConfig) -> ServerAddress:
    """Where this server will listen: the ports asked for, or free ones; and a token of its own."""
    ports = _free_ports(config.address, (config.grpc_port, config.http_port, config.metrics_port))
    grpc, http, metrics = (f"{config.address}:{port}" for port in ports)
    token = secrets.token_urlsafe(32)
    return ServerAddress(grpc, http, f"http://{metrics}/metrics", token, config.models, os.getpid())


def _make_triton(config: ServeConfig, address: ServerAddress, folder: Path) -> Triton:
    from pytriton.triton import Triton, TritonConfig, TritonSecurityConfig

    def port_of(where: str) -> int:
        return int(where.removesuffix("/metrics").rpartition(":")[2])

    return Triton(
        config=TritonConfig(
            model_repository=folder / "models",
            grpc_address=config.address,
            grpc_port=port_of(address.grpc),
            http_address=config.address,
            http_port=port_of(address.http),
            metrics_address=config.address,
            metrics_port=port_of(address.metrics),
            # A model that cannot be loaded shall not take the server down before we can ask it why.
            exit_on_error=False,
            strict_readiness=False,
            log_verbose=1 if config.log_level == "TRACE" else 0,
        ),
        workspace=folder / "workspace",
        security_config=TritonSecurityConfig(access_token=address.token),
    )


def _start(triton: Triton, address: ServerAddress, stop: threading.Event) -> bool:
    """Start Triton and wait until its models were loaded; False when ``stop`` was set or Triton died before.

    PyTriton would go on waiting for a server that has died or that nobody wants any more, so it waits in a thread. That
    thread stays for good: Triton is told by the kernel to end when the thread that started it does.
    """
    from pytriton.client.exceptions import PyTritonClientError

    failure: list[Exception] = []
    waited = threading.Event()

    def start() -> None:
        try:
            triton.run()
        except (TimeoutError, PyTritonClientError, OSError) as exc:
            failure.append(exc)
        waited.set()
        threading.Event().wait()

    threading.Thread(target=start, daemon=True, name="triton-parent").start()
    began = time.monotonic()
    while not waited.wait(_POLL_S):
        died = time.monotonic() - began > _SPAWN_S and not _children()
        if stop.is_set() or died:
            return False
    # PyTriton gives up after two minutes; on a busy machine large models take longer, and Triton goes on loading them.
    while failure and _children() and not stop.is_set() and time.monotonic() - began < _LOAD_S:
        if _answers(address):
            return True
        time.sleep(_POLL_S)
    if failure:
        raise ServerError(f"Triton did not come up: {failure[0]}", hint="its log above says why")
    return True


def _answers(address: ServerAddress) -> bool:
    """Whether Triton has opened its ports, which it does when the models are loaded."""
    host, _, port = address.grpc.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_POLL_S).close()
    except OSError:
        return False
    return True


def _children() -> list[psutil.Process]:
    alive = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it may end between being listed and being asked
            if child.status() != psutil.STATUS_ZOMBIE:
                alive.append(child)
    return alive


def _abandon(triton: Triton) -> None:
    """End a Triton that PyTriton still waits for: its own ``stop`` would wait with it, for minutes."""
    atexit.unregister(triton.stop)
    children = _children()
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()
    for child in psutil.wait_procs(children, timeout=_TERMINATE_S)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _check_loaded(address: ServerAddress) -> None:
    """Ask Triton which models it has; a model that failed is named with its reason.

    Raises:
        ServerError: Not all of them were loaded.
    """
    from tritonclient.grpc import InferenceServerClient

    with contextlib.closing(InferenceServerClient(address.grpc)) as client:
        index = client.get_model_repository_index(headers={tensors.ACCESS_TOKEN_HEADER: address.token})
    failed = [
        f"{model.name}: {model.reason.splitlines()[0] if model.reason else model.state}"
        for model in index.models
        if model.state != "READY"
    ]
    if failed:
        raise ServerError("Triton could not load " + "; ".join(failed))
