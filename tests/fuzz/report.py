"""What the parts of ``make fuzz`` report: counts, and lists that must be empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

_SHOWN = 40


class Report:
    """Base of the parts' dataclasses.

    Attributes:
        must_be_empty: Names of the members that list what must not be.
    """

    must_be_empty: ClassVar[tuple[str, ...]]

    @property
    def faults(self) -> int:
        """How much was found that must not be."""
        return sum(len(getattr(self, name)) for name in self.must_be_empty)

    def headline(self) -> Iterator[str]:
        """Lines that say what was tried."""
        raise NotImplementedError

    def lines(self) -> Iterator[str]:
        """Lines for people: what was tried, and what was found."""
        yield from self.headline()
        for name in self.must_be_empty:
            found = getattr(self, name)
            yield f"  {name}: {len(found)}"
            yield from (f"    {line}" for line in found[:_SHOWN])
