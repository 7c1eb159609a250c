"""Which frames OCR must read: those on which the text can differ from what was read last.

OCR is by far the most expensive model, and captions stand still for seconds: most readings would repeat the one before.
The gate looks at pixels alone, so that frames can be decided while earlier ones are still being read:

* *Stroke map*: where a frame has thin, contrasting structures (top-hat and black-hat of each colour channel at two
  scales). All writing has them: a frame without them has nothing to read.
* *Change*: where a frame differs from the frame that was read last (not from the frame before: slow change adds up).
* A change counts only where there are strokes, before or after. Without such a change the reading is carried forward,
  for a bounded time.

When in doubt a frame is read: a moving camera moves strokes all over the picture, and nearly all its frames are read.
Following the motion by dense optical flow was tried and spared no reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import FrameKind, FrameTexts
from rumiai.core.arrays import freeze_arrays
from rumiai.errors import ContractError

Origin = Literal["read", "carried", "gated"]

# Long side at which frames are compared: the smallest captions (1.5 % of the height) are still 10 px high.
_SIDE_PX: Final = 640
# Side of a block, about the height of a small line of text.
_BLOCK_PX: Final = 16
# Wider than the strokes of a caption of 7 % of the height; the second scale, at half the size, sees twice that.
_STROKE_PX: Final = 11
# Grey levels that a stroke must differ from its surroundings: half of what makes EasyOCR raise the contrast itself.
_STROKE_CONTRAST: Final = 12
# Share of a block that is stroke; letters fill 15 to 40 % of their line.
_STROKE_SHARE: Final = 0.06
# Difference in grey levels that noise and compression do not reach after averaging; they do reach 10.
_CHANGE_CONTRAST: Final = 14
# Share of a block that must differ: that of a comma of the smallest captions.
_CHANGE_SHARE: Final = 0.03
# The longest time for which a reading is carried: bounds what any misjudgement costs.
MAX_GAP_S: Final = 4.0
# Readings that later frames may be compared with; frames after cuts may come a batch later than the grid's.
_REFERENCES: Final = 4


@dataclass(frozen=True)
class GateDecision:
    """How the text of a frame is obtained.

    Attributes:
        origin: ``read`` it; ``carried``: its text is that of frame ``source``; ``gated``: nothing on it can be text.
        frame_number: Its index in the source stream.
        timestamp_s: Its time.
        kind: On the sampling grid, or the first of a shot.
        source: Index in the source stream of the frame whose reading answers for it; itself when read.
    """

    origin: Origin
    frame_number: int
    timestamp_s: float
    kind: FrameKind
    source: int


@dataclass(frozen=True)
class GatedTexts:
    """The text of every frame, in order of time, and what it cost.

    ``frames_read + frames_carried + frames_gated`` is the number of sampled frames; ``frames_extra`` counts the frames
    after cuts that were read.
    """

    sampled: tuple[FrameTexts, ...]
    after_cuts: tuple[FrameTexts, ...]
    frames_read: int
    frames_carried: int
    frames_gated: int
    frames_extra: int

    @property
    def in_order(self) -> tuple[FrameTexts, ...]:
        """All frames by time."""
        return tuple(sorted((*self.sampled, *self.after_cuts), key=lambda frame: frame.timestamp_s))


@dataclass(frozen=True)
class _View:
    """A frame as the gate keeps it: small, padded to whole blocks, with the blocks that may hold text."""

    timestamp_s: float
    frame_number: int
    small: npt.NDArray[np.uint8]  # (h, w, 3), long side about _SIDE_PX
    strokes: npt.NDArray[np.bool_]  # (h // 16, w // 16)

    def __post_init__(self) -> None:
        freeze_arrays(self, small=(np.uint8, "h", "w", 3), strokes=(np.bool_, "rows", "columns"))


class OcrGate:
    """Decides frame after frame; one per video.

    Args:
        max_gap_s: The longest time for which a reading is carried forward.
    """

    def __init__(self, max_gap_s: float = MAX_GAP_S) -> None:
        self._max_gap_s = max_gap_s
        self._references: list[_View] = []
        self.decisions: list[GateDecision] = []

    def decide(
        self,
        images: npt.NDArray[np.uint8],
        timestamps_s: npt.NDArray[np.float64],
        frame_numbers: npt.NDArray[np.int64],
        kind: FrameKind = "sampled",
    ) -> list[GateDecision]:
        """Decide how the text of each frame of a batch is obtained.

        Args:
            images: (n, height, width, 3) uint8 RGB.
            timestamps_s: (n,) ascending.
            frame_numbers: (n,) indices in the source stream.
            kind: Of the whole batch.

        Returns:
            n decisions, also kept in ``decisions``.
        """
        made = []
        for image, timestamp_s, number in zip(images, timestamps_s, frame_numbers, strict=True):
            view = _look(image, float(timestamp_s), int(number))
            origin, source = self._decide(view)
            made.append(GateDecision(origin, view.frame_number, view.timestamp_s, kind, source))
        self.decisions += made
        return made

    def complete(self, readings: Mapping[int, FrameTexts]) -> GatedTexts:
        """The text of every frame decided so far, from the readings of those that were read, by frame number.

        Raises:
            ContractError: A frame that was to be read has no reading.
        """
        missing = sorted({d.source for d in self.decisions if d.origin != "gated"} - readings.keys())
        if missing:
            raise ContractError(f"OCR: got no reading of frames {missing[:5]}, expected one of every frame to be read")
        frames: dict[FrameKind, list[FrameTexts]] = {"sampled": [], "after_cut": []}
        for decision in sorted(self.decisions, key=lambda d: d.timestamp_s):
            frames[decision.kind].append(_answer(decision, readings))
        origins = [(d.kind, d.origin) for d in self.decisions]
        return GatedTexts(
            tuple(frames["sampled"]),
            tuple(frames["after_cut"]),
            origins.count(("sampled", "read")),
            origins.count(("sampled", "carried")),
            origins.count(("sampled", "gated")),
            origins.count(("after_cut", "read")),
        )

    def _decide(self, view: _View) -> tuple[Origin, int]:
        if not view.strokes.any():
            return "gated", view.frame_number
        before = [r for r in self._references if r.timestamp_s <= view.timestamp_s]
        reference = max(before, key=lambda r: r.timestamp_s, default=None)
        if (
            reference is not None
            and view.timestamp_s - reference.timestamp_s < self._max_gap_s
            and reference.small.shape == view.small.shape
            and not _may_differ(reference, view)
        ):
            return "carried", reference.frame_number
        self._references = [*self._references[-(_REFERENCES - 1) :], view]
        return "read", view.frame_number


def _may_differ(reference: _View, view: _View) -> bool:
    """Whether the text of ``view`` may differ from that of ``reference``."""
    changed = _changed_blocks(reference.small, view.small)
    return bool((changed & _grow(reference.strokes | view.strokes)).any())


def _answer(decision: GateDecision, readings: Mapping[int, FrameTexts]) -> FrameTexts:
    at_s, number = decision.timestamp_s, decision.frame_number
    if decision.origin == "gated":
        none = np.zeros(0, np.float32)
        return FrameTexts(at_s, number, (), np.zeros((0, 4), np.float32), none, none, "gated")
    return replace(readings[decision.source], timestamp_s=at_s, frame_number=number, origin=decision.origin)


def _look(image: npt.NDArray[np.uint8], timestamp_s: float, frame_number: int) -> _View:
    height, width = image.shape[:2]
    # Area averaging by a whole divisor is ten times as fast as by any other.
    divisor = max(1, round(max(height, width) / _SIDE_PX))
    size = (max(1, width // divisor), max(1, height // divisor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    right, below = (-side % _BLOCK_PX for side in size)
    # Blurred, so that the grain of a camera is neither stroke nor change.
    small = cv2.blur(cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE), (3, 3))
    size = (size[0] + right, size[1] + below)
    half = cv2.resize(small, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
    grid = (size[0] // _BLOCK_PX, size[1] // _BLOCK_PX)
    strokes = _stroke_share(small, grid) | _stroke_share(half, grid)
    return _View(timestamp_s, frame_number, small, strokes)


def _stroke_share(image: npt.NDArray[np.uint8], grid: tuple[int, int]) -> npt.NDArray[np.bool_]:
    kernel = np.ones((_STROKE_PX, _STROKE_PX), np.uint8)
    thin = cv2.max(
        cv2.morphologyEx(image, cv2.MORPH_TOPHAT, kernel), cv2.morphologyEx(image, cv2.MORPH_BLACKHAT, kernel)
    )
    return _share_over(thin, _STROKE_CONTRAST, _STROKE_SHARE, grid)


def _changed_blocks(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    grid = (a.shape[1] // _BLOCK_PX, a.shape[0] // _BLOCK_PX)
    return _share_over(cv2.absdiff(a, b), _CHANGE_CONTRAST, _CHANGE_SHARE, grid)


def _share_over(
    values: npt.NDArray[np.uint8], threshold: int, share: float, grid: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    # One colour channel is enough: red letters on a green of the same luminance are letters.
    red, green, blue = cv2.split(values)
    strongest = cv2.max(cv2.max(red, green), blue)
    _, over = cv2.threshold(strongest, threshold, 255, cv2.THRESH_BINARY)
    shares = cv2.resize(over, grid, interpolation=cv2.INTER_AREA)
    return np.asarray(shares >= 255 * share, np.bool_)


def _grow(blocks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.asarray(cv2.dilate(blocks.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, np.bool_)
