"""Small grey pictures of every frame of a video, as those who follow something from frame to frame ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays


@dataclass(frozen=True)
class TrailFrames:
    """Consecutive frames; row i of every array is frame i.

    Attributes:
        times_s: (n,) float64, ascending.
        numbers: (n,) int64, indices in the source stream.
        images: (n, h, w) uint8 luma as shown (turned, mirrored), all of one size; read-only.
    """

    times_s: npt.NDArray[np.float64]
    numbers: npt.NDArray[np.int64]
    images: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        freeze_arrays(self, times_s=(np.float64, "n"), numbers=(np.int64, "n"), images=(np.uint8, "n", "h", "w"))

    def __len__(self) -> int:
        return len(self.times_s)


class Trail(Protocol):
    """Keeps the pictures; complete when all frames have been decoded."""

    def between(self, start_s: float, end_s: float) -> TrailFrames:
        """The frames on show from ``start_s`` to ``end_s``, both included; the first may have begun earlier."""
