"""Find the items that overlap a window of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Generic, Protocol, TypeVar


class Lasting(Protocol):
    """An item that lasts from ``start_s`` to ``end_s``; its end is None or ``start_s`` for an instant."""

    @property
    def start_s(self) -> float:
        """Seconds from the start of the video."""

    @property
    def end_s(self) -> float | None:
        """Not before ``start_s``."""

    def overlaps(self, start_s: float, end_s: float) -> bool:
        """Whether it overlaps the half-open window."""


Item = TypeVar("Item", bound=Lasting)


def is_in_window(start_s: float, end_s: float | None, window_start_s: float, window_end_s: float) -> bool:
    """Whether an item overlaps the half-open window; an instant does when it lies in the window."""
    if end_s is None or end_s == start_s:
        return window_start_s <= start_s < window_end_s
    return start_s < window_end_s and end_s > window_start_s


class WindowIndex(Generic[Item]):
    """Items sorted by start; a query reads only those that may overlap its window.

    Attributes:
        items: Sorted by start; those that start together keep their order.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = tuple(sorted(items, key=lambda item: item.start_s))
        self._starts = [item.start_s for item in self.items]
        # Largest end so far: everything before the first that passes a window's start has ended before it.
        self._reach = list(accumulate((i.start_s if i.end_s is None else i.end_s for i in self.items), max))

    def window(self, start_s: float, end_s: float) -> list[Item]:
        """The items that overlap the half-open window, by start."""
        first, last = bisect_left(self._reach, start_s), bisect_left(self._starts, end_s)
        return [item for item in self.items[first:last] if item.overlaps(start_s, end_s)]
