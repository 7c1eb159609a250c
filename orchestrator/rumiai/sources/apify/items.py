"""Items of the actor ``clockworks/tiktok-scraper``: what is kept of one, and where its media are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.core.json_values import JsonObject, JsonValue

ACTOR: Final = "GdWCkxBtKWOsKjdch"

# What the analyses read, what fetches the media and what tells which link an item answers. All else is left out: who
# follows whom, biographies, pictures and identities of people, addresses.
_KEPT: Final[Mapping[str, frozenset[str] | None]] = {
    **dict.fromkeys(
        (
            "id", "text", "textLanguage", "createTime", "createTimeISO", "isAd", "isSponsored", "isSlideshow",
            "webVideoUrl", "url", "submittedVideoUrl", "input", "playCount", "diggCount", "commentCount", "shareCount",
            "collectCount", "mentions", "locationCreated", "mediaUrls", "videoUrl", "downloadAddr", "downloadUrl",
            "error", "errorCode",
        )
    ),
    "authorMeta": frozenset({"name", "nickName", "verified", "fans"}),
    "videoMeta": frozenset(
        {"duration", "width", "height", "coverUrl", "originalCoverUrl", "definition", "format", "downloadAddr"}
    ),
    "musicMeta": frozenset({"musicId", "musicName", "musicAuthor", "musicOriginal", "playUrl"}),
    "hashtags": frozenset({"id", "name", "title"}),
    "effectStickers": frozenset({"ID", "id", "name"}),
    "slideshowImageLinks": frozenset({"tiktokLink", "downloadLink"}),
    "searchHashtag": frozenset({"name"}),
}  # fmt: skip


@dataclass(frozen=True)
class PostMedia:
    """Where the media of a post are; of each thing several addresses may be known, the likeliest first.

    Attributes:
        videos: Addresses of the video; empty where the scraper gives none, and for a photo post with its pictures.
        pictures: For each picture of a photo post its addresses.
        sounds: Addresses of the sound under the pictures.
    """

    videos: tuple[str, ...] = ()
    pictures: tuple[tuple[str, ...], ...] = ()
    sounds: tuple[str, ...] = ()


def without_private_members(item: Mapping[str, JsonValue]) -> JsonObject:
    """The members of an item that something of ours reads; the others are left out."""
    return {name: _of(item[name], members) for name, members in _KEPT.items() if name in item}


def _of(value: JsonValue, members: frozenset[str] | None) -> JsonValue:
    if members is None:
        return value
    if isinstance(value, Mapping):
        return {name: inner for name, inner in value.items() if name in members}
    if isinstance(value, list):
        return [_of(inner, members) for inner in value if isinstance(inner, Mapping)]
    return None


def post_id(item: Mapping[str, object]) -> str | None:
    """TikTok's id of the post; None where the item is a report of an error."""
    value = item.get("id")
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and text.isascii() and text.isdecimal() else None


def error_of(item: Mapping[str, object]) -> str | None:
    """What the scraper says instead of a post; None for a post."""
    value = item.get("error") or item.get("errorCode")
    return " ".join(str(value).split())[:200] if value else None


def media_of(item: Mapping[str, object]) -> PostMedia:
    """Where the media of a post are.

    Of a slideshow ``mediaUrls`` are its pictures where it has no list of them, and what would be its video is a sound.
    """
    video, media = _mapping(item.get("videoMeta")), _urls(item.get("mediaUrls"))
    named = [
        item.get("videoUrl"),
        item.get("downloadAddr"),
        *media[:1],
        video.get("downloadAddr"),
        item.get("downloadUrl"),
    ]
    videos = _distinct(_urls(named))
    links = item.get("slideshowImageLinks")
    if isinstance(links, list) and links:
        sounds = _urls([_mapping(item.get("musicMeta")).get("playUrl"), video.get("downloadAddr")])
        return PostMedia(pictures=_pictures(links), sounds=_distinct(sounds))
    if item.get("isSlideshow") is True:
        sounds = _urls([_mapping(item.get("musicMeta")).get("playUrl")])
        return PostMedia(videos, tuple((url,) for url in media), _distinct(sounds))
    return PostMedia(videos)


def _pictures(links: Sequence[object]) -> tuple[tuple[str, ...], ...]:
    parts = [(_mapping(link), link) for link in links]
    return tuple(_distinct(_urls([part.get("downloadLink"), part.get("tiktokLink"), link])) for part, link in parts)


def _urls(values: object) -> list[str]:
    given: Iterator[object] = iter(values if isinstance(values, list) else ())
    return [value.strip() for value in given if isinstance(value, str) and value.strip()]


def _distinct(urls: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(urls))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
