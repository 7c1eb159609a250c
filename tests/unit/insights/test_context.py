"""What a prompt is told of a video."""

from __future__ import annotations

from types import SimpleNamespace

from rumiai.contracts.services.yolo import ObjectSighting, ObjectTrack, YoloData, YoloMetadata
from rumiai.insights.context import _objects


def test_only_objects_that_count_are_told_under_the_name_that_they_take_the_vote_for():
    def track(number, name, score, voted, agreement):
        seen = tuple(
            ObjectSighting(timestamp_s=t, frame_number=0, confidence=score, bbox=(0.1, 0.1, 0.2, 0.2))
            for t in (1.0, 1.5)
        )
        return ObjectTrack(
            track_id=f"object_{number}",
            class_name=name,
            confidence=score,
            agreement=agreement,
            voted_class=voted,
            frames=seen,
        )

    tracks = (
        track(1, "cow", 0.6, "dog", 0.8),
        track(2, "donut", 0.3, "donut", 1.0),  # unsure
        track(3, "person", 0.9, "person", 0.5),  # called other things as often
    )
    data = YoloData(tracks=tracks, metadata=YoloMetadata(processed=True))
    video = SimpleNamespace(analysis=SimpleNamespace(get=lambda model: data))
    assert _objects(video) == [{"object": "dog", "start": 1.0, "end": 1.5, "frames": 2}]
