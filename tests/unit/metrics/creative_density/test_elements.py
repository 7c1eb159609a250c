"""Elements and the pairs that they make."""

from __future__ import annotations

import numpy as np

from rumiai.metrics.creative_density.blocks import ElementCounts
from rumiai.metrics.creative_density.curve import pattern_flags
from rumiai.metrics.creative_density.elements import cooccurrence, dominant_pair, element_counts, ml_tags, reliability

NOTHING = {"texts": None, "stickers": None, "gestures": None, "expressions": None, "objects": None, "shots": None}


def test_pairs():
    present = np.array([[True, True, False], [False, True, True], [True, False, False]])
    pairs = cooccurrence(("text", "object", "gesture"), present)
    assert pairs == {"gesture_object": 0, "gesture_text": 1, "object_text": 1}
    assert dominant_pair(pairs) == "gesture_text"
    assert cooccurrence((), np.zeros((0, 3), bool)) == {}
    assert dominant_pair({"b_c": 2, "a_b": 2, "c_d": 1}) == "a_b"
    assert dominant_pair({"a_b": 0}) == "none"


def test_what_failed_is_not_counted():
    counts = element_counts(**NOTHING)
    assert counts.effect == 0
    assert {value for name, value in counts if name != "effect"} == {None}


def test_tags_of_counts():
    counts = ElementCounts(text=5, sticker=1, effect=4, transition=None, object=0, gesture=0, expression=0)
    flags = pattern_flags(np.array([9.0, 9, 9, 1, 1, 1]))
    assert ml_tags(counts, flags, empty_share=0.31, volatility=0.7) == [
        "hook_heavy", "text_driven", "effect_rich", "sparse_density", "dynamic_pacing",
    ]  # fmt: skip
    none = ElementCounts(text=0, sticker=0, effect=0, transition=0, object=0, gesture=0, expression=0)
    assert ml_tags(none, pattern_flags(np.ones(6)), empty_share=0.0, volatility=0.0) == []


def test_reliability_of_transitions():
    q = {"ocr": 0.1, "yolo": 0.2, "mediapipe": 0.3, "scenes": 0.4}
    assert reliability(**q, names_transitions=True).transition == 0.4
    assert reliability(**q, names_transitions=False).transition == 0.0
