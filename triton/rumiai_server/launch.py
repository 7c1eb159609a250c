"""Start Triton over a runtime copy of ``model_repository/`` and stop it without leaving anything behind."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from rumiai.contracts import tensors
from rumiai.errors import ConfigurationError, ServerError
from rumiai_server.threads import threads_per_model

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
                hint="put the container of docker/ behind its gateway, or pass --insecure-bind if you know the network",
            )


@dataclass(frozen=True)
class ServerAddress:
    """Where a running server listens, and the token for what PyTriton guards (shared memory among it)."""

    grpc: str
    http: str
    metrics: str
    token: str
    models: tuple[str, ...]
    pid: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form, as it is written to the server file."""
        return {
            "grpc": self.grpc,
            "http": self.http,
            "metrics": self.metrics,
            "token": self.token,
            "models": list(self.models),
            "pid": self.pid,
        }


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
    if device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise ConfigurationError(
            "device cuda was asked for, but torch sees no CUDA device", hint="use --device auto, or check nvidia-smi"
        )
    return "cpu"


def render_repository(config: ServeConfig, target: Path) -> None:
    """Copy the chosen models to ``target`` and write device, instance count and parameters into their configs.

    Raises:
        ServerError: A model is not in the repository.
    """
    from google.protobuf import text_format
    from tritonclient.grpc import model_config_pb2

    source = config.repository or repository_source()
    device = resolve_device(config.device)
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


def sweep_stale() -> list[str]:
    """Remove what servers that were killed left in ``/dev/shm`` and in the temporary folder; returns the names."""
    removed = []
    for entry in _SHM.glob(f"{_PYTRITON_SHM_PREFIX}*"):
        digits = entry.name.removeprefix(_PYTRITON_SHM_PREFIX).split("-")[0]
        if digits.isdigit() and not _alive(int(digits)):
            with contextlib.suppress(OSError):
                entry.unlink()
                removed.append(entry.name)
    for folder in Path(tempfile.gettempdir()).glob(f"{_WORKSPACE_PREFIX}*"):
        digits = folder.name.removeprefix(_WORKSPACE_PREFIX).split("-")[0]
        if digits.isdigit() and not _alive(int(digits)) and folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    return removed


def _prepare_environment() -> None:
    """What Triton's backend processes inherit."""
    libdir = sysconfig.get_config_var("LIBDIR")
    paths = [libdir, *filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep))]
    # The backend stub links libpython dynamically and must find the one of this very interpreter.
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
    # Idle OpenMP threads that spin would take the cores from the other models' instances.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())
    os.environ.setdefault("YOLO_OFFLINE", "true")


def server_file(grpc_port: int) -> Path:
    """Where the address and token of the server on this port are written, mode 0600."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) if runtime and os.access(runtime, os.W_OK) else Path.home() / ".cache"
    return base / "rumiai" / ("" if base.name != ".cache" else "run") / f"{grpc_port}.json"


def _write_server_file(address: ServerAddress) -> Path:
    path = server_file(int(address.grpc.rsplit(":", 1)[1]))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(address.to_dict(), stream)
    temporary.replace(path)
    return path


@contextlib.contextmanager
def running(config: ServeConfig) -> Iterator[tuple[Triton, ServerAddress]]:
    """A Triton server with all models loaded and warm; stopped, and everything of it removed, at the end.

    Raises:
        ServerError: It did not come up.
        ConfigurationError: A port is taken, or the device is not there.
    """
    sweep_stale()
    _prepare_environment()
    from pytriton.triton import Triton, TritonConfig, TritonSecurityConfig

    grpc_port, http_port, metrics_port = _free_ports(
        config.address, (config.grpc_port, config.http_port, config.metrics_port)
    )
    address = ServerAddress(
        grpc=f"{config.address}:{grpc_port}",
        http=f"{config.address}:{http_port}",
        metrics=f"http://{config.address}:{metrics_port}/metrics",
        token=secrets.token_urlsafe(32),
        models=config.models,
        pid=os.getpid(),
    )
    folder = Path(tempfile.mkdtemp(prefix=f"{_WORKSPACE_PREFIX}{os.getpid()}-"))
    written: Path | None = None
    triton: Triton | None = None
    try:
        render_repository(config, folder / "models")
        triton = Triton(
            config=TritonConfig(
                model_repository=folder / "models",
                grpc_address=config.address,
                grpc_port=grpc_port,
                http_address=config.address,
                http_port=http_port,
                metrics_address=config.address,
                metrics_port=metrics_port,
                log_verbose=1 if config.log_level == "TRACE" else 0,
            ),
            workspace=folder / "workspace",
            security_config=TritonSecurityConfig(access_token=address.token),
        )
        with contextlib.redirect_stdout(sys.stderr):  # Triton's log; our stdout is for the address alone
            _run(triton)
            written = _write_server_file(address)
            yield triton, address
    finally:
        if written:
            written.unlink(missing_ok=True)
        if triton is not None:
            with contextlib.redirect_stdout(sys.stderr):
                triton.stop()
        shutil.rmtree(folder, ignore_errors=True)
        sweep_stale()


def _run(triton: Triton) -> None:
    from pytriton.client.exceptions import PyTritonClientError

    try:
        triton.run()
    except (TimeoutError, PyTritonClientError, OSError) as exc:
        raise ServerError(
            f"Triton did not become ready: {exc}", hint="its log above says which model failed and why"
        ) from exc
    if not triton.is_alive():
        raise ServerError("Triton stopped while loading its models", hint="its log above says which model and why")
