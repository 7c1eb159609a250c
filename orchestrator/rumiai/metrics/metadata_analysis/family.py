"""metadata_analysis: caption, hashtags, counts and creator."""

from __future__ import annotations

from collections import Counter
from typing import Final, get_args

from rumiai.contracts.blocks import MoreMetrics
from rumiai.contracts.lexicons import CTA_PHRASES, urgency_level
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family
from rumiai.metrics.metadata_analysis import blocks as b
from rumiai.metrics.metadata_analysis import caption_style, engagement
from rumiai.metrics.metadata_analysis.content import found_in
from rumiai.metrics.metadata_analysis.further import further_metrics
from rumiai.metrics.metadata_analysis.hashtags import any_in_capitals, is_generic, leads_with_generic, tag_key
from rumiai.metrics.metadata_analysis.measures import CaptionMeasures, MetadataMeasures
from rumiai.metrics.metadata_analysis.v1 import V1
from rumiai.metrics.shared.emoji import emoji_sentiment
from rumiai.metrics.shared.statistics import ratio
from rumiai.metrics.shared.words import count_among

WEIGHTS: Final = Weights(
    core_metrics={"caption": 0.3, "stats": 0.3, "hashtags": 0.2, "createTime": 0.2},
    dynamics={"caption": 0.7, "hashtags": 0.2, "stats": 0.1},
    interactions={"stats": 0.4, "author": 0.25, "hashtags": 0.15, "whisper": 0.1, "ocr": 0.1},
    key_events={"caption": 0.6, "hashtags": 0.4},
    patterns={"caption": 0.8, "hashtags": 0.2},
)

_TESTED_KEYWORDS: Final = 20
_PRIMARY_EMOJI: Final = 3
_HOOK_TYPES: Final[dict[str, b.HookType]] = {
    "question": "question", "promise": "promise", "value_prop": "promise", "hyperbole": "curiosity",
    "greeting": "curiosity", "pov": "curiosity",
    "interrupt": "challenge",
}  # fmt: skip
_CTA_TYPES: Final[dict[str, b.CtaType]] = {kind: kind for kind in get_args(b.CtaType)}
_STRONG_HOOKS: Final = ("question", "promise")
_STRONG, _WEAK = 0.8, 0.5


def measure(evidence: Evidence) -> tuple[b.Blocks, MoreMetrics]:
    """Caption, hashtags, counts, creator and music of one video, as its source gave them.

    Args:
        evidence: Of the video; of the services only speech, texts and objects are read, which tags and caption are held
            against.

    Returns:
        The six blocks, and the metrics without a field in them; what the source does not tell is null.
    """
    found = MetadataMeasures(evidence)
    blocks = b.Blocks(
        core_metrics=_core_metrics(found),
        dynamics=_dynamics(found),
        interactions=_interactions(found),
        key_events=_key_events(found),
        patterns=_patterns(found),
        quality=_quality(found),
    )
    return blocks, further_metrics(found)


def _core_metrics(found: MetadataMeasures) -> b.CoreMetrics:
    metadata, created = found.metadata, found.metadata.create_time
    caption = None if found.caption is None else found.caption.caption
    return b.CoreMetrics(
        caption_length=None if caption is None else len(caption.text),
        word_count=None if caption is None else len(caption.text.split()),
        caption_word_count=None if caption is None else len(caption.words),
        hashtag_count=None if found.tags is None else len(found.tags),
        emoji_count=None if caption is None else len(caption.emoji),
        mention_count=None if found.mentions is None else len(found.mentions),
        link_present=None if caption is None else caption.has_link,
        video_duration=found.evidence.duration_s,
        publish_hour=None if created is None else created.hour,
        publish_day_of_week=None if created is None else created.weekday(),
        view_count=metadata.views,
        like_count=metadata.likes,
        comment_count=metadata.comments,
        share_count=metadata.shares,
        save_count=metadata.saves,
        engagement_rate=metadata.engagement_rate,
        engagement_rate_with_saves=metadata.engagement_rate_with_saves,
    )


def _dynamics(found: MetadataMeasures) -> b.Dynamics:
    measured = found.caption
    caption = None if measured is None else measured.caption
    return b.Dynamics(
        hashtag_strategy=found.tag_strategy,
        caption_style=None if measured is None else measured.style,
        emoji_density=None if caption is None else ratio(len(caption.emoji), len(caption.words)),
        mention_density=None if caption is None else ratio(len(found.mentions or ()), len(caption.words)),
        readability_score=None if measured is None else measured.readability,
        sentiment_polarity=None if caption is None else caption.sentiment.polarity,
        sentiment_category=None if caption is None else caption.sentiment.category,
        urgency_level=None if measured is None else measured.urgency,
        viral_potential_score=found.viral_potential,
        language_code=found.language,
    )


def _interactions(found: MetadataMeasures) -> b.Interactions:
    metadata, creator, music = found.metadata, found.creator, found.music
    return b.Interactions(
        hashtag_counts=None
        if found.tags is None
        else b.HashtagCounts(niche_count=len(found.tags) - found.generic_tags, generic_count=found.generic_tags),
        engagement_alignment=None
        if not metadata.views
        else b.EngagementAlignment(
            likes_to_views_ratio=engagement.share_of_views(metadata.likes, metadata.views),
            comments_to_views_ratio=engagement.share_of_views(metadata.comments, metadata.views),
            shares_to_views_ratio=engagement.share_of_views(metadata.shares, metadata.views),
            above_average_engagement=engagement.is_above_average(metadata.engagement_rate),
        ),
        creator_context=None
        if not found.evidence.services.ok("author")
        else b.CreatorContext(
            username=metadata.username,
            verified=creator.verified,
            follower_count=creator.followers,
            established_creator=creator.established,
        ),
        content_alignment=_content_alignment(found),
        music_context=None
        if music is None
        else b.MusicContext(name=music.name, author=music.author, original=music.original),
    )


def _content_alignment(found: MetadataMeasures) -> b.ContentAlignment | None:
    """Tags and long caption words that are also said or read; None when speech, text, or both of these are unknown."""
    if not found.evidence.services.ok("whisper", "ocr") or (found.tags is None and found.caption is None):
        return None
    content, tags = found.content or set(), found.tags or []
    words = [] if found.caption is None else caption_style.long_words(found.caption.caption.prose)[:_TESTED_KEYWORDS]
    mentioned_tags, mentioned_words = found_in(content, tags, map(tag_key, tags)), found_in(content, words, words)
    return b.ContentAlignment(
        hashtag_alignment=ratio(len(mentioned_tags), len(tags)),
        keyword_alignment=ratio(len(mentioned_words), len(words)),
        mentioned_hashtags=[f"#{tag}" for tag in mentioned_tags],
        mentioned_keywords=mentioned_words,
    )


def _key_events(found: MetadataMeasures) -> b.KeyEvents:
    caption = found.caption
    emoji = Counter[str]() if caption is None else Counter(caption.caption.emoji)
    return b.KeyEvents(
        hashtags=None if found.tags is None else [_tag(tag, place) for place, tag in enumerate(found.tags)],
        emojis=None if caption is None else [_emoji(symbol, count) for symbol, count in emoji.items()],
        hooks=None if caption is None else _hooks(caption),
        call_to_actions=None if caption is None else _ctas(caption),
        key_mentions=found.mentions,
        primary_emojis=None if caption is None else [symbol for symbol, _ in emoji.most_common(_PRIMARY_EMOJI)],
        has_hook=None if caption is None else int(bool(caption.hooks)),
        call_to_action=None if caption is None else int(bool(caption.ctas)),
    )


def _tag(tag: str, position: int) -> b.Tag:
    generic = is_generic(tag)
    return b.Tag(
        tag=f"#{tag}",
        position=position,
        type="generic" if generic else "niche",
        # What a niche tag reaches, nothing tells.
        estimated_reach="high" if generic else None,
    )


def _emoji(symbol: str, count: int) -> b.Emoji:
    return b.Emoji(emoji=symbol, count=count, sentiment=emoji_sentiment(symbol), emphasis=count > 1)


def _hooks(caption: CaptionMeasures) -> list[b.Hook]:
    text = caption.caption.text
    return [
        b.Hook(
            text=text[hook.start : hook.end],
            position=caption_style.position_of(hook.start, len(text)),
            type=_HOOK_TYPES[hook.kind],
            strength=_STRONG if hook.kind in _STRONG_HOOKS else _WEAK,
        )
        for hook in caption.hooks
    ]


def _ctas(caption: CaptionMeasures) -> list[b.Cta]:
    text = caption.caption.text
    return [
        b.Cta(
            text=text[cta.start : cta.end],
            type=_CTA_TYPES[cta.kind],
            explicitness="direct",
            urgency=urgency_level(caption_style.sentence_around(text, cta.start, cta.end)),
        )
        for cta in caption.ctas
    ]


def _patterns(found: MetadataMeasures) -> b.Patterns:
    caption, tags = found.caption, found.tags
    prose = "" if caption is None else caption.caption.prose
    return b.Patterns(
        linguistic_markers=None if caption is None else _linguistic_markers(caption),
        hashtag_patterns=None
        if tags is None
        else b.HashtagPatterns(lead_with_generic=leads_with_generic(tags), all_caps=any_in_capitals(tags)),
        hashtag_breakdown=_hashtag_breakdown(found),
        cta_features=None if caption is None else _cta_features(caption),
        has_question=None if caption is None else int(caption.asks),
        has_exclamation=None if caption is None else int("!" in prose),
        content_category=found.category,
        caption_techniques=None if caption is None else caption_techniques(caption),
        keywords=None if caption is None else caption_style.keywords(prose),
    )


def _linguistic_markers(caption: CaptionMeasures) -> b.LinguisticMarkers:
    prose = caption.caption.prose
    return b.LinguisticMarkers(
        question_count=prose.count("?"),
        exclamation_count=prose.count("!"),
        caps_lock_words=caption_style.capital_words(prose),
        personal_pronoun_count=count_among(caption.caption.words, caption_style.PERSONAL_PRONOUNS),
    )


def _hashtag_breakdown(found: MetadataMeasures) -> b.HashtagBreakdown | None:
    if found.tags is None or found.tag_strategy is None:
        return None
    total, generic = len(found.tags), found.generic_tags
    return b.HashtagBreakdown(
        total=total,
        generic=generic,
        niche=total - generic,
        generic_ratio=ratio(generic, total),
        strategy=found.tag_strategy,
    )


def _cta_features(caption: CaptionMeasures) -> dict[str, int]:
    kinds = {cta.kind for cta in caption.ctas}
    return {
        "hasCTA": int(bool(kinds)),
        **{f"cta{kind.capitalize()}": int(kind in kinds) for kind in CTA_PHRASES},
        "ctaUrgency": int(caption.urgency != "none"),
        "ctaCount": len(caption.ctas),
    }


def caption_techniques(caption: CaptionMeasures) -> list[str]:
    """Techniques for which there is evidence in the caption.

    Source: docs/analyses.md, metadataPatterns, ``captionTechniques``.

    Args:
        caption: Of the video.

    Returns:
        Names in a fixed order: hooks, questions, calls to action, a story, a list, urgency of medium or high, an emoji
        that is repeated, mentions. Empty for none.
    """
    signs = {
        "hook": bool(caption.hooks),
        "question": caption.asks,
        "call_to_action": bool(caption.ctas),
        "storytelling": caption.style == "storytelling",
        "list": caption.style == "list",
        "urgency": caption.urgency in ("high", "medium"),
        "emoji_emphasis": any(count > 1 for count in Counter(caption.caption.emoji).values()),
        "mention": bool(caption.caption.mentions),
    }
    return [name for name, there in signs.items() if there]


def _quality(found: MetadataMeasures) -> b.Quality:
    services, measured = found.evidence.services, found.caption
    text = None if measured is None else measured.caption.text
    return b.Quality(
        caption_present=text is not None and bool(text.strip()),
        hashtags_present=None if found.tags is None else bool(found.tags),
        stats_available=services.ok("stats"),
        publish_time_available=services.ok("createTime"),
        creator_data_available=services.ok("author"),
        caption_quality=None
        if measured is None
        else caption_style.caption_quality(measured.caption.text, len(measured.caption.words), measured.readability),
        hashtag_quality=found.tag_quality,
        data_completeness=services.completeness(WEIGHTS),
    )


def nothing_to_judge(blocks: b.Blocks) -> str | None:
    """Why no model is asked: there is nothing written that it could judge.

    Args:
        blocks: Of the video.

    Returns:
        The reason, when the caption is blank or unknown and no tag is known; None otherwise.
    """
    known = blocks.quality.caption_present or blocks.quality.hashtags_present
    return None if known else "there is neither caption nor hashtag"


FAMILY: Final = Family(b.SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (b.FurtherMetrics,))
