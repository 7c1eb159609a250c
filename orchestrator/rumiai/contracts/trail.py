"""Small grey pictures of every frame of a video, as those who follow something from frame to frame ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays


class Greys:
    """Pictures of equal size that are unpacked when one asks for them; those who follow something look at few.

    Args:
        count: How many.
        unpack: Gives picture 0..count-1, (h, w) uint8.
    """

    def __init__(self, count: int, unpack: Callable[[int], npt.NDArray[np.uint8]]) -> None:
        self._count, self._unpack = count, unpack

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> npt.NDArray[np.uint8]:
        if not -self._count <= row < self._count:
            raise IndexError(f"picture {row} of {self._count}")
        return self._unpack(row % self._count)

    def __iter__(self) -> Iterator[npt.NDArray[np.uint8]]:
        return (self[row] for row in range(self._count))

    def stacked(self) -> npt.NDArray[np.uint8]:
        """All, (n, h, w) uint8; (0, 0, 0) without any."""
        return np.stack([*self]) if self._count else np.zeros((0, 0, 0), np.uint8)


@dataclass(frozen=True)
class TrailFrames:
    """Consecutive frames; row i of every array is frame i.

    Attributes:
        times_s: (n,) float64, ascending.
        numbers: (n,) int64, indices in the source stream.
        images: n pictures, (h, w) uint8 luma as shown (turned, mirrored), all of one size; read-only.
    """

    times_s: npt.NDArray[np.float64]
    numbers: npt.NDArray[np.int64]
    images: Greys = field(repr=False)

    def __post_init__(self) -> None:
        freeze_arrays(self, times_s=(np.float64, "n"), numbers=(np.int64, "n"))

    def __len__(self) -> int:
        return len(self.times_s)


class Trail(Protocol):
    """Keeps the pictures; complete when all frames have been decoded."""

    def between(self, start_s: float, end_s: float) -> TrailFrames:
        """The frames on show from ``start_s`` to ``end_s``, both included; the first may have begun earlier."""
