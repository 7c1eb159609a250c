"""Video metadata: what the scrape says, what it does not say, and round trips."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.frames import VideoInfo
from rumiai.contracts.metadata import VideoMetadata, parse_time

ITEM = {
    "id": "7454",
    "text": "Wait for it 🔥 #fun",
    "createTime": 1735689600,
    "createTimeISO": "2025-01-01T00:00:00.000Z",
    "webVideoUrl": "https://www.tiktok.com/@me/video/7454",
    "authorMeta": {"name": "me", "verified": True, "fans": 12, "nickName": "Me"},
    "videoMeta": {"duration": 79, "width": 576, "height": 1024, "coverUrl": "https://c/x.jpg"},
    "musicMeta": {"musicName": "song"},
    "playCount": 1000, "diggCount": 50, "commentCount": 6, "shareCount": 4, "collectCount": 20,
    "hashtags": [{"id": "1", "name": "fun", "title": "", "cover": ""}, {"name": ""}],
    "mentions": ["@you"], "effectStickers": [], "isAd": False, "isSlideshow": False, "textLanguage": "en",
    "locationCreated": "DE", "mediaUrls": [],
}  # fmt: skip


def test_an_apify_item():
    before = copy.deepcopy(ITEM)
    found = VideoMetadata.from_apify(ITEM)
    assert before == ITEM
    assert (found.video_id, found.username, found.description) == ("7454", "me", "Wait for it 🔥 #fun")
    assert (found.views, found.likes, found.comments, found.shares, found.saves) == (1000, 50, 6, 4, 20)
    assert (found.engagement_rate, found.engagement_rate_with_saves) == (6.0, 8.0)
    assert found.create_time == datetime(2025, 1, 1, tzinfo=UTC)
    assert (found.cover_url, found.download_url) == ("https://c/x.jpg", None)
    assert [tag["name"] for tag in found.hashtags] == ["fun"]
    assert (found.duration, found.width, found.height, found.is_ad) == (79.0, 576, 1024, False)
    assert (found.mentions, found.effect_stickers) == (("@you",), ())
    saved = found.to_dict()
    assert saved["createTime"] == "2025-01-01T00:00:00+00:00"
    assert saved["raw"] == ITEM
    for key in (
        "id", "url", "description", "duration", "views", "likes", "comments", "shares", "saves", "createTime",
        "downloadUrl", "coverUrl", "hashtags", "music", "author", "engagementRate", "username",
    ):  # fmt: skip
        assert key in saved


def test_what_the_scrape_does_not_say_is_unknown():
    empty = VideoMetadata.from_apify({"id": "1"}).to_dict()
    assert {key for key, value in empty.items() if value is not None} == {"id", "raw"}
    assert set(VideoMetadata.local("x").to_dict().values()) == {"x", None}
    assert VideoMetadata.from_apify({"id": "1", "text": ""}).description == ""


@pytest.mark.parametrize("count", [-1, "many", None, True, float("nan")])
def test_hidden_counts_are_unknown(count):
    found = VideoMetadata.from_apify({**ITEM, "playCount": count, "views": None})
    assert found.views is None
    assert found.engagement_rate is None


def test_no_views_no_rate():
    assert VideoMetadata("v", views=0, likes=0, comments=0, shares=0).engagement_rate is None
    assert VideoMetadata("v", views=10, likes=1, comments=None, shares=0).engagement_rate is None


@pytest.mark.parametrize(
    "value",
    ["2025-01-01T00:00:00.000Z", "2025-01-01T01:00:00+01:00", "2025-01-01", 1735689600, "1735689600", 1735689600000],
)
def test_times_of_every_form(value):
    assert parse_time(value) == datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", "yesterday", 0, -5, True, float("inf"), 1e30, {}])
def test_no_time_is_none_and_never_now(value):
    assert parse_time(value) is None


def test_it_reads_back_as_it_was_saved():
    for found in (VideoMetadata.from_apify(ITEM), VideoMetadata.local("x")):
        assert VideoMetadata.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_an_older_files_metadata():
    old = {"id": "1", "views": 5, "createTime": "2025-01-01T00:00:00", "author": {"name": "me"}, "hashtags": ["#a"]}
    found = VideoMetadata.from_dict(old)
    assert (found.username, found.views, found.likes) == ("me", 5, None)
    assert found.hashtags == ({"name": "a"},)
    # The unified analysis keeps the decoder's duration under the plain name.
    assert VideoMetadata.from_dict({"id": "1", "duration": 79.9, "scraped_duration": 79}).duration == 79


@given(st.dictionaries(st.sampled_from([*ITEM, "views", "url", "duration", "music"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "duration", "width"]), inner),
    max_leaves=5,
)))  # fmt: skip
def test_any_item_can_be_read(item):
    found = VideoMetadata.from_apify(item)
    assert VideoMetadata.from_dict(found.to_dict()).to_dict().keys() == found.to_dict().keys()
    for count in (found.views, found.likes, found.comments, found.shares, found.saves):
        assert count is None or count >= 0


def test_facts_of_a_probe():
    info = VideoInfo("x.mp4", 1, "mp4", 9.5, True, True, 576, 1024, 29.97)
    assert MediaFacts.from_info(info, 2.0) == MediaFacts(9.5, 29.97, 576, 1024, 2.0)
    sound = VideoInfo("x.wav", 1, "wav", 9.5, False, True)
    assert MediaFacts.from_info(sound) == MediaFacts(9.5)
    assert MediaFacts(fps=30.0).filled_from(MediaFacts(9.5, 25.0)) == MediaFacts(9.5, 30.0)
    with pytest.raises(ValueError, match="duration_s"):
        MediaFacts(duration_s=0.0)


def test_what_is_unknown_is_taken_from_another_source():
    told = VideoMetadata("a", description="", views=0)
    known = VideoMetadata("b", description="x", views=9, likes=3, hashtags=({"name": "t"},))
    merged = told.completed(known)
    assert merged == VideoMetadata("a", description="", views=0, likes=3, hashtags=({"name": "t"},))
    assert told.completed(None) == told
