"""Elements and the pairs that they make."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.creative_density.blocks import ElementCounts
from rumiai.metrics.creative_density.curve import pattern_flags
from rumiai.metrics.creative_density.elements import cooccurrence, dominant_pair, element_counts, ml_tags, reliability
from rumiai.metrics.evidence.build import read_evidence

from ...metrics_videos import analysis, sticker, text

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
    assert {value for _, value in counts} == {None}


def test_tags_of_counts():
    counts = ElementCounts(text=5, sticker=1, effect=4, transition=None, object=0, gesture=0, expression=0)
    flags = pattern_flags(np.array([9.0, 9, 9, 1, 1, 1]))
    assert ml_tags(counts, flags, empty_share=0.31, volatility=0.7) == [
        "hook_heavy", "text_driven", "effect_rich", "sparse_density", "dynamic_pacing",
    ]  # fmt: skip
    none = ElementCounts(text=0, sticker=0, effect=0, transition=0, object=0, gesture=0, expression=0)
    assert ml_tags(none, pattern_flags(np.ones(6)), empty_share=0.0, volatility=0.0) == []


def test_reliability_is_each_types_own():
    def found(**content):
        return reliability(read_evidence(analysis(**content)))

    nothing = found()
    assert {value for _, value in nothing} == {None}  # nothing was found of which it could be told
    both = found(texts=[text("A", 0, 1, confidence=0.8)], stickers=[sticker(0, 1, confidence=0.6)], cuts=[3.0])
    assert (both.text_overlay, both.sticker, both.scene_change) == (0.8, 0.6, 1.0)
    assert both.effect is both.transition is both.gesture is None
    half = found(texts=[text("A", 0, 1, confidence=0.8)], ocr_meta={"frames_read": 12, "frames_analyzed": 12})
    assert half.text_overlay == pytest.approx(0.4)
