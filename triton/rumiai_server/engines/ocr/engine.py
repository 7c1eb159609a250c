"""On-screen text: two engines behind one door.

``easyocr`` is EasyOCR's detector and recogniser (:mod:`rumiai_server.engines.ocr.easyocr_engine`), ``ppocr``
PaddleOCR's (:mod:`rumiai_server.engines.ocr.ppocr.engine`). A request says which; ``auto`` is ``ppocr`` in ``fast`` and
``easyocr`` in ``strict``. What no request asks for is not loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from rumiai.contracts.tensors import MAX_IMAGE_SIDE_PX
from rumiai.errors import ContractError
from rumiai_server.engines.ocr.types import OcrParams, TextLines
from rumiai_server.engines.shared.precision import resolve_device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.easyocr_engine import EasyOcrEngine
    from rumiai_server.engines.ocr.ppocr.engine import PpocrEngine
    from rumiai_server.engines.ocr.tesseract import TesseractReader
    from rumiai_server.engines.shared.cuda_graphs import GraphedForward

__all__ = ["OcrEngine", "OcrParams", "TextLines"]


class OcrEngine:
    """Finds and reads text lines, with the engine that each request asks for, which is loaded then.

    Args:
        detector: EasyOCR's ``craft_mlt_25k.pth``.
        recognizer: EasyOCR's recogniser file under its own name, such as ``english_g2.pth``.
        locator: PaddleOCR's ``PP-OCRv6_det_small.onnx``: ``ppocr``'s detector, and on a CPU ``easyocr``'s locator;
            without it ``easyocr`` takes the full canvas in ``fast``.
        reader: PaddleOCR's ``PP-OCRv6_rec_small.onnx``; without it, or without a locator, ``auto`` is ``easyocr``.
        languages: EasyOCR's language codes, all of that recogniser's script; ``ppocr`` reads all that it knows.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.
        threads: CPU threads of torch, for the whole process; None leaves them as they are.
        quantize: EasyOCR's own switch: 8-bit recogniser in ``strict`` mode on a CPU.
        cuda_graphs: Replay EasyOCR's detector of ``fast`` mode as a CUDA graph; on a CPU it changes nothing.
        foreign: Reads for ``ppocr`` the scripts that it lacks; None leaves them unread.

    Raises:
        ConfigurationError: The device is unknown.
    """

    def __init__(
        self,
        detector: Path,
        recognizer: Path,
        *,
        locator: Path | None = None,
        reader: Path | None = None,
        languages: Sequence[str] = ("en",),
        device: str = "auto",
        threads: int | None = None,
        quantize: bool = True,
        cuda_graphs: bool = True,
        foreign: TesseractReader | None = None,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = resolve_device(device)
        self._easyocr_files = detector, recognizer
        self._locator, self._reader = locator, reader
        self._languages = tuple(languages)
        self._quantize, self._cuda_graphs = quantize, cuda_graphs
        self._threads = torch.get_num_threads()
        self._foreign = foreign
        self._easyocr: EasyOcrEngine | None = None
        self._ppocr: PpocrEngine | None = None

    @property
    def graphs(self) -> GraphedForward | None:
        """What replays EasyOCR's detector in ``fast``; None where nothing does: on a CPU, or switched off."""
        return self._load_easyocr().graphs

    def warm_up(self, *params: OcrParams) -> None:
        """Load and run once what requests with these settings need, so that the first does not pay for it."""
        picture = np.zeros((1, 64, 512, 3), dtype=np.uint8)  # large enough for the locator
        cv2.putText(picture[0], "ready", (8, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 4)
        for settings in params or (OcrParams(mode="fast"), OcrParams(mode="strict")):
            self.read([(picture, settings)])

    def read(self, items: Sequence[tuple[NDArray[np.uint8], OcrParams]]) -> list[list[TextLines]]:
        """Read the pictures of several requests together.

        Args:
            items: Pictures (n, h, w, 3) uint8 RGB, n may be 0, and their settings; shapes and settings may differ.

        Returns:
            For each item its n pictures' lines. A picture without text has none.

        Raises:
            ContractError: An array has another shape or dtype, or a request asks for an engine that is not served.
            ConfigurationError: Language or recogniser name is unknown; on the first request that needs it.
            WeightsError: A weights file is missing or not what its name says; on the first request that needs it.
        """
        for position, (pictures, _) in enumerate(items):
            _check_pictures(position, pictures)
        jobs = [(picture, params) for pictures, params in items for picture in pictures]
        by_ppocr = [self._reads(params) == "ppocr" for _, params in jobs]
        ours = [job for job, ppocr in zip(jobs, by_ppocr, strict=True) if ppocr]
        theirs = [job for job, ppocr in zip(jobs, by_ppocr, strict=True) if not ppocr]
        found = {
            True: iter(self._load_ppocr().read(ours) if ours else []),
            False: iter(self._load_easyocr().read(theirs) if theirs else []),
        }
        answers = (next(found[ppocr]) for ppocr in by_ppocr)
        return [[next(answers) for _ in pictures] for pictures, _ in items]

    def _reads(self, params: OcrParams) -> str:
        served = self._reader is not None and self._locator is not None
        return "easyocr" if params.engine == "auto" and not served else params.reader

    def _load_easyocr(self) -> EasyOcrEngine:
        from rumiai_server.engines.ocr.easyocr_engine import EasyOcrEngine

        if self._easyocr is None:
            self._easyocr = EasyOcrEngine(
                *self._easyocr_files,
                locator=self._locator,
                languages=self._languages,
                device=self.device,
                quantize=self._quantize,
                cuda_graphs=self._cuda_graphs,
            )
        return self._easyocr

    def _load_ppocr(self) -> PpocrEngine:
        from rumiai_server.engines.ocr.ppocr.engine import PpocrEngine

        if self._locator is None or self._reader is None:
            raise ContractError("OCR engine: got 'ppocr', which is not served here; expected easyocr")
        if self._ppocr is None:
            self._ppocr = PpocrEngine(
                self._locator, self._reader, device=self.device, threads=self._threads, foreign=self._foreign
            )
        return self._ppocr


def _check_pictures(position: int, pictures: NDArray[np.uint8]) -> None:
    shape = pictures.shape
    sides_fit = len(shape) == 4 and shape[3] == 3 and all(1 <= side <= MAX_IMAGE_SIDE_PX for side in shape[1:3])
    if pictures.dtype != np.uint8 or not sides_fit:
        raise ContractError(
            f"OCR item {position}: got {pictures.dtype}{shape}, expected uint8 (n, height, width, 3) RGB with sides of "
            f"1 to {MAX_IMAGE_SIDE_PX} px"
        )
