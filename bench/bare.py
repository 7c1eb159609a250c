"""The engines with nothing between: YOLO, OCR, Whisper and MediaPipe on frames and sound that are already decoded.

In this process, or in one of its own that stands beside a server. There its turns can alternate with served ones, so
that an hour in which the machine is slower slows both; and this process stays without the engines, as a worker does:
with them in its memory, requests to YOLO were seen to take longer.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rumiai import weights
from rumiai.contracts import tensors
from rumiai.contracts.frames import AudioTrack, FrameDetections
from rumiai.inference.ocr import CAPTIONS

if TYPE_CHECKING:
    from rumiai_server.engines.yolo.types import Detections

# What a turn of each is counted in.
UNITS: Final = {"yolo": "frames", "ocr": "frames read", "whisper": "s of sound", "mediapipe": "frames"}
_PERSON: Final = tensors.COCO_NAMES.index("person")
_END_LIMIT_S: Final = 60.0


@dataclass(frozen=True)
class Frames:
    """A batch: (n, h, w, 3) uint8 RGB, its times and numbers, and which stretches of it OCR is to read."""

    images: npt.NDArray[np.uint8]
    timestamps_s: npt.NDArray[np.float64]
    frame_numbers: npt.NDArray[np.int64]
    sampled: bool
    to_read: list[tuple[int, int]]


@dataclass(frozen=True)
class Turn:
    """All work of one engine on the clip, done once; wall-clock and processor seconds."""

    units: float
    wall_s: float
    cpu_s: float


class Engines:
    """Each engine is loaded at its first turn, and not timed before it has done that work once.

    Args:
        batches: The frames of a clip, in the batches that the pipeline makes.
        track: Its sound.
    """

    def __init__(self, batches: Sequence[Frames], track: AudioTrack | None) -> None:
        self._batches = batches
        self._sampled = [batch for batch in batches if batch.sampled]
        self._track = track
        self._threads = len(os.sched_getaffinity(0))
        self._work: dict[str, Callable[[], float]] = {
            "yolo": self._objects,
            "ocr": self._texts,
            "whisper": self._speech,
            "mediapipe": self._people,
        }
        self._persons: list[list[FrameDetections]] = []
        self._warm: set[str] = set()
        self._open = ExitStack()

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def turn(self, name: str) -> Turn:
        """One turn of an engine of ``UNITS``."""
        work = self._work[name]
        if name not in self._warm:
            work()
            self._warm.add(name)
        wall, cpu = time.monotonic(), time.process_time()
        units = work()
        return Turn(units, time.monotonic() - wall, time.process_time() - cpu)

    @cached_property
    def _yolo(self) -> Any:
        from rumiai_server.engines.yolo.engine import YoloEngine

        return YoloEngine(weights.path("yolov8n.onnx"), threads=self._threads)

    @cached_property
    def _ocr(self) -> Any:
        from rumiai_server.engines.ocr.engine import OcrEngine

        names = ("craft_mlt_25k.pth", "english_g2.pth", "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
        detector, recognizer, locator, reader = map(weights.path, names)
        return OcrEngine(detector, recognizer, locator=locator, reader=reader, threads=self._threads)

    @cached_property
    def _whisper(self) -> Any:
        from rumiai_server.engines.whisper.factory import make_engine

        return make_engine("ctranslate2", weights.path("whisper-base-ct2"), threads=self._threads)

    @cached_property
    def _mediapipe(self) -> Any:
        from rumiai.people.landmarks import PeopleAnalyzer

        return self._open.enter_context(PeopleAnalyzer(weights.path))

    def _objects(self) -> float:
        from rumiai_server.engines.yolo.engine import YoloParams

        self._persons = []
        for batch in self._sampled:
            (found,) = self._yolo.detect([(batch.images, YoloParams())])
            height, width = batch.images.shape[1:3]
            scale = np.array([width, height, width, height], np.float32)
            self._persons.append([_persons(frame, scale) for frame in found])
        return float(sum(len(batch.images) for batch in self._sampled))

    def _texts(self) -> float:
        from rumiai_server.engines.ocr.engine import OcrParams

        for batch in self._batches:
            for start, stop in batch.to_read:
                self._ocr.read([(batch.images[start:stop], OcrParams(**CAPTIONS.to_request()))])
        return float(sum(stop - start for batch in self._batches for start, stop in batch.to_read))

    def _speech(self) -> float:
        from rumiai.contracts.whisper import WhisperParams

        if self._track is None:
            raise ValueError("the clip has no sound")
        self._whisper.transcribe([(self._track.samples, WhisperParams())])
        return self._track.duration_s

    def _people(self) -> float:
        if not self._persons:
            self._objects()
        for batch, persons in zip(self._sampled, self._persons, strict=True):
            self._mediapipe.analyze(batch.images, batch.timestamps_s, batch.frame_numbers, persons)
        return float(sum(len(batch.images) for batch in self._sampled))


def _persons(found: Detections, size: npt.NDArray[np.float32]) -> FrameDetections:
    """The persons among a picture's objects, normalised; the analyzer takes the time and number from elsewhere."""
    chosen = found.class_ids == _PERSON
    corners = found.boxes[chosen] / size
    boxes = np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), axis=1)
    return FrameDetections(0.0, 0, boxes, found.scores[chosen], found.class_ids[chosen])


@contextmanager
def in_own_process(batches: Sequence[Frames], track: AudioTrack | None) -> Iterator[Callable[[str], Turn]]:
    """``Engines.turn`` of engines in another process, which ends with the context."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_take_turns, args=(there, batches, track), daemon=True)
    process.start()
    there.close()

    def turn(name: str) -> Turn:
        try:
            here.send(name)
            answer = here.recv()
        except (EOFError, OSError):
            raise RuntimeError(f"the process of the bare engines ended in a turn of {name}; see above") from None
        assert isinstance(answer, Turn)
        return answer

    try:
        yield turn
    finally:
        here.close()
        process.join(_END_LIMIT_S)
        process.kill()


def _take_turns(names: Connection, batches: Sequence[Frames], track: AudioTrack | None) -> None:
    with Engines(batches, track) as engines:
        while True:
            try:
                name = names.recv()
            except EOFError:
                return
            names.send(engines.turn(name))
