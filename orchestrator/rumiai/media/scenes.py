"""Scene detection on the frames of the one decoding pass, with the cuts that PySceneDetect finds in the file.

The detector is PySceneDetect's own ``AdaptiveDetector``; it is fed as ``scenedetect.detect`` feeds it with its default
backend: BGR frames without rotation, shrunk by its automatic factor with linear interpolation, times in microseconds.
Only the arithmetic of the frame score is replaced by an equal and faster one. One rule is added: pictures that are held
(slideshows with a frame or two a picture) are told apart by their content: the adaptive detector compares with two
frames on either side and finds nothing there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from scenedetect import AdaptiveDetector, FrameTimecode
from scenedetect.common import Timecode, framerate_to_fraction
from scenedetect.scene_manager import compute_downscale_factor

from rumiai.contracts.services.scenes import Scene, ScenesData, ScenesMetadata, Transition
from rumiai.core.cuts import ADAPTIVE_THRESHOLD
from rumiai.errors import ContractError
from rumiai.media.pixels import fitted
from rumiai.media.transitions import GradualTransition, GradualTransitions

# Canonical settings: PySceneDetect's defaults, and the shortest scene that counts as one.
MIN_CONTENT_VAL: Final = 15.0
WINDOW_WIDTH: Final = 2
MIN_SCENE_LEN_S: Final = 0.3
# A picture that stands for as long as a scene must last is held, as in a slideshow of one frame a picture: it has no
# neighbours to compare with, and another content than the picture before it is a cut. PySceneDetect's ContentDetector
# has this as its default.
HELD_CONTENT_VAL: Final = 27.0
# What PySceneDetect's OpenCV backend counts time in.
_MICROSECOND: Final = Fraction(1, 1_000_000)
# PySceneDetect's cap of a ratio, and what it takes as a mean of zero.
_MAX_RATIO: Final = 255.0
_ZERO_MEAN: Final = 1e-5
# Where the frame rate is unknown: PySceneDetect refuses such files; the rate only rounds frame numbers that we ignore.
_UNKNOWN_RATE: Final = 30.0


@dataclass(frozen=True)
class Cut:
    """A cut: the first frame of a new shot.

    Attributes:
        time_s: Presentation time of that frame.
        frame_number: Its index in the source stream.
        score: Adaptive ratio: its content change over the mean of the two frames before and after it.
    """

    time_s: float
    frame_number: int
    score: float


class StreamingSceneDetector:
    """Takes every frame of a video in order and says where it was cut.

    Cuts are known ``WINDOW_WIDTH`` frames late. Memory does not grow with the video, apart from the list of cuts.

    Args:
        fps: Average frame rate of the source, 0.0 when unknown.
    """

    lag_frames: Final = WINDOW_WIDTH

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._rate = framerate_to_fraction(fps if fps > 0 else _UNKNOWN_RATE)
        self._detector = _Adaptive(
            adaptive_threshold=ADAPTIVE_THRESHOLD,
            min_scene_len=MIN_SCENE_LEN_S,
            window_width=WINDOW_WIDTH,
            min_content_val=MIN_CONTENT_VAL,
        )
        self._gradual = GradualTransitions()
        self._recent: deque[tuple[int, float, float]] = deque(maxlen=1 + 2 * WINDOW_WIDTH)
        self._cuts: list[Cut] = []
        self._frames = 0
        self._before_s: float | None = None
        self._size: tuple[int, int] | None = None

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """Cuts confirmed so far, in order of time."""
        return tuple(sorted(self._cuts, key=lambda cut: cut.time_s))

    def feed(self, image: npt.NDArray[np.uint8], time_s: float, frame_number: int | None = None) -> list[Cut]:
        """Take the next frame.

        Args:
            image: (h, w, 3) uint8 BGR as decoded, before rotation, at any size: it is shrunk here.
            time_s: Presentation time, not smaller than that of the frame before.
            frame_number: Index in the source stream; by default the number of frames fed before.

        Returns:
            The cuts that this frame confirms: itself after a held picture, and one ``lag_frames`` back.
        """
        number = self._frames if frame_number is None else frame_number
        self._frames += 1
        small = shrink(image)
        size = small.shape[1], small.shape[0]
        if self._size is None:
            self._size = size
        if size != self._size:
            # PySceneDetect skips pictures of another size than the first, and with them every later cut.
            small = fitted(small, self._size)
        timecode = FrameTimecode(Timecode(round(time_s * 1e6), _MICROSECOND), self._rate)
        found = self._detector.process_frame(timecode, small)
        self._gradual.feed(small, time_s)
        self._recent.append((number, time_s, self._detector.score))
        cuts = [cut for cut in (self._after_held(number, time_s), self._adaptive() if found else None) if cut]
        self._cuts += cuts
        return cuts

    def _after_held(self, number: int, time_s: float) -> Cut | None:
        """A cut at this frame, if the picture before it was held and showed something else."""
        before_s, self._before_s = self._before_s, time_s
        if before_s is None or time_s - before_s < MIN_SCENE_LEN_S or self._detector.score < HELD_CONTENT_VAL:
            return None
        # A held picture does not change: the ratio to its neighbours is the greatest.
        return Cut(time_s, number, _MAX_RATIO)

    def _adaptive(self) -> Cut | None:
        """The cut that PySceneDetect has just confirmed, unless it is known already, after a held picture."""
        number, time_s, _ = self._recent[WINDOW_WIDTH]
        if any(cut.frame_number == number for cut in self._cuts):
            return None
        return Cut(time_s, number, self._ratio())

    def finish(self, duration_s: float, frame_count: int | None = None) -> ScenesData:
        """The data of the service ``scene_detection``.

        Args:
            duration_s: End of the last scene; cuts at or after it are an error.
            frame_count: Frames of the source stream; by default up to the last one fed.

        Returns:
            Contiguous scenes from 0 to ``duration_s``, a change with its score where each but the first starts, and
            every cut and gradual transition with its extent.

        Raises:
            ContractError: No frame was fed, or the video ends before a cut.
        """
        if self._frames == 0:
            raise ContractError("no frame was decoded, so there are no scenes")
        self._cuts.sort(key=lambda cut: cut.time_s)
        if self._cuts and self._cuts[-1].time_s >= duration_s:
            raise ContractError(f"a cut at {self._cuts[-1].time_s} s does not lie within {duration_s} s")
        frames = self._recent[-1][0] + 1 if frame_count is None else frame_count
        gradual = self._gradual.finish([cut.time_s for cut in self._cuts])
        within = [next((t for t in gradual if t.covers(cut.time_s)), None) for cut in self._cuts]
        types = [t.type if t else "cut" for t in within]
        types += [t.type for t in gradual if t not in within]
        return ScenesData(
            scenes=self._scenes(duration_s, frames),
            changes_s=tuple(cut.time_s for cut in self._cuts),
            change_scores=tuple(cut.score for cut in self._cuts),
            transition_types=tuple(types),
            transitions=_transitions(self._cuts, within, gradual),
            total_scenes=len(self._cuts) + 1,
            metadata=ScenesMetadata(
                processed=True,
                detector="adaptive",
                adaptive_threshold=ADAPTIVE_THRESHOLD,
                min_content_val=MIN_CONTENT_VAL,
                window_width=WINDOW_WIDTH,
                min_scene_len_s=MIN_SCENE_LEN_S,
                confidence="min(1, scene_change_score / (2 * adaptive_threshold))",
                fps=self._fps,
                frames=frames,
                duration_s=duration_s,
            ),
        )

    def _scenes(self, duration_s: float, frames: int) -> tuple[Scene, ...]:
        starts = [(0.0, 0), *((cut.time_s, cut.frame_number) for cut in self._cuts)]
        ends = [*starts[1:], (duration_s, frames)]
        return tuple(
            Scene(
                scene_number=i + 1,
                scene_index=i,
                start_s=start_s,
                end_s=end_s,
                duration_s=end_s - start_s,
                start_frame=first,
                end_frame=after,
            )
            for i, ((start_s, first), (end_s, after)) in enumerate(zip(starts, ends, strict=True))
        )

    def _ratio(self) -> float:
        """The ratio by which PySceneDetect has just decided: the middle score over the mean of the others."""
        scores = [score for _, _, score in self._recent]
        target = scores.pop(WINDOW_WIDTH)
        mean = sum(scores) / (2.0 * WINDOW_WIDTH)
        return _MAX_RATIO if abs(mean) < _ZERO_MEAN else min(target / mean, _MAX_RATIO)


def shrink(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(h, w, 3) uint8 reduced as PySceneDetect does: the long side to 256 pixels, linear interpolation."""
    height, width = image.shape[:2]
    factor = compute_downscale_factor(max(width, height))
    if factor <= 1.0:
        return image
    size = max(1, round(width / factor)), max(1, round(height / factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _transitions(
    cuts: list[Cut], within: list[GradualTransition | None], gradual: list[GradualTransition]
) -> tuple[Transition, ...]:
    """Every transition with its extent, by time; a cut within a gradual transition is part of that one."""
    found = [transition.told() for transition in gradual]
    found += [
        Transition(start_s=cut.time_s, end_s=cut.time_s, type="cut")
        for cut, owner in zip(cuts, within, strict=True)
        if owner is None
    ]
    return tuple(sorted(found, key=lambda transition: (transition.start_s, transition.end_s)))


class _Adaptive(AdaptiveDetector):  # type: ignore[misc]
    """PySceneDetect's detector with its frame score computed by OpenCV instead of by int32 arrays: equal values."""

    def __init__(self, **settings: float) -> None:
        super().__init__(**settings)
        self.score = 0.0
        self._planes: tuple[Any, ...] | None = None

    def _calculate_frame_score(self, timecode: FrameTimecode, frame_img: npt.NDArray[np.uint8]) -> float:
        # Sums of absolute differences are whole numbers below 2**53: exact in both ways of adding them.
        planes = tuple(cv2.split(cv2.cvtColor(frame_img, cv2.COLOR_BGR2HSV)))
        before, self._planes = self._planes, planes
        if before is None:
            self.score = 0.0
        else:
            pixels = float(planes[0].size)
            sums = [cv2.norm(new, old, cv2.NORM_L1) / pixels for new, old in zip(planes, before, strict=True)]
            self.score = sum(sums) / len(sums)
        return self.score
