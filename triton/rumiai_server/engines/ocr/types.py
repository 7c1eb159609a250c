"""What goes into the OCR engine beside the pictures, and what comes out of it; neither torch nor EasyOCR in here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

import numpy as np

from rumiai.contracts.tensors import SCRIPTS, Mode, OcrEngineName, ocr_reader
from rumiai.core.arrays import checked, freeze_arrays
from rumiai.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# CRAFT halves its input five times and EasyOCR pads to multiples of 32, so less than this is no picture to it.
MIN_CANVAS_SIZE_PX = 32
# EasyOCR's default. One forward pass over a square of this side takes about 5 GB in float32; above it a single
# request could take the server down.
MAX_CANVAS_SIZE_PX = 2560
# Magnification beyond this only blurs: CRAFT reads letters of 10 px, and the canvas limit is reached long before.
MAX_MAG_RATIO = 8.0


@dataclass(frozen=True)
class MapThresholds:
    """Where a score map counts as text, named as in ``easyocr.Reader.readtext``."""

    text_threshold: float
    link_threshold: float
    low_text: float


@dataclass(frozen=True)
class GroupThresholds:
    """When boxes join into a line, named as in ``easyocr.Reader.readtext``; ``min_size`` in pixels."""

    slope_ths: float
    ycenter_ths: float
    height_ths: float
    width_ths: float
    add_margin: float
    min_size: int


@dataclass(frozen=True)
class OcrParams:
    """Settings of one request, named and preset as in ``easyocr.Reader.readtext``.

    ``ppocr`` heeds ``mode``, ``canvas_size`` and ``mag_ratio``; the others are EasyOCR's.

    Attributes:
        engine: ``easyocr``, ``ppocr``, or ``auto``: ``ppocr`` in ``fast`` and ``easyocr`` in ``strict``.
        mode: ``strict`` equals the engine's upstream library; ``fast`` is judged by what it finds.
        canvas_size: Longest side in pixels at which the detector sees a picture; an upper bound in ``fast``. 0 leaves
            it to the engine: 2560 for ``easyocr``, 960 for ``ppocr``.
        mag_ratio: Magnification before that bound applies.
        text_threshold: Least character score within a text region, 0..1; not below ``low_text``.
        low_text: Character score from which a pixel belongs to a region, 0..1.
        link_threshold: Link score from which two characters belong together, 0..1.
        min_size: Boxes whose longer side is not above this many pixels are dropped; 0 keeps all.
        slope_ths: Slope up to which a box counts as horizontal.
        ycenter_ths: Shift of the vertical centre, in box heights, up to which boxes share a line.
        height_ths: Relative difference in height up to which boxes join.
        width_ths: Gap, in box heights, up to which boxes join.
        add_margin: Margin added around each box, in box heights.
        contrast_ths: Confidence below which a crop is read again with stretched contrast.
        adjust_contrast: Contrast below which that second reading stretches, 0..1; 0 leaves contrast as it is.

    Raises:
        ContractError: A value is outside its range.
    """

    engine: OcrEngineName = "auto"
    mode: Mode = "fast"
    canvas_size: int = 0
    mag_ratio: float = 1.0
    text_threshold: float = 0.7
    low_text: float = 0.4
    link_threshold: float = 0.4
    min_size: int = 20
    slope_ths: float = 0.1
    ycenter_ths: float = 0.5
    height_ths: float = 0.5
    width_ths: float = 0.5
    add_margin: float = 0.1
    contrast_ths: float = 0.1
    adjust_contrast: float = 0.5

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ContractError(f"OCR mode: got {self.mode!r}, expected one of {', '.join(get_args(Mode))}")
        if self.engine not in get_args(OcrEngineName):
            raise ContractError(
                f"OCR engine: got {self.engine!r}, expected one of {', '.join(get_args(OcrEngineName))}"
            )
        if self.canvas_size != 0:
            _check_integer("canvas_size", self.canvas_size, MIN_CANVAS_SIZE_PX, MAX_CANVAS_SIZE_PX)
        _check_integer("min_size", self.min_size, 0, MAX_CANVAS_SIZE_PX)
        _check_number("mag_ratio", self.mag_ratio, 0.05, MAX_MAG_RATIO)
        for name in ("text_threshold", "low_text", "link_threshold", "contrast_ths", "adjust_contrast"):
            _check_number(name, getattr(self, name), 0.0, 1.0)
        for name in ("slope_ths", "ycenter_ths", "height_ths", "width_ths", "add_margin"):
            _check_number(name, getattr(self, name), 0.0, 10.0)
        if self.text_threshold < self.low_text:
            raise ContractError(
                f"OCR text_threshold: got {self.text_threshold} with low_text {self.low_text}, expected no less than "
                "low_text; otherwise regions without a single text pixel would count as text"
            )

    @property
    def reader(self) -> OcrEngineName:
        """Which engine reads: ``easyocr`` or ``ppocr``."""
        return ocr_reader(self.engine, self.mode)

    @property
    def map_thresholds(self) -> MapThresholds:
        """What the score maps are cut at."""
        return MapThresholds(self.text_threshold, self.link_threshold, self.low_text)

    @property
    def group_thresholds(self) -> GroupThresholds:
        """How boxes join into lines."""
        return GroupThresholds(
            self.slope_ths, self.ycenter_ths, self.height_ths, self.width_ths, self.add_margin, self.min_size
        )


@dataclass(frozen=True)
class UnreadRegions:
    """Where one picture holds writing that was not read.

    Attributes:
        quads: (u, 4, 2) float32 corners x, y in pixels of the picture, clockwise; read-only.
        scripts: u of :data:`rumiai.contracts.tensors.SCRIPTS`: in which it is probably written.
        scores: (u,) float32 probability of that script, 0..1; read-only.

    Raises:
        ContractError: Shapes or lengths disagree, or a script is unknown.
    """

    quads: NDArray[np.float32]
    scripts: tuple[str, ...]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        freeze_arrays(self, scripts=(tuple, "u"), quads=(np.float32, "u", 4, 2), scores=(np.float32, "u"))
        unknown = sorted(set(self.scripts) - set(SCRIPTS))
        if unknown:
            raise ContractError(f"unread scripts: got {', '.join(unknown)}, expected some of {', '.join(SCRIPTS)}")

    @classmethod
    def none(cls) -> UnreadRegions:
        """Of a picture whose writing was read, or that has none."""
        return cls(np.zeros((0, 4, 2), dtype=np.float32), (), np.zeros(0, dtype=np.float32))


@dataclass(frozen=True)
class TextLines:
    """The text lines of one picture, in the engine's order.

    EasyOCR gives horizontal lines from top to bottom, then slanted ones; PaddleOCR all from top to bottom.

    Attributes:
        quads: (m, 4, 2) float32 corners x, y in pixels of the picture, clockwise from the one at which the text begins
            above: the top left of a level line; read-only.
        texts: m strings; one may be empty where the recogniser saw a region but no character.
        scores: (m,) float32 confidence of the recogniser, 0..1; read-only.
        positions: For each line, (characters,) float32 where the middle of each lies along it, 0 at its begin to 1 at
            its end; empty where the engine does not know.
        unread: Where there is writing that was not read.

    Raises:
        ContractError: Shapes or lengths disagree.
    """

    quads: NDArray[np.float32]
    texts: tuple[str, ...]
    scores: NDArray[np.float32]
    positions: tuple[NDArray[np.float32], ...] = ()
    unread: UnreadRegions = field(default_factory=UnreadRegions.none)

    def __post_init__(self) -> None:
        if not self.positions:
            object.__setattr__(self, "positions", tuple(np.zeros(0, dtype=np.float32) for _ in self.texts))
        freeze_arrays(
            self,
            texts=(tuple, "m"),
            quads=(np.float32, "m", 4, 2),
            scores=(np.float32, "m"),
            positions=(tuple, "m"),
        )
        positions = tuple(checked(item, "TextLines.positions", (np.float32, "characters")) for item in self.positions)
        object.__setattr__(self, "positions", positions)
        lengths = [len(places) for places in positions]
        if any(length not in (0, len(text)) for length, text in zip(lengths, self.texts, strict=True)):
            raise ContractError(f"positions: got {lengths} for {list(self.texts)}, expected one a character or none")


def _check_integer(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ContractError(f"OCR {name}: got {value!r}, expected a whole number from {low} to {high}")


def _check_number(name: str, value: float, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high:
        raise ContractError(f"OCR {name}: got {value!r}, expected a number from {low} to {high}")
