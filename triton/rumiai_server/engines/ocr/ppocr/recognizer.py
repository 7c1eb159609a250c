"""PaddleOCR's small recogniser over lines of many pictures at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rumiai.core.arrays import freeze_arrays
from rumiai.errors import WeightsError
from rumiai_server.engines.ocr.ppocr.lines import LINE_HEIGHT_PX, as_input, fitted_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import onnx
    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.ppocr.network import Network

# RapidOCR's batches: sorted by shape, six each, none narrower than 320 px.
_STRICT_BATCH, _STRICT_WIDTH_PX = 6, 320
# Lines share a pass when they are padded to the same multiple of this.
_WIDTH_STEP_PX = 32
# A pass takes about 0.3 kB per pixel; this is 16 lines of 640 px.
_PIXELS_PER_PASS = 1 << 19
# A line longer than this is squeezed, as memory grows with the square of its width.
_MAX_WIDTH_PX = 4096
_BLANK: Final = 0
# Between the letters of a word the last class, a blank, has at most 0.002 of the likeliest one's probability, in 297
# gaps of drawn captions; where it was lost between words 0.02 and more.
_LOST_BLANK = 0.01
# In many faces l and I are one stroke. An l that stands alone and was an I had at least 0.02 of the l's probability.
_MAY_BE_I = 0.01


@dataclass(frozen=True)
class LineReading:
    """What one line says.

    Attributes:
        text: Empty where nothing could be read.
        score: Mean probability of its characters, 0..1; 0 of an empty text.
        positions: (characters,) float32 where the middle of each lies along the line, 0 at its begin to 1.
        features: (2 channels,) float32 what the network saw: its average over the line, then its largest values.
    """

    text: str
    score: float
    positions: NDArray[np.float32]
    features: NDArray[np.float32]

    def __post_init__(self) -> None:
        freeze_arrays(self, positions=(np.float32, "characters"), features=(np.float32, "features"))


NOTHING_READ: Final = LineReading("", 0.0, np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float32))


def recognizer_outputs(model: onnx.ModelProto) -> tuple[str, str]:
    """Names within the network: of the scores of all characters before softmax, and of what they are made from.

    The last three operations are a product with the characters, their bias, and softmax.

    Raises:
        WeightsError: The network ends otherwise.
    """
    made_by = {node.output[0]: node for node in model.graph.node}
    chain: list[onnx.NodeProto] = []
    name = model.graph.output[0].name
    while len(chain) < 3 and name in made_by:
        node = made_by[name]
        name = node.input[0]
        if node.op_type != "Identity":
            chain.append(node)
    if [node.op_type for node in chain] != ["Softmax", "Add", "MatMul"]:
        raise WeightsError("not a recogniser of PP-OCRv6: it does not end in a softmax over characters")
    return chain[0].input[0], chain[2].input[0]


def with_outputs(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """The network with these results instead of its own."""
    changed = type(model)()
    changed.CopyFrom(model)
    del changed.graph.output[:]
    for name in names:
        changed.graph.output.add().name = name
    return changed


def characters_of(model: onnx.ModelProto) -> tuple[str, ...]:
    """What each class stands for: nothing, the characters of its dictionary, a blank.

    Raises:
        WeightsError: The file carries no dictionary.
    """
    for entry in model.metadata_props:
        if entry.key == "character":
            return ("", *entry.value.splitlines(), " ")
    raise WeightsError("not a recogniser of PP-OCRv6: it carries no dictionary")


class LineRecognizer:
    """The recogniser; several threads may call it.

    Args:
        network: ``PP-OCRv6_rec_small``, whose results are those of :func:`recognizer_outputs`.
        characters: As of :func:`characters_of`.
    """

    def __init__(self, network: Network, characters: Sequence[str]) -> None:
        self._network = network
        self._characters = np.array(characters, dtype=object)
        self._capital_i = characters.index("I") if "I" in characters else None

    def batches(self, lines: Sequence[NDArray[np.uint8]], *, strict: bool) -> list[list[int]]:
        """Indices of the lines that share a pass: those of about the same width, all of them once."""
        return list(_strict_batches(lines) if strict else _fast_batches(lines))

    def read(self, lines: Sequence[NDArray[np.uint8]], *, strict: bool) -> list[LineReading]:
        """Read the (h, w, 3) uint8 RGB lines of one batch in one pass."""
        width = _strict_width(lines) if strict else max(_padded(fitted_width(line)) for line in lines)
        logits, features = self._network(np.stack([as_input(line, width) for line in lines]))
        shares = [min(fitted_width(line) / width, 1.0) for line in lines]
        rows = zip(logits, features, shares, strict=True)
        return [self._decoded(*row, with_lost_blanks=not strict) for row in rows]

    def _decoded(
        self, logits: NDArray[np.float32], features: NDArray[np.float32], share: float, *, with_lost_blanks: bool
    ) -> LineReading:
        """The likeliest class of each of the (steps, classes), repeats and blanks left out (greedy CTC)."""
        classes = logits.argmax(axis=1)
        fresh = np.concatenate([[True], classes[1:] != classes[:-1]]) & (classes != _BLANK)
        steps = np.flatnonzero(fresh)
        chosen = logits[steps]
        probabilities = 1 / np.exp(chosen - chosen.max(axis=1, keepdims=True)).sum(axis=1)
        letters = list(self._characters[classes[steps]])
        places = list(steps + 0.5)
        if with_lost_blanks:
            for i in self._pronouns(logits, steps, letters):
                letters[i] = "I"
            for i in reversed(_lost_blanks(logits, steps, letters)):
                letters.insert(i + 1, " ")
                places.insert(i + 1, (places[i] + places[i + 1]) / 2)
            inner = slice(len(letters) - len("".join(letters).lstrip()), len("".join(letters).rstrip()))
            letters, places = letters[inner], places[inner]
        seen = max(round(len(features) * share), 1)
        return LineReading(
            text="".join(letters),
            score=float(np.mean(np.round(probabilities, 5))) if len(steps) else 0.0,
            positions=np.minimum(np.array(places) / len(classes) / share, 1.0).astype(np.float32),
            features=np.concatenate([features[:seen].mean(axis=0), features[:seen].max(axis=0)]),
        )

    def _pronouns(self, logits: NDArray[np.float32], steps: NDArray[np.intp], letters: Sequence[str]) -> Iterator[int]:
        """Which letters are an l that stands alone, which is no word, and may as well be an I, which is one."""
        if self._capital_i is None:
            return
        for i, step in enumerate(steps):
            likely = np.exp(logits[step, self._capital_i] - logits[step].max())
            if letters[i] == "l" and likely >= _MAY_BE_I and _is_alone(letters, i):
                yield i


def _is_alone(letters: Sequence[str], i: int) -> bool:
    """Whether a letter is a word of its own."""
    return (i == 0 or letters[i - 1] == " ") and (i == len(letters) - 1 or letters[i + 1] == " ")


def _lost_blanks(logits: NDArray[np.float32], steps: NDArray[np.intp], letters: Sequence[str]) -> list[int]:
    """After which letters there is a blank that was not sure enough to be read as one."""
    likely = np.exp(logits[:, -1] - logits.max(axis=1)) >= _LOST_BLANK
    pairs = zip(itertools.pairwise(steps), itertools.pairwise(letters), strict=True)
    return [
        i
        for i, ((begin, end), (left, right)) in enumerate(pairs)
        if left.isalnum() and right.isalnum() and likely[begin + 1 : end].any()
    ]


def _strict_batches(lines: Sequence[NDArray[np.uint8]]) -> Iterator[list[int]]:
    order = np.argsort([line.shape[1] / line.shape[0] for line in lines]).tolist()
    for start in range(0, len(order), _STRICT_BATCH):
        yield order[start : start + _STRICT_BATCH]


def _strict_width(lines: Sequence[NDArray[np.uint8]]) -> int:
    widest = max(_STRICT_WIDTH_PX / LINE_HEIGHT_PX, *(line.shape[1] / line.shape[0] for line in lines))
    return int(LINE_HEIGHT_PX * widest)


def _fast_batches(lines: Sequence[NDArray[np.uint8]]) -> Iterator[list[int]]:
    widths = [_padded(fitted_width(line)) for line in lines]
    order = sorted(range(len(lines)), key=widths.__getitem__)
    for width, group in itertools.groupby(order, key=widths.__getitem__):
        indices = list(group)
        size = max(_PIXELS_PER_PASS // (width * LINE_HEIGHT_PX), 1)
        for start in range(0, len(indices), size):
            yield indices[start : start + size]


def _padded(width: int) -> int:
    return min(-(-width // _WIDTH_STEP_PX) * _WIDTH_STEP_PX, _MAX_WIDTH_PX)
