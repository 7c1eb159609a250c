"""Schema of metadata_analysis."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.model import Analysis, analysis, judge, num, sure
from rumiai.contracts.blocks.types import (
    BIT,
    FLAG,
    INT,
    POSITIVE,
    RATIO,
    SECONDS,
    SIGNED,
    STRINGS,
    TEXT,
    ListOf,
    Maybe,
    Number,
    Record,
    Table,
    words,
)

# Counts of a scrape are not consistent among themselves: more likes than views happens, so no upper bound.
_ENGAGEMENT = Number(low=0, unit="%")
_LEVEL = words("high medium low")
_URGENCY = words("high medium low none")
_POSITION = words("start middle end")
_TAG = Record(tag=TEXT, position=INT, type=words("generic niche"), estimatedReach=_LEVEL)
_EMOJI = Record(emoji=TEXT, count=INT, sentiment=words("positive negative neutral"), emphasis=FLAG)
_HOOK = Record(text=TEXT, position=_POSITION, type=words("curiosity promise question challenge"), strength=RATIO)
_CTA = Record(
    text=TEXT, type=words("follow like comment share save visit buy subscribe download"),
    explicitness=words("direct implied"), urgency=_URGENCY,
)  # fmt: skip
_STRATEGY = words("none minimal moderate heavy spam")
_MARKERS = ("questionCount", "exclamationCount", "capsLockWords", "personalPronounCount")

METADATA_ANALYSIS: Final[Analysis] = analysis(
    "metadata_analysis",
    "metadata",
    core=(
        num("captionLength", INT, "code points of the NFC text"),
        num("wordCount", INT, "split on blanks"),
        num("captionWordCount", INT, "without hashtags, mentions, addresses and emoji"),
        num("hashtagCount", INT, "scrape and caption together"),
        num("emojiCount", INT, "grapheme clusters"),
        num("mentionCount", INT, "distinct mentions"),
        num("linkPresent", FLAG, "a web address in the caption"),
        sure("videoDuration", SECONDS, "D"),
        num("publishHour", Number(whole=True, low=0, high=23), "UTC"),
        num("publishDayOfWeek", Number(whole=True, low=0, high=6), "Monday 0, UTC"),
        num("viewCount", INT, "of the scrape"),
        num("likeCount", INT, "of the scrape"),
        num("commentCount", INT, "of the scrape"),
        num("shareCount", INT, "of the scrape"),
        num("saveCount", INT, "of the scrape"),
        num("engagementRate", _ENGAGEMENT, "(likes + comments + shares) / views"),
        num("engagementRateWithSaves", _ENGAGEMENT, "the same with saves"),
    ),
    dynamics=(
        num("hashtagStrategy", _STRATEGY, "0, < 3, <= 7, <= 15, more"),
        num("captionStyle", words("storytelling direct question list minimal"), "shape of the caption"),
        num("emojiDensity", POSITIVE, "emoji / captionWordCount"),
        num("mentionDensity", POSITIVE, "mentions / captionWordCount"),
        num("readabilityScore", RATIO, "Flesch reading ease / 100"),
        num("sentimentPolarity", SIGNED, "(p - n)/(p + n)"),
        num("sentimentCategory", words("positive negative neutral mixed"), "polarity beyond +-.2"),
        num("urgencyLevel", _URGENCY, "by urgency words"),
        num("viralPotentialScore", RATIO, "heuristic"),
        num("languageCode", TEXT, "of the scrape or of the script"),
    ),
    interactions=(
        num("hashtagCounts", Record(nicheCount=INT, genericCount=INT), "niche and generic tags"),
        sure(
            "engagementAlignment",
            Record(
                likesToViewsRatio=Maybe(POSITIVE),
                commentsToViewsRatio=Maybe(POSITIVE),
                sharesToViewsRatio=Maybe(POSITIVE),
                aboveAverageEngagement=Maybe(FLAG),
            ),
            "shares of the views",
        ),
        sure(
            "creatorContext",
            Record(
                username=Maybe(TEXT), verified=Maybe(FLAG), followerCount=Maybe(INT), establishedCreator=Maybe(FLAG)
            ),
            "who published",
        ),
        num(
            "contentAlignment",
            Record(
                hashtagAlignment=Maybe(RATIO),
                keywordAlignment=Maybe(RATIO),
                mentionedHashtags=STRINGS,
                mentionedKeywords=STRINGS,
            ),
            "tags and caption words found in speech and text",
        ),
        num("musicContext", Record(name=Maybe(TEXT), author=Maybe(TEXT), original=Maybe(FLAG)), "music of the scrape"),
    ),
    key_events=(
        num("hashtags", ListOf(_TAG), "all"),
        num("emojis", ListOf(_EMOJI), "distinct, by first appearance"),
        num("hooks", ListOf(_HOOK), "phrases in the caption; a model may append", extensible=True),
        num("callToActions", ListOf(_CTA), "direct ones; a model may append implied ones", extensible=True),
        num("keyMentions", STRINGS, "distinct, by first appearance", origin="P"),
        num("primaryEmojis", STRINGS, "most used", origin="P"),
        num("hasHook", BIT, "whether there is a hook", origin="P"),
        num("callToAction", BIT, "whether there is a call to action", origin="P"),
    ),
    patterns=(
        num("linguisticMarkers", Record({name: INT for name in _MARKERS}), "of the caption words"),
        num("hashtagPatterns", Record(leadWithGeneric=FLAG, allCaps=FLAG), "order and case of the tags"),
        num(
            "hashtagBreakdown",
            Record(total=INT, generic=INT, niche=INT, genericRatio=Maybe(RATIO), strategy=_STRATEGY),
            "counts together",
            origin="P",
        ),
        num("ctaFeatures", Table(INT), "0 or 1 per kind, and ctaCount", origin="P"),
        num("hasQuestion", BIT, "a question mark in the caption", origin="P"),
        num("hasExclamation", BIT, "an exclamation mark in the caption", origin="P"),
        judge("contentCategory", TEXT, "what the video is about"),
        judge("captionTechniques", STRINGS, "techniques with evidence"),
        num("keywords", STRINGS, "most used content words"),
    ),
    quality=(
        sure("captionPresent", FLAG, "a caption that is not blank"),
        sure("hashtagsPresent", FLAG, "at least one tag"),
        sure("statsAvailable", FLAG, "any count in the scrape"),
        sure("publishTimeAvailable", FLAG, "a publishing time in the scrape"),
        sure("creatorDataAvailable", FLAG, "a creator in the scrape"),
        num("captionQuality", words("high medium low empty"), "by length and readability"),
        num("hashtagQuality", words("relevant mixed spammy none"), "by generic share and overlap with the content"),
        sure("dataCompleteness", RATIO, "used services that ran / used services"),
    ),
)
