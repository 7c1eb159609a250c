"""What overlay texts say: categories and groups by meaning.

Source: docs/analyses.md, visual_overlay_analysis. Conventions: phrases are matched as whole words, case aside.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, Literal, get_args

from rumiai.contracts.lexicons import find_ctas, urgency_level
from rumiai.metrics.shared.words import content_words, tokens

Category = Literal[
    "product_mention", "price_discount", "urgency", "social_proof", "cta", "feature_benefit",
]  # fmt: skip
Group = Literal["product_mentions", "urgency_phrases", "social_proof", "questions", "other_text"]

CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
# In the order in which ties are decided.
GROUPS: Final[tuple[Group, ...]] = get_args(Group)

_PRICE = re.compile(
    r"[$€£¥₹]\s?\d|\d\s?[$€£¥₹%]|\b\d+(?:\.\d+)?\s?(?:usd|eur|gbp|dollars?|euros?|bucks)\b", re.IGNORECASE
)
_DISCOUNT: Final = (
    "discount", "sale", "off", "deal", "deals", "coupon", "promo", "promo code", "cheap", "free shipping", "price",
    "half price", "clearance", "save",
)  # fmt: skip
_SOCIAL_PROOF: Final = (
    "bestseller", "best seller", "best selling", "viral", "everyone", "everybody", "million", "millions", "thousands",
    "reviews", "review", "rated", "stars", "trusted", "recommended", "customers", "followers", "sold out", "as seen on",
    "award", "trending", "popular", "testimonial",
)  # fmt: skip
_FEATURE: Final = (
    "waterproof", "easy", "fast", "lightweight", "durable", "organic", "natural", "premium", "quality", "benefit",
    "benefits", "feature", "features", "new", "improved", "lasts", "works", "results", "saves time", "helps",
)  # fmt: skip
_PRODUCT: Final = (
    "product", "products", "brand", "collection", "kit", "set", "bottle", "box", "app", "shop", "store", "launch",
    "available", "in stock", "restock",
)  # fmt: skip


def categories(text: str) -> set[Category]:
    """What a text says: every category that it belongs to.

    Each has a list of phrases, matched as whole words. A price is also a number with a currency or a percent sign;
    urgency and calls to action are told by the lists of :mod:`rumiai.contracts.lexicons`.

    Args:
        text: As OCR read it.

    Returns:
        Several, or none; empty for "".
    """
    spaced = f" {' '.join(tokens(text))} "

    def says(phrases: tuple[str, ...]) -> bool:
        return any(f" {phrase} " in spaced for phrase in phrases)

    found: dict[Category, bool] = {
        "product_mention": says(_PRODUCT),
        "price_discount": bool(_PRICE.search(text)) or says(_DISCOUNT),
        "urgency": urgency_level(text) in ("high", "medium"),
        "social_proof": says(_SOCIAL_PROOF),
        "cta": bool(find_ctas(text)),
        "feature_benefit": says(_FEATURE),
    }
    return {name for name, there in found.items() if there}


def semantic_group(text: str, found: set[Category]) -> Group:
    """The one group that a text is counted in: the first of urgency, social proof, product or price, and question.

    Source: docs/analyses.md, overlaysPatterns, ``textSemanticGroups``.

    Args:
        text: As OCR read it.
        found: Its categories.

    Returns:
        The group; a text with a question mark is a question, any other ``other_text``.
    """
    if "urgency" in found:
        return "urgency_phrases"
    if "social_proof" in found:
        return "social_proof"
    if "product_mention" in found or "price_discount" in found:
        return "product_mentions"
    return "questions" if "?" in text else "other_text"


def primary_group(groups: Counter[Group]) -> Group | None:
    """The group with most texts, the earlier one on ties.

    Args:
        groups: Texts in each group.

    Returns:
        None for no texts.
    """
    if not groups.total():
        return None
    return max(GROUPS, key=lambda group: (groups[group], -GROUPS.index(group)))


def spoken_share(text: str, spoken: set[str]) -> float:
    """Share of the content words of a text that are among the words spoken.

    Args:
        text: As OCR read it.
        spoken: Content words.

    Returns:
        0 for a text without content words.
    """
    wanted = set(content_words(text))
    return len(wanted & spoken) / len(wanted) if wanted else 0.0
