"""What ``rumiai-orch serve`` was told on its command line."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rumiai.core.addresses import AddressRules
from rumiai.errors import ConfigurationError
from rumiai.settings import Secrets, Settings

# What the records call the runs of a service.
KIND: Final = "serve"


@dataclass(frozen=True)
class Limits:
    """What one caller may ask for.

    Attributes:
        body_bytes: Of a request without files.
        upload_bytes: Of a request with files, all together.
        files: In one request.
        sources: In one request.
        requests_a_minute: Of one key.
        failures_a_minute: Of one address: requests without a key that is known.
        waiting_runs: Accepted and not begun; beyond these the service asks to come again later.
    """

    body_bytes: int = 16 << 20
    upload_bytes: int = 2 << 30
    files: int = 1000
    sources: int = 10_000
    requests_a_minute: int = 1200
    failures_a_minute: int = 60
    waiting_runs: int = 100_000


@dataclass(frozen=True)
class ServiceConfig:
    """How the service was started.

    Attributes:
        settings: Of every run, where a request says nothing else.
        secrets: Keys of other services.
        roots: Folders, absolute, below which a request may name files of this machine; with their resolved names.
        prefixes: Beginnings of other addresses that a request may name, such as ``s3://bucket/videos/``.
        addresses: Where webhooks may go beside public addresses.
        runs_at_once: Runs in work side by side.
        keep_uploads: Whether uploaded files stay when their run has ended.
        limits: See :class:`Limits`.
    """

    settings: Settings
    secrets: Secrets = field(default_factory=Secrets)
    roots: tuple[Path, ...] = ()
    prefixes: tuple[str, ...] = ()
    addresses: AddressRules = field(default_factory=AddressRules)
    runs_at_once: int = 1
    keep_uploads: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Address:
    """Where the service listens.

    Attributes:
        host: Name or address.
        port: 0 takes a free one.
        certificate: File with the TLS certificate; None speaks plain HTTP.
        private_key: File with its key.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    private_key: Path | None = None

    def check(self, *, insecure_bind: bool) -> None:
        """Refuse to send keys over a network in the clear.

        Raises:
            ConfigurationError: It is no loopback address, there is no certificate, and nobody said that this is meant.
        """
        if self.private_key is not None and self.certificate is None:
            raise ConfigurationError("--tls-key needs --tls-cert")
        if not (self.is_loopback or self.certificate or insecure_bind):
            raise ConfigurationError(
                f"{self.host} is not loopback; without TLS, API keys and videos would cross the network in the clear",
                hint="give --tls-cert and --tls-key, or --insecure-bind behind a gateway that has TLS",
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def source_places(places: tuple[str, ...]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Folders and prefixes of ``--allow-source``.

    Raises:
        ConfigurationError: One is neither an existing folder nor the beginning of an address.
    """
    roots, prefixes = list[Path](), list[str]()
    for place in places:
        if "://" in place:
            if not place.endswith("/"):
                raise ConfigurationError(f"--allow-source: got {place}, expected a prefix that ends with /")
            prefixes.append(place)
        elif Path(place).is_dir():
            roots += [Path(os.path.abspath(place)), Path(place).resolve()]
        else:
            raise ConfigurationError(f"--allow-source: {place} is no folder", hint="name a folder, or such as s3://b/")
    return tuple(dict.fromkeys(roots)), tuple(prefixes)
