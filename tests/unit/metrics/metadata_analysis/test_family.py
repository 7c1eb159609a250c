"""metadata_analysis by hand-written captions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.metrics.registry import schema_of

from ...metrics_videos import flat, objects, result, segment, text

NAME = "metadata_analysis"
TAGS = ({"name": "Coffee"}, {"name": "fyp"})


def metadata(description=None, content=None, **more):
    found = result(NAME, metadata=VideoMetadata("v", description=description, **more), **(content or {}))
    assert [str(p) for p in schema_of(NAME).problems(found.blocks)] == []
    return flat(found) | found.precompute


def test_a_scrape_by_hand():
    found = metadata(
        "Did you know this SECRET? 😀🔥🔥 Follow me for more! #coffee #DIY @Bob www.shop.com",
        hashtags=TAGS, mentions=("@bob", "@ann"), views=2000, likes=180, comments=20, shares=10, saves=90,
        create_time=datetime(2024, 5, 5, 23, 30, tzinfo=UTC), username="maker", text_language="en",
        author={"name": "maker", "verified": True, "fans": 10001, "nickName": "Maker"},
        music={"musicName": "Song", "musicAuthor": "Band", "musicOriginal": False, "musicId": "7"},
    )  # fmt: skip
    assert found["hashtag_list"] == ["Coffee", "fyp", "DIY"]
    assert (found["hashtagCount"], found["emojiCount"], found["mentionCount"]) == (3, 3, 2)
    assert (found["captionLength"], found["wordCount"], found["captionWordCount"]) == (80, 14, 9)
    assert found["linkPresent"] is True
    assert (found["publishHour"], found["publishDayOfWeek"]) == (23, 6)
    assert (found["viewCount"], found["likeCount"], found["commentCount"]) == (2000, 180, 20)
    assert (found["shareCount"], found["saveCount"]) == (10, 90)
    assert (found["engagementRate"], found["engagementRateWithSaves"]) == (10.5, 15.0)
    assert (found["emojiDensity"], found["mentionDensity"]) == (0.333, 0.222)
    assert found["hashtagStrategy"] == "moderate"
    assert found["languageCode"] == "en"
    assert found["urgencyLevel"] == "none"
    assert (found["sentimentPolarity"], found["sentimentCategory"]) == (1.0, "positive")
    # engagement .2, hook .2, moderate tags .1, positive .1, emoji .1
    assert found["viralPotentialScore"] == 0.7
    assert found["hashtagCounts"] == {"nicheCount": 2, "genericCount": 1}
    assert found["engagementAlignment"] == {
        "likesToViewsRatio": 0.09, "commentsToViewsRatio": 0.01, "sharesToViewsRatio": 0.005,
        "aboveAverageEngagement": True,
    }  # fmt: skip
    assert found["creatorContext"] == {
        "username": "maker", "verified": True, "followerCount": 10001, "establishedCreator": True,
    }  # fmt: skip
    assert found["musicContext"] == {"name": "Song", "author": "Band", "original": False}
    assert found["hashtags"][1] == {"tag": "#fyp", "position": 1, "type": "generic", "estimatedReach": "high"}
    assert found["emojis"] == [
        {"emoji": "😀", "count": 1, "sentiment": "positive", "emphasis": False},
        {"emoji": "🔥", "count": 2, "sentiment": "positive", "emphasis": True},
    ]
    assert [(h["text"], h["position"], h["type"]) for h in found["hooks"]] == [
        ("Did you know", "start", "question"), ("SECRET", "middle", "promise"),
    ]  # fmt: skip
    assert found["callToActions"] == [
        {"text": "Follow me", "type": "follow", "explicitness": "direct", "urgency": "none"}
    ]
    assert found["keyMentions"] == ["Bob", "ann"]
    assert found["primaryEmojis"] == ["🔥", "😀"]
    assert (found["hasHook"], found["callToAction"], found["hasQuestion"], found["hasExclamation"]) == (1, 1, 1, 1)
    assert found["linguisticMarkers"] == {
        "questionCount": 1, "exclamationCount": 1, "capsLockWords": 1, "personalPronounCount": 2,
    }  # fmt: skip
    assert found["hashtagPatterns"] == {"leadWithGeneric": False, "allCaps": True}
    assert found["hashtagBreakdown"] == {
        "total": 3, "generic": 1, "niche": 2, "genericRatio": 0.333, "strategy": "moderate",
    }  # fmt: skip
    assert found["ctaFeatures"]["ctaFollow"] == found["ctaFeatures"]["ctaCount"] == 1
    assert found["ctaFeatures"]["ctaBuy"] == 0  # the shop is an address
    assert found["keywords"] == ["know", "secret", "follow"]
    assert found["contentCategory"] == "food"
    assert found["captionTechniques"] == ["hook", "question", "call_to_action", "emoji_emphasis", "mention"]
    assert found["music_id"] == "7"
    assert (found["captionPresent"], found["hashtagsPresent"], found["statsAvailable"]) == (True, True, True)
    assert (found["publishTimeAvailable"], found["creatorDataAvailable"]) == (True, True)
    assert found["dataCompleteness"] == 1.0


def test_a_file_without_any_metadata():
    found = result(NAME, metadata=VideoMetadata.local("v"))
    assert schema_of(NAME).problems(found.blocks) == []
    core = found.blocks["CoreMetrics"]
    assert core["confidence"] == 0.0
    assert core["videoDuration"] == 12.0
    assert {core[name] for name in ("captionLength", "hashtagCount", "viewCount", "publishHour", "linkPresent")} == {
        None
    }
    quality = found.blocks["Quality"]
    assert not any(quality[name] for name in ("captionPresent", "hashtagsPresent", "statsAvailable"))
    assert quality["captionQuality"] is quality["hashtagQuality"] is None
    missing = {item["service"]: item["reason"] for item in quality["missingServices"]}
    assert missing == dict.fromkeys(("caption", "stats", "hashtags", "createTime", "author"), "not in the metadata")
    assert found.blocks["Dynamics"]["languageCode"] is None
    assert found.blocks["Interactions"]["contentAlignment"] is None
    assert found.blocks["Interactions"]["confidence"] == 0.0  # it says nothing
    assert found.blocks["Patterns"]["contentCategory"] is found.blocks["Patterns"]["captionTechniques"] is None


def test_an_empty_caption_is_known():
    found = metadata("", views=0, likes=3)
    assert (found["captionLength"], found["wordCount"], found["emojiCount"]) == (0, 0, 0)
    assert found["captionQuality"] == "empty"
    assert found["captionPresent"] is False
    assert found["hashtagCount"] == 0
    assert found["hashtagStrategy"] == found["hashtagQuality"] == "none"
    assert found["engagementRate"] is None
    assert found["engagementAlignment"] is None
    assert found["emojiDensity"] is found["readabilityScore"] is None
    assert found["sentimentCategory"] == "neutral"
    assert found["contentCategory"] is None


@pytest.mark.parametrize(
    ("count", "word"), [(0, "none"), (2, "minimal"), (3, "moderate"), (7, "moderate"), (8, "heavy"), (16, "spam")]
)
def test_hashtag_strategy(count, word):
    assert metadata(" ".join(f"#tag{i}" for i in range(count)))["hashtagStrategy"] == word


def test_urgency_is_on_word_boundaries():
    assert metadata("I know how")["urgencyLevel"] == "none"
    assert metadata("ends today only")["urgencyLevel"] == "high"
    assert metadata("coming back")["urgencyLevel"] == "low"


@pytest.mark.parametrize(
    ("caption", "code"),
    [
        ("これはテストです", "ja"), ("这是测试", "zh"), ("это тест", "ru"), ("the cat and the dog", "en"),
        ("el gato y los perros con una casa", "es"), ("wow", None), ("der Hund und die Katze ist nicht da", "de"),
    ],
)  # fmt: skip
def test_language_of_the_caption(caption, code):
    assert metadata(caption, text_language="un")["languageCode"] == code


def test_alignment_with_what_is_said_and_shown():
    content = {
        "segments": [segment("my iced coffee recipe", 1.0, 3.0)],
        "texts": [text("Kitchen hacks", 4.0, 6.0)],
        "detections": objects("teddy bear", [1.0]),
    }
    found = metadata("recipe kitchen weather #IcedCoffee #hacks #rain", content)
    assert found["contentAlignment"] == {
        "hashtagAlignment": 0.667, "keywordAlignment": 0.667, "mentionedHashtags": ["#IcedCoffee", "#hacks"],
        "mentionedKeywords": ["recipe", "kitchen"],
    }  # fmt: skip
    assert found["hashtagQuality"] == "relevant"
    assert metadata("#teddybear", content)["hashtagQuality"] == "relevant"
    assert metadata("#rain #snow", content)["hashtagQuality"] == "mixed"
    assert metadata("#fyp #viral #rain", content)["hashtagQuality"] == "spammy"
    for missing in ("whisper", "ocr"):
        assert metadata("#hacks", {**content, "missing": [missing]})["contentAlignment"] is None


def test_caption_quality():
    easy = "You can make this at home in ten steps and it is good"
    assert metadata(easy)["captionQuality"] == "high"
    assert metadata("You can make this at home")["captionQuality"] == "medium"
    assert metadata("hello")["captionQuality"] == "low"
