"""Unread regions of single frames become appearances: expected values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.contracts.frames import FrameTexts, Sampling, UnreadLines
from rumiai.contracts.services.ocr import TextAnnotation, TextSighting
from rumiai.inference.unread_tracks import link_unread

BOX = (0.25, 0.5, 0.5, 0.0625)
ELSEWHERE = (0.25, 0.125, 0.5, 0.0625)
SAMPLING = Sampling(720, 1280, 30.0, 5.0, 2.0, 10)


def frame(k, *regions):
    """Frame k of a 2 fps grid; a region is (script, score, box)."""
    boxes = np.array([region[2] for region in regions], np.float32).reshape(-1, 4)
    scores = np.array([region[1] for region in regions], np.float32)
    none = np.zeros(0, np.float32)
    unread = UnreadLines(boxes, tuple(region[0] for region in regions), scores)
    return FrameTexts(k / 2, 15 * k, (), np.zeros((0, 4), np.float32), none, none, unread=unread)


def link(*frames, texts=(), cuts=()):
    return [(item.script_guess, item.start_s, item.end_s) for item in link_unread(frames, texts, cuts, SAMPLING)]


def text(start_s, end_s, sightings, box=BOX):
    seen = tuple(TextSighting(timestamp_s=start_s) for _ in range(sightings))
    return TextAnnotation(text="KOPEN", start_s=start_s, end_s=end_s, confidence=0.9, bbox=box, sightings=seen)


def test_the_record_of_a_region():
    (item,) = link_unread([frame(1, ("thai", 0.5, BOX)), frame(2, ("thai", 1.0, BOX))], [], [], SAMPLING)
    assert item.to_json() == {
        "start": 0.25, "end": 1.25, "bbox": list(BOX), "script_guess": "thai", "script_score": 0.75,
    }  # fmt: skip


def test_two_places_are_two_regions():
    both = [("thai", 0.9, BOX), ("hangul", 0.9, ELSEWHERE)]
    assert link(frame(0, *both), frame(1, *both[::-1])) == [("hangul", 0.0, 0.75), ("thai", 0.0, 0.75)]


def test_the_script_is_voted_over_all_sightings():
    guesses = [("gujarati", 0.5), ("devanagari", 0.9), ("gujarati", 0.6), ("gujarati", 0.7)]
    (item,) = link_unread([frame(k, (*guess, BOX)) for k, guess in enumerate(guesses)], [], [], SAMPLING)
    assert (item.script_guess, item.script_score) == ("gujarati", pytest.approx(1.8 / 4))


def test_a_region_may_be_missed_once_and_ends_when_it_is_missed_twice():
    region = ("thai", 0.9, BOX)
    assert link(frame(0, region), frame(1), frame(2, region)) == [("thai", 0.0, 1.25)]
    assert link(frame(0, region), frame(1), frame(2), frame(3, region)) == [("thai", 0.0, 0.25), ("thai", 1.25, 1.75)]


def test_a_cut_bounds_a_region():
    assert link(frame(2, ("thai", 0.9, BOX)), cuts=[0.9, 1.1]) == [("thai", 0.9, 1.1)]


def test_a_text_that_some_frames_missed_is_not_unread():
    region = ("cyrillic", 0.9, BOX)
    assert link(frame(0, region), frame(1, region), texts=[text(0.0, 3.0, 4)]) == []
    assert len(link(frame(0, region), frame(1, region), texts=[text(0.0, 3.0, 1)])) == 1
    assert len(link(frame(0, region), texts=[text(0.0, 3.0, 4, ELSEWHERE)])) == 1
    assert len(link(frame(9, region), texts=[text(0.0, 3.0, 4)])) == 1


def test_nothing_gives_nothing():
    assert link() == link(frame(0), frame(1)) == []
