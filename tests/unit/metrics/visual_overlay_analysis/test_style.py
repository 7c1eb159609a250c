"""What the overlays amount to."""

from __future__ import annotations

import numpy as np

from rumiai.metrics.visual_overlay_analysis.style import (
    communication_approach,
    engagement_archetype,
    ml_tags,
    overlay_strategy,
    production_quality,
    text_style,
    visual_techniques,
)

EVEN, VARIED = np.array([0.1, 0.1]), np.array([0.01, 0.5])


def test_words():
    assert [overlay_strategy(EVEN, hz) for hz in (0.29, 0.3, 0.8, 0.81)] == ["minimal", "moderate", "moderate", "heavy"]
    assert overlay_strategy(VARIED, 0.1) == "dynamic"
    assert overlay_strategy(VARIED, 0.0) is None
    assert [communication_approach(True, share) for share in (0.5, 0.51)] == ["supplementary", "reinforcing"]
    assert communication_approach(False, 1.0) == "dominant"
    assert [engagement_archetype(*x) for x in ((2, 0.8), (2, 0.81), (3, 0.0))] == [
        "informational", "attention_grabbing", "conversion_focused",
    ]  # fmt: skip
    grades = ("high", "medium", "low", None)
    assert [production_quality(g, []) for g in grades] == ["professional", "casual", "amateur", None]
    assert production_quality("high", ["low_contrast"]) == "casual"


def test_look_of_the_texts():
    def style(texts=1, stickers=0, at_once=1, covering_pairs=0, heights=EVEN):
        return text_style(
            texts=texts, stickers=stickers, at_once=at_once, covering_pairs=covering_pairs, heights=heights
        )

    assert style() == style(at_once=4) == "clean"
    assert style(covering_pairs=1) is style(texts=0) is None
    assert style(at_once=4, covering_pairs=1, stickers=9) == "chaotic"
    assert style(stickers=2, heights=VARIED) == "decorative"
    assert style(heights=VARIED) == "mixed"


def test_techniques_need_evidence():
    nothing = {
        "texts": 2,
        "stickers": 0,
        "cta_texts": 0,
        "bursts": 0,
        "rhythm": None,
        "animation": None,
        "reinforced": 0,
    }
    assert visual_techniques(**nothing) == []
    everything = {
        "texts": 2,
        "stickers": 1,
        "cta_texts": 1,
        "bursts": 1,
        "rhythm": 0.8,
        "animation": 0.2,
        "reinforced": 1,
    }
    assert visual_techniques(**everything) == [
        "direct_cta", "rhythmic_timing", "text_bursts", "stickers", "animated_text", "multimodal_reinforcement",
    ]  # fmt: skip


def test_tags():
    none = ml_tags(texts_hz=1.0, cta_texts=2, cta_share=0.3, places=None, at_once=2, free_share=0.3)
    assert none == []
    places = (0.5, 0.25, 0.25)
    assert ml_tags(texts_hz=1.1, cta_texts=3, cta_share=0.4, places=places, at_once=3, free_share=0.2) == [
        "text_heavy", "cta_focused", "multi_reinforced", "position_varied", "overlay_dense", "continuous_overlay",
    ]  # fmt: skip
