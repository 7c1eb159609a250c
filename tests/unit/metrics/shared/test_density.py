"""Density of elements: objects per bin and per scene."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.density import measure_density, object_count, objects_per_bin, words_by_bin

from ...metrics_videos import analysis, objects


def test_object_count_against_a_slow_reference():
    rng = np.random.default_rng(7)
    for _ in range(20):
        detections = [
            found
            for name in ("cup", "dog", "person")
            for found in objects(name, sorted(rng.choice(24, rng.integers(1, 20), replace=False) / 2))
            for _ in range(rng.integers(1, 4))
        ]
        cuts = sorted(rng.uniform(0.3, 11.7, 3).round(2).tolist())
        evidence = read_evidence(analysis(12.0, detections=detections, cuts=cuts))
        scenes = evidence.shots.index(evidence.objects.grid.times_s)
        ends = [0.0, *cuts, 12.0]
        expected = 0
        for a, b in pairwise(ends):
            frames = [k / 2 for k in range(24) if a <= k / 2 < b]
            for name in ("cup", "dog", "person"):
                boxes = sorted(
                    sum(f["timestamp"] == t for d in detections if d["className"] == name for f in d["frames"])
                    for t in frames
                )
                if boxes:
                    expected += boxes[-(-9 * len(boxes) // 10) - 1]
        assert object_count(scenes, evidence.objects.sample, evidence.objects.class_index) == expected


def test_bins_without_a_frame_take_the_frame_before():
    assert objects_per_bin(np.array([0.0, 2.0]), np.array([2, 4]), Bins(4.0)).tolist() == [2.0, 2.0, 4.0, 4.0]
    assert objects_per_bin(np.array([0.0, 0.4, 0.8]), np.array([1, 4, 2]), Bins(1.0)).tolist() == [2.0]
    assert objects_per_bin(np.zeros(0), np.zeros(0, dtype=int), Bins(2.0)).tolist() == [0.0, 0.0]


def test_no_objects():
    assert object_count(np.zeros(4, dtype=int), np.zeros(0, dtype=int), np.zeros(0, dtype=int)) == 0


def test_elements_of_each_type():
    found = measure_density(
        Bins(3.5),
        texts_s=np.array([[0.0, 2.0], [0.5, 0.6]]),
        stickers_s=None,
        gestures_s=np.array([0.2, 3.4]),
        expressions_s=np.zeros(0),
        objects=np.array([0.0, 2.5, 0.0, 1.0]),
        cuts_s=np.array([1.0]),
    )
    assert found.types == ("text", "gesture", "expression", "object", "scene_change")
    assert found.values["gesture"].tolist() == [1, 0, 0, 2]  # the last bin lasts half a second
    assert found.counts["object"].tolist() == [0, 3, 0, 1]
    assert found.total.tolist() == [3.0, 4.5, 0.0, 3.0]
    assert found.without("text").tolist() == [1.0, 3.5, 0.0, 3.0]
    assert found.primary() == ["text", "object", "none", "gesture"]
    nothing = dict.fromkeys(("texts_s", "stickers_s", "gestures_s", "expressions_s", "objects", "cuts_s"))
    assert measure_density(Bins(3.5), **nothing).total is None


def test_words_of_each_bin():
    shown, spoken = [("Hot coffee", 0.0, 1.5)], [("coffee", 0.2, 0.8), ("the", 2.0, 2.5)]
    found = list(words_by_bin(Bins(3.0), shown, spoken))
    assert found == [({"hot", "coffee"}, {"coffee"}, True), ({"hot", "coffee"}, set(), False), (set(), set(), True)]
