"""Lines in scripts that the other recognisers lack, by Tesseract where it is installed.

Tesseract is a program of its own (Debian: ``tesseract-ocr`` and one package a language), so that what it costs is paid
only by videos that hold such writing. It reads lines that a detector has found and a classifier has named the script
of; it is never asked to look for text.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from rumiai.core.arrays import freeze_arrays
from rumiai.core.scripts import TESSERACT_LANGUAGES
from rumiai.errors import MLError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Height of a line, and of the margin around it, at which its letters are as large as Tesseract was trained on.
_LINE_PX, _MARGIN_PX = 48, 12
# Mean confidence of its words from which a reading is believed, and the share of letters that are of the script.
_MIN_SCORE, _MIN_SHARE = 0.6, 0.7
_MIN_LETTERS = 2
_LIMIT_S = 60.0
# Scripts that Tesseract parts at every syllable: pieces less than this apart, at the height of a line, are one.
_PARTED: Final = ("hangul", "thai")
_BLANK_PX = 8
# Of Tesseract's table, and what marks its rows of words.
_COLUMNS, _WORD_LEVEL = 12, "5"
# Characters for which Tesseract writes others that look the same: Thai's sara am in two parts, the micro sign.
_SPELLINGS: Final[Mapping[str, str]] = {"\u0e4d\u0e32": "\u0e33", "\u00b5": "\u03bc"}


@dataclass(frozen=True)
class ForeignLine:
    """A line to read.

    Attributes:
        image: (h, w, 3) uint8 RGB, level.
        script: One of ``tensors.SCRIPTS``.
    """

    image: NDArray[np.uint8]
    script: str

    def __post_init__(self) -> None:
        freeze_arrays(self, image=(np.uint8, "h", "w", 3))


@dataclass(frozen=True)
class ForeignReading:
    """What a line says, and the mean confidence of its words, 0..1."""

    text: str
    score: float


@dataclass(frozen=True)
class _Word:
    """A word, its confidence 0..1, and where it begins and ends along the line, in pixels."""

    text: str
    score: float
    left: float
    right: float


class TesseractReader:
    """The program, where there is one; it is looked for at the first use.

    Args:
        program: Its path; None for the one on the search path.
    """

    def __init__(self, program: str | None = None) -> None:
        self._program = program

    @cached_property
    def scripts(self) -> frozenset[str]:
        """Those that it can read here; none without the program."""
        program = self._program or shutil.which("tesseract")
        if program is None:
            return frozenset()
        self._program = program
        told = subprocess.run(
            [program, "--list-langs"], capture_output=True, text=True, timeout=_LIMIT_S, check=False, env=_environment()
        )
        installed = set(told.stdout.splitlines()[1:])
        return frozenset(script for script, language in TESSERACT_LANGUAGES.items() if language in installed)

    def read(self, lines: Sequence[ForeignLine]) -> list[ForeignReading | None]:
        """Read lines.

        Returns:
            For each what it says; None where the script cannot be read here, or the reading is not believed.

        Raises:
            MLError: The program failed.
        """
        found: list[ForeignReading | None] = [None] * len(lines)
        by_script: defaultdict[str, list[int]] = defaultdict(list)
        for i, line in enumerate(lines):
            if line.script in self.scripts:
                by_script[line.script].append(i)
        for script, indices in by_script.items():
            for i, reading in zip(indices, self._run([lines[i].image for i in indices], script), strict=True):
                found[i] = reading if _is_believed(reading, script) else None
        return found

    def _run(self, images: Sequence[NDArray[np.uint8]], script: str) -> list[ForeignReading]:
        """One run for all lines of a script: starting it, and loading its network, costs more than a line."""
        with tempfile.TemporaryDirectory(prefix="rumiai-tesseract-") as folder:
            paths = [Path(folder, f"{i}.png") for i in range(len(images))]
            for path, image in zip(paths, images, strict=True):
                path.write_bytes(cv2.imencode(".png", _page(image))[1].tobytes())
            pages = Path(folder, "pages.txt")
            pages.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
            command = [str(self._program), str(pages), "stdout", "-l", TESSERACT_LANGUAGES[script], "--psm", "7", "tsv"]
            try:
                done = subprocess.run(
                    command,
                    capture_output=True,
                    timeout=_LIMIT_S,
                    check=True,
                    env=_environment(),
                )
            except (OSError, subprocess.SubprocessError) as exc:
                raise MLError(f"Tesseract failed on {len(images)} lines in {script}: {exc}") from exc
        return _readings(done.stdout.decode("utf-8", errors="replace"), len(images), script)


def _environment() -> dict[str, str]:
    """One thread, as its own only get in each other's way on a line; and no secrets of this process."""
    data = {name: os.environ[name] for name in ("TESSDATA_PREFIX",) if name in os.environ}
    return {"PATH": os.defpath, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8", **data}


def _page(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dark letters on a light ground, at the height that Tesseract likes, with a margin."""
    scale = _LINE_PX / image.shape[0]
    size = (max(round(image.shape[1] * scale), 1), _LINE_PX)
    grey = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return np.asarray(
        cv2.copyMakeBorder(grey, *(_MARGIN_PX,) * 4, borderType=cv2.BORDER_CONSTANT, value=float(np.median(edge))),
        dtype=np.uint8,
    )


def _readings(table: str, pages: int, script: str) -> list[ForeignReading]:
    """From Tesseract's table: level, page, block, paragraph, line, word, left, top, width, height, confidence, text."""
    words: defaultdict[int, list[_Word]] = defaultdict(list)
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) == _COLUMNS and cells[0] == _WORD_LEVEL and cells[-1].strip():
            left, width, score = float(cells[6]), float(cells[8]), float(cells[10]) / 100
            words[int(cells[1])].append(_Word(cells[-1].strip(), score, left, left + width))
    return [_joined(words[page], script) for page in range(1, pages + 1)]


def _joined(words: Sequence[_Word], script: str) -> ForeignReading:
    """One text; in scripts that Tesseract parts at every syllable, pieces that hardly stand apart are one word."""
    text = ""
    for i, word in enumerate(words):
        apart = script not in _PARTED or word.left - words[i - 1].right >= _BLANK_PX
        text += f" {word.text}" if i and apart else word.text
    for wrong, right in _SPELLINGS.items():
        text = text.replace(wrong, right)
    return ForeignReading(text, float(np.mean([word.score for word in words])) if words else 0.0)


def _is_believed(reading: ForeignReading, script: str) -> bool:
    letters = [c for c in reading.text if unicodedata.category(c)[0] in "LM"]  # in Indic scripts marks are vowels
    ours = sum(unicodedata.name(c, "").startswith(script.upper()) for c in letters)
    return reading.score >= _MIN_SCORE and len(letters) >= _MIN_LETTERS and ours >= _MIN_SHARE * len(letters)
