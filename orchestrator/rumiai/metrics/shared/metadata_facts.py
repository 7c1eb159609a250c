"""The metadata of a video taken apart, and held against what is said and shown in it (docs: analyses, 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from rumiai.contracts.lexicons import PhraseMatch
from rumiai.contracts.metadata import VideoMetadata
from rumiai.metrics.evidence.quality import metadata_parts
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.shared.caption import GENERIC_TAGS, Caption, read_caption, tag_key
from rumiai.metrics.shared.phrases import find_ctas, find_hooks
from rumiai.metrics.shared.statistics import mean, ratio
from rumiai.metrics.shared.words import tokens

_TESTED_KEYWORDS: Final = 20
_RELEVANT_SHARE: Final = 0.3
_CATEGORIES: Final = {
    "food": "food recipe cooking cook foodie baking restaurant eat coffee tea drink",
    "beauty": "makeup skincare beauty hair nails cosmetics lipstick",
    "fashion": "fashion outfit ootd style clothes dress shoes haul",
    "fitness": "fitness workout gym exercise yoga training health",
    "travel": "travel trip vacation beach hotel flight wanderlust",
    "education": "learn tutorial howto study school lesson facts science history",
    "technology": "tech iphone android coding programming software gadget ai computer",
    "comedy": "funny comedy meme prank joke humor lol",
    "music_dance": "music song dance dancing singing cover choreography",
    "gaming": "gaming game gamer minecraft fortnite roblox xbox playstation",
    "pets": "dog cat puppy kitten pet pets animal animals",
    "business": "business money entrepreneur marketing investing finance sidehustle",
}


@dataclass(frozen=True)
class Facts:
    """The metadata of one video, taken apart; None is unknown."""

    evidence: Evidence

    @property
    def metadata(self) -> VideoMetadata:
        """As the source gave it."""
        return self.evidence.metadata

    @cached_property
    def caption(self) -> Caption | None:
        """The caption; None when the source has none, not when it is empty."""
        return read_caption(self.metadata.description)

    @cached_property
    def tags(self) -> list[str] | None:
        """Hashtags of the source, then those that only the caption has; compared without case, order kept."""
        if not metadata_parts(self.metadata)["hashtags"]:
            return None
        names = [str(tag["name"]) for tag in self.metadata.hashtags or ()]
        names += [] if self.caption is None else self.caption.tags
        first = {tag_key(name): name for name in reversed(names)}
        return [first[key] for key in dict.fromkeys(map(tag_key, names))]

    @property
    def generic(self) -> list[str]:
        """The tags that say nothing of the content."""
        return [tag for tag in self.tags or () if tag_key(tag) in GENERIC_TAGS]

    @cached_property
    def mentions(self) -> list[str] | None:
        """Distinct mentions of caption and source; None when neither is known."""
        if self.caption is None and self.metadata.mentions is None:
            return None
        names = [*(self.caption.mentions if self.caption else ()), *(self.metadata.mentions or ())]
        names = [name.lstrip("@") for name in names]
        first = {name.lower(): name for name in reversed(names)}
        return [first[key] for key in dict.fromkeys(map(str.lower, names))]

    @cached_property
    def hooks(self) -> tuple[PhraseMatch, ...]:
        """Hook phrases in the caption."""
        return () if self.caption is None else find_hooks(self.caption.masked)

    @cached_property
    def ctas(self) -> tuple[PhraseMatch, ...]:
        """Calls to action in the caption."""
        return () if self.caption is None else find_ctas(self.caption.masked)

    @cached_property
    def content(self) -> set[str] | None:
        """Words spoken and on screen, and up to three in a row joined; None when neither speech nor text is known."""
        speech, texts = self.evidence.speech, self.evidence.texts
        if speech is None and texts is None:
            return None
        sources = [text.text for text in texts or ()]
        sources += [] if speech is None else [segment.text for segment in speech.segments]
        found: set[str] = set()
        for source in sources:
            words = tokens(source)
            for size in (1, 2, 3):
                found.update("".join(words[i : i + size]) for i in range(len(words) - size + 1))
        return found


def content_alignment(facts: Facts) -> dict[str, Any] | None:
    """Tags and long caption words that are also spoken or on screen; None when speech or text is unknown."""
    if (
        facts.content is None
        or not facts.evidence.services.ok("whisper", "ocr")
        or (facts.tags is None and facts.caption is None)
    ):
        return None
    tags = facts.tags or []
    keywords = [] if facts.caption is None else facts.caption.long_words()[:_TESTED_KEYWORDS]
    found_tags = [tag for tag in tags if tag_key(tag) in facts.content]
    found_words = [word for word in keywords if word in facts.content]
    return {
        "hashtagAlignment": ratio(len(found_tags), len(tags)),
        "keywordAlignment": ratio(len(found_words), len(keywords)),
        "mentionedHashtags": [f"#{tag}" for tag in found_tags],
        "mentionedKeywords": found_words,
    }


def hashtag_quality(facts: Facts) -> str | None:
    """Spammy when most are generic, relevant when the niche ones are found in the content, else mixed."""
    if facts.tags is None:
        return None
    if not facts.tags:
        return "none"
    if len(facts.generic) > len(facts.tags) / 2:
        return "spammy"
    objects = facts.evidence.objects
    labels = {name.replace(" ", "") for name in objects.classes} if objects is not None else set()
    content = (facts.content or set()) | labels
    niche = [tag_key(tag) in content for tag in facts.tags if tag_key(tag) not in GENERIC_TAGS]
    return "relevant" if (mean(niche) or 0.0) >= _RELEVANT_SHARE else "mixed"


def content_category(facts: Facts) -> str:
    """The category with most words among caption and tags; "general" without any."""
    words = [*(facts.caption.words if facts.caption else ()), *map(tag_key, facts.tags or ())]
    counts = {name: sum(word in listed.split() for word in words) for name, listed in _CATEGORIES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "general"


def text_or_none(value: object) -> str | None:
    """A string that is not empty; anything else is unknown."""
    return value if isinstance(value, str) and value else None


def further_metrics(facts: Facts) -> dict[str, Any]:
    """Everything that stands under ``precompute``."""
    caption, metadata = facts.caption, facts.metadata
    author, music = metadata.author or {}, metadata.music or {}
    return {
        "caption_text": None if caption is None else caption.text,
        "hashtag_list": facts.tags,
        "emoji_list": None if caption is None else list(dict.fromkeys(caption.emoji)),
        "mention_list": facts.mentions,
        "creator_nickname": text_or_none(author.get("nickName")),
        "music_id": text_or_none(music.get("musicId")),
        "entity_recognition": None if caption is None else {
            "has_cta": bool(facts.ctas),
            "has_url": caption.has_link,
            "has_question": "?" in caption.prose,
            "has_user_mention": bool(caption.mentions),
        },
    }  # fmt: skip
