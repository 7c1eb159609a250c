"""Parameters and results of the YOLO engine; this module imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rumiai.contracts import tensors
from rumiai.core.arrays import freeze_arrays
from rumiai.errors import ContractError


@dataclass(frozen=True)
class YoloParams:
    """Parameters of a request; the defaults are ultralytics'.

    Attributes:
        conf: Objects must score above this, 0..1.
        iou: Of two boxes of one class that overlap by more than this, the weaker is dropped; 0..1.
        max_det: The most objects of one picture, the strongest first.
        mode: ``fast`` or ``strict``.
    """

    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    mode: tensors.Mode = "fast"

    def __post_init__(self) -> None:
        for name in ("conf", "iou"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:  # NaN fails this too
                raise ContractError(f"{name}: got {value!r}, expected a number from 0 to 1")
        if isinstance(self.max_det, bool) or not isinstance(self.max_det, int) or not 1 <= self.max_det <= 1000:
            raise ContractError(f"max_det: got {self.max_det!r}, expected an integer from 1 to 1000")
        if self.mode not in ("fast", "strict"):
            raise ContractError(f"mode: got {self.mode!r}, expected 'fast' or 'strict'")


@dataclass(frozen=True)
class Detections:
    """Objects on one picture, the strongest first; the arrays are read-only.

    Attributes:
        boxes: (m, 4) float32 x1, y1, x2, y2 in pixels of the given picture, clipped to it.
        scores: (m,) float32, descending.
        class_ids: (m,) int32, index into the engine's ``names``.

    Raises:
        ContractError: A shape or dtype is another, or the lengths disagree.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        freeze_arrays(self, boxes=(np.float32, "m", 4), scores=(np.float32, "m"), class_ids=(np.int32, "m"))

    def __len__(self) -> int:
        return len(self.scores)
