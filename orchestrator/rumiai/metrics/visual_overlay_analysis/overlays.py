"""The overlays of one video with what several metrics read of them, each computed once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rumiai.contracts.lexicons import PhraseMatch, find_ctas
from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.core.intervals import as_intervals, most_at_once, overlap_s
from rumiai.core.text import group_same_texts
from rumiai.metrics.evidence.types import Evidence, Sticker, TextTrack
from rumiai.metrics.shared.bins import active_in, span, windows_of
from rumiai.metrics.visual_overlay_analysis.legibility import is_long_enough, is_readable, mean_contrast
from rumiai.metrics.visual_overlay_analysis.picture import occlusions
from rumiai.metrics.visual_overlay_analysis.text import Category, Group, categories, semantic_group
from rumiai.metrics.visual_overlay_analysis.timing import (
    TIMELINE_S,
    Burst,
    acceleration_score,
    find_bursts,
    starts_by_third,
)


@dataclass(frozen=True)
class Overlays:
    """Text tracks and stickers of one video; both were looked for, when ``observed`` says.

    ``aspect`` is the width of the frame over its height; None where it is unknown.
    """

    texts: tuple[TextTrack, ...]
    stickers: tuple[Sticker, ...]
    duration_s: float
    observed: Observed
    aspect: float | None = None

    @classmethod
    def of(cls, evidence: Evidence) -> Overlays | None:
        """The overlays of some evidence.

        Args:
            evidence: What the services found in the video.

        Returns:
            Texts and stickers, none when nothing was found; None when OCR failed, which tells both.
        """
        if evidence.texts is None or evidence.stickers is None:
            return None
        return cls(evidence.texts, evidence.stickers, evidence.duration_s, evidence.seen("ocr"), evidence.aspect)

    @property
    def observed_s(self) -> float:
        """Seconds that were looked at, above 0; rates divide by them."""
        return self.observed.seconds

    @property
    def total(self) -> int:
        """Number of texts and stickers; 0 for none."""
        return len(self.texts) + len(self.stickers)

    @property
    def rate_hz(self) -> float:
        """Overlays per second that was looked at (overlaysCoreMetrics, ``overlayDensity``); 0 for none."""
        return self.total / self.observed_s

    @cached_property
    def text_spans_s(self) -> Floats:
        """``(texts, 2)`` start and end of the texts in seconds, in their order; ``(0, 2)`` for none."""
        return as_intervals([(text.start_s, text.end_s) for text in self.texts])

    @cached_property
    def sticker_spans_s(self) -> Floats:
        """``(stickers, 2)`` start and end of the stickers in seconds, in their order; ``(0, 2)`` for none."""
        return as_intervals([(sticker.start_s, sticker.end_s) for sticker in self.stickers])

    @cached_property
    def spans_s(self) -> Floats:
        """``(total, 2)`` start and end in seconds, texts first; ``(0, 2)`` for none."""
        return np.concatenate([self.text_spans_s, self.sticker_spans_s])

    @cached_property
    def starts_s(self) -> Floats:
        """``(total,)`` starts of texts and stickers in seconds, ascending; empty for none."""
        return np.sort(self.spans_s[:, 0])

    @cached_property
    def thirds(self) -> Floats | None:
        """``(3,)`` starts per second looked at in each third of the video (:func:`starts_by_third`)."""
        return starts_by_third(self.starts_s, self.observed)

    @cached_property
    def acceleration(self) -> float | None:
        """Whether overlays come later, -1..1 (:func:`acceleration_score`)."""
        return acceleration_score(self.starts_s, self.observed)

    @cached_property
    def text_seconds(self) -> float:
        """Seconds that were looked at, summed over the texts that stand in them."""
        return float(overlap_s(self.observed.spans_s, *self.text_spans_s.T).sum())

    @cached_property
    def bursts(self) -> tuple[Burst, ...]:
        """Windows of 5 s in which three or more overlays begin (:func:`find_bursts`); () for none."""
        return find_bursts(self.starts_s, self.duration_s)

    @cached_property
    def windows_s(self) -> Floats:
        """``(w + 1,)`` ends in seconds of the 3 s windows of ``overlayTimeline``; the last may be shorter."""
        return windows_of(self.duration_s, TIMELINE_S)

    @cached_property
    def windows_observed(self) -> Bools:
        """``(w,)`` whether each window was looked at for at least half of its time."""
        return self.observed.windows(self.windows_s)

    @cached_property
    def window_counts(self) -> Ints:
        """``(w,)`` number of overlays that overlap each 3 s window; zeros for none, and 0 where nobody looked."""
        return active_in(self.windows_s, self.spans_s[:, 0], self.spans_s[:, 1])

    def window_span(self, index: int) -> str:
        """Label of a 3 s window.

        Args:
            index: Of the window.

        Returns:
            ``"a-bs"``, its ends in seconds (:func:`span`).
        """
        return span(self.windows_s[index], self.windows_s[index + 1])

    @cached_property
    def at_once(self) -> int:
        """Largest number of texts and stickers at one instant; 0 for none."""
        return most_at_once(self.spans_s[:, 0], self.spans_s[:, 1])

    @cached_property
    def unique_texts(self) -> int:
        """Number of distinct texts, after readings of one text are merged (:func:`group_same_texts`); 0 for none.

        Source: docs/analyses.md, overlaysCoreMetrics, ``uniqueTexts``.
        """
        return len(set(group_same_texts([text.text for text in self.texts])))

    @cached_property
    def ctas(self) -> list[tuple[PhraseMatch, ...]]:
        """Calls to action that the words of each text make (:func:`find_ctas`); () for a text without."""
        return [find_ctas(text.text) for text in self.texts]

    @property
    def cta_texts(self) -> int:
        """Number of texts with a call to action; 0 without texts."""
        return sum(bool(found) for found in self.ctas)

    @property
    def cta_share(self) -> float:
        """Texts with a call to action / texts, 0..1; 0 without texts."""
        return self.cta_texts / len(self.texts) if self.texts else 0.0

    @cached_property
    def categories(self) -> list[set[Category]]:
        """Categories of each text (:func:`categories`); several, or none."""
        return [categories(text.text) for text in self.texts]

    @cached_property
    def groups(self) -> Counter[Group]:
        """Number of texts in each semantic group (:func:`semantic_group`), each text in one; a missing group counts 0.

        Source: docs/analyses.md, overlaysPatterns, ``textSemanticGroups``.
        """
        pairs = zip(self.texts, self.categories, strict=True)
        return Counter(semantic_group(text.text, found) for text, found in pairs)

    @cached_property
    def heights(self) -> Floats:
        """``(k,)`` heights of a line of each text for which it is known, in heights of the frame; empty for none."""
        return np.array([text.line_height for text in self.texts if text.line_height is not None], dtype=np.float64)

    @cached_property
    def contrasts(self) -> list[float]:
        """Mean contrast, 0..1, of each text for which one is known; empty for none."""
        found = (mean_contrast(text.contrasts) for text in self.texts)
        return [contrast for contrast in found if contrast is not None]

    @cached_property
    def lengths_s(self) -> list[float | None]:
        """Seconds that each text stands; None where a single instant is all that is known."""
        return [text.end_s - text.start_s if text.end_s > text.start_s else None for text in self.texts]

    @cached_property
    def long_enough(self) -> list[bool | None]:
        """Whether each text stands long enough to be read (:func:`is_long_enough`); None where its time is unknown."""
        pairs = zip(self.texts, self.lengths_s, strict=True)
        return [None if length is None else is_long_enough(length, len(text.text)) for text, length in pairs]

    @cached_property
    def readable(self) -> list[bool | None]:
        """Whether each text can be read (:func:`is_readable`); None where it is not known how long it stands.

        Source: docs/analyses.md, overlaysQuality, ``visualAccessibility``.
        """
        return [
            None if long is None else is_readable(long, text.line_height, mean_contrast(text.contrasts))
            for text, long in zip(self.texts, self.long_enough, strict=True)
        ]

    @cached_property
    def occlusions(self) -> tuple[int, int]:
        """Pairs of overlays that cover each other, and changes of the largest text (:func:`occlusions`)."""
        return occlusions([*self.texts, *self.stickers])
