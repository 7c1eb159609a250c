"""The visual stage: it decodes the video stream once, and all visual services read the frames side by side.

The decoder runs in a thread and fills batches in shared memory. Each reader has a queue and takes one batch at a time.
A batch's memory is free again when its last reader has released it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rumiai.contracts.frame_reader import FrameReader, Reading
from rumiai.contracts.frames import FrameBatch, FrameKind
from rumiai.contracts.services.base import ServiceData
from rumiai.errors import MediaError, RumiAIError, StoreError, UsageError
from rumiai.inference.client import TritonClient
from rumiai.media.decode import VideoPass, slot_bytes_for
from rumiai.media.scenes import StreamingSceneDetector
from rumiai.media.shared_frames import FrameArena
from rumiai.media.trail import GreyTrail
from rumiai.perception.server_memory import mapped_by_server
from rumiai.perception.service_run import Emit, ServiceResults, ServiceRun
from rumiai.services import ProbedVideo, VideoContext, VisualInputs, VisualRun, VisualService, WorkerTools
from rumiai.settings import Settings

# Eight 720p frames are 22 MB: what one request carries well. Of the slots one is being written, one holds frames that
# follow cuts, and three readers may be at a batch of their own; more readers share.
FRAMES_PER_BATCH: Final = 8
SLOTS: Final = 5
# Slots, and frames in each. A container has 64 MB of shared memory unless it is given more; the smallest takes 6 MB of
# 720p frames.
ARENAS: Final = ((SLOTS, FRAMES_PER_BATCH), (3, FRAMES_PER_BATCH), (3, 3), (2, 1))


@dataclass(frozen=True)
class _Item:
    """A batch on its way to one reader.

    Attributes:
        batch: The frames.
        earlier: Done when the readers that come first are done with the batch.
        done: Done when this reader is.
    """

    batch: FrameBatch
    earlier: tuple[asyncio.Future[None], ...]
    done: asyncio.Future[None]


@dataclass(eq=False)
class _Feed:
    """One reader with its queue; ``run`` is the first of the services that it works for."""

    reader: FrameReader
    run: ServiceRun
    queue: asyncio.Queue[_Item | None] = field(default_factory=asyncio.Queue)
    # One batch of a video is at a model at a time: Triton copies each into memory that it never frees.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    sampled_done: int = 0


@dataclass(frozen=True)
class _Started:
    service: VisualService[Any]
    run: ServiceRun
    visual: VisualRun | None
    feed: _Feed | None


class VisualStage:
    """One video's visual services.

    Args:
        video: The video; it has a video stream.
        services: At least one, in the order of the registry.
        client: Connected to the server.
        settings: Of the run.
        tools: The worker's.
        out: Where results go.
        emit: Takes progress.
        stored: Service -> its data from an earlier run.
        decoder_threads: As of :class:`VideoPass`.
    """

    def __init__(
        self,
        video: ProbedVideo,
        services: Sequence[VisualService[Any]],
        client: TritonClient,
        settings: Settings,
        tools: WorkerTools,
        out: ServiceResults,
        emit: Emit,
        stored: Mapping[str, ServiceData],
        decoder_threads: int | None = None,
    ) -> None:
        if video.sampling is None:
            raise UsageError(f"{video.path.name} has no video stream")
        self._video, self._client, self._settings = video, client, settings
        self._out, self._emit, self._sampling = out, emit, video.sampling
        self._scenes, self._trail = StreamingSceneDetector(video.info.fps), GreyTrail()
        self._readers: dict[str, FrameReader] = {}
        self._stored = stored
        self._decoder_threads = decoder_threads
        self._inputs = VisualInputs(
            video, video.sampling, settings, client, tools, self._scenes, self._trail, self._readers, {}
        )
        self._feeds: list[_Feed] = []
        self._started = [self._start(service) for service in services]
        self._sampled_out = 0

    def _start(self, service: VisualService[Any]) -> _Started:
        run = self._out.begin(service)
        visual: VisualRun | None = None
        feed: _Feed | None = None
        with run.guard():
            visual = service.start(replace(self._inputs, stored=_inputs_of(service, self._stored)))
            if visual.reader is not None:
                self._readers[service.name] = visual.reader
                feed = self._feed_of(visual.reader, run)
        return _Started(service, run, visual, feed)

    def _feed_of(self, reader: FrameReader, run: ServiceRun) -> _Feed:
        """The feed of a reader that several services may share."""
        for feed in self._feeds:
            if feed.reader is reader:
                return feed
        self._feeds.append(_Feed(reader, run))
        return self._feeds[-1]

    async def run(self) -> None:
        """Decode the stream and have its frames read; the results come with :meth:`finish`."""
        self._tell_progress()
        info, side_px = self._video.info, self._settings.max_side_px
        arena, frames_per_batch = self._arena(slot_bytes_for(info, max_side_px=side_px, frames_per_batch=1))
        with arena:
            frames = VideoPass(
                self._video.path,
                info,
                self._sampling,
                arena,
                max_side_px=side_px,
                frames_per_batch=frames_per_batch,
                readers={"sampled": self._holders("sampled"), "after_cut": self._holders("after_cut")},
                scene_detector=self._scenes,
                trail=self._trail,
                hwaccel=self._settings.hwaccel or None,
                deadline_s=self._settings.video_timeout_s,
                threads=self._decoder_threads,
            )
            async with self._known_to_server(arena):
                await self._pass(frames)

    def _arena(self, frame_bytes: int) -> tuple[FrameArena, int]:
        """Memory for the frames, and how many go into a slot: fewer where there is little shared memory.

        Raises:
            StoreError: There is none for the fewest either.
        """
        name = f"{self._video.region_prefix}-frames"
        for slots, frames in ARENAS:
            try:
                return FrameArena(name, slots=slots, slot_bytes=frames * frame_bytes), frames
            except StoreError:
                if (slots, frames) == ARENAS[-1]:
                    raise
        raise AssertionError("ARENAS is empty")

    def _holders(self, kind: FrameKind) -> int:
        """How often a batch is released: by each of its readers, and by the stage when it has handed it out."""
        return 1 + sum(kind in feed.reader.kinds for feed in self._feeds)

    def _known_to_server(self, arena: FrameArena) -> contextlib.AbstractAsyncContextManager[None]:
        """Map the frames in the server, if one of its models reads them."""
        if any(started.service.server_model for started in self._started):
            return mapped_by_server(arena, self._client)
        return contextlib.nullcontext()

    async def _pass(self, frames: VideoPass) -> None:
        """Decode in a thread; hand each batch to its readers on this loop, in order."""
        loop = asyncio.get_running_loop()

        def decode() -> None:
            for batch in frames:
                loop.call_soon_threadsafe(self._hand_out, batch)

        async with asyncio.TaskGroup() as group:
            for feed in self._feeds:
                group.create_task(self._consume(feed, group))
            try:
                await asyncio.to_thread(decode)
                self._out.report = frames.report
                self._out.stage_seconds["decode_video"] = frames.report.decode_s
            except RumiAIError as exc:
                if isinstance(exc, MediaError):
                    self._out.damage = exc
                # Frames that are missing fail every service that needs them all.
                for started in self._started:
                    started.run.failure = started.run.failure or str(exc)
            finally:
                for feed in self._feeds:
                    feed.queue.put_nowait(None)

    def _hand_out(self, batch: FrameBatch) -> None:
        done: dict[FrameReader, asyncio.Future[None]] = {}
        for feed in self._feeds:
            if batch.kind in feed.reader.kinds:
                earlier = tuple(done[reader] for reader in feed.reader.after if reader in done)
                done[feed.reader] = asyncio.get_running_loop().create_future()
                feed.queue.put_nowait(_Item(batch, earlier, done[feed.reader]))
        if batch.kind == "sampled":
            self._sampled_out += len(batch)
            self._tell_progress()
        batch.release()

    async def _consume(self, feed: _Feed, group: asyncio.TaskGroup) -> None:
        """Prepare batch after batch; what is left of one is read while the next is prepared."""
        while (item := await feed.queue.get()) is not None:
            if item.earlier:
                await asyncio.wait(item.earlier)
            reading: Reading | None = None
            if feed.run.failure is None:
                with feed.run.guard():
                    reading = await feed.reader.prepare(item.batch)
            group.create_task(self._read(feed, item, reading))

    async def _read(self, feed: _Feed, item: _Item, reading: Reading | None) -> None:
        try:
            async with feed.turn:
                if reading is not None and feed.run.failure is None:
                    with feed.run.guard():
                        await reading()
        finally:
            item.done.set_result(None)
            item.batch.release()
        if item.batch.kind == "sampled":
            feed.sampled_done += len(item.batch)
            self._tell_progress()

    def _tell_progress(self) -> None:
        """Report the progress of the slowest reader."""
        done = min((feed.sampled_done for feed in self._feeds if "sampled" in feed.reader.kinds), default=None)
        done = self._sampled_out if done is None else done
        self._emit("frames", done, self._sampling.frames_expected)

    def finish(self, results: Mapping[str, ServiceData]) -> None:
        """Make each service's result, now that all frames were read.

        Args:
            results: Service -> its data: stored, and of the audio stage.
        """
        cuts_s = tuple(cut.time_s for cut in self._scenes.cuts)
        known, report = dict(results), self._out.report
        breaks_off_s = report.duration_s if report is not None and report.complete is False else None
        for started in self._started:
            run = started.run
            if started.feed is not None:
                run.failure = run.failure or started.feed.run.failure
            data: ServiceData | None = None
            if run.failure is None and started.visual is not None:
                inputs = _inputs_of(started.service, known)
                context = VideoContext(cuts_s, inputs, started.service.inputs, breaks_off_s)
                with run.guard():
                    data = known[run.name] = started.visual.finish(context)
            self._out.results[run.name] = run.result(data)


def _inputs_of(service: VisualService[Any], known: Mapping[str, ServiceData]) -> dict[str, ServiceData]:
    """The data that a service's result may be made from."""
    return {name: known[name] for name in service.inputs if name in known}
