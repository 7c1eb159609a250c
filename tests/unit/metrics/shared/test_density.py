"""Density of elements: objects per bin and per scene."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.shared.density import object_count, objects_per_bin

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
        assert object_count(evidence.objects, evidence.shots) == expected


def test_bins_without_a_frame_take_the_frame_before():
    evidence = read_evidence(analysis(4.0, detections=objects("cup", [0.0, 2.0], 2), sample_fps=0.5))
    assert objects_per_bin(evidence.objects, evidence.bins).tolist() == [2.0, 2.0, 2.0, 2.0]
