"""What decoding yields: the facts of a file, batches of sampled frames in shared memory, and its audio track."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays
from rumiai.errors import ContractError

FrameKind = Literal["sampled", "after_cut"]


@dataclass(frozen=True)
class ClockBreak:
    """Where a file's clock starts again: from these packets on, ``shift_s`` seconds are added to its times.

    ``first_packets`` maps the index of a stream to the number of its first packet after the break.
    """

    first_packets: Mapping[int, int]
    shift_s: float


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of itself, after the limits were checked.

    ``width`` and ``height`` are those of the picture as shown (rotation and sample aspect ratio applied), in pixels;
    0 when there is no video stream. ``fps`` is the average frame rate, 0.0 when unknown. ``duration_s`` is the
    decoder's: container or stream, in seconds. To show a picture, mirror it left to right when ``mirrored``, then turn
    it by ``rotation_deg`` clockwise, one of 0, 90, 180, 270. ``video_stream`` and ``audio_stream`` are the indices of
    the streams that are analysed. ``audio_problem`` says why sound that is there cannot be decoded. ``declared_s`` is
    the duration that the container's header states, None when it states none.
    """

    path: str
    size_bytes: int
    container: str
    duration_s: float
    has_video: bool
    has_audio: bool
    width: int = 0
    height: int = 0
    fps: float = 0.0
    rotation_deg: int = 0
    frames_declared: int | None = None
    video_codec: str | None = None
    pixel_format: str | None = None
    hdr: bool = False
    audio_codec: str | None = None
    audio_sample_rate_hz: int | None = None
    mirrored: bool = False
    video_stream: int | None = None
    audio_stream: int | None = None
    audio_problem: str | None = None
    clock_breaks: tuple[ClockBreak, ...] = ()
    declared_s: float | None = None


class SampledMetadata(TypedDict):
    """Keyword arguments of :class:`rumiai.contracts.services.ServiceMetadata`."""

    processed: Literal[True]
    frames_analyzed: int
    frames_expected: int
    sample_fps: float
    width: int
    height: int
    fps: float
    duration_s: float


@dataclass(frozen=True)
class Sampling:
    """What every visual service writes into its metadata: the frame it saw and the grid it was sampled on.

    ``width``, ``height`` in pixels of the source as shown; ``fps`` of the source; ``sample_fps`` the effective rate;
    ``frames_expected`` the instants k / sample_fps < duration_s.
    """

    width: int
    height: int
    fps: float
    duration_s: float
    sample_fps: float
    frames_expected: int

    @property
    def step_s(self) -> float:
        """Seconds between two samples."""
        return 1.0 / self.sample_fps

    def metadata(self, frames_analyzed: int) -> SampledMetadata:
        """Members of the metadata of every service that looks at the sampled frames."""
        return {
            "processed": True,
            "frames_analyzed": frames_analyzed,
            "frames_expected": self.frames_expected,
            "sample_fps": self.sample_fps,
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "duration_s": self.duration_s,
        }


@dataclass(frozen=True)
class SharedSpan:
    """A stretch of a shared-memory region, as both the orchestrator and the server name it.

    ``key`` is the POSIX name (a file under ``/dev/shm``, with its leading slash); ``region`` the name under which the
    region is registered with the server; the span is ``[offset_bytes, offset_bytes + size_bytes)``.
    """

    region: str
    key: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True)
class FrameBatch:
    """Frames of one video, in one slot of the shared-memory arena.

    Row i of every array is frame i. The pixels stay valid until ``release`` has been called as often as there are
    readers (the arena counts); after that the slot is written again.

    Attributes:
        images: (n, height, width, 3) uint8 RGB, read-only view of shared memory.
        timestamps_s: (n,) float64, presentation time of each frame, seconds from the start of the video.
        frame_numbers: (n,) int64, index of each frame in the source stream.
        kind: ``sampled`` frames stand on the sampling grid and go to every service; ``after_cut`` frames are the first
            of a new shot and go to OCR alone.
        span: where the pixels lie for the server.
        release: one reader has finished with this batch.

    Raises:
        ContractError: An array has another shape or dtype, or there is no frame.
    """

    images: npt.NDArray[np.uint8]
    timestamps_s: npt.NDArray[np.float64]
    frame_numbers: npt.NDArray[np.int64]
    kind: FrameKind
    span: SharedSpan
    release: Callable[[], None] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        freeze_arrays(
            self,
            images=(np.uint8, "n", "height", "width", 3),
            timestamps_s=(np.float64, "n"),
            frame_numbers=(np.int64, "n"),
        )
        if not len(self.images):
            raise ContractError("FrameBatch: got no frame, expected at least one")

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class AudioTrack:
    """A whole audio track: mono float32 at 16 kHz, -1..1, read-only.

    ``span`` is None when the samples are in ordinary memory. ``offset_s`` is where sample 0 stands on the video's
    clock (audio that starts late has silence put before it, so it is 0.0 unless said otherwise). ``declared_end_s`` is
    where the stream ends by its header, None when no header tells. ``packets_damaged`` counts what could not be decoded
    of it: that is silence, or missing at its end.
    """

    samples: npt.NDArray[np.float32]
    sample_rate_hz: int
    span: SharedSpan | None = None
    offset_s: float = 0.0
    declared_end_s: float | None = None
    packets_damaged: int = 0

    def __post_init__(self) -> None:
        freeze_arrays(self, samples=(np.float32, "samples"))

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz


@dataclass(frozen=True)
class FrameDetections:
    """Objects on one frame. Row i of ``boxes``, ``scores``, ``class_ids`` is one object.

    Attributes:
        timestamp_s: Presentation time.
        frame_number: Index in the source stream.
        boxes: (m, 4) float32 x, y, width, height, normalised to 0..1, origin top left, clipped to the frame.
        scores: (m,) float32, 0..1.
        class_ids: (m,) int32, index into ``tensors.COCO_NAMES``.
    """

    timestamp_s: float
    frame_number: int
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        freeze_arrays(self, boxes=(np.float32, "m", 4), scores=(np.float32, "m"), class_ids=(np.int32, "m"))


@dataclass(frozen=True)
class UnreadLines:
    """Writing on one frame that was seen and not read. Row i of each member is one line.

    Attributes:
        boxes: (u, 4) float32 x, y, width, height, normalised, clipped.
        scripts: u of ``tensors.SCRIPTS``: in which it is probably written.
        scores: (u,) float32 probability of that script, 0..1.
    """

    boxes: npt.NDArray[np.float32]
    scripts: tuple[str, ...]
    scores: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        freeze_arrays(self, scripts=(tuple, "u"), boxes=(np.float32, "u", 4), scores=(np.float32, "u"))

    @classmethod
    def none(cls) -> UnreadLines:
        """Of a frame whose writing was read, or that has none."""
        return cls(np.zeros((0, 4), np.float32), (), np.zeros(0, np.float32))


@dataclass(frozen=True)
class FrameTexts:
    """Lines of text on one frame. Row i of each member is one line.

    Attributes:
        timestamp_s: Presentation time.
        frame_number: Index in the source stream.
        texts: m strings.
        boxes: (m, 4) float32 x, y, width, height, normalised, clipped.
        scores: (m,) float32 recogniser confidence, 0..1.
        contrasts: (m,) float32, (95th - 5th percentile of the luminance in the box) / 255.
        origin: ``read`` by the model on this frame; ``carried`` from the frame before, which differs too little to hold
            other text; ``gated``: nothing on it can be text that was not there before.
        unread: What was seen beside these and not read.
    """

    timestamp_s: float
    frame_number: int
    texts: tuple[str, ...]
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    contrasts: npt.NDArray[np.float32]
    origin: Literal["read", "carried", "gated"] = "read"
    unread: UnreadLines = field(default_factory=UnreadLines.none)

    def __post_init__(self) -> None:
        freeze_arrays(
            self,
            texts=(tuple, "m"),
            boxes=(np.float32, "m", 4),
            scores=(np.float32, "m"),
            contrasts=(np.float32, "m"),
        )
