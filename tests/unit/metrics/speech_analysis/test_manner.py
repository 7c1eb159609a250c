"""Manner of speaking, by hand."""

from __future__ import annotations

import pytest

from rumiai.metrics.speech_analysis import manner


def test_listing():
    assert manner.is_listing(["sequence", "cause", "sequence"])
    assert not manner.is_listing(["sequence", "contrast"])


def test_instruction():
    orders = ["Mix it well.", "Add the salt.", "Stir the pot."]
    assert manner.is_instruction(orders, listing=False)
    assert not manner.is_instruction(orders[:2], listing=False)
    assert manner.is_instruction([], listing=True)


def test_narration():
    assert manner.is_narration(["yesterday", "i", "went", "home", "and", "i", "laughed"])
    assert not manner.is_narration(["yesterday", "i", "went", "home", "and", "i", "sing"])
    assert not manner.is_narration([])


@pytest.mark.parametrize(
    ("kinds", "instructs", "narrates", "delivery", "strategy"),
    [
        (["buy", "visit"], True, True, "promotional", None),
        (["buy", "like"], True, True, "instructional", "demonstration"),
        ([], False, True, "narrative", "storytelling"),
        ([], False, False, "conversational", None),
    ],
)
def test_delivery(kinds, instructs, narrates, delivery, strategy):
    assert manner.delivery_style(kinds, instructs=instructs, narrates=narrates) == delivery
    assert manner.engagement_strategy(delivery) == strategy


@pytest.mark.parametrize(
    ("urgent", "exclaimed", "sentiment", "wpm", "tone"),
    [
        (True, 1.0, "positive", 200, "urgent"),
        (False, 0.3, "negative", 100, "enthusiastic"),
        (False, 0.0, "positive", 161, "enthusiastic"),
        (False, 0.0, "positive", 160, None),
        (False, 0.2, "neutral", 119, "calm"),
        (False, 0.2, "neutral", 120, None),
    ],
)
def test_tone(urgent, exclaimed, sentiment, wpm, tone):
    found = manner.tone_category(urgent=urgent, exclaimed=exclaimed, sentiment=sentiment, words_per_minute=wpm)
    assert found == tone
