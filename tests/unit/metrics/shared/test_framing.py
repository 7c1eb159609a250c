"""Shot types, by hand."""

from __future__ import annotations

import numpy as np

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.framing import smoothed_shots
from rumiai.metrics.shared.framing import SHOTS, is_cut_body, nearest_samples, shot_codes

from ...metrics_videos import analysis, face, objects


def test_shot_types_by_face_and_body():
    def pose(time, height, hips):
        landmarks = [{"i": i, "x": 0.5, "y": 0.5, "z": 0.0, "v": 0.9} for i in (11, 12)]
        landmarks += [{"i": i, "x": 0.5, "y": 0.5, "z": 0.0, "v": 0.9 if hips else 0.1} for i in (23, 24)]
        return {
            "timestamp": time, "frame_number": 0, "person": 0, "visibility": 0.9, "confidence": 0.9,
            "bbox": [0.2, 0.0, 0.5, height], "landmarks": landmarks, "posture": "standing",
        }  # fmt: skip

    faces = [face(0.0, 0.26), face(1.0, 0.25), face(2.0, 0.08)]
    poses = [pose(3.0, 0.95, hips=False), pose(4.0, 0.95, hips=True)]
    evidence = read_evidence(
        analysis(7.0, faces=faces, poses=poses, detections=objects("person", [5.0]), sample_fps=1.0)
    )
    shots = smoothed_shots(evidence.people, evidence.objects)
    assert shots.labels == ("close", "medium", "wide", "medium", "wide", "wide", "none")


def test_rules_of_the_shot_type():
    areas = np.array([0.26, 0.25, 0.08, 0.0, 0.0, 0.0, 0.0])
    found = shot_codes(areas, persons=np.array([0, 5]), bodies=np.array([2, 3, 4]), cut_bodies=np.array([2, 3]))
    assert [SHOTS[code] for code in found] == ["close", "medium", "wide", "medium", "wide", "wide", "none"]
    nobody = np.zeros(0, dtype=int)
    assert shot_codes(np.zeros(2), nobody, nobody, nobody).tolist() == [0, 0]


def test_a_body_that_the_frame_cuts():
    visibility = np.full((4, 33), np.nan)
    visibility[:, [11, 12]] = 0.9
    visibility[1, 23] = 0.9  # a hip
    visibility[2, 11] = 0.1  # one shoulder only
    assert is_cut_body(np.array([0.95, 0.95, 0.95, 0.9]), visibility).tolist() == [True, False, False, False]


def test_nearest_samples():
    assert nearest_samples(np.array([0.0, 0.74, 0.76, 9.0]), 0.5, 4).tolist() == [0, 1, 2, 3]
