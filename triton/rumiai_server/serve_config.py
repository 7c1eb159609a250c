"""What ``rumiai-triton serve`` can be asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from rumiai.contracts import tensors
from rumiai.errors import ConfigurationError
from rumiai.weights import files

Device = Literal["auto", "cpu", "cuda"]
ResolvedDevice = Literal["cpu", "cuda"]

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class RestartLimit:
    """The launcher gives up when tritonserver has ended ``failures`` times within ``window_s`` seconds."""

    failures: int = 5
    window_s: float = 300.0


@dataclass(frozen=True)
class ServeConfig:
    """Settings of one server.

    A port of 0 is any free one. ``http`` False serves gRPC only: neither HTTP nor metrics. ``instances`` and
    ``parameters`` are per model; what they leave out is as in ``config.pbtxt``. ``repository`` None is the one of this
    installation.

    Raises:
        ConfigurationError: No model or an unknown one, or an address other than loopback without ``insecure_bind``.
    """

    models: tuple[str, ...] = tuple(tensors.ENDPOINTS)
    device: Device = "auto"
    address: str = "127.0.0.1"
    grpc_port: int = 0
    http_port: int = 0
    metrics_port: int = 0
    http: bool = True
    insecure_bind: bool = False
    instances: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    repository: Path | None = None
    log_level: str = "INFO"
    restart_limit: RestartLimit = field(default_factory=RestartLimit)

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

    def check_parameters(self) -> None:
        """Look at what the models would refuse, before a server is started for it.

        Raises:
            ConfigurationError: Weights that are neither in the catalogue nor a file, or a language that EasyOCR lacks.
        """
        told = {model: self.parameters.get(model, {}) for model in self.models}
        names = [name.partition("/")[0] for name in files.catalogue()]
        yolo, whisper = told.get("yolo", {}).get("weights"), told.get("whisper", {}).get("model")
        _check_weights("--yolo-weights", yolo, [name for name in names if name.startswith("yolo")])
        _check_weights("--whisper-model", whisper, [name for name in names if name.startswith("whisper-")])
        for language in filter(None, told.get("ocr", {}).get("languages", "").split(",")):
            _check_language(language.strip())


def _check_weights(option: str, value: str | None, known: Sequence[str]) -> None:
    """A path must be there; a name must be one of the catalogue's."""
    if value is None or value in known or (value.startswith("/") and Path(value).exists()):
        return
    said, *names = (name.removeprefix("whisper-").removesuffix("-ct2") for name in (value, *dict.fromkeys(known)))
    raise ConfigurationError(
        f"{option}: got {said!r}, expected {', '.join(names)} or the path of a file",
        hint="a path has a / in it, such as ./weights.onnx",
    )


def _check_language(language: str) -> None:
    spec = importlib.util.find_spec("easyocr")  # finds it without the seconds that its import takes
    characters = Path(spec.origin or "").parent / "character" if spec else Path()
    known = sorted(path.name.removesuffix("_char.txt") for path in characters.glob("*_char.txt"))
    if language not in known:
        raise ConfigurationError(f"--ocr-langs: got {language!r}, expected EasyOCR's codes: {', '.join(known)}")
