"""The same facts in every form that they come in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.metadata_forms import known_names, read_metadata, unread_members
from rumiai.metrics.metadata_analysis.engagement import Creator, Music, read_creator, read_music

EXPECTED = VideoMetadata(
    "7",
    url="https://www.tiktok.com/@me/video/7",
    username="me",
    description="Wait for it #fun",
    duration=79.0,
    views=1000,
    likes=50,
    comments=6,
    shares=4,
    saves=20,
    create_time=datetime(2025, 1, 1, tzinfo=UTC),
    hashtags=({"name": "fun"}, {"name": "day"}),
    author={"nickName": "Me", "verified": True, "fans": 12},
    music={"musicName": "song", "musicAuthor": "band", "musicOriginal": False, "musicId": "5"},
    width=576,
    height=1024,
)
# As the actor that scrapes TikTok gives it, with personal members that no analysis reads.
APIFY = {
    "id": "7", "text": "Wait for it #fun", "createTimeISO": "2025-01-01T00:00:00.000Z",
    "webVideoUrl": "https://www.tiktok.com/@me/video/7",
    "authorMeta": {"name": "me", "verified": True, "fans": 12, "nickName": "Me", "signature": "my life", "avatar": "x"},
    "videoMeta": {"duration": 79, "width": 576, "height": 1024, "coverUrl": "https://c/x.jpg?sig=1"},
    "musicMeta": {"musicName": "song", "musicAuthor": "band", "musicOriginal": False, "musicId": "5", "playUrl": "u"},
    "playCount": 1000, "diggCount": 50, "commentCount": 6, "shareCount": 4, "collectCount": 20,
    "hashtags": [{"id": "1", "name": "fun", "cover": ""}, {"name": "day"}], "detailedMentions": [{"id": "9"}],
}  # fmt: skip
# As `yt-dlp --write-info-json` leaves it.
YTDLP = {
    "id": "7", "title": "Wait for it...", "description": "Wait for it #fun", "timestamp": 1735689600,
    "upload_date": "20250101", "webpage_url": "https://www.tiktok.com/@me/video/7", "uploader": "me",
    "channel": "Me", "channel_is_verified": True, "channel_follower_count": 12, "duration": 79, "width": 576,
    "height": 1024, "view_count": 1000, "like_count": 50, "comment_count": 6, "repost_count": 4, "save_count": 20,
    "track": "song", "artist": "band", "music_original": False, "music_id": "5", "tags": ["fun", "day"],
    "comments": [{"author": "someone"}], "formats": [{}], "extractor": "TikTok",
    "url": "https://media/x?sig=1", "thumbnail": "https://c/x",
}  # fmt: skip
CSV = {
    "url": "https://www.tiktok.com/@me/video/7", "username": "me", "caption": "Wait for it #fun", "duration": "79",
    "views": "1,000", "likes": "50", "comments": "6", "shares": "4", "saves": "20", "created_at": "2025-01-01",
    "hashtags": "#fun, #day", "nickname": "Me", "verified": "TRUE", "followers": "12", "music": "song",
    "music_author": "band", "music_original": "no", "music_id": "5", "width": "576", "height": "1024",
}  # fmt: skip
# The columns of a data set that was exported as CSV.
EXPORTED = {
    "text": "Wait for it #fun", "createTimeISO": "2025-01-01T00:00:00.000Z", "authorMeta/name": "me",
    "webVideoUrl": "https://www.tiktok.com/@me/video/7", "authorMeta/verified": "true", "authorMeta/fans": "12",
    "authorMeta.nickName": "Me", "videoMeta.duration": "79", "videoMeta/width": "576", "videoMeta/height": "1024",
    "musicMeta/musicName": "song", "musicMeta/musicAuthor": "band", "musicMeta/musicOriginal": "false",
    "musicMeta/musicId": "5", "playCount": "1000", "diggCount": "50", "commentCount": "6", "shareCount": "4",
    "collectCount": "20", "hashtags/0/id": "1", "hashtags/0/name": "fun", "hashtags/1/name": "day",
    "hashtags/2/name": "",
}  # fmt: skip


@pytest.mark.parametrize("form", [APIFY, YTDLP, CSV, EXPORTED], ids=["apify", "yt-dlp", "csv", "exported"])
def test_every_form_says_the_same(form: dict[str, Any]) -> None:
    assert read_metadata(form, "7") == EXPECTED


def test_our_own_form_says_the_same() -> None:
    assert read_metadata(EXPECTED.to_dict(), "7") == EXPECTED


def test_analyses_read_the_author_and_the_music() -> None:
    assert read_creator(EXPECTED) == Creator("Me", True, 12)
    assert read_music(EXPECTED) == Music("5", "song", "band", False)


def test_a_scraped_item_says_no_more_when_it_is_reduced() -> None:
    """What from_apify reads keeps its facts; what is personal and read by nobody goes."""
    full = VideoMetadata.from_apify(APIFY)
    kept = full.needed()
    assert (read_creator(kept), read_music(kept)) == (read_creator(full), read_music(full))
    assert kept.raw is kept.cover_url is kept.download_url is None
    text = str(kept.to_dict())
    assert not any(word in text for word in ("my life", "avatar", "playUrl", "sig=1", "detailedMentions"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"views": "12k"}, "views: got '12k', expected a number"),
        ({"playCount": "many"}, "playCount: got 'many'"),
        ({"createTime": "yesterday"}, "createTime: got 'yesterday', expected a time"),
        ({"verified": "perhaps"}, "verified: got 'perhaps', expected true or false"),
    ],
)
def test_what_is_of_another_kind_is_named(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_metadata(fields, "7")


def test_nothing_is_unknown_and_an_empty_caption_is_known() -> None:
    assert read_metadata({}, "7") == VideoMetadata.local("7")
    assert read_metadata({"description": ""}, "7").description == ""
    assert read_metadata({"views": "", "likes": "-1", "hashtags": ""}, "7") == VideoMetadata("7", hashtags=None)


@given(st.dictionaries(st.sampled_from(sorted(known_names())), st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "fans"]), inner, max_size=2),
    max_leaves=4,
)))  # fmt: skip
def test_anything_is_read_or_named(fields: dict[str, Any]) -> None:
    try:
        found = read_metadata(fields, "7")
    except ValueError:
        return
    assert VideoMetadata.from_dict(found.to_dict()) == found


def test_our_own_form_has_no_member_that_nothing_reads() -> None:
    assert unread_members({**VideoMetadata("7").to_dict(), "captoin": "x"}) == ["captoin"]
