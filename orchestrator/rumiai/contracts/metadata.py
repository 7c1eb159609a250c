"""What is known of a video besides its picture and sound: caption, counts, author.

What the source does not say is None: never 0, never an empty caption, never "now".
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from rumiai.contracts.facts import MediaFacts
from rumiai.core.json_values import JsonObject, JsonValue
from rumiai.core.numbers import number

# Epoch numbers above this are milliseconds: as seconds it would be the year 5138.
_MILLISECONDS_ABOVE: Final = 1e11

# What analyses read of an author and of music (metrics/metadata_analysis/engagement.py).
_READ_OF_AUTHOR: Final = frozenset({"nickName", "verified", "fans"})
_READ_OF_MUSIC: Final = frozenset({"musicName", "name", "musicAuthor", "author", "musicOriginal", "musicId"})
# dataclass field -> key of to_dict, for the members that need no conversion.
_PLAIN_KEYS: Final[Mapping[str, str]] = {
    "video_id": "id", "url": "url", "username": "username", "description": "description", "duration": "duration",
    "views": "views", "likes": "likes", "comments": "comments", "shares": "shares", "saves": "saves",
    "download_url": "downloadUrl", "cover_url": "coverUrl", "width": "width", "height": "height", "is_ad": "isAd",
    "is_slideshow": "isSlideshow", "text_language": "textLanguage", "location_created": "locationCreated",
    "music": "music", "author": "author", "raw": "raw",
}  # fmt: skip


@dataclass(frozen=True)
class VideoMetadata:
    """A video's metadata; None is unknown, an empty tuple is "none of them".

    ``duration`` is the scrape's, in seconds (the decoder's is the one that counts); ``create_time`` is in UTC;
    ``hashtags`` are ``{id, name, title, cover}`` with ``name`` always there; ``raw`` is the scraped item as it came,
    for replays, never sent to a model.
    """

    video_id: str
    url: str | None = None
    username: str | None = None
    description: str | None = None
    duration: float | None = None
    views: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    create_time: datetime | None = None
    download_url: str | None = None
    cover_url: str | None = None
    hashtags: tuple[Mapping[str, object], ...] | None = None
    mentions: tuple[str, ...] | None = None
    effect_stickers: tuple[Any, ...] | None = None
    music: Mapping[str, object] | None = None
    author: Mapping[str, object] | None = None
    width: int | None = None
    height: int | None = None
    is_ad: bool | None = None
    is_slideshow: bool | None = None
    text_language: str | None = None
    location_created: str | None = None
    raw: Mapping[str, object] | None = field(default=None, repr=False)

    @classmethod
    def local(cls, video_id: str) -> VideoMetadata:
        """A file of the user's own, of which nothing but its name is known."""
        return cls(video_id)

    @classmethod
    def from_apify(cls, item: Mapping[str, object]) -> VideoMetadata:
        """Read an item of the TikTok scraper; missing members are None."""
        video, author = _mapping(item.get("videoMeta")) or {}, _mapping(item.get("authorMeta"))
        media = item.get("mediaUrls")
        return cls(
            video_id=_text(item.get("id")) or "",
            url=_first_text(item, "webVideoUrl", "url"),
            username=_text((author or {}).get("name")),
            description=_caption(item, "text", "description"),
            duration=_positive(video.get("duration", item.get("duration"))),
            views=_count(item, "playCount", "views"),
            likes=_count(item, "diggCount", "likes"),
            comments=_count(item, "commentCount", "comments"),
            shares=_count(item, "shareCount", "shares"),
            saves=_count(item, "collectCount", "saves"),
            create_time=parse_time(item.get("createTimeISO")) or parse_time(item.get("createTime")),
            download_url=_first_text(item, "videoUrl", "downloadAddr")
            or (_text(media[0]) if isinstance(media, list) and media else None)
            or _first_text(item, "downloadUrl"),
            cover_url=_first_text(video, "coverUrl", "cover") or _first_text(item, "coverUrl"),
            hashtags=_hashtags(item.get("hashtags")),
            mentions=_strings(item.get("mentions")),
            effect_stickers=_tuple(item.get("effectStickers")),
            music=_mapping(item.get("musicMeta")) or _mapping(item.get("music")),
            author=author or _mapping(item.get("author")),
            width=_pixels(video.get("width")),
            height=_pixels(video.get("height")),
            is_ad=_flag(item.get("isAd")),
            is_slideshow=_flag(item.get("isSlideshow")),
            text_language=_text(item.get("textLanguage")),
            location_created=_text(item.get("locationCreated")),
            raw=copy.deepcopy(dict(item)),
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> VideoMetadata:
        """Read :meth:`to_dict`'s form, older files' included (their zero counts cannot be told from unknown: kept)."""
        plain: dict[str, Any] = {name: data.get(key) for name, key in _PLAIN_KEYS.items()}
        plain |= {name: _number(plain[name]) for name in ("views", "likes", "comments", "shares", "saves")}
        plain |= {name: _text(plain[name]) for name in ("url", "username", "download_url", "cover_url")}
        plain["description"] = _caption(data, "description")
        plain |= {name: _copied(_mapping(plain[name])) for name in ("music", "author", "raw")}
        plain |= {name: _pixels(plain[name]) for name in ("width", "height")}
        scraped = data.get("scraped_duration", data.get("duration"))
        plain["video_id"] = str(data.get("id") or data.get("video_id") or "")
        plain["duration"] = _positive(scraped)
        plain["username"] = plain["username"] or _text((_mapping(data.get("author")) or {}).get("name"))
        return cls(
            **plain,
            create_time=parse_time(data.get("createTime")),
            hashtags=_hashtags(data.get("hashtags")),
            mentions=_strings(data.get("mentions")),
            effect_stickers=_tuple(data.get("effectStickers")),
        )

    def completed(self, other: VideoMetadata | None) -> VideoMetadata:
        """These members, and those of ``other`` where they are unknown; the id stays."""
        if other is None:
            return self
        names = [member.name for member in fields(self) if member.name != "video_id"]
        return replace(self, **{name: getattr(other, name) for name in names if getattr(self, name) is None})

    def needed(self) -> VideoMetadata:
        """Without what no analysis reads: the rest of author and music, addresses that expire, the scraped item."""
        return replace(
            self,
            author=_only(self.author, _READ_OF_AUTHOR),
            music=_only(self.music, _READ_OF_MUSIC),
            download_url=None,
            cover_url=None,
            raw=None,
        )

    @property
    def engagement_rate(self) -> float | None:
        """100 x (likes + comments + shares) / views, in percent; None when any is unknown or there are no views."""
        return self._rate(self.likes, self.comments, self.shares)

    @property
    def engagement_rate_with_saves(self) -> float | None:
        """As :attr:`engagement_rate`, saves included."""
        return self._rate(self.likes, self.comments, self.shares, self.saves)

    def _rate(self, *counts: int | None) -> float | None:
        known = [count for count in counts if count is not None]
        if not self.views or len(known) < len(counts):
            return None
        return round(100.0 * sum(known) / self.views, 2)

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form, camel case as older files have it; every key is there, unknown ones null."""
        out: dict[str, JsonValue] = {key: _copied(getattr(self, name)) for name, key in _PLAIN_KEYS.items()}
        return out | {
            "createTime": self.create_time.isoformat() if self.create_time is not None else None,
            "hashtags": None if self.hashtags is None else [_copied(tag) for tag in self.hashtags],
            "mentions": None if self.mentions is None else list(self.mentions),
            "effectStickers": None if self.effect_stickers is None else copy.deepcopy(list(self.effect_stickers)),
            "engagementRate": self.engagement_rate,
            "engagementRateWithSaves": self.engagement_rate_with_saves,
        }


@dataclass(frozen=True)
class AnalysisMetadata:
    """What a unified analysis says of its video, besides what the services found.

    Attributes:
        members: As the file holds them, with those that only older versions wrote.
    """

    members: JsonObject = field(default_factory=dict)

    @classmethod
    def of(cls, video: VideoMetadata) -> AnalysisMetadata:
        """What a source says, before the file was looked at."""
        return cls(video.to_dict())

    def of_pictures(self, count: int, seconds_each: float) -> AnalysisMetadata:
        """Of a post of still pictures: how many, and how long each is shown in the video that was made of them."""
        stills = {"pictures": count, "seconds_each": seconds_each}
        return AnalysisMetadata({**self.members, "isSlideshow": True, "stills": stills})

    @property
    def stills_remark(self) -> str | None:
        """What is to be known of the times of a post of pictures; None for a video."""
        told = self.members.get("stills")
        if not isinstance(told, Mapping):
            return None
        return f"stills: each of {told.get('pictures')} pictures is shown for {told.get('seconds_each')} s by RumiAI"

    def with_file(self, facts: MediaFacts) -> AnalysisMetadata:
        """With the file's duration, size and rate as further members; the source's duration is kept beside it."""
        known = {"width": facts.width, "height": facts.height, "fps": facts.fps}
        told = {key: value for key, value in known.items() if value is not None}
        scraped = {"scraped_duration": self.scraped_duration_s, "duration": facts.duration_s}
        return AnalysisMetadata({**self.members, **scraped, **told})

    def without_file(self) -> AnalysisMetadata:
        """Without the file's duration: what :meth:`with_file` takes again."""
        return AnalysisMetadata({key: value for key, value in self.members.items() if key != "duration"})

    @property
    def scraped_duration_s(self) -> float | None:
        """The duration that the source states; None when it states none."""
        return number(self.members.get("scraped_duration", self.members.get("duration")))

    @cached_property
    def video(self) -> VideoMetadata:
        """What the source says; a member that cannot be read is None."""
        return VideoMetadata.from_dict(self.members)

    def facts(self, duration_s: float) -> MediaFacts:
        """What the file says; ``duration_s`` is the decoder's."""
        return MediaFacts.from_metadata(self.members, duration_s)


def parse_time(value: object) -> datetime | None:
    """An instant in UTC from ISO text or an epoch number (seconds or milliseconds, also as text); else None."""
    if isinstance(value, str):
        try:
            return _utc(datetime.fromisoformat(value.strip()))
        except (ValueError, OverflowError):
            pass
    seconds = number(value)
    if seconds is None or seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS_ABOVE else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _utc(moment: datetime) -> datetime:
    # Scrapers that write no zone mean UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _positive(value: object) -> float | None:
    found = number(value)
    return found if found is not None and found > 0 else None


def _number(value: object) -> int | None:
    # Scrapers write -1 for a hidden count.
    found = number(value)
    return int(found) if found is not None and found >= 0 else None


def _pixels(value: object) -> int | None:
    return _number(value) or None


def _count(item: Mapping[str, object], *keys: str) -> int | None:
    return next((found for key in keys if (found := _number(item.get(key))) is not None), None)


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _first_text(item: Mapping[str, object], *keys: str) -> str | None:
    return next((found for key in keys if (found := _text(item.get(key))) is not None), None)


def _caption(item: Mapping[str, object], *keys: str) -> str | None:
    # An empty caption is a known caption, and its blanks are the author's.
    return next((value for key in keys if isinstance(value := item.get(key), str)), None)


def _mapping(value: object) -> Mapping[str, object] | None:
    return value if isinstance(value, Mapping) and value else None


def _only(members: Mapping[str, object] | None, names: frozenset[str]) -> dict[str, object] | None:
    return None if members is None else {name: value for name, value in members.items() if name in names}


def _copied(value: Any) -> Any:
    return copy.deepcopy(dict(value)) if isinstance(value, Mapping) else value


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _tuple(value: object) -> tuple[Any, ...] | None:
    return tuple(copy.deepcopy(list(value))) if isinstance(value, list | tuple) else None


def _strings(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list | tuple):
        return None
    return tuple(text for item in value if (text := _text(item)) is not None)


def _hashtags(value: object) -> tuple[Mapping[str, object], ...] | None:
    if not isinstance(value, list | tuple):
        return None
    tags = []
    for item in value:
        fields = dict(item) if isinstance(item, Mapping) else {"name": item}
        name = (_text(fields.get("name")) or "").lstrip("#")
        if name:
            tags.append({**copy.deepcopy(fields), "name": name})
    return tuple(tags)
