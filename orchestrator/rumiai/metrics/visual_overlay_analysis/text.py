"""What overlay texts say: spellings of one text, calls to action, groups by meaning (docs: analyses, 6.2)."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from rumiai.metrics.shared.phrases import find_ctas, urgency_level
from rumiai.metrics.shared.words import alike, content_words, normalised, tokens

_RAREST: Final = 8  # trigrams by which spellings are looked up: two of a text share one of its rarest
_CANDIDATES: Final = 8  # texts that are compared in full: those that share most of the rarest trigrams
_SHARED: Final = 0.3
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


def merge_spellings(texts: Sequence[str]) -> list[int]:
    """Number of the distinct text that each text is a spelling of; the first spelling stands for the others.

    Two are spellings of one text when the ratio of their common characters is at least 0.8.
    """
    keys = [re.sub(r"\s+", " ", normalised(text)).strip() for text in texts]
    trigrams = {key: _trigrams(key) for key in set(keys)}
    frequency = Counter(trigram for found in trigrams.values() for trigram in found)
    index: dict[str, list[int]] = {}
    representatives: list[str] = []
    number: dict[str, int] = {}
    for key in keys:
        if key in number:
            continue
        shared = Counter(
            candidate
            for trigram in sorted(trigrams[key], key=lambda t: (frequency[t], t))[:_RAREST]
            for candidate in index.get(trigram, ())
        )
        likely = sorted(heapq.nsmallest(_CANDIDATES, shared, key=lambda c: (-shared[c], c)))
        same = next((c for c in likely if _alike(key, representatives[c], trigrams)), None)
        if same is None:
            same = len(representatives)
            representatives.append(key)
            for trigram in trigrams[key]:
                index.setdefault(trigram, []).append(same)
        number[key] = same
    return [number[key] for key in keys]


def _alike(a: str, b: str, trigrams: dict[str, set[str]]) -> bool:
    # Strings that share four fifths of their characters share three tenths of their trigrams: each difference
    # breaks at most three.
    common = len(trigrams[a] & trigrams[b])
    return common >= _SHARED * max(len(trigrams[a]), len(trigrams[b])) and alike(_bare(a), _bare(b))


def _bare(key: str) -> str:
    # Whether the reader saw a blank is chance.
    return key.replace(" ", "")


def _trigrams(key: str) -> set[str]:
    padded = f"^{_bare(key)}$"
    return {padded[i : i + 3] for i in range(max(1, len(padded) - 2))}


def categories(text: str) -> set[str]:
    """Every category that a text belongs to; several, or none."""
    spaced = f" {' '.join(tokens(text))} "

    def says(phrases: tuple[str, ...]) -> bool:
        return any(f" {phrase} " in spaced for phrase in phrases)

    found = {
        "product_mention": says(_PRODUCT),
        "price_discount": bool(_PRICE.search(text)) or says(_DISCOUNT),
        "urgency": urgency_level(text) in ("high", "medium"),
        "social_proof": says(_SOCIAL_PROOF),
        "cta": bool(find_ctas(text)),
        "feature_benefit": says(_FEATURE),
    }
    return {name for name, there in found.items() if there}


def semantic_group(text: str, found: set[str]) -> str:
    """The one group that a text of these categories is counted in."""
    if "urgency" in found:
        return "urgency_phrases"
    if "social_proof" in found:
        return "social_proof"
    if "product_mention" in found or "price_discount" in found:
        return "product_mentions"
    return "questions" if "?" in text else "other_text"


GROUPS: Final = ("product_mentions", "urgency_phrases", "social_proof", "questions", "other_text")
CATEGORIES: Final = ("product_mention", "price_discount", "urgency", "social_proof", "cta", "feature_benefit")


def spoken_share(text: str, spoken: set[str]) -> float:
    """Share of the content words of a text among the words spoken; 0 for a text without content words."""
    wanted = set(content_words(text))
    return len(wanted & spoken) / len(wanted) if wanted else 0.0
