"""On-screen text: EasyOCR's detector and recogniser, driven in batches over frames and crops.

``strict`` equals ``easyocr.Reader(languages, gpu=False).readtext(picture_bgr)`` of EasyOCR 1.7.2, settings alike:
same texts in the same order, boxes within 2 px, confidences within 0.01.

* The engine takes RGB; ``readtext`` takes arrays as OpenCV holds them, BGR, so that is what it must be given for the
  comparison. It hands BGR on to the detector, whose mean and deviation are those of RGB, and so does ``strict``;
  ``fast`` gives the detector RGB.
* EasyOCR's default on a CPU quantises the recogniser to 8 bits, which moves confidences by up to 0.3, so ``strict``
  does too; ``quantize=False`` here equals ``quantize=False`` there.

``fast`` is judged by what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from rumiai.contracts.tensors import MAX_IMAGE_SIDE_PX
from rumiai.errors import ContractError
from rumiai_server.engines.ocr_boxes import group_boxes, map_boxes, to_source_pixels
from rumiai_server.engines.ocr_detector import Canvas, CraftDetector, canvas_scale
from rumiai_server.engines.ocr_recognizer import Crop, TextRecognizer, cut_crops
from rumiai_server.engines.ocr_types import OcrParams, TextLines
from rumiai_server.engines.precision import resolve_device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["OcrEngine", "OcrParams", "TextLines"]


class OcrEngine:
    """Finds and reads text lines.

    Args:
        detector: EasyOCR's ``craft_mlt_25k.pth``.
        recognizer: EasyOCR's recogniser file under its own name, such as ``english_g2.pth``.
        languages: EasyOCR's language codes, all of that recogniser's script.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.
        threads: CPU threads of torch, for the whole process; None leaves them as they are.
        quantize: EasyOCR's own switch: 8-bit recogniser in ``strict`` mode on a CPU.

    Raises:
        ConfigurationError: Device, language or recogniser name is unknown.
        WeightsError: A weights file is missing or not what its name says.
    """

    def __init__(
        self,
        detector: Path,
        recognizer: Path,
        *,
        languages: Sequence[str] = ("en",),
        device: str = "auto",
        threads: int | None = None,
        quantize: bool = True,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = resolve_device(device)
        self._detector = CraftDetector(detector, self.device)
        self._recognizer = TextRecognizer(recognizer, languages, self.device, quantize=quantize)

    def warm_up(self) -> None:
        """Run each network once, so that the first request does not pay for it."""
        picture = np.zeros((1, 64, 256, 3), dtype=np.uint8)
        cv2.putText(picture[0], "ready", (8, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 4)
        for mode in ("fast", "strict"):
            self.read([(picture, OcrParams(mode=mode))])

    def read(self, items: Sequence[tuple[NDArray[np.uint8], OcrParams]]) -> list[list[TextLines]]:
        """Read the pictures of several requests together.

        Args:
            items: Pictures (n, h, w, 3) uint8 RGB, n may be 0, and their settings; shapes and settings may differ.

        Returns:
            For each item its n pictures' lines. A picture without text has none.

        Raises:
            ContractError: An array has another shape or dtype.
        """
        for position, (pictures, _) in enumerate(items):
            _check_pictures(position, pictures)
        jobs = [(picture, params) for pictures, params in items for picture in pictures]
        crops: list[list[Crop]] = [[] for _ in jobs]
        for exact in (True, False):
            chosen = [index for index, (_, params) in enumerate(jobs) if (params.mode == "strict") is exact]
            for index, found in self._detect([jobs[i] for i in chosen], exact):
                crops[chosen[index]] = found
        lines = self._read_crops(crops, [params.mode == "strict" for _, params in jobs])
        answers = iter(lines)
        return [[next(answers) for _ in pictures] for pictures, _ in items]

    def _detect(self, jobs: Sequence[tuple[NDArray[np.uint8], OcrParams]], exact: bool) -> list[tuple[int, list[Crop]]]:
        canvases = [Canvas(p, canvas_scale(p, params.canvas_size, params.mag_ratio)) for p, params in jobs]
        found = []
        for index, maps in self._detector.score(canvases, exact=exact):
            picture, params = jobs[index]
            boxes = map_boxes(maps.text, maps.link, params.map_thresholds)
            polys = to_source_pixels(boxes, canvases[index].scale)
            found.append((index, _crop(picture, polys, params)))
        return found

    def _read_crops(self, crops: Sequence[Sequence[Crop]], exact: Sequence[bool]) -> list[TextLines]:
        readings = [
            iter(
                self._recognizer.read(
                    [c for group, e in zip(crops, exact, strict=True) if e is flag for c in group], exact=flag
                )
            )
            for flag in (False, True)
        ]
        lines = []
        for group, flag in zip(crops, exact, strict=True):
            pairs = [(crop.quad, next(readings[flag])) for crop in group]
            lines.append(
                TextLines(
                    quads=np.array([quad for quad, _ in pairs], dtype=np.float32).reshape(-1, 4, 2),
                    texts=tuple(reading.text for _, reading in pairs),
                    scores=np.array([reading.score for _, reading in pairs], dtype=np.float32),
                )
            )
        return lines


def _crop(picture: NDArray[np.uint8], polys: NDArray[np.int32], params: OcrParams) -> list[Crop]:
    horizontal, free = group_boxes(polys, params.group_thresholds)
    if not horizontal and not free:
        return []
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cut_crops(grey, horizontal, free, contrast_ths=params.contrast_ths, adjust_contrast=params.adjust_contrast)


def _check_pictures(position: int, pictures: NDArray[np.uint8]) -> None:
    shape = pictures.shape
    sides_fit = len(shape) == 4 and shape[3] == 3 and all(1 <= side <= MAX_IMAGE_SIDE_PX for side in shape[1:3])
    if pictures.dtype != np.uint8 or not sides_fit:
        raise ContractError(
            f"OCR item {position}: got {pictures.dtype}{shape}, expected uint8 (n, height, width, 3) RGB with sides of "
            f"1 to {MAX_IMAGE_SIDE_PX} px"
        )
