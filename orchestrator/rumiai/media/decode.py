"""The one pass over a video stream: sampled frames into shared memory, every frame to scene detector and grey trail.

The file may be hostile (docs/security.md). The decoder refuses pictures larger than the limit. More frames or a longer
stream than declared raise LimitError. Damaged pictures are skipped and counted. Work has a wall-clock limit. A crash
inside a decoder kills this process: run it in a worker.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import FrameBatch, FrameKind, Sampling, VideoInfo
from rumiai.errors import RumiAIError, UsageError
from rumiai.media.pictures import Picture, PictureReader, WorkClock
from rumiai.media.pixels import BgrFrames, GreyFrames, RgbFrames, analysis_size
from rumiai.media.probe import MediaLimits
from rumiai.media.sampling import ShownFrames
from rumiai.media.trail import SIDE_PX, GreyTrail

if TYPE_CHECKING:
    from rumiai.media.scenes import StreamingSceneDetector
    from rumiai.media.shared_frames import FrameArena, Slot

DEFAULT_MAX_SIDE_PX: Final = 1280
DEFAULT_FRAMES_PER_BATCH: Final = 8
DEFAULT_READERS: Final[Mapping[FrameKind, int]] = {"sampled": 1, "after_cut": 1}
# Longer than any model needs for one batch: a reader that holds a slot for longer has died.
DEFAULT_SLOT_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True)
class DecodeReport:
    """What the pass over the file has shown.

    Attributes:
        frames_decoded: Intact frames of the source stream.
        frames_corrupt: Frames that were damaged, and were skipped.
        packets_damaged: Packets that the container says did not arrive as they were sent, and places at which it could
            not be read on; their frames are used where they can be decoded.
        frames_misplaced: Intact frames whose time repeats that of the one before, runs back or lies before the start.
        duration_s: Measured: end of the last frame.
        complete: Whether the stream went on to its declared end; None when no header declares one.
        sampled_timestamps_s: Time of every sampled frame given out.
        after_cut_timestamps_s: Time of every frame given out because of a cut.
        decode_s: Wall-clock seconds of decoding, scaling and scene detection, without waits for readers.
    """

    frames_decoded: int
    frames_corrupt: int
    packets_damaged: int
    frames_misplaced: int
    duration_s: float
    complete: bool | None
    sampled_timestamps_s: tuple[float, ...]
    after_cut_timestamps_s: tuple[float, ...]
    decode_s: float


def slot_bytes_for(info: VideoInfo, *, max_side_px: int, frames_per_batch: int) -> int:
    """Bytes that a slot of the arena needs."""
    width, height = analysis_size(info, max_side_px)
    return frames_per_batch * width * height * 3


class VideoPass:
    """Decodes a video stream once; iterate over it, once, to get its batches.

    Every batch must be released as often as it has readers, or the pass waits for a free slot. Sampled frames come in
    order of time (see :class:`rumiai.media.sampling.ShownFrames`). ``after_cut`` frames, the first of each new shot,
    come behind the sampled batch during which they were found, or before it when their slot is full; a cut gets none
    when the next sampled frame lies within half a sampling step after it, since that one shows the same new shot.

    Args:
        path: The file that was probed.
        info: What :func:`rumiai.media.probe.probe` said of it.
        sampling: The grid; see :func:`rumiai.media.probe.sampling_for`.
        arena: At least two slots of :func:`slot_bytes_for` bytes.
        max_side_px: Long side of the frames that services see.
        frames_per_batch: Frames per slot.
        readers: How many readers each kind of batch has.
        scene_detector: Is fed with every frame; ask it for the scenes afterwards.
        trail: Gets every frame, small and grey.
        hwaccel: Device type of ffmpeg, ``"cuda"``; a device that cannot decode the file is an error.
        deadline_s: Seconds of work (not of waiting for readers) after which the file is given up.
        limits: Those that were probed with.
        slot_timeout_s: How long to wait for a free slot.
        threads: Decoder threads; by default one per core, at most four.

    Raises:
        UsageError: Arena, readers and batch size do not fit together, or there is no video stream.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        sampling: Sampling,
        arena: FrameArena,
        *,
        max_side_px: int = DEFAULT_MAX_SIDE_PX,
        frames_per_batch: int = DEFAULT_FRAMES_PER_BATCH,
        readers: Mapping[FrameKind, int] = DEFAULT_READERS,
        scene_detector: StreamingSceneDetector | None = None,
        trail: GreyTrail | None = None,
        hwaccel: str | None = None,
        deadline_s: float | None = None,
        limits: MediaLimits | None = None,
        slot_timeout_s: float = DEFAULT_SLOT_TIMEOUT_S,
        threads: int | None = None,
    ) -> None:
        if not info.has_video:
            raise UsageError(f"{path.name} has no video stream to decode")
        needed = slot_bytes_for(info, max_side_px=max_side_px, frames_per_batch=frames_per_batch)
        if frames_per_batch < 1 or min(readers.get("sampled", 0), readers.get("after_cut", 0)) < 1:
            raise UsageError(f"got {frames_per_batch} frames per batch and readers {dict(readers)}, expected >= 1 each")
        if arena.slot_bytes < needed or arena.slots < 2:
            raise UsageError(f"got {arena.slots} slots of {arena.slot_bytes} bytes, expected >= 2 of >= {needed}")
        self._duration_s = info.duration_s
        self._sampling = sampling
        self._arena = arena
        self._frames_per_batch = frames_per_batch
        self._readers = readers
        self._detector = scene_detector
        self._trail = trail
        self._slot_timeout_s = slot_timeout_s
        self._rgb = RgbFrames(info, max_side_px)
        self._bgr = BgrFrames()
        self._grey = GreyFrames(info, SIDE_PX)
        self._clock = WorkClock(path.name, deadline_s)
        self._reader = PictureReader(path, info, limits or MediaLimits(), self._clock, hwaccel=hwaccel, threads=threads)
        self._picker: ShownFrames[Picture] = ShownFrames(sampling)
        self._pending: dict[FrameKind, _Pending] = {}
        self._times: dict[FrameKind, list[float]] = {"sampled": [], "after_cut": []}
        self._report: DecodeReport | None = None
        self._started = False

    @property
    def report(self) -> DecodeReport:
        """What the pass has shown.

        Raises:
            UsageError: The iteration has not come to its end.
        """
        if self._report is None:
            raise UsageError("the video has not been decoded to its end yet")
        return self._report

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the frames given out."""
        return self._rgb.width, self._rgb.height

    def __iter__(self) -> Iterator[FrameBatch]:
        """Decode.

        Raises:
            DecodeError: Nothing could be decoded, or not on the device asked for.
            LimitError: More or longer than declared, or beyond the deadline.
            RumiAIError: No slot became free in time, or the arena was closed.
        """
        if self._started:
            raise UsageError("a video is decoded once; make another VideoPass")
        self._started = True
        try:
            yield from self._batches()
        finally:
            for pending in self._pending.values():
                pending.slot.release()
            self._pending.clear()

    def _batches(self) -> Iterator[FrameBatch]:
        recent: deque[Picture] = deque(maxlen=1 + (self._detector.lag_frames if self._detector else 0))
        self._clock.start()
        for picture in self._reader:
            recent.append(picture)
            if self._trail is not None:
                self._trail.add(self._grey.read(picture.frame), picture.time_s, picture.number)
            for time_s, chosen in self._picker.push(picture.time_s, picture):
                yield from self._add("sampled", time_s, chosen)
            if self._detector is not None:
                for shot in self._first_of_shots(self._detector, picture, recent):
                    yield from self._add("after_cut", shot.time_s, shot)
        # The last picture stays on show to the end of the sound, unless the stream broke off.
        for time_s, chosen in self._picker.finish(self._duration_s if self._reader.complete else 0.0):
            yield from self._add("sampled", time_s, chosen)
        yield from self._flush("sampled")
        yield from self._flush("after_cut")
        self._report = DecodeReport(
            frames_decoded=self._reader.decoded,
            frames_corrupt=self._reader.corrupt,
            packets_damaged=self._reader.packets_damaged,
            frames_misplaced=self._reader.misplaced,
            duration_s=self._reader.end_s,
            complete=self._reader.complete,
            sampled_timestamps_s=tuple(self._times["sampled"]),
            after_cut_timestamps_s=tuple(self._times["after_cut"]),
            decode_s=self._clock.worked_s,
        )

    def _first_of_shots(
        self, detector: StreamingSceneDetector, picture: Picture, recent: deque[Picture]
    ) -> list[Picture]:
        cuts = detector.feed(self._bgr.read(picture.frame), picture.time_s, picture.number)
        wanted = {cut.frame_number for cut in cuts if not self._is_sampled_soon(cut.time_s)}
        return [p for p in recent if p.number in wanted]

    def _is_sampled_soon(self, cut_s: float) -> bool:
        """Whether a sampled frame lies within half a step after a cut, so that it shows the new shot."""
        half_s = self._sampling.step_s / 2
        if any(cut_s <= time_s <= cut_s + half_s for time_s in self._times["sampled"][-4:]):
            return True
        instant = math.ceil(cut_s * self._sampling.sample_fps)
        return instant < self._sampling.frames_expected and instant / self._sampling.sample_fps <= cut_s + half_s

    def _add(self, kind: FrameKind, time_s: float, picture: Picture) -> Iterator[FrameBatch]:
        """Write a frame into the open slot of its kind; gives the batch when that is full."""
        pending = self._pending.get(kind)
        if pending is None:
            pending = self._pending[kind] = self._open_slot()
        self._rgb.write(picture.frame, pending.images[len(pending.times_s)])
        pending.times_s.append(time_s)
        pending.numbers.append(picture.number)
        self._times[kind].append(time_s)
        if len(pending.times_s) == self._frames_per_batch:
            yield from self._flush(kind)
            if kind == "sampled":
                yield from self._flush("after_cut")

    def _open_slot(self) -> _Pending:
        with self._clock.paused():
            slot = self._arena.acquire(self._slot_timeout_s)
        if slot is None:
            raise RumiAIError(
                f"no frame slot became free within {self._slot_timeout_s:g} s",
                hint="a reader of the frames has stopped; its own error says why",
            )
        shape = self._frames_per_batch, self._rgb.height, self._rgb.width, 3
        return _Pending(slot, slot.data[: int(np.prod(shape))].reshape(shape))

    def _flush(self, kind: FrameKind) -> Iterator[FrameBatch]:
        pending = self._pending.pop(kind, None)
        if pending is None:
            return
        images = pending.images[: len(pending.times_s)]
        images.flags.writeable = False
        pending.slot.publish(self._readers[kind])
        with self._clock.paused():
            yield FrameBatch(
                images=images,
                timestamps_s=np.array(pending.times_s, np.float64),
                frame_numbers=np.array(pending.numbers, np.int64),
                kind=kind,
                span=self._arena.span(pending.slot, images.nbytes),
                release=pending.slot.release,
            )


class _Pending:
    """A batch that is being filled; the decoder writes into ``images``, (frames, height, width, 3)."""

    def __init__(self, slot: Slot, images: npt.NDArray[np.uint8]) -> None:
        self.slot, self.images = slot, images
        self.times_s: list[float] = []
        self.numbers: list[int] = []
