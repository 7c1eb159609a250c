"""Overlays on screen over time: starts, windows, bursts, places, and whether they can be read (docs: analyses, 6)."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from rumiai.contracts.lexicons import PhraseMatch
from rumiai.core.arrays import Floats, Ints
from rumiai.core.boxes import overlap_of_smaller
from rumiai.core.intervals import as_intervals, length, most_at_once, union
from rumiai.core.text import group_same_texts
from rumiai.metrics.evidence.types import Box, Evidence, Sticker, TextTrack
from rumiai.metrics.shared.bins import active_in, span, windows_of
from rumiai.metrics.shared.phrases import find_ctas
from rumiai.metrics.shared.statistics import balance, clamp, cv, mean
from rumiai.metrics.visual_overlay_analysis.text import categories, semantic_group

TIMELINE_S: Final = 3.0
BURST_S: Final = 5.0
BURST_COUNT: Final = 3
MINIMUM_HEIGHT: Final = 0.03  # of the frame: smaller is hard to read on a phone
MINIMUM_CONTRAST: Final = 0.3
_READ_BASE_S, _READ_PER_CHARACTER_S = 0.3, 0.06
_OVERLAP: Final = 0.05  # share of the smaller box that makes an occlusion, not a touch
_EPSILON_S: Final = 1e-9


@dataclass(frozen=True)
class Overlays:
    """Text tracks and stickers of one video; both were looked for."""

    texts: tuple[TextTrack, ...]
    stickers: tuple[Sticker, ...]
    duration_s: float

    @classmethod
    def of(cls, evidence: Evidence) -> Overlays | None:
        """The overlays; None when OCR failed."""
        if evidence.texts is None or evidence.stickers is None:
            return None
        return cls(evidence.texts, evidence.stickers, evidence.duration_s)

    @property
    def total(self) -> int:
        """Texts and stickers."""
        return len(self.texts) + len(self.stickers)

    @cached_property
    def text_spans_s(self) -> Floats:
        """``(texts, 2)``."""
        return as_intervals([(text.start_s, text.end_s) for text in self.texts])

    @cached_property
    def spans_s(self) -> Floats:
        """``(total, 2)``, texts first."""
        return np.concatenate([self.text_spans_s, as_intervals([(s.start_s, s.end_s) for s in self.stickers])])

    @cached_property
    def starts_s(self) -> Floats:
        """``(total,)`` starts in order."""
        return np.sort(self.spans_s[:, 0])

    @property
    def gaps_s(self) -> Floats:
        """``(total - 1,)`` differences of the starts."""
        return np.diff(self.starts_s)

    @cached_property
    def spellings(self) -> list[int]:
        """Number of the distinct text of each text."""
        return group_same_texts([text.text for text in self.texts])

    @cached_property
    def ctas(self) -> list[tuple[PhraseMatch, ...]]:
        """Calls to action in each text."""
        return [find_ctas(text.text) for text in self.texts]

    @cached_property
    def categories(self) -> list[set[str]]:
        """Categories of each text."""
        return [categories(text.text) for text in self.texts]

    @cached_property
    def groups(self) -> Counter[str]:
        """Texts in each semantic group."""
        pairs = zip(self.texts, self.categories, strict=True)
        return Counter(semantic_group(text.text, found) for text, found in pairs)

    @property
    def cta_texts(self) -> int:
        """Texts with a call to action."""
        return sum(bool(found) for found in self.ctas)

    @cached_property
    def heights(self) -> Floats:
        """Box heights of the texts whose box is known."""
        return np.array([text.box[3] for text in self.texts if text.box is not None], dtype=np.float64)

    def on_screen_s(self, spans: Floats) -> float:
        """Seconds on screen, summed over overlays."""
        return float((spans[:, 1] - spans[:, 0]).sum())

    def free_s(self) -> float:
        """Seconds without any overlay."""
        return max(0.0, self.duration_s - length(union(self.spans_s, until_s=self.duration_s)))

    def most_at_once(self) -> int:
        """Largest number of overlays at one instant."""
        return most_at_once(self.spans_s[:, 0], self.spans_s[:, 1])

    def area_share(self) -> float:
        """Mean share of the frame that overlays cover, over the whole video, at most 1."""
        items: list[TextTrack | Sticker] = [*self.texts, *self.stickers]
        boxes = [(item.box, item.end_s - item.start_s) for item in items]
        covered = sum(box[2] * box[3] * seconds for box, seconds in boxes if box is not None)
        return clamp(covered / self.duration_s)

    def complexity(self) -> float:
        """0..10: simultaneous overlays, overlays per 5 s and area."""
        at_once = self.on_screen_s(self.spans_s) / self.duration_s
        return min(10.0, 2 * at_once + self.total * 5 / self.duration_s + 2 * self.area_share() * 10)

    def thirds(self) -> Ints:
        """Starts in each third of the video."""
        return np.bincount(np.clip((self.starts_s / self.duration_s * 3).astype(np.int64), 0, 2), minlength=3)

    def acceleration(self) -> float:
        """(starts of the second half - first) / sum."""
        late = int((self.starts_s >= self.duration_s / 2).sum())
        return balance(float(self.total - late), float(late))

    @cached_property
    def bursts(self) -> list[tuple[float, float, int]]:
        """(start, end, new overlays) of disjoint 5 s windows with three or more starts, each begun by a start."""
        starts, found = self.starts_s, []
        ends = np.searchsorted(starts, starts + BURST_S - _EPSILON_S)
        i = 0
        while i < starts.size:
            count = int(ends[i]) - i
            if count >= BURST_COUNT:
                found.append((float(starts[i]), min(float(starts[i]) + BURST_S, self.duration_s), count))
                i = int(ends[i])
            else:
                i += 1
        return found

    def texts_begun(self, start_s: float, end_s: float) -> range:
        """Indices of the texts that begin in ``[start, end)``."""
        first, stop = np.searchsorted(self.text_spans_s[:, 0], [start_s, end_s])
        return range(int(first), int(stop))

    @cached_property
    def windows_s(self) -> Floats:
        """Edges of the 3 s windows."""
        return windows_of(self.duration_s, TIMELINE_S)

    @cached_property
    def window_counts(self) -> Ints:
        """Overlays active in each window."""
        return active_in(self.windows_s, self.spans_s[:, 0], self.spans_s[:, 1])

    def window_span(self, index: int) -> str:
        """Label of a window."""
        return span(self.windows_s[index], self.windows_s[index + 1])

    def rhythm(self) -> float | None:
        """1 / (1 + cv of the gaps); None with fewer than three overlays."""
        return None if self.total < 3 else 1 / (1 + (cv(self.gaps_s) or 0.0))

    def animation(self) -> float | None:
        """Mean path of the texts' centres, in frames per second, at most 1; None without a text seen twice."""
        speeds = []
        for text in self.texts:
            seconds = float(np.ptp(text.sighting_times_s)) if text.sighting_times_s.size > 1 else 0.0
            if seconds > 0:
                centres = text.sighting_boxes[:, :2] + text.sighting_boxes[:, 2:] / 2
                speeds.append(float(np.hypot(*np.diff(centres, axis=0).T).sum()) / seconds)
        speed = mean(speeds)
        return None if speed is None else clamp(speed)

    @cached_property
    def long_enough(self) -> list[bool]:
        """Whether each text stands for 0.3 s and 0.06 s per character."""
        return [
            text.end_s - text.start_s >= _READ_BASE_S + _READ_PER_CHARACTER_S * len(text.text) - _EPSILON_S
            for text in self.texts
        ]

    @cached_property
    def contrasts(self) -> list[float | None]:
        """Mean contrast of each text's sightings; None where unknown."""
        return [mean(text.contrasts[~np.isnan(text.contrasts)]) for text in self.texts]

    def readable(self) -> list[bool]:
        """Whether each text is long enough on screen, large enough and of enough contrast; unknown ones pass."""
        return [
            long and (text.box is None or text.box[3] >= MINIMUM_HEIGHT) and (c is None or c >= MINIMUM_CONTRAST)
            for text, long, c in zip(self.texts, self.long_enough, self.contrasts, strict=True)
        ]

    @cached_property
    def sweep(self) -> tuple[int, int]:
        """Pairs of overlays whose boxes cover each other at one time, and changes of the largest text on screen."""
        items: list[TextTrack | Sticker] = sorted(
            (*self.texts, *self.stickers), key=lambda item: (item.start_s, item.end_s, item.box or ())
        )
        active: list[tuple[float, int]] = []
        pairs = changes = 0
        dominant: str | None = None
        for number, item in enumerate(items):
            while active and active[0][0] <= item.start_s:
                heapq.heappop(active)
            pairs += sum(covers(item.box, items[other].box) for _, other in active)
            heapq.heappush(active, (item.end_s, number))
            largest = _largest_text([items[other] for _, other in active])
            changes += dominant is not None and largest is not None and largest != dominant
            dominant = largest or dominant
        return pairs, changes

    def place_shares(self) -> dict[str, float] | None:
        """Share of the texts whose centre is in each third of the height; None without a known box."""
        centres = [text.centre[1] for text in self.texts if text.centre is not None]
        if not centres:
            return None
        thirds = np.clip((np.array(centres) * 3).astype(np.int64), 0, 2)
        top, middle, bottom = (np.bincount(thirds, minlength=3) / len(centres)).tolist()
        return {"top": top, "middle": middle, "bottom": bottom}

    def timeline(self) -> list[dict[str, Any]]:
        """Every 3 s window: how many overlays, of which type, how dense."""
        texts = active_in(self.windows_s, self.text_spans_s[:, 0], self.text_spans_s[:, 1])
        rows = []
        for index, (count, text_count) in enumerate(zip(self.window_counts.tolist(), texts.tolist(), strict=True)):
            both = "mixed" if 0 < text_count < count else "text" if text_count else "sticker"
            rows.append(
                {
                    "timestamp": self.window_span(index),
                    "overlayCount": count,
                    "type": both if count else "none",
                    "density": "low" if count <= 1 else "medium" if count <= 3 else "high",
                }
            )
        return rows


def covers(a: Box | None, b: Box | None) -> bool:
    """Whether two boxes share more than a twentieth of the smaller."""
    return a is not None and b is not None and overlap_of_smaller(a, b) > _OVERLAP


def _largest_text(items: list[TextTrack | Sticker]) -> str | None:
    sized = [(i.box[2] * i.box[3], i.text) for i in items if isinstance(i, TextTrack) and i.box is not None]
    return max(sized)[1] if sized else None
