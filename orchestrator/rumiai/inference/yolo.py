"""Objects on frames, from the endpoint ``yolo``."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rumiai.contracts import tensors
from rumiai.contracts.frames import FrameBatch, FrameDetections
from rumiai.errors import ContractError
from rumiai.inference.client import TritonClient
from rumiai.inference.spans import FrameRun, check_scores, frame_runs, normalised_xywh, rows_of


@dataclass(frozen=True)
class DetectionParams:
    """The endpoint's request parameters, which the server checks; the defaults are Ultralytics'."""

    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    mode: tensors.Mode = "fast"


async def detect(client: TritonClient, batch: FrameBatch, params: DetectionParams) -> list[FrameDetections]:
    """Find objects on every frame of a batch. The caller releases the batch.

    Returns:
        One for each frame, in order; scores descending.

    Raises:
        ContractError: The answer is not what the endpoint promises.
        MLError: The model refused or failed.
        ServerError: The server is gone or too slow.
    """
    runs = frame_runs(batch)
    answers = await asyncio.gather(
        *(client.infer(tensors.YOLO, {"IMAGES": run.tensor(batch)}, asdict(params)) for run in runs)
    )
    return [found for run, outputs in zip(runs, answers, strict=True) for found in _frames(batch, run, outputs)]


def _frames(batch: FrameBatch, run: FrameRun, outputs: dict[str, npt.NDArray[Any]]) -> list[FrameDetections]:
    height, width = batch.images.shape[1:3]
    frames = []
    for row, count in enumerate(rows_of(outputs, tensors.YOLO, run.stop - run.start)):
        boxes = outputs["BOXES"][row, :count]
        scores = outputs["SCORES"][row, :count]
        class_ids = outputs["CLASS_IDS"][row, :count]
        check_scores(scores, "yolo")
        if ((class_ids < 0) | (class_ids >= len(tensors.COCO_NAMES))).any():
            raise ContractError(f"yolo returned classes {sorted(set(class_ids.tolist()))}, expected COCO's 0..79")
        if not np.isfinite(boxes).all() or (boxes[:, 2:] < boxes[:, :2]).any():
            raise ContractError(f"yolo returned boxes {boxes.tolist()}, expected finite x1 <= x2, y1 <= y2")
        index = run.start + row
        frames.append(
            FrameDetections(
                timestamp_s=float(batch.timestamps_s[index]),
                frame_number=int(batch.frame_numbers[index]),
                boxes=normalised_xywh(boxes, height, width),
                scores=scores,
                class_ids=class_ids,
            )
        )
    return frames
