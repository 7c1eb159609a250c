"""The runtime copy of ``model_repository/``: the chosen models with device, instance counts and parameters."""

from __future__ import annotations

import ctypes
import shutil
from importlib import resources
from pathlib import Path

from rumiai.errors import ConfigurationError, ServerError
from rumiai_server.serve_config import Device, ResolvedDevice, ServeConfig
from rumiai_server.threads import threads_per_model


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


def resolve_device(device: Device) -> ResolvedDevice:
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


def device_name(device: ResolvedDevice) -> str:
    """What a person calls the device: ``cpu``, or the name of the first GPU and its memory in GiB."""
    if device == "cpu":
        return "cpu"
    import torch

    found = torch.cuda.get_device_properties(0)
    return f"{found.name}, {found.total_memory / 2**30:.0f} GiB"


def _has_cuda_driver() -> bool:
    """Whether a driver is installed; without one torch, which takes seconds to import, need not be asked."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def render_repository(config: ServeConfig, device: ResolvedDevice, target: Path) -> None:
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
