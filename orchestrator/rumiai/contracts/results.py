"""The result of a service: its data, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rumiai.contracts.models import model_of
from rumiai.contracts.services.base import ServiceData
from rumiai.errors import ContractError

# A name in the registry of services (rumiai.services); checked there, since plugins add to it.
ServiceName = str


@dataclass(frozen=True)
class ServiceStatus:
    """Whether a service ran and succeeded on a video.

    Attributes:
        ok: Whether it did.
        reason: Why not; None when it did, or when an older file does not say.
    """

    ok: bool
    reason: str | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> ServiceStatus:
        """Read :meth:`to_json`'s form; what is missing means "not ok" and "no reason"."""
        reason = raw.get("reason")
        return cls(bool(raw.get("ok")), None if reason is None else str(reason))

    def to_json(self) -> dict[str, Any]:
        """The form in the file of a unified analysis."""
        return {"ok": self.ok, "reason": self.reason}


DID_NOT_RUN: Final = ServiceStatus(False, "did not run")


@dataclass(frozen=True)
class ServiceResult:
    """The result of one service for one video.

    A service that failed has no lists that could be taken for "nothing there".

    Attributes:
        service: Its name.
        version: Of its model.
        data: Its canonical data; None when it failed.
        failure: Why it failed; None when it did not.
        seconds: Of work or waiting.
    """

    service: ServiceName
    version: str
    data: ServiceData | None
    failure: str | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if (self.data is None) == (self.failure is None):
            raise ValueError(f"{self.service}: got data and failure, or neither; expected one of them")

    @classmethod
    def failed(cls, service: ServiceName, version: str, reason: str, seconds: float = 0.0) -> ServiceResult:
        """A service that failed, with its reason."""
        return cls(service, version, None, reason or "failed without a reason", seconds)

    @classmethod
    def read(cls, service: ServiceName, version: str, raw: object, seconds: float = 0.0) -> ServiceResult:
        """From JSON data in canonical form, validated; data that breaks its contract is a failure of its service."""
        metadata = raw.get("metadata") if isinstance(raw, Mapping) else None
        if isinstance(metadata, Mapping) and metadata.get("processed") is False:
            return cls.failed(service, version, str(metadata.get("error") or "failed without a reason"), seconds)
        try:
            return cls(service, version, model_of(service).from_json(raw), None, seconds)
        except ContractError as error:
            return cls.failed(service, version, error.message, seconds)

    @property
    def ok(self) -> bool:
        """Whether there is data."""
        return self.data is not None

    @property
    def status(self) -> ServiceStatus:
        """The result without its data."""
        return ServiceStatus(self.ok, self.failure)

    def to_json(self) -> dict[str, Any]:
        """The content of the service's file."""
        if self.data is None:
            return {"metadata": {"processed": False, "error": self.failure}}
        return self.data.to_json()
