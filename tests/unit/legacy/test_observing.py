"""When the services of old files looked: as far as the files state it."""

from __future__ import annotations

import pytest

from rumiai.contracts.facts import MediaFacts
from rumiai.legacy.observing import sampled
from rumiai.legacy.services import read_service

FACTS = MediaFacts(duration_s=79.0, fps=30.0, width=500, height=1000)


def observed(service, raw):
    result = read_service(service, raw, FACTS)
    assert result.failure is None
    return result.data.observed


def test_a_stated_rate_and_a_count_make_the_grid():
    assert sampled(4, 2.0, [], 10.0) == (0.0, 0.5, 1.0, 1.5)
    assert sampled(99, 2.0, [], 2.0) == (0.0, 0.5, 1.0, 1.5)  # a grid ends with the video
    assert sampled(3, 2.0, [0.52, 7.0], 10.0) == (0.0, 0.52, 1.0, 7.0)  # finds keep their own times


def test_the_rate_is_never_frames_over_duration():
    # 99 frames of 79 s are not 1.25 a second: finds lie half a second apart, and the file ends at 49 s.
    found = sampled(99, None, [0.0, 0.5, 3.0, 49.0], 79.0)
    assert (len(found), found[1], found[-1]) == (99, 0.5, 49.0)
    assert sampled(99, None, [3.0], 79.0) == (3.0,)  # one find tells no rate
    assert sampled(99, None, [], 79.0) == ()


def test_no_frame_answered_is_nothing_observed():
    assert sampled(0, 2.0, [], 10.0) == ()
    raw = {"textAnnotations": [], "stickers": [], "metadata": {"processed": True, "frames_analyzed": 0}}
    assert observed("ocr", raw) == ()


@pytest.mark.parametrize(
    ("service", "raw", "expected"),
    [
        ("whisper", {"segments": [], "text": "", "language": "en"}, ((0.0, 79.0),)),
        ("whisper", {"segments": [], "text": "", "audio_duration": 30.0}, ((0.0, 30.0),)),
        ("whisper", {"segments": [], "text": "", "audio_duration": 78.8}, ((0.0, 79.0),)),
        ("scene_detection", {"scenes": [{"start": 0.0, "end": 79.0}]}, ((0.0, 79.0),)),
    ],
)
def test_stretches(service, raw, expected):
    assert observed(service, {**raw, "metadata": {"processed": True}}) == expected


def test_what_a_file_says_itself_is_kept():
    raw = {"objectAnnotations": [], "observed": [0.0, 1.0], "metadata": {"processed": True, "frames_analyzed": 9}}
    assert observed("yolo", raw) == (0.0, 1.0)


def test_lists_that_a_file_does_not_have_were_not_looked_for():
    faces = [{"timestamp": 1.0, "confidence": 0.9, "bbox": [0.1, 0.1, 0.2, 0.2]}]
    raw = {"faces": faces, "poses": [], "gestures": [], "metadata": {"processed": True, "frames_analyzed": 9}}
    data = read_service("mediapipe", raw, FACTS).data
    assert data.gaze is data.expressions is None
    data = read_service("mediapipe", {**raw, "gaze": [], "expressions": []}, FACTS).data
    assert data.gaze == data.expressions == ()
