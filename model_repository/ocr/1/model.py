"""Triton's Python backend for ``ocr``: tensors to ``rumiai_server.engines.ocr`` and back.

Unless told otherwise, Triton runs this file twice, first in a process that only looks for ``auto_complete_config``. The
engine, and with it whatever takes seconds to import, is therefore imported in ``initialize``.
"""

import numpy as np
import triton_python_backend_utils as pb_utils

from rumiai.contracts.tensors import OCR
from rumiai_server import adapter
from rumiai_server.engines.ocr.types import OcrParams, TextLines


class TritonPythonModel:
    """One instance: the engine that requests ask for, on one device; the other is loaded when one asks for it."""

    def initialize(self, args):
        """Load the engine that is served and run it once."""
        from rumiai_server.engines.ocr.engine import OcrEngine
        from rumiai_server.engines.ocr.tesseract import TesseractReader

        adapter.guard_process()
        settings = adapter.ModelSettings.from_args(args)
        self._served = {name: settings[name] for name in ("engine", "mode")}
        self._engine = OcrEngine(
            settings.weights("detector"),
            settings.weights("recognizer"),
            locator=settings.weights("locator"),
            reader=settings.weights("reader"),
            languages=tuple(settings["languages"].split(",")),
            device=settings.device,
            threads=settings.threads,
            cuda_graphs=settings.flag("cuda_graphs"),
            foreign=TesseractReader() if settings.flag("tesseract") else None,
        )
        self._engine.warm_up(OcrParams(**self._served))

    def execute(self, requests):
        """Answer a batch of requests."""
        return adapter.execute(pb_utils, requests, OCR, self._parse, self._engine.read, self._pack)

    def _parse(self, images, parameters):
        params = OcrParams(
            engine=parameters.get("engine", self._served["engine"]),
            mode=parameters.get("mode", self._served["mode"]),
            canvas_size=adapter.as_int(parameters, "canvas_size", OcrParams.canvas_size),
            mag_ratio=adapter.as_number(parameters, "mag_ratio", OcrParams.mag_ratio),
            slope_ths=adapter.as_number(parameters, "slope_ths", OcrParams.slope_ths),
            height_ths=adapter.as_number(parameters, "height_ths", OcrParams.height_ths),
            width_ths=adapter.as_number(parameters, "width_ths", OcrParams.width_ths),
        )
        return adapter.check_images(images), params

    def _pack(self, frames: list[TextLines]) -> adapter.Outputs:
        return {
            "QUADS": adapter.pad_rows([np.asarray(f.quads, np.float32).reshape(-1, 4, 2) for f in frames], 0.0),
            "TEXTS": adapter.pad_rows([adapter.encoded(f.texts) for f in frames], b""),
            "SCORES": adapter.pad_rows([np.asarray(f.scores, np.float32) for f in frames], 0.0),
            "COUNTS": adapter.counts([f.texts for f in frames]),
            "CHAR_POSITIONS": adapter.pad_rows(adapter.pad_columns([f.positions for f in frames], -1.0), -1.0),
            "UNREAD_QUADS": adapter.pad_rows([f.unread.quads for f in frames], 0.0),
            "UNREAD_SCRIPTS": adapter.pad_rows([adapter.encoded(f.unread.scripts) for f in frames], b""),
            "UNREAD_SCORES": adapter.pad_rows([f.unread.scores for f in frames], 0.0),
            "UNREAD_COUNTS": adapter.counts([f.unread.scripts for f in frames]),
        }
