"""Whether what a model cites is there: quotations in the texts it was given, times in its data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rumiai.core.text import joined
from rumiai.insights.cleaning import words_of
from rumiai.insights.data import PromptData

# A model rounds to whole and half seconds.
_TIME_TOLERANCE_S: Final = 0.6
# A phrase may begin in one segment and end in the next.
_SEGMENTS_OF_A_PHRASE: Final = 2
_PHRASE_TOLERANCE_S: Final = 1.0
_TIME_KEYS: Final = frozenset({"start", "end", "timestamp", "second", "time", "climax"})
_PAIRS_OF_TIMES: Final = frozenset({"speech", "scenes", "gestures"})
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)s")

_QUOTED: Final = re.compile(r'"([^"]+)"|\u201c([^\u201d]+)\u201d|\u00ab([^\u00bb]+)\u00bb|(?<!\w)\'([^\']+)\'(?!\w)')
_UNIT: Final = r"\s*(?:s|sec|secs|second|seconds)\b"
_CITED_TIMES: Final = (
    re.compile(rf"(?P<a>\d+(?:\.\d+)?)\s*s?\s*(?:-|\u2013|to|and)\s*(?P<b>\d+(?:\.\d+)?){_UNIT}", re.IGNORECASE),
    re.compile(rf"(?<![\d.-])(?P<a>\d+(?:\.\d+)?){_UNIT}", re.IGNORECASE),
    re.compile(r"(?<![\d:])(?P<m>\d+):(?P<s>[0-5]\d)(?!\d)"),
)
# Such a number of seconds is a length, not an instant.
_LENGTH_BEFORE: Final = re.compile(
    r"(?:\bfor|\bwithin|\bevery|\blasts?|\blasting|\babout|\bfirst|\blast|\bthan|\bof)\s+(?:\w+\s+)?$", re.IGNORECASE
)


@dataclass(frozen=True)
class Corpus:
    """What may be cited.

    Attributes:
        texts: Every text of the data as its words.
        times_s: Every time in the data.
        speech: Segments of the transcript: start, end, words.
        duration_s: Of the video.
    """

    texts: tuple[str, ...]
    times_s: tuple[float, ...]
    speech: tuple[tuple[float, float, str], ...]
    duration_s: float

    @classmethod
    def of(cls, data: PromptData) -> Corpus:
        """Everything that a prompt's data holds."""
        payload = data.to_dict()
        speech = tuple((start_s, end_s, words_of(text)) for start_s, end_s, text in data.speech)
        whole = words_of(joined(text for _, _, text in data.speech))
        texts = {words_of(text) for text in _texts(payload)} | {whole}
        return cls(tuple(sorted(texts)), tuple(sorted(set(_times(payload)))), speech, data.duration_s)

    def has(self, quote: str) -> bool:
        """Whether the words of the quotation stand in one of the texts, in their order; no words are nowhere."""
        return any(_stands_in(words_of(quote), text) for text in self.texts)

    def has_time(self, time_s: float) -> bool:
        """Whether something in the data happens then."""
        if time_s > self.duration_s + _TIME_TOLERANCE_S:
            return False
        return any(abs(time_s - known) <= _TIME_TOLERANCE_S for known in self.times_s)

    def said_at(self, phrase: str, time_s: float) -> bool:
        """Whether the phrase is spoken in the segment of that time, or from it into the next."""
        words = words_of(phrase)
        for index, (start, _, _) in enumerate(self.speech):
            pair = self.speech[index : index + _SEGMENTS_OF_A_PHRASE]
            end = next((b for _, b, text in pair if _stands_in(words, text)), None)
            if end is None and _stands_in(words, words_of(joined(text for _, _, text in pair))):
                end = pair[-1][1]
            if end is not None and start - _PHRASE_TOLERANCE_S <= time_s <= end + _PHRASE_TOLERANCE_S:
                return True
        return False

    def faults(self, text: str) -> list[str]:
        """Quotations and times in a free text that are not in the data."""
        quotes = [next(filter(None, match.groups())) for match in _QUOTED.finditer(text)]
        out = [f"quotes {quote!r}, which is in none of the texts" for quote in quotes if not self.has(quote)]
        times = sorted(set(_cited_times(_QUOTED.sub(" ", text))))
        return out + [f"cites {time:g} s, when nothing happens" for time in times if not self.has_time(time)]


def _stands_in(words: str, text: str) -> bool:
    """Whether words stand in a text, whole words in scripts that part them; no words stand nowhere."""
    if any(unicodedata.category(char) == "Lo" for char in words):
        return words.replace(" ", "") in text.replace(" ", "")
    return words.strip() != "" and words in text


def _cited_times(text: str) -> Iterator[float]:
    for pattern in _CITED_TIMES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            if "m" in parts:
                yield 60.0 * int(parts["m"]) + int(parts["s"])
            elif not _LENGTH_BEFORE.search(text[: match.start()]):
                yield from (float(value) for value in parts.values())
        text = pattern.sub(" ", text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


def _times(value: Any, key: str = "") -> Iterator[float]:
    """Numbers under the names of times, spans, and the pairs at the front of segments, scenes and gestures."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _times(name)
            yield from _times(item, str(name))
    elif isinstance(value, str):
        if match := _SPAN.fullmatch(value):
            yield from (float(match[1]), float(match[2]))
    elif isinstance(value, list):
        for item in value:
            if key in _PAIRS_OF_TIMES and isinstance(item, list):
                numbers = [float(n) for n in item if isinstance(n, int | float)]
                yield from (numbers[0], sum(numbers)) if key == "scenes" else numbers
            else:
                yield from _times(item, key)
    elif isinstance(value, int | float) and not isinstance(value, bool) and key in _TIME_KEYS:
        yield float(value)
