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
    """One instance: one locator, detector and recogniser on one device."""

    def initialize(self, args):
        """Load the weights and run both networks once."""
        from rumiai_server.engines.ocr.engine import OcrEngine

        adapter.guard_process()
        settings = adapter.ModelSettings.from_args(args)
        self._mode = settings["mode"]
        self._engine = OcrEngine(
            settings.weights("detector"),
            settings.weights("recognizer"),
            locator=settings.weights("locator"),
            languages=tuple(settings["languages"].split(",")),
            device=settings.device,
            threads=settings.threads,
            cuda_graphs=settings.flag("cuda_graphs"),
        )
        self._engine.warm_up()

    def execute(self, requests):
        """Answer a batch of requests."""
        return adapter.execute(pb_utils, requests, OCR, self._parse, self._engine.read, self._pack)

    def _parse(self, images, parameters):
        params = OcrParams(
            mode=parameters.get("mode", self._mode),
            canvas_size=adapter.as_int(parameters, "canvas_size", OcrParams.canvas_size),
            mag_ratio=adapter.as_number(parameters, "mag_ratio", OcrParams.mag_ratio),
            slope_ths=adapter.as_number(parameters, "slope_ths", OcrParams.slope_ths),
            height_ths=adapter.as_number(parameters, "height_ths", OcrParams.height_ths),
            width_ths=adapter.as_number(parameters, "width_ths", OcrParams.width_ths),
        )
        return adapter.check_images(images), params

    def _pack(self, frames: list[TextLines]) -> adapter.Outputs:
        texts = [np.array([t.encode() for t in f.texts], dtype=np.object_) for f in frames]
        return {
            "QUADS": adapter.pad_rows([np.asarray(f.quads, np.float32).reshape(-1, 4, 2) for f in frames], 0.0),
            "TEXTS": adapter.pad_rows(texts, b""),
            "SCORES": adapter.pad_rows([np.asarray(f.scores, np.float32) for f in frames], 0.0),
            "COUNTS": adapter.counts([f.texts for f in frames]),
        }
