"""One service during one video, and what all of them gave."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rumiai.contracts.frames import Sampling, VideoInfo
from rumiai.contracts.results import ServiceName, ServiceResult
from rumiai.errors import RumiAIError
from rumiai.media.decode import DecodeReport
from rumiai.media.endings import SoundEnd
from rumiai.people.landmarks import PeopleAnalyzer

VISUAL: Final[frozenset[ServiceName]] = frozenset({"yolo", "ocr", "mediapipe", "emotion_detection", "scene_detection"})
AUDIBLE: Final[frozenset[ServiceName]] = frozenset({"whisper", "audio_energy"})

Emit = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class ProbedVideo:
    """What is looked at: the file, its facts, the grid (None without video), and the name of its shared memory."""

    path: Path
    video_id: str
    info: VideoInfo
    sampling: Sampling | None
    region_prefix: str


@dataclass(frozen=True)
class Tools:
    """What a worker keeps from video to video.

    ``people`` is called in ``people_thread`` alone, with True at a video's first frames: the analyzer then forgets the
    video before.
    """

    people: Callable[[bool], PeopleAnalyzer]
    people_thread: Executor


@dataclass
class ServiceRun:
    """Whether a service still runs, why not, and the seconds of work or waiting it took."""

    name: ServiceName
    version: str
    device: str | None = "cpu"
    failure: str | None = None
    seconds: float = 0.0

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Turn an error of ours into this service's failure; the first one counts."""
        began = time.monotonic()
        try:
            yield
        except RumiAIError as exc:
            self.failure = self.failure or str(exc)
        finally:
            self.seconds += time.monotonic() - began

    def result(self, data: Mapping[str, Any] | None) -> ServiceResult:
        """The data, validated, or the failure."""
        if self.failure is not None or data is None:
            return ServiceResult.failed(self.name, self.version, self.failure or "gave no data", self.seconds)
        told = {**data, "metadata": {**data["metadata"], "device": self.device}}
        return ServiceResult.read(self.name, self.version, told, self.seconds)


@dataclass
class ServiceResults:
    """An envelope for each service that ran, what decoding showed, and where the time went.

    ``devices`` says where the server runs its models; what it does not name runs in the worker, on the CPU.
    """

    versions: Mapping[ServiceName, str]
    devices: Mapping[ServiceName, str | None] = field(default_factory=dict)
    results: dict[ServiceName, ServiceResult] = field(default_factory=dict)
    stage_seconds: dict[str, float] = field(default_factory=dict)
    report: DecodeReport | None = None
    sound: SoundEnd | None = None
    warnings: list[str] = field(default_factory=list)

    def service(self, name: ServiceName) -> ServiceRun:
        """A service that is about to run."""
        return ServiceRun(name, self.versions[name], self.devices.get(name, "cpu"))
