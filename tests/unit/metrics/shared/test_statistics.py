"""Statistics, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.shared.statistics import (
    above_chance,
    alignment,
    balance,
    chance_of_hits,
    correlation,
    cv,
    line,
    mean,
    mean_known,
    mean_of_several,
    median,
    ratio,
    std,
    variance,
)


def test_statistics():
    assert mean([]) is std([]) is cv([]) is variance([]) is median([]) is None
    assert std([1, 3]) == 1.0
    assert variance([1, 3]) == 1.0
    assert cv([1, 3]) == 0.5
    assert cv([0, 0]) == 0
    assert std([0.1] * 10) == 0
    assert mean_known([None, 1, 3]) == 2
    assert mean_known([None]) is None
    assert median([3, 1, 2]) == 2
    assert ratio(1, 0) is None
    assert (balance(1, 3), balance(0, 0)) == (0.5, 0.0)
    assert mean([1, np.nan, 3]) == median([3, np.nan, 1]) == 2
    assert std([1, np.nan, 3]) == 1.0
    assert mean_of_several([None, 1, 3]) == 2
    assert mean_of_several([None, 1]) is mean_of_several([]) is None
    assert correlation([1, 2, 3, 4], [2, 4, 6, 8]) == pytest.approx(1)
    assert correlation([1, 2, 3], [2, 4, 6]) is None  # three points nearly always lie near a line
    assert correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None
    assert correlation([1, 2, 3, 4, np.nan], [3, 3, 3, 3, 9]) is None
    assert alignment([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(0)
    assert above_chance(0.5, 0.0) == 0.5
    assert above_chance(0.1, 0.5) == 0.0
    assert above_chance(1.0, 0.9) is above_chance(None, 0.1) is None
    slope, intercept, explained = line([0, 1, 2], [1, 3, 5])
    assert (slope, intercept, explained) == pytest.approx((2, 1, 1))
    assert line([1], [5]) == (0.0, 5.0, 0.0)
    assert line([0, 1, 2, 9], [1, 3, 5, np.nan]) == pytest.approx((2, 1, 1))


def test_chance_of_hits_is_the_tail_of_the_binomial_distribution():
    assert chance_of_hits(0, 4, 0.5) == 1.0
    assert chance_of_hits(4, 4, 0.5) == pytest.approx(1 / 16)
    assert chance_of_hits(3, 4, 0.5) == pytest.approx(5 / 16)
    assert chance_of_hits(1, 2, 1.0) == pytest.approx(1.0)
