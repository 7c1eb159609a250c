"""Whether texts can be read."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.visual_overlay_analysis.legibility import (
    accessibility,
    is_long_enough,
    is_readable,
    mean_contrast,
    readability,
    readability_issues,
)


def test_time_to_read():
    assert is_long_enough(0.9, 10)
    assert not is_long_enough(0.9, 11)
    assert is_long_enough(0.3, 0)


def test_what_is_unknown_is_held_against_no_text():
    assert is_readable(True, None, None)
    assert is_readable(True, 0.03, 0.3)
    assert not is_readable(True, 0.029, 0.9)
    assert not is_readable(True, 0.5, 0.29)
    assert not is_readable(False, 0.5, 0.9)
    assert mean_contrast(np.array([np.nan, 0.2, 0.4])) == pytest.approx(0.3)
    assert mean_contrast(np.array([np.nan])) is None


def test_accessibility_by_share():
    assert accessibility([True] * 4 + [False]) == "high"
    assert accessibility([True, False]) == "medium"
    assert accessibility([True, False, False]) == "low"
    assert accessibility([]) is None


def test_issues_are_faults_of_a_fifth():
    heights = np.array([0.02, 0.1, 0.1, 0.1, 0.1])
    assert readability_issues([True] * 5, heights, [0.9] * 5, 0) == ["text_too_small"]
    assert readability_issues([False] + [True] * 5, np.full(6, 0.1), [0.1] + [0.9] * 5, 1) == ["overlapping_elements"]
    assert readability_issues([], np.array([]), [], 0) == []


def test_readability_without_texts():
    found = readability((), np.array([]), [], 4)
    assert found.is_cluttered
    assert found.readability_score is found.contrast_score is found.mobile_optimized is None
