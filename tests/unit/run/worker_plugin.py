"""A plug-in for tests of the run itself: a service that tells its worker's keys, and is slow when it is told to."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar

from rumiai.contracts.services.base import ServiceData, ServiceMetadata
from rumiai.services import VideoContext, VisualInputs, VisualRun, VisualService, register
from rumiai.settings import Settings

# Names a file whose presence makes the service take a minute; another file then says that it has begun.
SLOW = "RUMIAI_TEST_SLOW"


class WorkerData(ServiceData):
    service: ClassVar[str] = "worker"

    keys: tuple[str, ...]


class WorkerService(VisualService[WorkerData]):
    name = "worker"
    file = "worker/{id}.json"

    def data_model(self) -> type[WorkerData]:
        return WorkerData

    def version(self, settings: Settings) -> str:
        return "1"

    def start(self, inputs: VisualInputs) -> VisualRun:
        def finish(context: VideoContext) -> WorkerData:
            slow = Path(os.environ[SLOW])
            if slow.exists():
                slow.with_suffix(".begun").touch()
                time.sleep(60)
            started_with = Path("/proc/self/environ").read_bytes().decode().split("\0")
            keys = sorted(name for name, _, value in (entry.partition("=") for entry in started_with) if value == "key")
            return WorkerData(keys=tuple(keys), metadata=ServiceMetadata(processed=True))

        return VisualRun(None, finish)


register(WorkerService())
