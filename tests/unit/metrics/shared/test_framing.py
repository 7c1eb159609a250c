"""Shot types, by hand."""

from __future__ import annotations

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.shared.framing import smoothed_shots

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
