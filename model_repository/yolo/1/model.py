"""Triton's Python backend for ``yolo``: tensors to ``rumiai_server.engines.yolo`` and back.

Unless told otherwise, Triton runs this file twice, first in a process that only looks for ``auto_complete_config``. The
engine, and with it whatever takes seconds to import, is therefore imported in ``initialize``.
"""

import numpy as np
import triton_python_backend_utils as pb_utils

from rumiai.contracts.tensors import YOLO
from rumiai_server import adapter
from rumiai_server.engines.yolo.types import Detections, YoloParams

# What the orchestrator sends: batches of portrait frames, the last one of a video shorter.
WARM_UP_SHAPES = ((1, 1280, 720), (8, 1280, 720))


class TritonPythonModel:
    """One instance: one engine on one device."""

    def initialize(self, args):
        """Load the weights and run the network once, so that the first request is as fast as the next."""
        from rumiai_server.engines.yolo.engine import YoloEngine

        adapter.guard_process()
        settings = adapter.ModelSettings.from_args(args)
        self._mode = settings["mode"]
        self._engine = YoloEngine(
            settings.weights("weights"),
            device=settings.device,
            threads=settings.threads,
            cuda_graphs=settings.flag("cuda_graphs"),
        )
        self._engine.warm_up(WARM_UP_SHAPES)

    def execute(self, requests):
        """Answer a batch of requests."""
        return adapter.execute(pb_utils, requests, YOLO, self._parse, self._engine.detect, self._pack)

    def _parse(self, images, parameters):
        params = YoloParams(
            conf=adapter.as_number(parameters, "conf", YoloParams.conf),
            iou=adapter.as_number(parameters, "iou", YoloParams.iou),
            max_det=adapter.as_int(parameters, "max_det", YoloParams.max_det),
            mode=parameters.get("mode", self._mode),
        )
        return adapter.check_images(images), params

    def _pack(self, frames: list[Detections]) -> adapter.Outputs:
        return {
            "BOXES": adapter.pad_rows([np.asarray(f.boxes, np.float32).reshape(-1, 4) for f in frames], 0.0),
            "SCORES": adapter.pad_rows([f.scores for f in frames], 0.0),
            "CLASS_IDS": adapter.pad_rows([f.class_ids for f in frames], -1),
            "COUNTS": adapter.counts([f.scores for f in frames]),
        }
