"""What ``rumiai-triton serve`` can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from rumiai.contracts import tensors
from rumiai.errors import ConfigurationError

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
