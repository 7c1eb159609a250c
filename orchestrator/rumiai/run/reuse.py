"""What the results of one video were made from, and which results of earlier runs are therefore still good.

A result's fingerprint holds the file, a digest of our code, the service's own version, weights and settings, and the
fingerprint of each input's result. An input without a result counts as missing. So a result that was made while an
input was missing is made again as soon as that input has one, and a result that rests on nothing that changed is kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rumiai import weights
from rumiai.contracts.results import ServiceResult
from rumiai.core.code import services_code
from rumiai.errors import ContractError, StoreError
from rumiai.results.run_state import RunState
from rumiai.results.store import fingerprint, read_bytes
from rumiai.services import AnyService
from rumiai.services.base import Stage, package_version
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo

# What decodes a stream and divides it into shots.
_DECODED_BY: Final[Mapping[Stage, Sequence[str]]] = {"visual": ("av", "scenedetect"), "audio": ("av",)}


@dataclass(frozen=True)
class Reusable:
    """Results of earlier runs.

    Attributes:
        results: Service -> its result, of those that were asked for and of their inputs.
        made_from: Service -> the fingerprint of that result.
    """

    results: dict[str, ServiceResult] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)


class Provenance:
    """What the results of one video's services are made from.

    Args:
        video: The video.
        settings: Of the run.
    """

    def __init__(self, video: FetchedVideo, settings: Settings) -> None:
        self.settings = settings
        self._file = video.identity or _size_and_time(video.path)

    def of_stream(self, stage: Stage) -> str:
        """Fingerprint of a decoded stream."""
        packages = {name: package_version(name) for name in _DECODED_BY[stage]}
        return fingerprint(services_code(), self._file, packages, self.settings.hwaccel if stage == "visual" else None)

    def of(self, service: AnyService, inputs: Mapping[str, str]) -> str:
        """Fingerprint of a service's result.

        Args:
            service: The service.
            inputs: Service -> the fingerprint of its result, of all that have one.
        """
        settings = self.settings
        chosen = {name: getattr(settings, name) for name in service.settings}
        models = weights.identities(service.weights(settings))
        given = {name: inputs.get(name) for name in service.inputs}
        return fingerprint(self.of_stream(service.stage), service.version(settings), models, chosen, given)

    def of_results(
        self, services: Sequence[AnyService], reused: Reusable, results: Mapping[str, ServiceResult]
    ) -> dict[str, str]:
        """Service -> the fingerprint of its result, of all that have one.

        Args:
            services: In the order of the registry.
            reused: From earlier runs.
            results: Of this run.
        """
        found: dict[str, str] = {}
        for service in services:
            result = results.get(service.name)
            if service.name in reused.made_from:
                found[service.name] = reused.made_from[service.name]
            elif result is not None and result.ok:
                found[service.name] = self.of(service, found)
        return found


def _size_and_time(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def find_reusable(
    services: Sequence[AnyService],
    again: Sequence[AnyService],
    planned: Sequence[AnyService],
    provenance: Provenance,
    state: RunState,
    files: Mapping[str, Path],
) -> Reusable:
    """What earlier runs finished from the same as this run would make it from: it parses and holds its contract.

    A service that is to run is taken to succeed: what rests on its result is then made again only if its result is to
    be another one than the one that it rests on.

    Args:
        services: All that are looked for, in the order of the registry.
        again: Those that are to run whatever there is.
        planned: Those that are to run if nothing is found.
        provenance: Of the video.
        state: Of the video.
        files: Service -> where its data is stored.
    """
    found = Reusable()
    expected: dict[str, str] = {}
    for service in services:
        made_from = provenance.of(service, expected)
        data = None
        if service not in again and state.finished(stage_of(service), made_from):
            with contextlib.suppress(StoreError, ContractError):
                data = service.data_model().from_bytes(read_bytes(files[service.name]))
        if data is not None:
            found.results[service.name] = ServiceResult(service.name, service.version(provenance.settings), data)
            found.made_from[service.name] = made_from
        if data is not None or service in planned:
            expected[service.name] = made_from
    return found


def stage_of(service: AnyService) -> str:
    """What ``state.json`` calls the service's result."""
    return f"ml.{service.name}"
