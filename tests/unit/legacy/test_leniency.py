"""What an older file says unreadably: left out when no contract asked for it, a failure when one did."""

from __future__ import annotations

import copy

import pytest

from rumiai.legacy.leniency import read_leniently

from ..timeline_samples import canonical


@pytest.mark.parametrize(
    ("service", "path", "value", "unread"),
    [
        ("emotion_detection", ["metrics"], {"most_active_aus": [["AU12", 5]], "unique_emotions": 2},
         "metrics.most_active_aus"),
        ("emotion_detection", ["emotion_transitions"], "none", "emotion_transitions"),
        ("whisper", ["segments", 0, "words", 1, "start"], "soon", "segments.0.words"),
        ("whisper", ["segments", 0, "avg_logprob"], "-0.3", "segments.0.avg_logprob"),
        ("yolo", ["metadata", "sample_fps"], "two", "metadata.sample_fps"),
        ("ocr", ["textAnnotations", 0, "sightings", 0, "timestamp"], None, "textAnnotations.0.sightings"),
        ("mediapipe", ["poses", 0, "landmarks"], 33, "poses.0.landmarks"),
    ],
)  # fmt: skip
def test_members_that_nobody_asked_for_are_left_out_and_told(service, path, value, unread):
    data = canonical(service)
    node = data
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    before = copy.deepcopy(data)
    result = read_leniently(service, "1", data)
    assert result.failure is None
    assert result.data.metadata.members_not_read == [unread]
    assert data == before


@pytest.mark.parametrize(
    ("service", "path", "value"),
    [
        ("whisper", ["segments", 0, "confidence"], 1.3),
        ("whisper", ["segments", 0, "start"], "soon"),
        ("mediapipe", ["faces", 0, "bbox"], "left"),
        ("mediapipe", ["presence_percentage"], 120),
        ("audio_energy", ["beats", 0], "x"),
        ("emotion_detection", ["emotions", 0, "action_units"], [99]),
        ("yolo", ["metadata", "processed"], "yes"),
    ],
)
def test_what_a_contract_asks_for_is_never_repaired(service, path, value):
    data = canonical(service)
    node = data
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    assert "breaks its contract" in read_leniently(service, "1", data).failure


def test_one_violation_that_counts_fails_the_service_whatever_else_is_unread():
    data = canonical("whisper")
    data["segments"][0] |= {"confidence": 2.0, "avg_logprob": "x"}
    assert not read_leniently("whisper", "1", data).ok


@pytest.mark.parametrize("service", ["yolo", "whisper"])
def test_canonical_data_stays_as_it_is(service):
    assert read_leniently(service, "1", canonical(service)).to_json() == canonical(service)
