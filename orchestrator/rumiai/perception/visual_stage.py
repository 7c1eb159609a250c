"""The video stream: decoded once, its sampled frames read by three services side by side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import FrameBatch, FrameDetections, Sampling
from rumiai.contracts.results import ServiceName, ServiceResult
from rumiai.contracts.services import YoloData
from rumiai.contracts.tensors import COCO_NAMES
from rumiai.core.boxes import Box
from rumiai.errors import MLError, RumiAIError, ServerError, UsageError
from rumiai.inference.client import TritonClient
from rumiai.inference.object_tracks import assemble_objects
from rumiai.inference.yolo import DetectionParams, detect
from rumiai.media.decode import VideoPass, slot_bytes_for
from rumiai.media.scenes import StreamingSceneDetector
from rumiai.media.shared_frames import FrameArena
from rumiai.people.assemble import assemble_people
from rumiai.people.emotions import assemble_emotions
from rumiai.people.observations import PeopleFrame
from rumiai.perception.service_run import Emit, ProbedVideo, ServiceResults, ServiceRun, Tools
from rumiai.perception.text_reader import TextReader
from rumiai.settings import Settings

# Eight 720p frames are 22 MB: what one request carries well. Of the slots one is being written, one holds frames that
# follow cuts, and each of the three readers may be at a batch of its own.
FRAMES_PER_BATCH: Final = 8
SLOTS: Final = 5

_PERSON: Final = COCO_NAMES.index("person")

Boxes = npt.NDArray[np.float32]
Detected = asyncio.Task[list[FrameDetections] | None]


class VisualStage:
    """One video's visual services.

    Args:
        video: The video; it has a video stream.
        services: Which of the visual services to run.
        client: Connected to the server.
        settings: Mode and sizes.
        tools: The worker's MediaPipe.
        out: Where results go.
        emit: Progress.
        stored: Results of earlier runs; a stored ``yolo`` tells MediaPipe where persons are.
    """

    def __init__(
        self,
        video: ProbedVideo,
        services: frozenset[ServiceName],
        client: TritonClient,
        settings: Settings,
        tools: Tools,
        out: ServiceResults,
        emit: Emit,
        stored: Mapping[ServiceName, ServiceResult],
    ) -> None:
        if video.sampling is None:
            raise UsageError(f"{video.path.name} has no video stream to watch")
        self._video, self._client, self._settings = video, client, settings
        self._tools, self._out, self._emit = tools, out, emit
        self._sampling: Sampling = video.sampling
        self._runs = {name: out.service(name) for name in services}
        self._scenes = StreamingSceneDetector(video.info.fps)
        self._texts = TextReader(client, settings, self._sampling) if "ocr" in services else None
        self._detections: list[FrameDetections] = []
        self._people: list[PeopleFrame] = []
        self._stored_boxes = _stored_person_boxes(stored.get("yolo"))
        self._registered = False
        # One batch of a video at a model: Triton keeps a copy of each, in memory that it never gives back.
        self._yolo_turn, self._ocr_turn = asyncio.Lock(), asyncio.Lock()
        self._done = {"people": 0, "ocr": 0}

    async def run(self) -> None:
        """Decode the stream and have its frames read; the results come with :meth:`conclude`."""
        info, side_px = self._video.info, self._settings.max_side_px
        slot_bytes = slot_bytes_for(info, max_side_px=side_px, frames_per_batch=FRAMES_PER_BATCH)
        arena = FrameArena(f"{self._video.region_prefix}-frames", slots=SLOTS, slot_bytes=slot_bytes)
        try:
            await self._register(arena)
            frames = VideoPass(
                self._video.path,
                info,
                self._sampling,
                arena,
                max_side_px=side_px,
                frames_per_batch=FRAMES_PER_BATCH,
                scene_detector=self._scenes,
                hwaccel=self._settings.hwaccel or None,
                deadline_s=self._settings.video_timeout_s,
            )
            await self._pass(frames)
        except BaseException:
            # Wakes a decoder that waits for a slot which nobody will free any more.
            arena.close()
            raise
        finally:
            await self._forget(arena)

    async def _register(self, arena: FrameArena) -> None:
        """Let the server map the frames, when a service there reads them; when it has gone, they will say so."""
        if "yolo" in self._runs or "ocr" in self._runs:
            with contextlib.suppress(ServerError):
                self._registered = await self._client.register(arena.region, arena.key, arena.size_bytes)

    async def _forget(self, arena: FrameArena) -> None:
        try:
            if self._registered:
                await self._client.unregister(arena.region)
        except RumiAIError as exc:  # the server has gone, and the region's registration with it
            self._out.warnings.append(str(exc))
        finally:
            arena.close()

    async def _pass(self, frames: VideoPass) -> None:
        """Decode in a thread; hand each batch to its readers on this loop, in order."""
        loop = asyncio.get_running_loop()
        people: asyncio.Queue[tuple[FrameBatch, Detected] | None] = asyncio.Queue()
        texts: asyncio.Queue[FrameBatch | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:

            def hand_out(batch: FrameBatch) -> None:
                if batch.kind == "sampled":
                    people.put_nowait((batch, group.create_task(self._detect(batch))))
                texts.put_nowait(batch)

            def decode() -> None:
                for batch in frames:
                    loop.call_soon_threadsafe(hand_out, batch)

            group.create_task(self._consume_people(people))
            group.create_task(self._consume_texts(texts, group))
            try:
                await asyncio.to_thread(decode)
                self._out.report = frames.report
                self._out.stage_seconds["decode_video"] = frames.report.decode_s
            except RumiAIError as exc:
                # Frames that are missing fail every service that needs them all.
                for run in self._runs.values():
                    run.failure = run.failure or str(exc)
            finally:
                people.put_nowait(None)
                texts.put_nowait(None)

    async def _detect(self, batch: FrameBatch) -> list[FrameDetections] | None:
        """Objects on a batch; None when yolo does not run or has failed. The first of the batch's readers."""
        try:
            run = self._runs.get("yolo")
            if run is None:
                return None
            async with self._yolo_turn:
                if run.failure is not None:
                    return None
                with run.guard():
                    found = await detect(self._client, batch, DetectionParams(mode=self._settings.mode))
                    self._detections += found
                    return found
            return None
        finally:
            batch.release()

    async def _consume_people(self, queue: asyncio.Queue[tuple[FrameBatch, Detected] | None]) -> None:
        """MediaPipe, batch after batch, each when its objects are known."""
        loop = asyncio.get_running_loop()
        run = self._runs.get("mediapipe") or self._runs.get("emotion_detection")
        while (item := await queue.get()) is not None:
            batch, detected = item
            try:
                boxes = self._person_boxes(batch, await detected)
                if run is not None and run.failure is None:
                    with run.guard():
                        self._people += await loop.run_in_executor(
                            self._tools.people_thread, self._look, batch, boxes, not self._people
                        )
            finally:
                batch.release()
            self._count("people", len(batch))

    def _look(self, batch: FrameBatch, boxes: list[Boxes] | None, first: bool) -> list[PeopleFrame]:
        analyzer = self._tools.people(first)
        return analyzer.analyze(batch.images, batch.timestamps_s, batch.frame_numbers, boxes)

    def _person_boxes(self, batch: FrameBatch, detected: Sequence[FrameDetections] | None) -> list[Boxes] | None:
        if detected is not None:
            return [frame.boxes[frame.class_ids == _PERSON] for frame in detected]
        if self._stored_boxes is not None:
            nobody = np.zeros((0, 4), np.float32)
            return [self._stored_boxes.get(int(number), nobody) for number in batch.frame_numbers]
        return None

    async def _consume_texts(self, queue: asyncio.Queue[FrameBatch | None], group: asyncio.TaskGroup) -> None:
        """The gate, batch after batch; what it lets through is read while it looks at the next."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "ocr-gate") as thread:
            while (batch := await queue.get()) is not None:
                run = self._runs.get("ocr")
                if run is None or self._texts is None or run.failure is not None:
                    batch.release()
                    self._count("ocr", len(batch) if batch.kind == "sampled" else 0)
                    continue
                wanted = await loop.run_in_executor(thread, self._texts.decide, batch)
                group.create_task(self._read(run, self._texts, batch, wanted))

    async def _read(self, run: ServiceRun, reader: TextReader, batch: FrameBatch, wanted: list[int]) -> None:
        try:
            async with self._ocr_turn:
                if wanted and run.failure is None:
                    with run.guard():
                        await reader.read(batch, wanted)
        finally:
            batch.release()
        self._count("ocr", len(batch) if batch.kind == "sampled" else 0)

    def _count(self, reader: str, frames: int) -> None:
        self._done[reader] += frames
        self._emit("frames", {"done": min(self._done.values()), "of": self._sampling.frames_expected})

    def conclude(self, speech: list[tuple[float, float]] | None) -> None:
        """Put each service's result together, now that all frames were seen and the speech is known."""
        cuts = [cut.time_s for cut in self._scenes.cuts]
        self._detections.sort(key=lambda frame: frame.timestamp_s)
        assemblers: Mapping[ServiceName, Callable[[], Mapping[str, Any]]] = {
            "scene_detection": self._assemble_scenes,
            "yolo": lambda: assemble_objects(
                self._detections,
                cuts,
                self._sampling,
                model=self._out.versions["yolo"],
                params=DetectionParams(mode=self._settings.mode),
            ),
            "ocr": lambda: self._assemble_texts(cuts),
            "mediapipe": lambda: assemble_people(self._people, self._sampling, speech_segments=speech),
            "emotion_detection": lambda: assemble_emotions(self._people, self._sampling, self._video.video_id),
        }
        looked = self._runs.get("mediapipe") or self._runs.get("emotion_detection")
        for name, run in self._runs.items():
            if name == "emotion_detection" and looked is not None:
                run.failure = run.failure or looked.failure
            data: Mapping[str, Any] | None = None
            if run.failure is None:
                with run.guard():
                    data = assemblers[name]()
            self._out.results[name] = run.result(data)

    def _assemble_scenes(self) -> Mapping[str, Any]:
        return self._scenes.finish(self._video.info.duration_s)

    def _assemble_texts(self, cuts: Sequence[float]) -> Mapping[str, Any]:
        if self._texts is None:
            raise MLError("no text was read")
        return self._texts.assemble(cuts, self._detections)


def _stored_person_boxes(result: ServiceResult | None) -> dict[int, Boxes] | None:
    """Where persons were by an earlier run, by frame number; None without one."""
    if result is None or not isinstance(result.data, YoloData):
        return None
    found: dict[int, list[Box]] = {}
    for track in result.data.tracks:
        if track.class_name == COCO_NAMES[_PERSON]:
            for frame in track.frames:
                found.setdefault(frame.frame_number, []).append(frame.bbox)
    return {number: np.array(boxes, np.float32) for number, boxes in found.items()}
