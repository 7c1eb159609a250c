"""Window queries against a scan of everything."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rumiai.core.windows import WindowIndex, is_in_window


@dataclass(frozen=True)
class Thing:
    start_s: float
    end_s: float | None

    def overlaps(self, start_s: float, end_s: float) -> bool:
        return is_in_window(self.start_s, self.end_s, start_s, end_s)


def test_windows_are_half_open():
    assert is_in_window(1.0, 2.0, 1.5, 1.6)
    assert not is_in_window(1.0, 2.0, 2.0, 3.0)
    assert not is_in_window(1.0, 2.0, 0.0, 1.0)
    assert is_in_window(1.0, None, 1.0, 2.0)
    assert is_in_window(1.0, 1.0, 1.0, 2.0)
    assert not is_in_window(1.0, None, 0.0, 1.0)


halves = st.integers(0, 12).map(lambda n: n / 2)


@given(st.lists(st.tuples(halves, st.none() | halves)), halves, halves)
def test_a_query_finds_what_a_scan_finds(spans, start_s, length_s):
    things = [Thing(a, None if b is None else a + b) for a, b in spans]
    index = WindowIndex(things)
    expected = [t for t in index.items if t.overlaps(start_s, start_s + length_s)]
    assert index.window(start_s, start_s + length_s) == expected
    assert sorted(index.items, key=repr) == sorted(things, key=repr)
