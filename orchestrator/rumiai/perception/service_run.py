"""One service at work on one video, and the results of all of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rumiai.contracts.results import ServiceResult
from rumiai.contracts.services.base import ServiceData
from rumiai.errors import DecodeError, MediaError, RumiAIError, ServerGoneError
from rumiai.media.decode import DecodeReport
from rumiai.media.endings import SoundEnd
from rumiai.services import AnyService

# Takes the name of a stage, how much of it is done, and how much there is.
Emit = Callable[[str, int, int], None]


@dataclass
class ServiceRun:
    """The state of a service: whether it has failed and why, and its seconds of work or waiting.

    Attributes:
        server_gone: It failed because the model server has gone: with a server it may succeed.
    """

    name: str
    version: str
    device: str | None = "cpu"
    failure: str | None = None
    seconds: float = 0.0
    server_gone: bool = False

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Turn an error of ours into this service's failure; the first one counts."""
        began = time.monotonic()
        try:
            yield
        except RumiAIError as exc:
            if self.failure is None:
                self.failure, self.server_gone = str(exc), isinstance(exc, ServerGoneError)
        finally:
            self.seconds += time.monotonic() - began

    def result(self, data: ServiceData | None) -> ServiceResult:
        """The data, with the device in its metadata, or the failure."""
        if self.failure is not None or data is None:
            return ServiceResult.failed(self.name, self.version, self.failure or "gave no data", self.seconds)
        return ServiceResult(self.name, self.version, data.on_device(self.device), None, self.seconds)


@dataclass
class ServiceResults:
    """The results of all services of one video.

    Attributes:
        versions: Service -> model and version.
        devices: Service -> where the server runs its model; one that is not named runs in the worker, on the CPU.
        results: Service -> its data or its failure.
        stage_seconds: Where the time went.
        report: What decoding showed; None without a video stream, or when it could not be decoded.
        sound: How the audio track ended; None when it was not decoded.
        warnings: What a reader of the results should know.
        runs: The services that were begun.
        damage: Why a stream could not be decoded; None when those that were could.
    """

    versions: Mapping[str, str]
    devices: Mapping[str, str | None] = field(default_factory=dict)
    results: dict[str, ServiceResult] = field(default_factory=dict)
    stage_seconds: dict[str, float] = field(default_factory=dict)
    report: DecodeReport | None = None
    sound: SoundEnd | None = None
    warnings: list[str] = field(default_factory=list)
    runs: list[ServiceRun] = field(default_factory=list)
    damage: MediaError | None = None

    @property
    def is_damaged(self) -> bool:
        """Whether pictures of the video stream could not be decoded, some or all."""
        return isinstance(self.damage, DecodeError) or (self.report is not None and self.report.frames_corrupt > 0)

    @property
    def server_gone(self) -> bool:
        """Whether a service failed because the model server has gone."""
        return any(run.server_gone for run in self.runs)

    def begin(self, service: AnyService) -> ServiceRun:
        """The state of a service before it runs."""
        run = ServiceRun(service.name, self.versions[service.name], self.devices.get(service.name, "cpu"))
        self.runs.append(run)
        return run
