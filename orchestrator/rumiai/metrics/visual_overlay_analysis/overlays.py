"""The overlays of one video with what several metrics read of them, each computed once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rumiai.contracts.lexicons import PhraseMatch, find_ctas
from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.core.intervals import as_intervals, most_at_once
from rumiai.core.text import group_same_texts
from rumiai.metrics.evidence.types import Evidence, Sticker, TextTrack
from rumiai.metrics.shared.bins import active_in, span, windows_of
from rumiai.metrics.visual_overlay_analysis.legibility import is_long_enough, is_readable, mean_contrast
from rumiai.metrics.visual_overlay_analysis.picture import occlusions
from rumiai.metrics.visual_overlay_analysis.text import Category, Group, categories, semantic_group
from rumiai.metrics.visual_overlay_analysis.timing import TIMELINE_S, Burst, find_bursts, starts_by_third


@dataclass(frozen=True)
class Overlays:
    """Text tracks and stickers of one video; both were looked for, when ``observed`` says."""

    texts: tuple[TextTrack, ...]
    stickers: tuple[Sticker, ...]
    duration_s: float
    observed: Observed

    @classmethod
    def of(cls, evidence: Evidence) -> Overlays | None:
        """The overlays; None when OCR failed."""
        if evidence.texts is None or evidence.stickers is None:
            return None
        return cls(evidence.texts, evidence.stickers, evidence.duration_s, evidence.seen("ocr"))

    @property
    def observed_s(self) -> float:
        """Seconds that were looked at, above 0; rates divide by them."""
        return self.observed.seconds

    @property
    def total(self) -> int:
        """Texts and stickers."""
        return len(self.texts) + len(self.stickers)

    @property
    def rate_hz(self) -> float:
        """Overlays per second that was looked at."""
        return self.total / self.observed_s

    @cached_property
    def text_spans_s(self) -> Floats:
        """``(texts, 2)`` start and end."""
        return as_intervals([(text.start_s, text.end_s) for text in self.texts])

    @cached_property
    def sticker_spans_s(self) -> Floats:
        """``(stickers, 2)`` start and end."""
        return as_intervals([(sticker.start_s, sticker.end_s) for sticker in self.stickers])

    @cached_property
    def spans_s(self) -> Floats:
        """``(total, 2)`` start and end, texts first."""
        return np.concatenate([self.text_spans_s, self.sticker_spans_s])

    @cached_property
    def starts_s(self) -> Floats:
        """``(total,)`` starts, ascending."""
        return np.sort(self.spans_s[:, 0])

    @cached_property
    def thirds(self) -> Ints:
        """``(3,)`` starts in each third of the video."""
        return starts_by_third(self.starts_s, self.duration_s)

    @cached_property
    def bursts(self) -> tuple[Burst, ...]:
        """Windows in which many overlays begin."""
        return find_bursts(self.starts_s, self.duration_s)

    @cached_property
    def windows_s(self) -> Floats:
        """``(w + 1,)`` ends of the 3 s windows."""
        return windows_of(self.duration_s, TIMELINE_S)

    @cached_property
    def windows_observed(self) -> Bools:
        """``(w,)`` which of the windows were looked at."""
        return self.observed.windows(self.windows_s)

    @cached_property
    def window_counts(self) -> Ints:
        """``(w,)`` overlays active in each window."""
        return active_in(self.windows_s, self.spans_s[:, 0], self.spans_s[:, 1])

    def window_span(self, index: int) -> str:
        """Label of a window."""
        return span(self.windows_s[index], self.windows_s[index + 1])

    @cached_property
    def at_once(self) -> int:
        """Largest number of overlays at one instant."""
        return most_at_once(self.spans_s[:, 0], self.spans_s[:, 1])

    @cached_property
    def unique_texts(self) -> int:
        """Distinct texts, spellings of one merged."""
        return len(set(group_same_texts([text.text for text in self.texts])))

    @cached_property
    def ctas(self) -> list[tuple[PhraseMatch, ...]]:
        """Calls to action in each text."""
        return [find_ctas(text.text) for text in self.texts]

    @property
    def cta_texts(self) -> int:
        """Texts with a call to action."""
        return sum(bool(found) for found in self.ctas)

    @property
    def cta_share(self) -> float:
        """Share of the texts with a call to action; 0 without texts."""
        return self.cta_texts / len(self.texts) if self.texts else 0.0

    @cached_property
    def categories(self) -> list[set[Category]]:
        """Categories of each text."""
        return [categories(text.text) for text in self.texts]

    @cached_property
    def groups(self) -> Counter[Group]:
        """Texts in each semantic group."""
        pairs = zip(self.texts, self.categories, strict=True)
        return Counter(semantic_group(text.text, found) for text, found in pairs)

    @cached_property
    def heights(self) -> Floats:
        """``(k,)`` box heights of the texts whose box is known."""
        return np.array([text.line_height for text in self.texts if text.line_height is not None], dtype=np.float64)

    @cached_property
    def contrasts(self) -> list[float]:
        """Mean contrasts of the texts for which one is known."""
        found = (mean_contrast(text.contrasts) for text in self.texts)
        return [contrast for contrast in found if contrast is not None]

    @cached_property
    def lengths_s(self) -> list[float | None]:
        """How long each text stands; None where a single instant is all that is known."""
        return [text.end_s - text.start_s if text.end_s > text.start_s else None for text in self.texts]

    @cached_property
    def long_enough(self) -> list[bool | None]:
        """Whether each text stands long enough to be read; None where it is not known how long it stands."""
        pairs = zip(self.texts, self.lengths_s, strict=True)
        return [None if length is None else is_long_enough(length, len(text.text)) for text, length in pairs]

    @cached_property
    def readable(self) -> list[bool | None]:
        """Whether each text can be read; None where it is not known how long it stands."""
        return [
            None if long is None else is_readable(long, text.line_height, mean_contrast(text.contrasts))
            for text, long in zip(self.texts, self.long_enough, strict=True)
        ]

    @cached_property
    def occlusions(self) -> tuple[int, int]:
        """Pairs of overlays that cover each other, and changes of the largest text on screen."""
        return occlusions([*self.texts, *self.stickers])
