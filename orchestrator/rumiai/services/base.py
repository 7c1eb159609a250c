"""The interface of a service: a descriptor with its name, its file, its needs, how it runs and what its data becomes.

Descriptors are cheap to import, since the command line reads them all. Methods import the models and libraries that
they need.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from rumiai.contracts.outcome import Summary
from rumiai.errors import UsageError

if TYPE_CHECKING:
    from rumiai.contracts.frame_reader import FrameReader
    from rumiai.contracts.frames import AudioTrack, Sampling, VideoInfo
    from rumiai.contracts.services.base import ServiceData
    from rumiai.contracts.timeline import TimelineEntry
    from rumiai.inference.client import TritonClient
    from rumiai.media.scenes import StreamingSceneDetector
    from rumiai.media.trail import GreyTrail
    from rumiai.settings import Settings

Stage = Literal["visual", "audio"]
_T = TypeVar("_T")
_Reader = TypeVar("_Reader", bound="FrameReader")
_Data = TypeVar("_Data", bound="ServiceData")


@functools.cache
def package_version(package: str) -> str:
    """The version of an installed package."""
    return metadata.version(package)


@dataclass(frozen=True)
class ProbedVideo:
    """A video that is about to be analysed.

    Attributes:
        path: The file.
        video_id: Its safe id.
        info: What the file says of itself.
        sampling: The sampling grid; None without a video stream.
        region_prefix: Begins the names of its shared memory.
    """

    path: Path
    video_id: str
    info: VideoInfo
    sampling: Sampling | None
    region_prefix: str


class WorkerTools:
    """What a worker process keeps from video to video: loaded models, and threads of their own for them."""

    def __init__(self) -> None:
        self._kept: dict[type[object], object] = {}
        self._threads: dict[str, Executor] = {}

    def keep(self, kind: type[_T], make: Callable[[], _T]) -> _T:
        """The object of this type; made at the first call."""
        kept = self._kept.get(kind)
        if not isinstance(kept, kind):
            kept = self._kept[kind] = make()
        return kept

    def thread(self, name: str) -> Executor:
        """An executor of one thread, the same for every call with this name."""
        if name not in self._threads:
            self._threads[name] = ThreadPoolExecutor(1, name)
        return self._threads[name]


@dataclass(frozen=True)
class VisualInputs:
    """What a visual service starts with.

    Attributes:
        video: The video; it has a video stream.
        sampling: Its sampling grid.
        settings: Of the run.
        client: Connected to a model server, which has the models that the services named.
        tools: The worker's.
        scene_detector: Gets every frame of the video; complete when the services finish.
        trail: Small grey pictures of every frame; complete when the services finish.
        readers: Service -> its reader, of those that started before this one.
        stored: Service -> its data from an earlier run; of the service's ``inputs`` alone.
    """

    video: ProbedVideo
    sampling: Sampling
    settings: Settings
    client: TritonClient
    tools: WorkerTools
    scene_detector: StreamingSceneDetector
    trail: GreyTrail
    readers: Mapping[str, FrameReader]
    stored: Mapping[str, ServiceData]

    def shared(self, kind: type[_Reader]) -> _Reader | None:
        """The reader of this type that another service of the run has started, to share its work; None without one.

        To use what another service finds, name it in ``inputs`` instead, see :class:`Service`.
        """
        return next((reader for reader in self.readers.values() if isinstance(reader, kind)), None)


@dataclass(frozen=True)
class VideoContext:
    """What is known of a video when all its frames have been read.

    Attributes:
        cuts_s: Instant of the first frame of each new shot, ascending.
        results: Service -> its data, of this run or stored; of the service's ``inputs`` alone.
        inputs: The services whose data may be asked for.
        shown_until_s: Where the picture breaks off; None when it goes on to its declared end.
    """

    cuts_s: tuple[float, ...]
    results: Mapping[str, ServiceData]
    inputs: tuple[str, ...] = ()
    shown_until_s: float | None = None

    def get(self, model: type[_Data]) -> _Data | None:
        """An input's data, by its model; None when that service did not run, or failed.

        Raises:
            UsageError: The service that asks does not name that one in its ``inputs``.
        """
        if model.service not in self.inputs:
            known = ", ".join(self.inputs) or "none"
            raise UsageError(
                f"got a question for the data of {model.service}, expected one of the service's inputs ({known})",
                hint="name it in the service's `inputs`",
            )
        data = self.results.get(model.service)
        return data if isinstance(data, model) else None


@dataclass(frozen=True)
class VisualRun:
    """A visual service at work on one video.

    Attributes:
        reader: Reads the frames; several services may share one. None for a service that needs no frames itself.
        finish: Makes the service's data, when all frames have been read. Its errors of ours fail the service.
    """

    reader: FrameReader | None
    finish: Callable[[VideoContext], ServiceData]


@dataclass(frozen=True)
class AudioInputs:
    """What an audio service runs on.

    Attributes:
        video: The video.
        track: Its audio track; None without one, which is no failure.
        settings: Of the run.
        client: As of :class:`VisualInputs`; the track's samples are registered with the server where that is possible.
        tools: The worker's.
        progress: Takes how much is done, of how much.
    """

    video: ProbedVideo
    track: AudioTrack | None
    settings: Settings
    client: TritonClient
    tools: WorkerTools
    progress: Callable[[int, int], None]


class Service(ABC, Generic[_Data]):
    """One service; registered by :func:`rumiai.services.register`.

    Attributes:
        name: In settings, files and results; a Python identifier.
        stage: Which stream it needs.
        file: Where its data is stored below the output folder; ``{id}`` stands for the video's id.
        older_files: Other places where earlier versions stored it.
        settings: Names of the settings that its result depends on: a stored result is reused while they are equal.
        inputs: Names of the visual and audio services whose data its result is made from where they have any. They are
            registered before it. A stored result is reused while each of them has the same data as then, or none as
            then. Data of other services cannot be read.
        server_model: The model that the server must have for it; None for a service that runs in the worker.
        summary_place: Where its line stands in the table at the end of a run; the smallest first.
    """

    name: ClassVar[str]
    stage: ClassVar[Stage]
    file: ClassVar[str]
    older_files: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()
    inputs: ClassVar[tuple[str, ...]] = ()
    server_model: ClassVar[str | None] = None
    summary_place: ClassVar[int] = 100

    @property
    def files(self) -> tuple[str, ...]:
        """Every place where a version of RumiAI stored its data; the first is the one that is written."""
        return self.file, *self.older_files

    @abstractmethod
    def data_model(self) -> type[_Data]:
        """The type of its data; its ``service`` is the service's name."""

    @abstractmethod
    def version(self, settings: Settings) -> str:
        """Which model in which version, for the result and for the decision whether a stored one is still good."""

    def weights(self, settings: Settings) -> tuple[str, ...]:
        """The weights files that it needs on this machine: names of ``rumiai-orch weights list``, or paths.

        For a service with a ``server_model`` they are those of an embedded server.
        """
        return ()

    def entries(self, data: _Data) -> Iterable[TimelineEntry]:
        """What its data puts on the timeline."""
        return ()

    def stand_in(self, service: str, data: _Data) -> Iterable[TimelineEntry]:
        """What its data puts on the timeline in place of another service that has no data."""
        return ()

    def summary(self, data: _Data | None) -> Summary:
        """Its part of a video's summary; nothing by default."""
        return Summary()


# A service whatever its data.
AnyService = Service[Any]


class VisualService(Service[_Data]):
    """A service of the video stream."""

    stage = "visual"

    @abstractmethod
    def start(self, inputs: VisualInputs) -> VisualRun:
        """Begin with a video.

        Raises:
            RumiAIError: It cannot; the service has failed, the others go on.
        """


class AudioService(Service[_Data]):
    """A service of the audio stream."""

    stage = "audio"

    @abstractmethod
    async def run(self, inputs: AudioInputs) -> _Data:
        """The service's data of one video.

        Raises:
            RumiAIError: The service has failed, the others go on.
        """


def count_more(count: int) -> str:
    """How many items a line leaves out; nothing when it has them all."""
    return f"; {count} more" if count > 0 else ""
