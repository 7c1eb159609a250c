"""Arrays that lie in shared memory, and which frames of a batch go into one request."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rumiai.contracts import tensors
from rumiai.contracts.frames import FrameBatch, SharedSpan
from rumiai.core.arrays import freeze_arrays
from rumiai.core.boxes import to_xywh
from rumiai.errors import ContractError


@dataclass(frozen=True)
class SharedTensor:
    """An input tensor and, where it has one, its place in shared memory.

    Attributes:
        array: The values; C-contiguous. Sent as bytes when the server cannot reach ``span``.
        span: The same bytes as the server names them; None when they are in ordinary memory.
    """

    array: npt.NDArray[Any]
    span: SharedSpan | None = None

    def __post_init__(self) -> None:
        freeze_arrays(self, array=(np.generic, ...))
        if not self.array.flags.c_contiguous:
            raise ValueError(f"got a {self.array.shape} array that is not C-contiguous, expected one that is")
        if self.span is not None and self.span.size_bytes < self.array.nbytes:
            raise ValueError(f"got a span of {self.span.size_bytes} bytes for {self.array.nbytes} bytes of values")


@dataclass(frozen=True)
class FrameRun:
    """Frames ``start`` .. ``stop - 1`` of a batch: neighbours in memory, so that one span names them."""

    start: int
    stop: int

    def tensor(self, batch: FrameBatch) -> SharedTensor:
        """The pixels of these frames: a view and the stretch of the batch's span where they lie."""
        images = batch.images[self.start : self.stop]
        offset = batch.span.offset_bytes + self.start * batch.images[0].nbytes
        return SharedTensor(images, replace(batch.span, offset_bytes=offset, size_bytes=images.nbytes))


def frame_runs(batch: FrameBatch, indices: Sequence[int] | None = None) -> list[FrameRun]:
    """Cut the wanted frames into as few requests as they need.

    Args:
        batch: The frames.
        indices: Which of them, ascending; None for all.

    Returns:
        Runs of neighbours, each within what one request may carry.

    Raises:
        ValueError: Indices that are not ascending or not in the batch.
    """
    wanted = list(range(len(batch)) if indices is None else indices)
    within = not wanted or 0 <= wanted[0] <= wanted[-1] < len(batch)
    if not within or any(b <= a for a, b in itertools.pairwise(wanted)):
        raise ValueError(f"got indices {wanted}, expected ascending ones below {len(batch)}")
    most = min(tensors.MAX_IMAGES_PER_REQUEST, max(1, tensors.MAX_REQUEST_BYTES // batch.images[0].nbytes))
    runs: list[FrameRun] = []
    for index in wanted:
        if runs and runs[-1].stop == index and index - runs[-1].start < most:
            runs[-1] = FrameRun(runs[-1].start, index + 1)
        else:
            runs.append(FrameRun(index, index + 1))
    return runs


def rows_of(
    outputs: Mapping[str, npt.NDArray[Any]], spec: tensors.EndpointSpec, n: int, prefix: Literal["", "UNREAD_"] = ""
) -> list[int]:
    """How many rows of each frame are real, after outputs and counts were compared with each other.

    Args:
        outputs: By name; each (n, m, ...) with one m for all, ``COUNTS`` (n, 1).
        spec: The endpoint.
        n: Frames that were sent.
        prefix: Which of the endpoint's outputs: those whose names begin with it, or those without one.

    Raises:
        ContractError: A shape or a count does not fit the others.
    """
    names = [name for name in outputs if name.startswith("UNREAD_") == bool(prefix)]
    m = next(outputs[name].shape[1] for name in names if name != f"{prefix}COUNTS")
    for name in names:
        expected = (n, 1) if name == f"{prefix}COUNTS" else (n, m)
        if outputs[name].shape[:2] != expected:
            got = outputs[name].shape
            raise ContractError(f"{spec.model} returned {name} of shape {got}, expected {expected} to begin it")
    counts = outputs[f"{prefix}COUNTS"][:, 0]
    if ((counts < 0) | (counts > m)).any():
        raise ContractError(f"{spec.model} returned {prefix}COUNTS {counts.tolist()}, expected each within 0..{m}")
    return [int(count) for count in counts]


def check_scores(scores: npt.NDArray[Any], model: str) -> None:
    """Refuse values that are no scores.

    Raises:
        ContractError: One is not within 0..1.
    """
    if not ((scores >= 0) & (scores <= 1)).all():  # NaN fails this too
        raise ContractError(f"{model} returned scores {scores.min()}..{scores.max()}, expected all within 0..1")


def normalised_xywh(corners: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[np.float32]:
    """From (m, 4) x1, y1, x2, y2 in pixels to (m, 4) float32 x, y, width, height in 0..1, clipped to the frame."""
    scaled = np.clip(corners.astype(np.float64) / (width, height, width, height), 0.0, 1.0)
    return to_xywh(scaled).astype(np.float32)
