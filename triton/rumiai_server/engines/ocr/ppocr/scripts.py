"""Which script a line is written in, from what the recogniser saw of it.

The recogniser knows Latin, Chinese and Japanese characters. A line in another script comes out as those that look most
like it, often surely enough to pass for a text. What its last layer is given tells scripts apart nevertheless: a linear
classifier over its average and its largest values along the line, made by ``scripts/train_script_guess.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from rumiai.contracts.tensors import SCRIPTS
from rumiai_server.engines.ocr.types import UnreadRegions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.ppocr.recognizer import LineReading

PATH: Final = Path(__file__).with_name("script_guess.json")
# What the classifier calls a region that holds no writing.
NO_TEXT: Final = "none"
# Scripts that the recogniser reads.
READABLE: Final = ("latin", "han")
# Where radicals, kana and Chinese characters begin in Unicode.
_FIRST_EAST_ASIAN: Final = "\u2e80"
# Of a probability that is told.
_DIGITS: Final = 4
# A reading is believed from this much on: half its score and the probability of the script that it is in.
_BELIEVED = 0.55
# Digits without letters have no script; read as surely as this they are believed.
_SURE_SIGNS = 0.9
# Of so few letters the classifier knows too little: "lol" and "if" are believed when they are read as surely as this,
_SHORT, _SURE_WORD = 4, 0.8
# unless the line is longer than so many letters can be: its width is at most this many heights a letter, and one more.
_WIDEST_LETTER = 1.2


class ScriptGuesser:
    """The classifier.

    Args:
        kinds: Scripts, and ``none``.
        weight: (features, kinds) float32.
        bias: (kinds,) float32.
    """

    def __init__(self, kinds: Sequence[str], weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        self._kinds = tuple(kinds)
        self._weight, self._bias = weight, bias

    @classmethod
    def trained(cls) -> ScriptGuesser:
        """The one that lies beside this file."""
        content = json.loads(PATH.read_text(encoding="utf-8"))
        weight, bias = (np.array(content[name], dtype=np.float32) for name in ("weight", "bias"))
        return cls(content["kinds"], weight, bias)

    def probabilities(self, reading: LineReading) -> NDArray[np.float32]:
        """(kinds,) of one line; they sum to 1."""
        scores = reading.features @ self._weight + self._bias
        shares = np.exp(scores - scores.max())
        return np.asarray(shares / shares.sum(), dtype=np.float32)

    def readable(self, reading: LineReading, aspect: float) -> bool:
        """Whether a reading is believed: the line is written in the script that it is read in.

        Args:
            reading: Of the line.
            aspect: Its width by its height.
        """
        text = reading.text
        fits = aspect <= _WIDEST_LETTER * len(text) + 1
        if fits and reading.score >= _SURE_SIGNS and any(map(str.isdigit, text)) and not any(map(str.isalpha, text)):
            return True
        if fits and reading.score >= _SURE_WORD and len(text) <= _SHORT and text.isascii():
            return True
        own = self.probabilities(reading)[self._kinds.index(_script_of(text))]
        return bool(reading.score / 2 + own >= _BELIEVED)

    def script(self, reading: LineReading) -> tuple[str, float]:
        """The likeliest of ``tensors.SCRIPTS``, and its probability."""
        guess = self.probabilities(reading)
        likeliest = max(SCRIPTS, key=lambda name: float(guess[self._kinds.index(name)]))
        return likeliest, float(guess[self._kinds.index(likeliest)])

    def regions(self, quads: NDArray[np.float32], readings: Sequence[LineReading]) -> UnreadRegions:
        """What was found and not read: those lines that hold writing more likely than not, with their scripts."""
        nothing = self._kinds.index(NO_TEXT)
        written = [i for i, reading in enumerate(readings) if self.probabilities(reading)[nothing] < 0.5]
        guesses = [self.script(readings[i]) for i in written]
        # The last digits depend on which lines shared a pass, and a rerun must give what the first run gave.
        scores = np.array([round(score, _DIGITS) for _, score in guesses], dtype=np.float32)
        return UnreadRegions(quads[written], tuple(script for script, _ in guesses), scores)


def _script_of(text: str) -> str:
    """Of those that the recogniser reads, the one that more of the letters are of; latin without letters."""
    letters = [c for c in text if c.isalpha()]
    beyond = sum(c >= _FIRST_EAST_ASIAN for c in letters)
    return "han" if 2 * beyond > len(letters) else "latin"
