"""What the parts of a run pass to each other: videos to analyse, and the context of a worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.outcome import VideoOutcome
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo, SourceItem

# Begins the post-processing of one video in the parent process.
PostProcess = Callable[[VideoOutcome], "Future[VideoOutcome]"]


@dataclass(frozen=True)
class VideoTask:
    """One video to analyse.

    Attributes:
        item: Where it is.
        video_id: Safe as a file name, unique within the run.
        fetched: The video, when it was brought here ahead of the workers; None: the worker fetches it.
    """

    item: SourceItem
    video_id: str
    fetched: FetchedVideo | None = None

    def metadata(self, video: FetchedVideo) -> VideoMetadata:
        """What the user said, completed by what the source knows; of persons, what an analysis reads."""
        told, known = self.item.metadata, video.metadata
        found = told.completed(known) if told else known or VideoMetadata.local(self.video_id)
        return found.needed()


@dataclass(frozen=True)
class ServerAccess:
    """How workers reach the model server.

    Attributes:
        grpc: ``host:port``.
        token: Opens the shared-memory protocol; None sends frames as bytes.
        models: What the server was asked to load.
        is_there: Whether a server has been started or named; False until a video turns out to need one.
    """

    grpc: str
    token: str | None
    models: tuple[str, ...] = ()
    is_there: bool = True


@dataclass(frozen=True)
class RunContext:
    """What every worker process of a run is given.

    Attributes:
        run_id: Prefix of the run's shared-memory regions.
        settings: Of the run.
        server: Where the models are.
        events: Path of the socket that takes the workers' events.
        insights: Whether to go on after the unified analysis.
    """

    run_id: str
    settings: Settings
    server: ServerAccess
    events: str
    insights: bool = True


@dataclass(frozen=True)
class Stops:
    """What ends a run before its time: ``now`` gives up the videos in flight, ``closing`` only those that wait."""

    now: threading.Event
    closing: threading.Event

    @property
    def any(self) -> bool:
        """Whether no new video is begun."""
        return self.now.is_set() or self.closing.is_set()
