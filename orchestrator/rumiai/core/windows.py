"""Queries for windows of time over many things that last."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Generic, Protocol, TypeVar


class Lasting(Protocol):
    """Something that is there from ``start_s`` to ``end_s``; None or ``start_s`` for an instant."""

    @property
    def start_s(self) -> float:
        """Seconds from the start of the video."""

    @property
    def end_s(self) -> float | None:
        """Not before ``start_s``."""

    def overlaps(self, start_s: float, end_s: float) -> bool:
        """Whether it is there in the half-open window."""


Item = TypeVar("Item", bound=Lasting)


def is_in_window(start_s: float, end_s: float | None, window_start_s: float, window_end_s: float) -> bool:
    """Whether something is there in the half-open window; an instant is when it lies in it."""
    if end_s is None or end_s == start_s:
        return window_start_s <= start_s < window_end_s
    return start_s < window_end_s and end_s > window_start_s


class WindowIndex(Generic[Item]):
    """Items by start; a query for a window reads only those that may lie in it.

    Attributes:
        items: Sorted by start; those that start together keep their order.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = tuple(sorted(items, key=lambda item: item.start_s))
        self._starts = [item.start_s for item in self.items]
        # Largest end so far: everything before the first that passes a window's start has ended before it.
        self._reach = list(accumulate((i.start_s if i.end_s is None else i.end_s for i in self.items), max))

    def window(self, start_s: float, end_s: float) -> list[Item]:
        """The items that are there in the half-open window, by start."""
        first, last = bisect_left(self._reach, start_s), bisect_left(self._starts, end_s)
        return [item for item in self.items[first:last] if item.overlaps(start_s, end_s)]
