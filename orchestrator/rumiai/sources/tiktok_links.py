"""Links to TikTok: what one names, and which scraped items answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from rumiai.core.json_values import JsonObject
from rumiai.errors import SourceError
from rumiai.sources.apify.items import post_id

Kind = Literal["post", "short", "profile", "hashtag"]

_HOSTS: Final = frozenset({"tiktok.com", "www.tiktok.com", "m.tiktok.com"})
_SHORT_HOSTS: Final = frozenset({"vm.tiktok.com", "vt.tiktok.com"})
_ID: Final = r"(?P<id>\d{5,25})"
_MEDIUM: Final = r"(?P<medium>video|photo)"
_USER: Final = r"@(?P<user>[\w.-]{1,64})"
_POSTS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"/{_USER}/{_MEDIUM}/{_ID}", rf"/v/{_ID}(?:\.html)?", rf"/(?:share/)?{_MEDIUM}/{_ID}",
        rf"/embed(?:/v\d)?/{_ID}", rf"/player/v\d/{_ID}", rf"/@/{_MEDIUM}/{_ID}",
    )
)  # fmt: skip
_CODE: Final = re.compile(r"/(?P<code>[A-Za-z0-9]{5,24})")
_LONG_CODE: Final = re.compile(r"/t/(?P<code>[A-Za-z0-9]{5,24})")
_PROFILE: Final = re.compile(rf"/{_USER}")
_HASHTAG: Final = re.compile(r"/tag/(?P<tag>[^/]{1,100})")
_NO_SCHEME: Final = re.compile(r"(?:(?:www|vm|vt|m)\.)?tiktok\.com/", re.IGNORECASE)
_HINT: Final = (
    "expected a link to a post (.../@name/video/ID, .../@name/photo/ID, vm.tiktok.com/CODE), to a profile (.../@name) "
    "or to a hashtag (.../tag/NAME)"
)


@dataclass(frozen=True)
class TikTokLink:
    """What a user has named.

    Attributes:
        kind: What the link leads to; where a short one leads is seen when it is scraped.
        url: The link in one form, without the parameters that tell who shared it.
        name: Id of the post, code of the short link, name of the profile or hashtag.
    """

    kind: Kind
    url: str = field(compare=False)
    name: str

    @property
    def is_one_post(self) -> bool:
        """Whether it leads to a single post."""
        return self.kind in ("post", "short")


def is_tiktok(text: str) -> bool:
    """Whether a text is a link to TikTok; of any kind, also one that we cannot take."""
    if _NO_SCHEME.match(text):
        return True
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return False
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].rstrip(".").lower()
    return host == "tiktok.com" or host.endswith(".tiktok.com")


def parse_link(text: str) -> TikTokLink:
    """Read a link.

    Raises:
        SourceError: It leads to nothing that we take, or has what a link to TikTok does not have: a name and password,
            a port, another host.
    """
    full = f"https://{text}" if _NO_SCHEME.match(text) else text.strip()
    try:
        parts = urlsplit(full)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError as exc:
        raise _refused(text, "is no URL") from exc
    if "\\" in full or any(ord(char) < 33 for char in full):
        raise _refused(text, "has blanks or backslashes")
    if parts.username is not None or parts.password is not None:
        raise _refused(text, "has a user name in front of its host")
    if port not in (None, 80, 443):
        raise _refused(text, f"has the port {port}")
    path = unquote(parts.path).rstrip("/")
    if host in _SHORT_HOSTS and (found := _CODE.fullmatch(path)):
        return TikTokLink("short", f"https://{host}/{found['code']}", found["code"])
    if host in _HOSTS and (link := _long(path)):
        return link
    raise _refused(
        text, "is no link to TikTok that we take" if host in _HOSTS | _SHORT_HOSTS else f"has the host {host}"
    )


def _long(path: str) -> TikTokLink | None:
    for pattern in _POSTS:
        if found := pattern.fullmatch(path):
            told = found.groupdict()
            # TikTok leads to the right author whatever name stands there.
            user, medium = told.get("user") or "_", told.get("medium") or "video"
            return TikTokLink("post", f"https://www.tiktok.com/@{user}/{medium}/{found['id']}", found["id"])
    if found := _LONG_CODE.fullmatch(path):
        return TikTokLink("short", f"https://www.tiktok.com/t/{found['code']}", found["code"])
    if found := _PROFILE.fullmatch(path):
        return TikTokLink("profile", f"https://www.tiktok.com/@{found['user']}", found["user"])
    if found := _HASHTAG.fullmatch(path):
        return TikTokLink("hashtag", f"https://www.tiktok.com/tag/{found['tag']}", found["tag"])
    return None


def _refused(text: str, reason: str) -> SourceError:
    shown = text if len(text) <= 120 else f"{text[:120]}..."
    return SourceError(f"{shown!r} {reason}", hint=_HINT)


def match(links: Sequence[TikTokLink], items: Sequence[JsonObject], limit: int) -> dict[TikTokLink, list[JsonObject]]:
    """The items that answer each link: a single post or the report of an error, else at most ``limit`` posts."""
    found: dict[tuple[str, str], list[JsonObject]] = {}
    for item in items:
        for key in _keys(item):
            found.setdefault(key, []).append(item)
    return {link: _chosen(link, found.get(_key(link), []), limit) for link in links}


def match_last(answered: dict[TikTokLink, list[JsonObject]], items: Sequence[JsonObject]) -> None:
    """Give the one short link that no item names the one item that no link names; with more of them nothing is sure.

    Args:
        answered: From :func:`match`; completed.
        items: Of a scraper's run for these very links.
    """
    taken = {id(item) for given in answered.values() for item in given}
    lost = [link for link, given in answered.items() if link.kind == "short" and not given]
    spare = [item for item in items if id(item) not in taken]
    if len(lost) == len(spare) == 1:
        answered[lost[0]] = spare


def _chosen(link: TikTokLink, items: Sequence[JsonObject], limit: int) -> list[JsonObject]:
    posts = {number: item for item in items if (number := post_id(item)) is not None}
    if not posts:
        return list(items[:1])
    return list(posts.values())[: 1 if link.is_one_post else limit]


def _key(link: TikTokLink) -> tuple[str, str]:
    return link.kind, link.name if link.is_one_post else _plain(link.name)


def _keys(item: Mapping[str, object]) -> set[tuple[str, str]]:
    """The keys of all links that an item may have been found by."""
    keys: set[tuple[str, str]] = set()
    if number := post_id(item):
        keys.add(("post", number))
    for name in ("submittedVideoUrl", "input", "url", "webVideoUrl"):
        value = item.get(name)
        if isinstance(value, str) and is_tiktok(value):
            with suppress(SourceError):
                keys.add(_key(parse_link(value)))
    given = item.get("input")
    names = [("profile", _member(item, "authorMeta")), ("profile", given)]
    names += [("hashtag", _member(item, "searchHashtag")), ("hashtag", given)]
    return keys | {(kind, _plain(name)) for kind, name in names if isinstance(name, str)}


def _plain(name: str) -> str:
    return name.lstrip("#@").casefold()


def _member(item: Mapping[str, object], outer: str) -> object:
    value = item.get(outer)
    return value.get("name") if isinstance(value, Mapping) else None
