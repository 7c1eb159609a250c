"""Blocks and further metrics of metadata_analysis."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from rumiai.contracts.blocks import AnalysisBlocks, Block, MoreMetrics, QualityBlock, Record, Schema, judge, num
from rumiai.contracts.blocks.types import Bit, Count, Flag, Level, Number, Positive, Ratio, Seconds, Signed, Text
from rumiai.contracts.lexicons import Urgency
from rumiai.metrics.metadata_analysis.caption_style import CaptionQuality, Position, Style
from rumiai.metrics.metadata_analysis.hashtags import HashtagQuality, Strategy
from rumiai.metrics.shared.words import Sentiment

PublishHour: TypeAlias = Annotated[int, Number(low=0, high=23)]
PublishDayOfWeek: TypeAlias = Annotated[int, Number(low=0, high=6)]
Engagement: TypeAlias = Annotated[float, Number(low=0, unit="%", decimals=2)]
# Shares of the views are small: two digits more than elsewhere.
ShareOfViews: TypeAlias = Annotated[float, Number(low=0, decimals=4)]
TagType: TypeAlias = Literal["generic", "niche"]
EmojiSentiment: TypeAlias = Literal["positive", "negative", "neutral"]
HookType: TypeAlias = Literal["curiosity", "promise", "question", "challenge"]
CtaType: TypeAlias = Literal["follow", "like", "comment", "share", "save", "visit", "buy", "subscribe", "download"]
CtaExplicitness: TypeAlias = Literal["direct", "implied"]


class HashtagCounts(Record):
    """The value of ``hashtagCounts``."""

    niche_count: Count
    generic_count: Count


class EngagementAlignment(Record):
    """The value of ``engagementAlignment``."""

    likes_to_views_ratio: ShareOfViews | None
    comments_to_views_ratio: ShareOfViews | None
    shares_to_views_ratio: ShareOfViews | None
    above_average_engagement: Flag | None


class CreatorContext(Record):
    """The value of ``creatorContext``."""

    username: Text | None
    verified: Flag | None
    follower_count: Count | None
    established_creator: Flag | None


class ContentAlignment(Record):
    """The value of ``contentAlignment``."""

    hashtag_alignment: Ratio | None
    keyword_alignment: Ratio | None
    mentioned_hashtags: list[Text]
    mentioned_keywords: list[Text]


class MusicContext(Record):
    """The value of ``musicContext``."""

    name: Text | None
    author: Text | None
    original: Flag | None


class Tag(Record):
    """One item of ``hashtags``."""

    tag: Text
    position: Count
    type: TagType
    estimated_reach: Level | None


class Emoji(Record):
    """One item of ``emojis``."""

    emoji: Text
    count: Count
    sentiment: EmojiSentiment
    emphasis: Flag


class Hook(Record):
    """One item of ``hooks``."""

    text: Text
    position: Position
    type: HookType
    strength: Ratio


class Cta(Record):
    """One item of ``callToActions``."""

    text: Text
    type: CtaType
    explicitness: CtaExplicitness
    urgency: Urgency


class LinguisticMarkers(Record):
    """The value of ``linguisticMarkers``."""

    question_count: Count
    exclamation_count: Count
    caps_lock_words: Count
    personal_pronoun_count: Count


class HashtagPatterns(Record):
    """The value of ``hashtagPatterns``."""

    lead_with_generic: Flag
    all_caps: Flag


class HashtagBreakdown(Record):
    """The value of ``hashtagBreakdown``."""

    total: Count
    generic: Count
    niche: Count
    generic_ratio: Ratio | None
    strategy: Strategy


class CoreMetrics(Block):
    """The block ``metadataCoreMetrics``."""

    caption_length: Annotated[Count | None, num("code points of the NFC text")]
    word_count: Annotated[Count | None, num("split on blanks")]
    caption_word_count: Annotated[Count | None, num("without hashtags, mentions, addresses and emoji")]
    hashtag_count: Annotated[Count | None, num("scrape and caption together")]
    emoji_count: Annotated[Count | None, num("grapheme clusters")]
    mention_count: Annotated[Count | None, num("distinct mentions")]
    link_present: Annotated[Flag | None, num("a web address in the caption")]
    video_duration: Annotated[Seconds, num("D")]
    publish_hour: Annotated[PublishHour | None, num("UTC")]
    publish_day_of_week: Annotated[PublishDayOfWeek | None, num("Monday 0, UTC")]
    view_count: Annotated[Count | None, num("of the scrape")]
    like_count: Annotated[Count | None, num("of the scrape")]
    comment_count: Annotated[Count | None, num("of the scrape")]
    share_count: Annotated[Count | None, num("of the scrape")]
    save_count: Annotated[Count | None, num("of the scrape")]
    engagement_rate: Annotated[Engagement | None, num("(likes + comments + shares) / views")]
    engagement_rate_with_saves: Annotated[Engagement | None, num("the same with saves")]


class Dynamics(Block):
    """The block ``metadataDynamics``."""

    hashtag_strategy: Annotated[Strategy | None, num("0, < 3, <= 7, <= 15, more")]
    caption_style: Annotated[Style | None, num("shape of the caption")]
    emoji_density: Annotated[Positive | None, num("emoji / captionWordCount")]
    mention_density: Annotated[Positive | None, num("mentions / captionWordCount")]
    readability_score: Annotated[Ratio | None, num("Flesch reading ease / 100")]
    sentiment_polarity: Annotated[Signed | None, num("(p - n)/(p + n)")]
    sentiment_category: Annotated[Sentiment | None, num("polarity beyond +-.2")]
    urgency_level: Annotated[Urgency | None, num("by urgency words")]
    viral_potential_score: Annotated[Ratio | None, num("heuristic")]
    language_code: Annotated[Text | None, num("of the scrape, else of the caption where its words are clear")]


class Interactions(Block):
    """The block ``metadataInteractions``."""

    hashtag_counts: Annotated[HashtagCounts | None, num("niche and generic tags")]
    engagement_alignment: Annotated[EngagementAlignment | None, num("shares of the views; null without views")]
    creator_context: Annotated[CreatorContext | None, num("who published; null when the source names nobody")]
    content_alignment: Annotated[ContentAlignment | None, num("tags and caption words found in speech and text")]
    music_context: Annotated[MusicContext | None, num("music of the scrape")]


class KeyEvents(Block):
    """The block ``metadataKeyEvents``."""

    hashtags: Annotated[list[Tag] | None, num("all")]
    emojis: Annotated[list[Emoji] | None, num("distinct, by first appearance")]
    hooks: Annotated[list[Hook] | None, num("phrases in the caption; a model may append", extensible=True)]
    call_to_actions: Annotated[list[Cta] | None, num("direct ones; a model may append implied ones", extensible=True)]
    key_mentions: Annotated[list[Text] | None, num("distinct, by first appearance", origin="P")]
    primary_emojis: Annotated[list[Text] | None, num("most used", origin="P")]
    has_hook: Annotated[Bit | None, num("whether there is a hook", origin="P")]
    call_to_action: Annotated[Bit | None, num("whether there is a call to action", origin="P")]


class Patterns(Block):
    """The block ``metadataPatterns``."""

    linguistic_markers: Annotated[LinguisticMarkers | None, num("of the caption words")]
    hashtag_patterns: Annotated[HashtagPatterns | None, num("order and case of the tags")]
    hashtag_breakdown: Annotated[HashtagBreakdown | None, num("counts together", origin="P")]
    cta_features: Annotated[dict[Text, Count] | None, num("0 or 1 per kind, and ctaCount", origin="P")]
    has_question: Annotated[Bit | None, num("a question mark in the caption", origin="P")]
    has_exclamation: Annotated[Bit | None, num("an exclamation mark in the caption", origin="P")]
    content_category: Annotated[
        Text | None, judge("what the video is about; null when no listed word tells", open_to_model=True)
    ]
    caption_techniques: Annotated[list[Text] | None, judge("techniques with evidence; null without a caption")]
    keywords: Annotated[list[Text] | None, num("most used content words")]


class Quality(QualityBlock):
    """The block ``metadataQuality``."""

    caption_present: Annotated[Flag, num("a caption that is not blank")]
    hashtags_present: Annotated[Flag | None, num("at least one tag; null when neither scrape nor caption tells")]
    stats_available: Annotated[Flag, num("any count in the scrape")]
    publish_time_available: Annotated[Flag, num("a publishing time in the scrape")]
    creator_data_available: Annotated[Flag, num("a creator in the scrape")]
    caption_quality: Annotated[CaptionQuality | None, num("by length and readability")]
    hashtag_quality: Annotated[
        HashtagQuality | None,
        num("by generic share and overlap with the content; mixed only where speech, text and objects were looked for"),
    ]
    data_completeness: Annotated[Ratio, num("used services that ran / used services")]

    @property
    def completeness(self) -> float:
        """Share of the used services that ran."""
        return self.data_completeness


class EntityRecognition(MoreMetrics):
    """What is in the caption."""

    has_cta: Flag
    has_url: Flag
    has_question: Flag
    has_user_mention: Flag


class FurtherMetrics(MoreMetrics):
    """Everything that stands under ``precompute``."""

    caption_text: Text | None
    hashtag_list: list[Text] | None
    emoji_list: list[Text] | None
    mention_list: list[Text] | None
    creator_nickname: Text | None
    music_id: Text | None
    entity_recognition: EntityRecognition | None


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


SCHEMA: Final = Schema("metadata_analysis", "metadata", Blocks)
