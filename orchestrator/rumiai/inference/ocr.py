"""Lines of text on frames, from the endpoint ``ocr``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts import tensors
from rumiai.contracts.frames import FrameBatch, FrameTexts, UnreadLines
from rumiai.errors import ContractError
from rumiai.inference.client import Parameter, TritonClient
from rumiai.inference.spans import FrameRun, check_scores, frame_runs, normalised_xywh, rows_of

# Rec. 601, the luma of the pictures that these frames were decoded from, in thousandths: whole numbers, so that equal
# pixels are equally bright to the last bit on every processor.
_LUMA_WEIGHTS: Final = np.array([299, 587, 114])
_WHITE: Final = 255_000


@dataclass(frozen=True)
class ReadParams:
    """The endpoint's request parameters, which the server checks; None leaves the server's own default."""

    engine: tensors.OcrEngineName = "auto"
    mode: tensors.Mode = "fast"
    canvas_size: int | None = None
    mag_ratio: float | None = None
    slope_ths: float | None = None
    height_ths: float | None = None
    width_ths: float | None = None

    def to_request(self) -> dict[str, Parameter]:
        """Those that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


# EasyOCR joins words to lines by the boxes of their ink. Letters that reach below the line tilt the box of a short word
# and make it higher than its neighbours'. Typewriter faces have wide gaps between words. With EasyOCR's 0.1, 0.5 and
# 0.5, "day 46" and "what I eat in a day" came as pieces. docs/design/ocr.md has the figures.
CAPTIONS: Final = ReadParams(mode="fast", slope_ths=0.2, height_ths=1.0, width_ths=0.8)
# EasyOCR's own settings.
STRICT: Final = ReadParams(mode="strict")


async def read_texts(
    client: TritonClient, batch: FrameBatch, params: ReadParams, indices: Sequence[int] | None = None
) -> list[FrameTexts]:
    """Read the text on the frames of a batch, or on some of them. The caller releases the batch.

    Args:
        client: Where the endpoint is.
        batch: The frames.
        params: Request parameters.
        indices: Which frames, ascending; None for all. Neighbours go into one request, all without a copy.

    Returns:
        One for each frame that was asked for, in order, with origin ``read``.

    Raises:
        ContractError: The answer is not what the endpoint promises.
        MLError: The model refused or failed.
        ServerError: The server is gone or too slow.
        ValueError: Indices that are not ascending or not in the batch.
    """
    runs = frame_runs(batch, indices)
    # One after another: unequal concurrent requests fragment the memory pool into which Triton copies them.
    answers = [await client.infer(tensors.OCR, {"IMAGES": run.tensor(batch)}, params.to_request()) for run in runs]
    return [found for run, outputs in zip(runs, answers, strict=True) for found in _frames(batch, run, outputs)]


def _frames(batch: FrameBatch, run: FrameRun, outputs: dict[str, npt.NDArray[Any]]) -> list[FrameTexts]:
    height, width = batch.images.shape[1:3]
    frames = []
    unread = _unread(outputs, run.stop - run.start, height, width)
    for row, count in enumerate(rows_of(outputs, tensors.OCR, run.stop - run.start)):
        scores = outputs["SCORES"][row, :count]
        check_scores(scores, "ocr")
        index = run.start + row
        boxes = _boxes(outputs["QUADS"][row, :count], height, width)
        frames.append(
            FrameTexts(
                timestamp_s=float(batch.timestamps_s[index]),
                frame_number=int(batch.frame_numbers[index]),
                texts=tuple(_decoded(text) for text in outputs["TEXTS"][row, :count]),
                boxes=boxes,
                scores=scores,
                contrasts=box_contrasts(batch.images[index], boxes),
                unread=unread[row],
            )
        )
    return frames


def _unread(outputs: dict[str, npt.NDArray[Any]], n: int, height: int, width: int) -> list[UnreadLines]:
    """Of each of the n frames what was not read."""
    lines = []
    for row, count in enumerate(rows_of(outputs, tensors.OCR, n, "UNREAD_")):
        scores = outputs["UNREAD_SCORES"][row, :count]
        check_scores(scores, "ocr")
        scripts = tuple(_decoded(script) for script in outputs["UNREAD_SCRIPTS"][row, :count])
        if unknown := sorted(set(scripts) - set(tensors.SCRIPTS)):
            raise ContractError(f"ocr returned the scripts {unknown}, expected some of {', '.join(tensors.SCRIPTS)}")
        lines.append(UnreadLines(_boxes(outputs["UNREAD_QUADS"][row, :count], height, width), scripts, scores))
    return lines


def _boxes(quads: npt.NDArray[np.float32], height: int, width: int) -> npt.NDArray[np.float32]:
    """Of (m, 4, 2) corners in pixels the (m, 4) boxes around them, normalised and clipped."""
    if not np.isfinite(quads).all():
        raise ContractError(f"ocr returned quads {quads.tolist()}, expected finite pixels")
    return normalised_xywh(np.concatenate((quads.min(1), quads.max(1)), axis=1), height, width)


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ContractError(f"ocr returned the text {text!r}, expected UTF-8") from exc


def box_contrasts(image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How strongly light and dark differ in each box: (95th - 5th percentile of the luminance) / 255.

    Args:
        image: (height, width, 3) uint8 RGB.
        boxes: (m, 4) x, y, width, height, normalised.

    Returns:
        (m,) float32, 0..1. A box thinner than a pixel is taken as the pixel it lies on.
    """
    height, width = image.shape[:2]
    contrasts = np.empty(len(boxes), np.float32)
    for i, (x, y, w, h) in enumerate(boxes.astype(np.float64)):
        left, top = min(int(x * width), width - 1), min(int(y * height), height - 1)
        right, bottom = max(left + 1, round((x + w) * width)), max(top + 1, round((y + h) * height))
        luminance = image[top:bottom, left:right] @ _LUMA_WEIGHTS
        low, high = np.percentile(luminance, (5, 95))
        contrasts[i] = (high - low) / _WHITE
    return contrasts
