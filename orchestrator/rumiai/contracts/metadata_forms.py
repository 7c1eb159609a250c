"""Metadata of a video in the forms that it comes in: scraped items, yt-dlp's, a platform's own, columns of a table.

A member is looked for under the names that those forms have for it. Of an author and of music only what an analysis
reads is taken: the rest is personal and has no use here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rumiai.contracts.metadata import VideoMetadata, parse_time
from rumiai.core.foreign_json import valid
from rumiai.core.numbers import number

# Member -> its names, in order; a dot leads into a member of a member.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "url": ("webVideoUrl", "webpage_url", "url", "link"),
    "username": ("username", "authorMeta.name", "author.name", "author.uniqueId", "author", "uploader", "uploader_id"),
    "description": ("description", "caption", "text", "desc", "title"),
    "duration": ("duration", "videoMeta.duration", "scraped_duration"),
    "views": ("views", "playCount", "view_count", "viewCount", "plays", "stats.playCount"),
    "likes": ("likes", "diggCount", "like_count", "likeCount", "stats.diggCount"),
    "comments": ("comments", "commentCount", "comment_count", "stats.commentCount"),
    "shares": ("shares", "shareCount", "share_count", "repost_count", "stats.shareCount"),
    "saves": ("saves", "collectCount", "save_count", "stats.collectCount"),
    "createTime": ("createTime", "createTimeISO", "create_time", "created_at", "timestamp", "upload_date"),
    "hashtags": ("hashtags", "tags"),
    "mentions": ("mentions",),
    "width": ("width", "videoMeta.width"),
    "height": ("height", "videoMeta.height"),
    "isAd": ("isAd", "is_ad"),
    "isSlideshow": ("isSlideshow", "is_slideshow"),
    "textLanguage": ("textLanguage", "text_language"),
    "locationCreated": ("locationCreated", "location_created"),
}  # fmt: skip
_AUTHOR: Final[Mapping[str, tuple[str, ...]]] = {
    "nickName": ("authorMeta.nickName", "author.nickName", "author.nickname", "nickname", "channel"),
    "verified": ("authorMeta.verified", "author.verified", "verified", "channel_is_verified"),
    "fans": ("authorMeta.fans", "author.fans", "followers", "channel_follower_count"),
}
_MUSIC: Final[Mapping[str, tuple[str, ...]]] = {
    "musicName": ("musicMeta.musicName", "music.musicName", "music.name", "music.title", "music", "track"),
    "musicAuthor": ("musicMeta.musicAuthor", "music.musicAuthor", "music.author", "music_author", "artist"),
    "musicOriginal": ("musicMeta.musicOriginal", "music.musicOriginal", "music.original", "music_original"),
    "musicId": ("musicMeta.musicId", "music.musicId", "music.id", "music_id"),
}
_COUNTS: Final = frozenset({"views", "likes", "comments", "shares", "saves", "width", "height", "fans"})
_FLAGS: Final = frozenset({"isAd", "isSlideshow", "verified", "musicOriginal"})
_NUMBERS: Final = frozenset({"duration"})
_LISTS: Final = frozenset({"hashtags", "mentions"})
_SEPARATORS: Final = re.compile(r"[\s,;|]+")
# Members of a whole item of the scraper, of yt-dlp or of the platform, which has many that nothing reads.
_WHOLE: Final = frozenset({"authorMeta", "videoMeta", "musicMeta", "extractor", "webpage_url", "stats"})
# Members of our own files that are not told by whom they are given.
_PASSED_OVER: Final = frozenset(
    {"id", "video_id", "downloadUrl", "coverUrl", "effectStickers", "raw", "engagementRate", "engagementRateWithSaves"}
)
_TRUTH: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_metadata(fields: Mapping[str, object], video_id: str) -> VideoMetadata:
    """Metadata in any of the forms.

    Args:
        fields: Members, or the cells of a row by their columns; ``author.name`` and ``author/name`` lead into a member.
        video_id: Of the video.

    Raises:
        ValueError: A text stands where a number, a time or a truth value is expected; the message names the member.
    """
    nested = _nested(valid(dict(fields)))
    plain = dict(_members(nested, _NAMES))
    for name, names in (("author", _AUTHOR), ("music", _MUSIC)):
        if members := dict(_members(nested, names)):
            plain[name] = members
    return VideoMetadata.from_dict({**plain, "id": video_id})


def known_names() -> frozenset[str]:
    """Every name that a column may have; those of members of members with a dot."""
    return frozenset(name for table in (_NAMES, _AUTHOR, _MUSIC) for names in table.values() for name in names)


def unread_members(fields: Mapping[str, object]) -> list[str]:
    """Members that nothing reads, such as misspelt ones; none of a whole scraped item, which has many."""
    if _WHOLE & fields.keys():
        return []
    known = {name.partition(".")[0] for name in known_names()} | _PASSED_OVER
    return [name for name in fields if re.split(r"[./]", name)[0] not in known]


def _members(nested: Mapping[str, object], table: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, object]]:
    for member, names in table.items():
        for name in names:
            value = _typed(member, name, _at(nested, name))
            if value is not None:
                yield member, value
                break


def _at(nested: object, name: str) -> object:
    for part in name.split("."):
        nested = nested.get(part) if isinstance(nested, Mapping) else None
    return nested


def _typed(member: str, name: str, value: object) -> object:
    """A value as its member takes it; None where it has none, or one of another form than the member's."""
    if isinstance(value, str) and (not value.strip() and member != "description"):
        return None
    if member in _LISTS:
        return _listed(value)
    if isinstance(value, Mapping | list):
        return None
    if member in _COUNTS or member in _NUMBERS:
        return _number(name, value, whole=member in _COUNTS)
    if member in _FLAGS:
        return _flag(name, value)
    if member == "createTime":
        return _time(name, value)
    return None if value is None or isinstance(value, bool) else str(value)


def _listed(value: object) -> list[object] | None:
    """Names, of a list or of one text; of an entry that has members, such as a scraped hashtag, its name alone."""
    if isinstance(value, str):
        return [*filter(None, _SEPARATORS.split(value))]
    if not isinstance(value, list):
        return None
    return [entry.get("name") if isinstance(entry, Mapping) else entry for entry in value]


def _number(name: str, value: object, *, whole: bool) -> float | int | None:
    if value is None or isinstance(value, bool):
        return None
    text = value.strip().replace(",", "").replace("_", "") if isinstance(value, str) else value
    found = number(text)
    if found is None:
        raise ValueError(f"{name}: got {value!r}, expected a number")
    return int(found) if whole else found


def _flag(name: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    found = _TRUTH.get(str(value).strip().lower())
    if found is None:
        raise ValueError(f"{name}: got {value!r}, expected true or false")
    return found


def _time(name: str, value: object) -> str | None:
    if value is None:
        return None
    found = parse_time(value)
    if found is None:
        raise ValueError(f"{name}: got {value!r}, expected a time such as 2026-11-28T12:00:00Z, or seconds since 1970")
    return found.isoformat()


def _nested(fields: Mapping[str, object]) -> dict[str, object]:
    """Columns such as ``authorMeta.name`` and ``hashtags/0/name`` as members of members and entries of lists."""
    out: dict[str, object] = {}
    lists: dict[str, list[object]] = {}
    for column, value in fields.items():
        first, *rest = re.split(r"[./]", column)
        if not rest:
            out[column] = value
        elif rest[0].isdigit():
            if value not in (None, "") and rest[1:] in ([], ["name"]):
                lists.setdefault(first, []).append(value)
        else:
            into = out.setdefault(first, {})
            if isinstance(into, dict):
                into[rest[0]] = value
    return {**lists, **out}
