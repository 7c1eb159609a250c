"""What texts say."""

from __future__ import annotations

from collections import Counter

from rumiai.metrics.visual_overlay_analysis.text import categories, primary_group, semantic_group, spoken_share


def test_categories_and_groups():
    assert categories("50% off today only") == {"price_discount", "urgency"}
    assert categories("I know 3 things") == set()  # know holds no now, and a digit is no price
    assert categories("together") == set()
    assert categories("shop now $5") == {"product_mention", "price_discount", "urgency", "cta"}
    assert categories("a bestseller, easy to use") == {"social_proof", "feature_benefit"}
    groups = [semantic_group(t, categories(t)) for t in ("hurry", "bestseller", "$5", "why?", "hello")]
    assert groups == ["urgency_phrases", "social_proof", "product_mentions", "questions", "other_text"]


def test_primary_group():
    assert primary_group(Counter({"questions": 2, "other_text": 2, "social_proof": 1})) == "questions"
    assert primary_group(Counter()) is None


def test_share_of_spoken_words():
    assert spoken_share("Secret coffee", {"coffee", "tea"}) == 0.5
    assert spoken_share("the", {"the"}) == 0.0
