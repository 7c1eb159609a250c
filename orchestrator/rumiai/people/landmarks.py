"""The analyzer of people: which frames to look at, which part of them, and what to run there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import FrameDetections
from rumiai.core.boxes import Box, area
from rumiai.people.faces import find_faces
from rumiai.people.geometry import Image, square_of_box
from rumiai.people.hands import find_hands, merge_hands
from rumiai.people.observations import Face, Hand, Look, PeopleFrame, Person, Pose
from rumiai.people.poses import find_poses, merge_poses
from rumiai.people.tasks import Tasks

_WHOLE_FRAME: Final[Box] = (0.0, 0.0, 1.0, 1.0)
# Every how many pixels two frames are compared: 45 x 80 points of a 720 x 1280 frame are enough to see a cut.
_COMPARE_STRIDE_PX: Final = 16
# How much of its box's size a person's crop shows beyond the box, so that hands and feet are not cut.
_CROP_MARGIN: Final = 0.1


@dataclass(frozen=True)
class LookPolicy:
    """Which frames are looked at, and how much is run on them.

    A frame with persons is always looked at: faces on the whole frame and at the persons' heads, bodies and hands on
    the persons' crops. A frame without persons (or without an object detector) is looked at as a whole when a look is
    due: the first one, after ``whole_every_s``, after a cut, or while the look before found somebody.

    Attributes:
        whole_every_s: Seconds between looks at frames without persons; 0.0 looks at each. People that the object
            detector misses (hands alone, faces that fill the frame) stay longer than this or hardly matter.
        cut_difference: Mean absolute difference of two frames' pixels, 0..1, from which on they count as two shots;
            moving people differ by less than 0.1.
        max_persons: Persons per frame at whose heads a face is looked for, largest first.
        max_bodies: Persons per frame whose body and hands are looked for, largest first: each costs as much as a frame
            with nobody, and the hands of people in the background matter little.
        max_meshes: Faces per frame with landmarks, largest first.
        min_body_height: Share of the frame's height below which a person's body and hands are too small to tell.
    """

    whole_every_s: float = 2.0
    cut_difference: float = 0.12
    max_persons: int = 6
    max_bodies: int = 2
    max_meshes: int = 2
    min_body_height: float = 0.15


class PeopleAnalyzer:
    """MediaPipe on sampled frames of one video at a time. Use it as a context manager, from one thread.

    Args:
        weight: Finds a weights file by its name in ``weights.toml``.
        threads: 1 runs the models one after another; up to 3 run faces, hands and bodies of a frame side by side.
        policy: Which frames to look at.

    Raises:
        MLError: MediaPipe is not installed, or its graphics libraries are missing.
        WeightsError: A model file is missing or broken.
    """

    def __init__(self, weight: Callable[[str], Path], *, threads: int = 1, policy: LookPolicy | None = None) -> None:
        self.policy = policy or LookPolicy()
        self._tasks = Tasks(weight)
        self._pool = ThreadPoolExecutor(min(threads, 3), "people") if threads > 1 else None
        self.reset()

    def reset(self) -> None:
        """Forget the video so far; called for you when time goes backwards, as it does between videos."""
        self._looked_at_s: float | None = None
        self._looked_at: npt.NDArray[np.int16] | None = None
        self._found_somebody = False

    def close(self) -> None:
        """Free the models."""
        if self._pool is not None:
            self._pool.shutdown()
        self._tasks.close()

    def __enter__(self) -> PeopleAnalyzer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def analyze(
        self,
        images: npt.NDArray[np.uint8],
        timestamps_s: npt.NDArray[np.float64],
        frame_numbers: npt.NDArray[np.int64],
        persons: Sequence[FrameDetections] | None,
    ) -> list[PeopleFrame]:
        """Look at frames, in the order of the video.

        Args:
            images: (n, h, w, 3) uint8 RGB; not written, not kept.
            timestamps_s: (n,) seconds.
            frame_numbers: (n,) index in the source stream.
            persons: For each frame the persons on it; None when the object detector is not available: then every look
                is at the whole frame.

        Returns:
            One entry per frame; empty input gives an empty list.

        Raises:
            ValueError: The lengths or shapes differ.
            MLError: MediaPipe failed on a frame.
        """
        n = len(images)
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ValueError(f"images: got {images.dtype} {images.shape}, expected uint8 (n, h, w, 3)")
        lengths = [len(timestamps_s), len(frame_numbers), n if persons is None else len(persons)]
        if lengths != [n, n, n]:
            raise ValueError(f"got {lengths} timestamps, numbers and person lists for {n} frames")
        return [
            self._frame(
                images[i],
                float(timestamps_s[i]),
                int(frame_numbers[i]),
                None if persons is None else persons[i],
            )
            for i in range(n)
        ]

    def _frame(self, frame: Image, timestamp_s: float, number: int, given: FrameDetections | None) -> PeopleFrame:
        if self._looked_at_s is not None and timestamp_s < self._looked_at_s:
            self.reset()
        count = None if given is None else len(given.scores)
        persons = [] if given is None else self._largest(given)
        if not persons and not self._look_due(frame, timestamp_s):
            return PeopleFrame(timestamp_s, number, "gated", count)
        frame = np.ascontiguousarray(frame)
        faces, hands, poses = self._look(frame, persons)
        self._looked_at_s, self._looked_at = timestamp_s, _thumbnail(frame)
        self._found_somebody = bool(faces or hands or poses)
        look: Look = "crops" if persons else "whole"
        return PeopleFrame(timestamp_s, number, look, count, faces, hands, poses)

    def _largest(self, given: FrameDetections) -> list[Person]:
        rows = zip(given.boxes.tolist(), given.scores.tolist(), strict=True)
        found = [Person((x, y, w, h), score) for (x, y, w, h), score in rows if w > 0 and h > 0]
        return sorted(found, key=lambda person: area(person.box), reverse=True)[: self.policy.max_persons]

    def _look_due(self, frame: Image, timestamp_s: float) -> bool:
        if self._looked_at_s is None or self._looked_at is None or self._found_somebody:
            return True
        # Samples stand on a grid: half a millisecond of tolerance keeps rounding from costing a whole step.
        if timestamp_s - self._looked_at_s >= self.policy.whole_every_s - 0.0005:
            return True
        now = _thumbnail(frame)
        if now.shape != self._looked_at.shape:
            return True
        return float(np.abs(now - self._looked_at).mean()) / 255 >= self.policy.cut_difference

    def _look(self, frame: Image, persons: list[Person]) -> tuple[tuple[Face, ...], tuple[Hand, ...], tuple[Pose, ...]]:
        tall = [person.box for person in persons if person.box[3] >= self.policy.min_body_height]
        parts = tall[: self.policy.max_bodies] if persons else [_WHOLE_FRAME]
        views = [square_of_box(frame, part, _CROP_MARGIN) for part in parts]
        tasks = self._tasks

        def faces() -> tuple[Face, ...]:
            return find_faces(tasks, frame, persons, whole=True, max_meshes=self.policy.max_meshes)

        def hands() -> tuple[Hand, ...]:
            return merge_hands([hand for view in views for hand in find_hands(tasks, view)])

        def poses() -> tuple[Pose, ...]:
            return merge_poses([pose for view in views for pose in find_poses(tasks, view)])

        if self._pool is None:
            return faces(), hands(), poses()
        # Each task object is called by one job only.
        seen, held, stood = self._pool.submit(faces), self._pool.submit(hands), self._pool.submit(poses)
        return seen.result(), held.result(), stood.result()


def _thumbnail(frame: Image) -> npt.NDArray[np.int16]:
    return frame[::_COMPARE_STRIDE_PX, ::_COMPARE_STRIDE_PX].astype(np.int16)
