"""metadata_analysis: caption, hashtags, counts and creator (docs: analyses, section 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from rumiai.contracts.blocks import MoreMetrics
from rumiai.contracts.lexicons import CTA_PHRASES, PhraseMatch
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.quality import metadata_parts
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.metadata_analysis.blocks import SCHEMA, Blocks
from rumiai.metrics.shared.caption import GENERIC_TAGS, Caption, tag_key
from rumiai.metrics.shared.emoji import emoji_sentiment
from rumiai.metrics.shared.metadata_facts import (
    Facts,
    content_alignment,
    content_category,
    further_metrics,
    hashtag_quality,
    text_or_none,
)
from rumiai.metrics.shared.phrases import urgency_level
from rumiai.metrics.shared.statistics import ratio

WEIGHTS: Final = Weights(
    core_metrics={"caption": 0.3, "stats": 0.3, "hashtags": 0.2, "createTime": 0.2},
    dynamics={"caption": 0.7, "hashtags": 0.2, "stats": 0.1},
    interactions={"stats": 0.4, "author": 0.25, "hashtags": 0.15, "whisper": 0.1, "ocr": 0.1},
    key_events={"caption": 0.6, "hashtags": 0.4},
    patterns={"caption": 0.8, "hashtags": 0.2},
)

_ABOVE_AVERAGE: Final = 5.0  # % engagement
_ESTABLISHED: Final = 10_000  # followers
_HOOK_TYPES: Final = {
    "question": "question", "promise": "promise", "value_prop": "promise", "hyperbole": "curiosity",
    "greeting": "curiosity", "pov": "curiosity",
}  # fmt: skip
_STRONG_HOOKS: Final = ("question", "promise")


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video."""
    facts = Facts(evidence)
    caption = facts.caption

    def block(name: str, *parts: Mapping[str, Any]) -> dict[str, Any]:
        return {**unknown(SCHEMA, name), **{key: value for part in parts for key, value in part.items()}}

    return assemble(
        Blocks,
        core=block("CoreMetrics", _counts(facts), {} if caption is None else _caption_core(facts, caption)),
        dynamics=block("Dynamics", _tag_dynamics(facts), {} if caption is None else _caption_dynamics(facts, caption)),
        interactions=block("Interactions", _interactions(facts)),
        key_events=block("KeyEvents", _tag_events(facts), {} if caption is None else _caption_events(facts, caption)),
        patterns=block(
            "Patterns",
            _tag_patterns(facts),
            {"contentCategory": content_category(facts), "captionTechniques": caption_techniques(facts)},
            {} if caption is None else _caption_patterns(facts, caption),
        ),
        quality=block("Quality", _quality(facts)),
        precompute=further_metrics(facts),
    )


def _counts(facts: Facts) -> dict[str, Any]:
    metadata, created = facts.metadata, facts.metadata.create_time
    return {
        "hashtagCount": None if facts.tags is None else len(facts.tags),
        "mentionCount": None if facts.mentions is None else len(facts.mentions),
        "videoDuration": facts.evidence.duration_s,
        "publishHour": None if created is None else created.hour,
        "publishDayOfWeek": None if created is None else created.weekday(),
        "viewCount": metadata.views,
        "likeCount": metadata.likes,
        "commentCount": metadata.comments,
        "shareCount": metadata.shares,
        "saveCount": metadata.saves,
        "engagementRate": metadata.engagement_rate,
        "engagementRateWithSaves": metadata.engagement_rate_with_saves,
    }


def _caption_core(facts: Facts, caption: Caption) -> dict[str, Any]:
    return {
        "captionLength": len(caption.text),
        "wordCount": len(caption.text.split()),
        "captionWordCount": len(caption.words),
        "emojiCount": len(caption.emoji),
        "linkPresent": caption.has_link,
    }


def _tag_dynamics(facts: Facts) -> dict[str, Any]:
    return {"hashtagStrategy": hashtag_strategy(facts), "languageCode": language(facts)}


def hashtag_strategy(facts: Facts) -> str | None:
    """By number of tags; None when they are unknown."""
    if facts.tags is None:
        return None
    count = len(facts.tags)
    limits = ((0, "none"), (2, "minimal"), (7, "moderate"), (15, "heavy"))
    return next((word for limit, word in limits if count <= limit), "spam")


def language(facts: Facts) -> str | None:
    """The source's language code, else the caption's by its script and words; None when unknown."""
    code = facts.metadata.text_language
    if code and code.lower() not in ("un", "unknown", "und"):
        return code
    return None if facts.caption is None else facts.caption.language()


def _caption_dynamics(facts: Facts, caption: Caption) -> dict[str, Any]:
    return {
        "captionStyle": caption.style,
        "emojiDensity": ratio(len(caption.emoji), len(caption.words)),
        "mentionDensity": ratio(len(facts.mentions or ()), len(caption.words)),
        "readabilityScore": caption.readability(),
        "sentimentPolarity": caption.sentiment.polarity,
        "sentimentCategory": caption.sentiment.category,
        "urgencyLevel": urgency_level(caption.masked),
        "viralPotentialScore": viral_potential(facts, caption),
    }


def viral_potential(facts: Facts, caption: Caption) -> float:
    """Heuristic 0..1: engagement, hook, tags, style, urgency, tone and emoji."""
    rate = facts.metadata.engagement_rate or 0.0
    score = 0.3 if rate > 15 else 0.2 if rate > 10 else 0.1 if rate > 5 else 0.0
    score += 0.2 * bool(facts.hooks)
    score += 0.1 * (hashtag_strategy(facts) == "moderate")
    score += 0.1 * (caption.style in ("question", "storytelling"))
    score += 0.1 * (urgency_level(caption.masked) != "none")
    score += 0.1 * (caption.sentiment.category == "positive")
    return score + 0.1 * (1 <= len(caption.emoji) <= 4)


def _interactions(facts: Facts) -> dict[str, Any]:
    metadata, author = facts.metadata, facts.metadata.author or {}
    music, views = metadata.music, metadata.views
    fans, verified = author.get("fans"), author.get("verified")

    def share(count: int | None) -> float | None:
        return count / views if count is not None and views else None

    return {
        "hashtagCounts": None if facts.tags is None else {
            "nicheCount": len(facts.tags) - len(facts.generic), "genericCount": len(facts.generic),
        },
        "engagementAlignment": {
            "likesToViewsRatio": share(metadata.likes),
            "commentsToViewsRatio": share(metadata.comments),
            "sharesToViewsRatio": share(metadata.shares),
            "aboveAverageEngagement": None
            if metadata.engagement_rate is None
            else metadata.engagement_rate > _ABOVE_AVERAGE,
        },
        "creatorContext": {
            "username": metadata.username,
            "verified": verified if isinstance(verified, bool) else None,
            "followerCount": fans if isinstance(fans, int) else None,
            "establishedCreator": fans > _ESTABLISHED if isinstance(fans, int) else None,
        },
        "contentAlignment": content_alignment(facts),
        "musicContext": None if music is None else {
            "name": text_or_none(music.get("musicName", music.get("name"))),
            "author": text_or_none(music.get("musicAuthor", music.get("author"))),
            "original": original if isinstance(original := music.get("musicOriginal"), bool) else None,
        },
    }  # fmt: skip


def _tag_events(facts: Facts) -> dict[str, Any]:
    return {
        "hashtags": None if facts.tags is None else [
            {
                "tag": f"#{tag}",
                "position": position,
                "type": "generic" if tag_key(tag) in GENERIC_TAGS else "niche",
                "estimatedReach": "high" if tag_key(tag) in GENERIC_TAGS else "medium",
            }
            for position, tag in enumerate(facts.tags)
        ],
        "keyMentions": facts.mentions,
    }  # fmt: skip


def _caption_events(facts: Facts, caption: Caption) -> dict[str, Any]:
    emoji = Counter(caption.emoji)
    return {
        "emojis": [
            {"emoji": found, "count": count, "sentiment": emoji_sentiment(found), "emphasis": count > 1}
            for found, count in emoji.items()
        ],
        "hooks": [
            {
                "text": caption.text[hook.start : hook.end],
                "position": _position(hook.start, len(caption.text)),
                "type": _HOOK_TYPES[hook.kind],
                "strength": 0.8 if hook.kind in _STRONG_HOOKS else 0.5,
            }
            for hook in facts.hooks
        ],
        "callToActions": [
            {
                "text": caption.text[cta.start : cta.end],
                "type": cta.kind,
                "explicitness": "direct",
                "urgency": urgency_level(_sentence_around(caption.text, cta)),
            }
            for cta in facts.ctas
        ],
        "primaryEmojis": [found for found, _ in emoji.most_common(3)],
        "hasHook": int(bool(facts.hooks)),
        "callToAction": int(bool(facts.ctas)),
    }


def _position(index: int, length: int) -> str:
    return "start" if index < 0.2 * length else "end" if index > 0.8 * length else "middle"


def _sentence_around(text: str, match: PhraseMatch) -> str:
    begin = max(text.rfind(mark, 0, match.start) for mark in ".!?\n") + 1
    ends = [end for mark in ".!?\n" if (end := text.find(mark, match.end)) >= 0]
    return text[begin : min(ends, default=len(text))]


def _tag_patterns(facts: Facts) -> dict[str, Any]:
    if facts.tags is None:
        return {}
    total, generic = len(facts.tags), len(facts.generic)
    return {
        "hashtagPatterns": {
            "leadWithGeneric": bool(facts.tags) and tag_key(facts.tags[0]) in GENERIC_TAGS,
            "allCaps": any(len(tag) > 2 and tag.isupper() for tag in facts.tags),
        },
        "hashtagBreakdown": {
            "total": total,
            "generic": generic,
            "niche": total - generic,
            "genericRatio": ratio(generic, total),
            "strategy": hashtag_strategy(facts),
        },
    }


def _caption_patterns(facts: Facts, caption: Caption) -> dict[str, Any]:
    kinds = {cta.kind for cta in facts.ctas}
    urgency = urgency_level(caption.masked)
    return {
        "linguisticMarkers": {
            "questionCount": caption.prose.count("?"),
            "exclamationCount": caption.prose.count("!"),
            "capsLockWords": caption.caps_words,
            "personalPronounCount": caption.pronouns,
        },
        "ctaFeatures": {
            "hasCTA": int(bool(kinds)),
            **{f"cta{kind.capitalize()}": int(kind in kinds) for kind in CTA_PHRASES},
            "ctaUrgency": int(urgency != "none"),
            "ctaCount": len(facts.ctas),
        },
        "hasQuestion": int("?" in caption.prose),
        "hasExclamation": int("!" in caption.prose),
        "keywords": caption.keywords(),
    }


def caption_techniques(facts: Facts) -> list[str]:
    """Techniques with evidence in the caption."""
    caption = facts.caption
    if caption is None:
        return []
    found = {
        "hook": bool(facts.hooks),
        "question": "?" in caption.prose,
        "call_to_action": bool(facts.ctas),
        "storytelling": caption.style == "storytelling",
        "list": caption.style == "list",
        "urgency": urgency_level(caption.masked) in ("high", "medium"),
        "emoji_emphasis": any(count > 1 for count in Counter(caption.emoji).values()),
        "mention": bool(caption.mentions),
    }
    return [name for name, there in found.items() if there]


def _quality(facts: Facts) -> dict[str, Any]:
    parts = metadata_parts(facts.metadata)
    return {
        "captionPresent": facts.caption is not None and bool(facts.caption.text.strip()),
        "hashtagsPresent": bool(facts.tags),
        "statsAvailable": parts["stats"],
        "publishTimeAvailable": parts["createTime"],
        "creatorDataAvailable": parts["author"],
        "captionQuality": None if facts.caption is None else caption_quality(facts.caption),
        "hashtagQuality": hashtag_quality(facts),
        "dataCompleteness": facts.evidence.services.completeness(WEIGHTS),
    }


def caption_quality(caption: Caption) -> str:
    """By number of words and readability."""
    if not caption.text.strip():
        return "empty"
    words, readability = len(caption.words), caption.readability() or 0.0
    if words > 10 and readability > 0.7:
        return "high"
    return "medium" if words > 5 and readability > 0.5 else "low"


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    known = blocks.quality.caption_present or blocks.quality.hashtags_present
    return None if known else "there is neither caption nor hashtag"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge)
