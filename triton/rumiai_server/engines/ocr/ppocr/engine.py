"""PaddleOCR's detector and recogniser, driven in batches over frames and lines.

``strict`` equals ``rapidocr.RapidOCR`` 3.10 with ``Det.limit_type`` max, ``Det.limit_side_len`` as given here,
``Global.use_cls`` off and ``Global.use_vertical_padding`` off: same texts in the same order, same boxes. ``fast`` runs
the same networks in the device's reduced precision, batches the lines of all pictures by width, and reads what stands
upside down.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rumiai.core.arrays import freeze_arrays
from rumiai.errors import MLError
from rumiai_server.engines.ocr.ppocr.detector import LineDetector, canvas_shape
from rumiai_server.engines.ocr.ppocr.graph import read_model
from rumiai_server.engines.ocr.ppocr.joining import join_words
from rumiai_server.engines.ocr.ppocr.lines import cut_line, turned
from rumiai_server.engines.ocr.ppocr.network import Network, OrtNetwork, fast_network
from rumiai_server.engines.ocr.ppocr.recognizer import (
    NOTHING_READ,
    LineReading,
    LineRecognizer,
    characters_of,
    recognizer_outputs,
    with_outputs,
)
from rumiai_server.engines.ocr.ppocr.scripts import ScriptGuesser
from rumiai_server.engines.ocr.tesseract import ForeignLine
from rumiai_server.engines.ocr.types import TextLines
from rumiai_server.engines.shared.cpu_pool import CpuPool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.tesseract import TesseractReader
    from rumiai_server.engines.ocr.types import OcrParams

_LOG = logging.getLogger(__name__)

# Longest side in pixels at which the detector sees a picture, when the request does not say; docs/design/ocr.md.
SEEN_SIDE_PX = 960
# Score from which a reading is believed; RapidOCR's default.
MIN_SCORE = 0.5
# A level line read less surely than this is read upside down as well; a word of few letters only when it is not
# believed, for "lol" reads well both ways.
_SURE, _SHORT = 0.85, 4
# From this probability of a script on, what knows it is asked to read a line.
_SURE_SCRIPT = 0.6
# Upside down counts when it is surer by this much: letters such as o, s, x and z read well both ways.
_SURER_BY = 0.15
# Pictures of one shape that a GPU sees in one pass: some 2 GB of intermediate results.
_FRAMES_PER_PASS = 8


@dataclass
class _Line:
    """One line on its way through the engine."""

    image: NDArray[np.uint8]
    quad: NDArray[np.float32]
    level: bool
    reading: LineReading
    foreign: bool = False  # read by what knows its script

    def __post_init__(self) -> None:
        freeze_arrays(self, image=(np.uint8, "height", "width", 3), quad=(np.float32, 4, 2))


@dataclass
class _Job:
    """One picture on its way through the engine."""

    picture: NDArray[np.uint8]
    params: OcrParams
    lines: list[_Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        freeze_arrays(self, picture=(np.uint8, "height", "width", 3))

    @property
    def strict(self) -> bool:
        return self.params.mode == "strict"

    @property
    def seen_side_px(self) -> float:
        """The longest side at which the detector sees it."""
        return min(max(self.picture.shape[:2]) * self.params.mag_ratio, self.params.canvas_size or SEEN_SIDE_PX)


@dataclass(frozen=True)
class _Networks:
    """Both networks in one precision."""

    detector: LineDetector
    recognizer: LineRecognizer


class PpocrEngine:
    """Finds and reads text lines.

    Args:
        detector: ``PP-OCRv6_det_small.onnx``.
        recognizer: ``PP-OCRv6_rec_small.onnx``.
        device: Where ``fast`` runs; ``strict`` runs on the CPU.
        threads: CPU threads in all.
        foreign: Reads the lines of ``fast`` in scripts that the recogniser lacks; None leaves them unread.

    Raises:
        WeightsError: A file is missing or not what its name says.
    """

    def __init__(
        self,
        detector: Path,
        recognizer: Path,
        *,
        device: torch.device,
        threads: int,
        foreign: TesseractReader | None = None,
    ) -> None:
        self._files = detector, recognizer
        self._threads = threads
        self._guesser = ScriptGuesser.trained()
        self._foreign = foreign
        self._fast = self._networks(device)
        self._strict: _Networks | None = None
        self._on_gpu = device.type == "cuda"
        self._pool = CpuPool(1 if self._on_gpu else threads)

    def _networks(self, device: torch.device | None) -> _Networks:
        """Both for ``device``, or, without one, in float32 by ONNX Runtime on all threads."""
        finder, reader = (read_model(path) for path in self._files)
        names = recognizer_outputs(reader)
        find = finder, [finder.graph.output[0].name]
        read = with_outputs(reader, names), names
        find_network: Network
        read_network: Network
        if device is None:
            find_network, read_network = OrtNetwork(*find, self._threads), OrtNetwork(*read, self._threads)
        else:  # a video's frames have one shape, lines have any
            find_network = fast_network(*find, device, few_shapes=True)
            read_network = fast_network(*read, device, few_shapes=False)
        return _Networks(LineDetector(find_network), LineRecognizer(read_network, characters_of(reader)))

    def read(self, items: Sequence[tuple[NDArray[np.uint8], OcrParams]]) -> list[TextLines]:
        """Read pictures (h, w, 3) uint8 RGB, each with its settings; the lines of each, in order."""
        jobs = [_Job(picture, params) for picture, params in items]
        for job in jobs:
            if job.strict:
                self._strict = self._strict or self._networks(None)
                self._find(self._strict, [job])
                self._read(self._strict, job.lines, strict=True)
        fast = [job for job in jobs if not job.strict]
        groups = _by_canvas(fast) if self._on_gpu else [[job] for job in fast]
        self._pool.map(lambda group: self._find(self._fast, group), groups)
        lines = [line for job in fast for line in job.lines]
        self._read(self._fast, lines, strict=False)
        self._turn([line for line in lines if self._doubtful(line)])
        self._read_foreign([line for line in lines if not self._believed(line)])
        return [self._answer(job) for job in jobs]

    def _find(self, networks: _Networks, jobs: Sequence[_Job]) -> None:
        """Give every job its lines; the canvases of all have the same shape."""
        found = networks.detector.find([job.picture for job in jobs], jobs[0].seen_side_px)
        for job, regions in zip(jobs, found, strict=True):
            for quad in regions.quads if job.strict else join_words(regions.quads):
                image, own = cut_line(job.picture, quad)
                job.lines.append(_Line(image, own, own is quad, NOTHING_READ))

    def _read(self, networks: _Networks, lines: Sequence[_Line], *, strict: bool) -> None:
        """Give every line its reading."""
        images = [line.image for line in lines]
        batches = networks.recognizer.batches(images, strict=strict)
        if not strict and not self._on_gpu:
            # Sharing a pass saves nothing on a CPU, and changes the last digits of what each line is given.
            batches = [[i] for batch in batches for i in batch]

        def read(batch: Sequence[int]) -> list[LineReading]:
            return networks.recognizer.read([images[i] for i in batch], strict=strict)

        for batch, readings in zip(batches, self._pool.map(read, batches), strict=True):
            for i, reading in zip(batch, readings, strict=True):
                lines[i].reading = reading

    def _turn(self, lines: Sequence[_Line]) -> None:
        """Read these upside down as well, and keep what is surer."""
        others = [_Line(*turned(line.image, line.quad), line.level, NOTHING_READ) for line in lines]
        self._read(self._fast, others, strict=False)
        for line, other in zip(lines, others, strict=True):
            if other.reading.score > line.reading.score + _SURER_BY and self._readable(other):
                line.image, line.quad, line.reading = other.image, other.quad, other.reading

    def _read_foreign(self, lines: Sequence[_Line]) -> None:
        """Read what another recogniser knows the script of."""
        if self._foreign is None or not lines:
            return
        guesses = [self._guesser.script(line.reading) for line in lines]
        sure = [(line, guess[0]) for line, guess in zip(lines, guesses, strict=True) if guess[1] >= _SURE_SCRIPT]
        try:
            readings = self._foreign.read([ForeignLine(line.image, script) for line, script in sure])
        except MLError as exc:  # they stay unread, and are told as such
            _LOG.warning("%s", exc)
            return
        for (line, _), reading in zip(sure, readings, strict=True):
            if reading is not None:
                nowhere = np.zeros(0, dtype=np.float32)
                line.reading = LineReading(reading.text, reading.score, nowhere, line.reading.features)
                line.foreign = True

    def _readable(self, line: _Line) -> bool:
        """Whether it is in a script that the recogniser reads."""
        return self._guesser.readable(line.reading, line.image.shape[1] / line.image.shape[0])

    def _believed(self, line: _Line) -> bool:
        """Whether what was read is a text."""
        sure = line.reading.score >= MIN_SCORE and bool(line.reading.text.strip())
        return line.foreign or (sure and self._readable(line))

    def _doubtful(self, line: _Line) -> bool:
        """Whether it may stand upside down; another script that stands upright does not."""
        enough = MIN_SCORE if len(line.reading.text) <= _SHORT else _SURE
        return not line.level or (line.reading.score < enough and self._readable(line))

    def _answer(self, job: _Job) -> TextLines:
        if job.strict:
            believed = [line for line in job.lines if line.reading.score >= MIN_SCORE and line.reading.text.strip()]
            unread = []
        else:
            believed = [line for line in job.lines if self._believed(line)]
            unread = [line for line in job.lines if not self._believed(line)]
        return TextLines(
            quads=_stacked(believed),
            texts=tuple(line.reading.text for line in believed),
            scores=np.array([line.reading.score for line in believed], dtype=np.float32),
            positions=tuple(line.reading.positions for line in believed),
            unread=self._guesser.regions(_stacked(unread), [line.reading for line in unread]),
        )


def _stacked(lines: Sequence[_Line]) -> NDArray[np.float32]:
    return np.array([line.quad for line in lines], dtype=np.float32).reshape(-1, 4, 2)


def _by_canvas(jobs: Sequence[_Job]) -> list[list[_Job]]:
    """Jobs whose pictures share a pass, eight at most."""
    groups: defaultdict[tuple[int, int], list[_Job]] = defaultdict(list)
    for job in jobs:
        groups[canvas_shape(job.picture, job.seen_side_px)].append(job)
    return [
        list(group[i : i + _FRAMES_PER_PASS])
        for group in groups.values()
        for i in range(0, len(group), _FRAMES_PER_PASS)
    ]
