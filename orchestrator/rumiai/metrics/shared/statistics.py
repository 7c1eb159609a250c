"""Statistics as the analyses define them: population deviations (divided by n), None instead of NaN.

Conventions: ``values`` are ``(n,)`` numbers in any order, NaN where nothing was observed, which counts for nothing;
nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc

# Places that a correlation needs.
_CORRELATED: Final = 4
# Below this share of its mean a deviation is rounding noise of equal numbers.
_CONSTANT: Final = 1e-9


def _array(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


def _known(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    numbers = _array(values)
    return numbers[~np.isnan(numbers)]


def mean(values: npt.ArrayLike) -> float | None:
    """Arithmetic mean.

    Args:
        values: ``(n,)`` numbers.

    Returns:
        The mean; None for no values.
    """
    numbers = _known(values)
    return float(numbers.mean()) if numbers.size else None


def mean_known(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are known.

    Args:
        values: Numbers; None where unknown.

    Returns:
        The mean of the others; None when none is known.
    """
    return mean([value for value in values if value is not None])


def mean_of_several(values: Iterable[float | None]) -> float | None:
    """Mean of the parts that are known of a coherence: a single part agrees with nothing.

    Args:
        values: Parts; None where unknown.

    Returns:
        The mean of the others; None with fewer than two.
    """
    known = [value for value in values if value is not None]
    return mean(known) if len(known) > 1 else None


def std(values: npt.ArrayLike) -> float | None:
    """Population standard deviation: sqrt(mean((x - mean(x))^2)).

    Args:
        values: ``(n,)`` numbers.

    Returns:
        At least 0; exactly 0 for equal values, whatever their rounding; None for no values.
    """
    numbers = _known(values)
    if not numbers.size:
        return None
    deviation = float(numbers.std())
    return deviation if deviation > _CONSTANT * float(np.abs(numbers).max()) else 0.0


def variance(values: npt.ArrayLike) -> float | None:
    """Population variance.

    Args:
        values: ``(n,)`` numbers.

    Returns:
        At least 0; None for no values.
    """
    deviation = std(values)
    return None if deviation is None else deviation**2


def cv(values: npt.ArrayLike) -> float | None:
    """Coefficient of variation: population deviation / |mean|.

    Args:
        values: ``(n,)`` numbers.

    Returns:
        At least 0; 0 when the mean is 0; None for no values.
    """
    middle, deviation = mean(values), std(values)
    if middle is None or deviation is None:
        return None
    return deviation / abs(middle) if middle != 0 else 0.0


def median(values: npt.ArrayLike) -> float | None:
    """Median.

    Args:
        values: ``(n,)`` numbers.

    Returns:
        The middle value, the mean of the two in the middle for an even number; None for no values.
    """
    numbers = _known(values)
    return float(np.median(numbers)) if numbers.size else None


def ratio(part: float, whole: float) -> float | None:
    """A share or a rate: ``part / whole``.

    Args:
        part: Numerator.
        whole: Denominator.

    Returns:
        The quotient in the unit of part over whole; None when the whole is 0, as then there is nothing to divide by.
    """
    return part / whole if whole else None


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """The nearest number within the limits.

    Args:
        value: Any number.
        low: Lower limit.
        high: Upper limit, at least the lower.

    Returns:
        In low..high, 0..1 by default.
    """
    return min(high, max(low, value))


def balance(first: float, second: float) -> float:
    """How much larger the second of two amounts is: ``(second - first) / (first + second)``.

    Args:
        first: At least 0.
        second: At least 0.

    Returns:
        -1..1; 0 when both are 0.
    """
    return (second - first) / (first + second) if first + second else 0.0


def correlation(a: npt.ArrayLike, b: npt.ArrayLike) -> float | None:
    """Pearson's correlation r of two series.

    Args:
        a: ``(n,)`` numbers, NaN where unknown.
        b: ``(n,)`` numbers, NaN where unknown.

    Returns:
        -1..1 over the places where both are known; None when either series is constant there, and with fewer than
        four such places: two points always lie on a line, and three nearly do.
    """
    x, y = _array(a), _array(b)
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    if x.size < _CORRELATED:
        return None
    if not std(x) or not std(y):
        return None
    x, y = x - x.mean(), y - y.mean()
    return clamp(float(x @ y / np.sqrt((x @ x) * (y @ y))), -1.0, 1.0)


def alignment(a: npt.ArrayLike, b: npt.ArrayLike) -> float | None:
    """A correlation mapped to 0..1: (r + 1) / 2.

    Args:
        a: ``(n,)`` numbers, NaN where unknown.
        b: ``(n,)`` numbers, NaN where unknown.

    Returns:
        0 for opposite, 1 for equal movement; None where there is no correlation.
    """
    r = correlation(a, b)
    return None if r is None else (r + 1) / 2


def above_chance(share: float | None, chance: float) -> float | None:
    """How far a share lies above what chance alone gives: (p - c) / (1 - c), as Cohen's kappa does it.

    Args:
        share: p, the share observed, 0..1; None when unknown.
        chance: c, the share that chance gives, 0..1.

    Returns:
        0..1; None without a share, and when chance alone explains 0.9.
    """
    if share is None or chance >= 0.9:
        return None
    return clamp((share - chance) / (1 - chance))


def chance_of_hits(hits: int, trials: int, chance: float) -> float:
    """Probability that chance alone gives so many hits or more: the upper tail of the binomial distribution.

    Args:
        hits: Hits observed, 0..trials.
        trials: Number of trials.
        chance: Probability of a hit by chance, 0..1.

    Returns:
        0..1; 1 for no hits.
    """
    return float(bdtrc(hits - 1, trials, chance)) if hits else 1.0


def line(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[float, float, float]:
    """Least-squares line of y over x.

    Args:
        x: ``(n,)`` numbers.
        y: ``(n,)`` numbers, NaN where unknown; at least one is known.

    Returns:
        Slope, intercept and explained share of the variance. The slope is 0 for a constant x, the share 0 for a
        constant y.
    """
    xs, ys = _array(x), _array(y)
    known = ~np.isnan(ys)
    xs, ys = xs[known], ys[known]
    dx, dy = xs - xs.mean(), ys - ys.mean()
    spread, total = float(dx @ dx), float(dy @ dy)
    slope = float(dx @ dy) / spread if spread else 0.0
    explained = slope**2 * spread / total if total and std(ys) else 0.0
    return slope, float(ys.mean() - slope * xs.mean()), explained
