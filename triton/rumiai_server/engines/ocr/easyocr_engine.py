"""On-screen text: EasyOCR's detector and recogniser, driven in batches over frames and crops.

``strict`` equals ``easyocr.Reader(languages, gpu=False).readtext(picture_bgr)`` of EasyOCR 1.7.2, settings alike:
same texts in the same order, boxes within 2 px, confidences within 0.01.

* The engine takes RGB; ``readtext`` takes arrays as OpenCV holds them, BGR, so that is what it must be given for the
  comparison. It hands BGR on to the detector, whose mean and deviation are those of RGB, and so do both modes here:
  RGB moves boxes by a few pixels, which the recogniser notices.
* EasyOCR's default on a CPU quantises the recogniser to 8 bits, which moves confidences by up to 0.3, so ``strict``
  does too; ``quantize=False`` here equals ``quantize=False`` there.

``fast`` is judged by what it finds. On a CPU a light network tells where there may be text
(:mod:`rumiai_server.engines.ocr.locator`), and the detector sees those parts alone, each as large as its letters need
(:mod:`rumiai_server.engines.ocr.tiles`); on a GPU it takes the full canvas at once. It runs in the device's reduced
precision with the batch norms folded in, and so do the convolutions of the recogniser on a CPU.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from rumiai.core.arrays import freeze_arrays
from rumiai_server.engines.ocr.boxes import group_boxes, map_boxes, to_source_pixels
from rumiai_server.engines.ocr.detector import Canvas, CraftDetector, canvas_scale
from rumiai_server.engines.ocr.locator import TextLocator
from rumiai_server.engines.ocr.recognizer import Crop, Reading, TextRecognizer, cut_crops
from rumiai_server.engines.ocr.tiles import Tile, text_tiles, worth_locating
from rumiai_server.engines.ocr.types import MAX_CANVAS_SIZE_PX, TextLines
from rumiai_server.engines.shared.cpu_pool import CpuPool
from rumiai_server.engines.shared.cuda_graphs import GraphedForward

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.types import OcrParams


class EasyOcrEngine:
    """Finds and reads text lines.

    Args:
        detector: EasyOCR's ``craft_mlt_25k.pth``.
        recognizer: EasyOCR's recogniser file under its own name, such as ``english_g2.pth``.
        locator: PaddleOCR's ``PP-OCRv6_det_small.onnx``, used on a CPU; without it ``fast`` takes the full canvas.
        languages: EasyOCR's language codes, all of that recogniser's script.
        device: Where it runs.
        quantize: EasyOCR's own switch: 8-bit recogniser in ``strict`` mode on a CPU.
        cuda_graphs: Replay the detector of ``fast`` mode as a CUDA graph; on a CPU it changes nothing.

    Raises:
        ConfigurationError: Language or recogniser name is unknown.
        WeightsError: A weights file is missing or not what its name says.
    """

    def __init__(
        self,
        detector: Path,
        recognizer: Path,
        *,
        locator: Path | None = None,
        languages: Sequence[str] = ("en",),
        device: torch.device,
        quantize: bool = True,
        cuda_graphs: bool = True,
    ) -> None:
        on_cpu = device.type == "cpu"
        self._recognizer = TextRecognizer(recognizer, languages, device, quantize=quantize)
        self._detector = CraftDetector(detector, device, cuda_graphs=cuda_graphs)
        # A GPU is done with the whole canvas before it could be told what to skip.
        self._locator = TextLocator(locator) if locator and on_cpu else None
        self._pool = CpuPool(torch.get_num_threads()) if on_cpu else None

    @property
    def graphs(self) -> GraphedForward | None:
        """What replays the detector of ``fast`` mode; None where nothing does: on a CPU, or switched off."""
        return self._detector.graphs

    def read(self, items: Sequence[tuple[NDArray[np.uint8], OcrParams]]) -> list[TextLines]:
        """Read pictures (h, w, 3) uint8 RGB, each with its settings; the lines of each, in order."""
        jobs = [_Job(picture, params) for picture, params in items]
        self._read_together([job for job in jobs if job.exact], exact=True)
        fast = [job for job in jobs if not job.exact]
        if self._pool is None:
            self._read_together(fast, exact=False)
        else:
            self._pool.map(lambda job: self._read_together([job], exact=False), fast)
        return [job.lines() for job in jobs]

    def _read_together(self, jobs: Sequence[_Job], *, exact: bool) -> None:
        self._detect(jobs, exact)
        self._recognise(jobs, exact)

    def _detect(self, jobs: Sequence[_Job], exact: bool) -> None:
        """Give every job its crops."""
        tiles = [(job, tile) for job, tiles in zip(jobs, self._tiles(jobs, exact), strict=True) for tile in tiles]
        canvases = [Canvas(job.picture[t.top : t.bottom, t.left : t.right], t.scale) for job, t in tiles]
        missing = Counter(id(job) for job, _ in tiles)
        polys: defaultdict[int, list[NDArray[np.int32]]] = defaultdict(list)
        for index, maps in self._detector.score(canvases, exact=exact):
            job, tile = tiles[index]
            boxes = map_boxes(maps.text, maps.link, job.params.map_thresholds)
            corner = np.tile(np.array(tile[:2], dtype=np.int32), 4)
            polys[id(job)].append(to_source_pixels(boxes, tile.scale) + corner)
            missing[id(job)] -= 1
            if not missing[id(job)]:  # here, so that a GPU works on the next batch meanwhile
                job.cut(np.concatenate(polys.pop(id(job))))

    def _tiles(self, jobs: Sequence[_Job], exact: bool) -> list[list[Tile]]:
        """Which parts of each picture the detector sees on the full canvas."""
        if exact or self._locator is None:
            return [[Tile.whole(job.picture, job.scale)] for job in jobs]
        return [
            text_tiles(self._locator.locate(job.picture, job.params.mag_ratio), job.picture, job.scale)
            if worth_locating(max(job.picture.shape[:2]) * job.scale)
            else [Tile.whole(job.picture, job.scale)]
            for job in jobs
        ]

    def _recognise(self, jobs: Sequence[_Job], exact: bool) -> None:
        """Give every job the readings of its crops."""
        readings = iter(self._recognizer.read([crop for job in jobs for crop in job.crops], exact=exact))
        for job in jobs:
            job.readings = [next(readings) for _ in job.crops]


@dataclass
class _Job:
    """One picture on its way through the engine."""

    picture: NDArray[np.uint8]
    params: OcrParams
    crops: list[Crop] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        freeze_arrays(self, picture=(np.uint8, "height", "width", 3))

    @property
    def exact(self) -> bool:
        return self.params.mode == "strict"

    @property
    def scale(self) -> float:
        return canvas_scale(self.picture, self.params.canvas_size or MAX_CANVAS_SIZE_PX, self.params.mag_ratio)

    def cut(self, polys: NDArray[np.int32]) -> None:
        """Turn the boxes found, (n, 8) in pixels of the picture, into crops."""
        horizontal, free = group_boxes(polys, self.params.group_thresholds)
        if horizontal or free:
            grey = cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY)
            limits = self.params.contrast_ths, self.params.adjust_contrast
            self.crops = cut_crops(grey, horizontal, free, contrast_ths=limits[0], adjust_contrast=limits[1])

    def lines(self) -> TextLines:
        return TextLines(
            quads=np.array([crop.quad for crop in self.crops], dtype=np.float32).reshape(-1, 4, 2),
            texts=tuple(reading.text for reading in self.readings),
            scores=np.array([reading.score for reading in self.readings], dtype=np.float32),
        )
