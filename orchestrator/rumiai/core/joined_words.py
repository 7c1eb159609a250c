"""Words joined to one text, so that what is found in the text can be led back to its words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class JoinedWords:
    """Words with one character between them.

    Args:
        words: The words, as spelled.
    """

    def __init__(self, words: Iterable[str]) -> None:
        # End of each word and of the character before it, in characters.
        self._ends = list(accumulate((len(word) + 1 for word in words), initial=-1))[1:]

    def at(self, position: int) -> int:
        """Index of the word that has the character at ``position`` of the joined text.

        A position between two words belongs to the one after it.
        """
        return bisect_right(self._ends, position)
