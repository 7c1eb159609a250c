"""Posts of TikTok: scraped by Apify, all links of a call in one run of the scraper, then fetched one by one."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rumiai.contracts.metadata import VideoMetadata
from rumiai.core.json_values import JsonObject
from rumiai.core.picture_heads import HEAD_BYTES, picture_format
from rumiai.errors import APIError, ConfigurationError, NoVideoError, RumiAIError, SourceError
from rumiai.sources.apify.items import ACTOR, PostMedia, error_of, media_of, post_id
from rumiai.sources.apify.pending import Pending
from rumiai.sources.apify.shelf import Shelf
from rumiai.sources.base import Access, FetchedVideo, Source, SourceItem
from rumiai.sources.download import Downloaded, download, kept
from rumiai.sources.tiktok_links import TikTokLink, is_tiktok, match, match_last, parse_link

LOG = logging.getLogger(__name__)

# TikTok's delivery network asks for the page that shows the post.
_HEADERS: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Referer": "https://www.tiktok.com/",
}
# TikTok takes 35 pictures in a post.
_MAX_PICTURES: Final = 100
_APIFY: Final = "https://api.apify.com"
_SCRAPE_AGAIN: Final = "links of TikTok expire within hours; --force scrapes the post again"


@dataclass(frozen=True)
class TikTokPost(SourceItem):
    """A post that was scraped, or the reason why there is none.

    Attributes:
        scraped: The scraper's item.
        reason: Why there is no item; empty otherwise.
    """

    scraped: JsonObject | None = field(default=None, repr=False, compare=False)
    reason: str = field(default="", compare=False)


@dataclass(frozen=True)
class TikTokSource(Source):
    """Links to posts, also short ones, and to profiles and hashtags.

    Args:
        access: Of the run.
        apify: Address of Apify's API.
    """

    name = "tiktok"
    ahead = True

    access: Access | None = None
    apify: str = _APIFY

    def using(self, access: Access) -> TikTokSource:
        """With the run's client, token and limits."""
        return replace(self, access=access)

    def accepts(self, text: str) -> bool:
        """Every link to TikTok, with a scheme or without."""
        return is_tiktok(text)

    def check(self, text: str) -> None:
        """Refuse a link to something else than a post, a profile or a hashtag, and one without an end.

        Raises:
            SourceError: It is no such link.
            ConfigurationError: A profile or hashtag has no limit.
        """
        link = parse_link(text)
        if self.access is not None and self.access.most < 1 and not link.is_one_post:
            raise ConfigurationError(
                f"{link.url} is a {link.kind}, which has no end", hint="say how many posts are wanted: --limit 20"
            )

    def list(self, text: str) -> Sequence[SourceItem]:
        """The posts behind one link; see :meth:`list_all`.

        Raises:
            RumiAIError: It has none that can be had.
        """
        self.check(text)
        (found,) = self.list_all([text])
        if isinstance(found, RumiAIError):
            raise found
        return found

    def list_all(self, texts: Sequence[str]) -> Sequence[Sequence[SourceItem] | RumiAIError]:
        """The posts behind each link, or what is missing for it.

        What no earlier run has scraped is scraped now, in one run of the scraper.

        A link to a post without a result gives an item that fails with the reason, so that the others go on.

        Raises:
            SourceError: A link that we do not take.
        """
        links = [parse_link(text) for text in texts]
        if self.access is None:
            return [self._unasked(link) for link in links]
        access, shelf = self._access, self._shelf
        known = {} if access.anew else _known(links, shelf)
        asked = [link for link in dict.fromkeys(links) if link not in known]
        found: dict[TikTokLink, Sequence[JsonObject] | RumiAIError] = {**known, **self._asked(asked)}
        return [self._items(link, found[link]) for link in links]

    def _unasked(self, link: TikTokLink) -> Sequence[SourceItem] | RumiAIError:
        """Without the run's client a link to a post stays what it is: a list is sent to a service, which scrapes."""
        if link.is_one_post:
            return [TikTokPost(self.name, link.url, link.name)]
        return ConfigurationError(
            f"{link.url} is a {link.kind}: of a list a service takes single posts alone",
            hint="name it on the command line, beside the list",
        )

    def _items(self, link: TikTokLink, found: Sequence[JsonObject] | RumiAIError) -> Sequence[SourceItem] | RumiAIError:
        return found if isinstance(found, RumiAIError) else [_item(self.name, link, item) for item in found]

    def _asked(self, links: Sequence[TikTokLink]) -> Mapping[TikTokLink, Sequence[JsonObject] | RumiAIError]:
        """What the scraper finds; where it cannot be asked or gives nothing, the reason for each link."""
        try:
            return self._scraped(links) if links else {}
        except RumiAIError as exc:
            return dict.fromkeys(links, exc)

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """Download a post: its video, or its pictures with the sound.

        Raises:
            SourceError: There is no such post, or nothing of it can be had.
            RumiAIError: As :func:`rumiai.sources.download.download`.
        """
        began = time.monotonic()
        scraped = self._item_of(item)
        media = media_of(scraped)
        if (told := error_of(scraped)) and not (media.pictures or media.videos):
            raise NoVideoError(f"{item.location}: no downloadable video: {told}", hint="open it in a browser")
        try:
            video = (self._pictures if media.pictures else self._video)(item, media, folder)
        except NoVideoError:
            if not (media.pictures and media.videos):
                raise
            video = self._video(item, media, folder)
        metadata = VideoMetadata.from_apify(scraped)
        return replace(video, metadata=metadata, is_copy=True, seconds=time.monotonic() - began)

    def _item_of(self, item: SourceItem) -> JsonObject:
        """What was scraped of a post, by this command or an earlier one.

        Raises:
            SourceError: Nothing was.
        """
        scraped = item.scraped if isinstance(item, TikTokPost) else None
        scraped = scraped or self._shelf.get(item.stem)
        if scraped is None:
            reason = item.reason if isinstance(item, TikTokPost) else ""
            raise SourceError(f"{item.location}: {reason or 'it has not been scraped'}", hint="open it in a browser")
        return scraped

    def digest(self, item: SourceItem) -> str:
        """Of the post's id: its address changes with the name of its author."""
        return hashlib.sha256(f"tiktok {item.stem}".encode()).hexdigest()

    @property
    def _access(self) -> Access:
        if self.access is None:
            raise ConfigurationError("links of TikTok need the run's client", hint="call using() first")
        return self.access

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self._access.scraped)

    def _scraped(self, links: Sequence[TikTokLink]) -> dict[TikTokLink, Sequence[JsonObject]]:
        """The items of each link, fresh from the scraper; of one without a post a report that says so.

        Raises:
            ConfigurationError: There is no token, or Apify rejects it.
            APIError: Apify refuses, or gave nothing for any of the links.
        """
        # apify-client is needed for links of TikTok alone.
        from rumiai.sources.apify.client import Apify

        access = self._access
        if not access.apify_token:
            raise ConfigurationError(
                f"{links[0].url} needs a token of Apify: APIFY_API_TOKEN is not set",
                hint="console.apify.com, Settings, API & Integrations; or download the video, and name the file",
            )
        self._shelf.check()
        LOG.info("Apify: %d links of TikTok are scraped", len(links))
        apify = Apify(access.http, access.apify_token, base_url=self.apify, timeout_s=access.apify_timeout_s)
        asked = actor_input(links, access.most)
        pending = Pending.of(access.scraped, ACTOR, asked)
        if access.anew:
            pending.clear()
        run = apify.run(ACTOR, asked, pending)
        ended = run.status if run.ended_well else f"{run.status} {run.message}".strip()
        if not run.items and not run.ended_well:
            pending.clear()
            late = f"it took more than {access.apify_timeout_s:g} s (RUMIAI_APIFY_TIMEOUT_S)"
            why = {"GIVEN-UP": late, "TIMED-OUT": late}.get(run.status, f"it ended with {ended}")
            raise APIError(f"Apify's run {run.run_id} gave nothing: {why}", hint="its log is at console.apify.com")
        if not run.ended_well:
            LOG.warning("Apify: run %s ended with %s; what it had found is used", run.run_id, ended)
        none = f"Apify found no post there (run {run.run_id}: {ended})"
        answered = match(links, run.items, access.most)
        match_last(answered, run.items)
        found = {link: self._kept(link, items) or [{"error": none}] for link, items in answered.items()}
        pending.clear()
        return found

    def _kept(self, link: TikTokLink, items: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """The items as they are stored, each with the link that it was found by."""
        named = [{**item, "submittedVideoUrl": link.url} if link.is_one_post else item for item in items]
        return [self._shelf.put(item) if post_id(item) else item for item in named]

    def _video(self, item: SourceItem, media: PostMedia, folder: Path) -> FetchedVideo:
        if not media.videos:
            raise NoVideoError(
                f"{item.location}: no downloadable video: the scraper gave no address of one",
                hint="it may be private, deleted or for some countries alone",
            )
        target = folder / f"{folder.name}.mp4"
        found = self._first(media.videos, target)
        return FetchedVideo(found.path, identity=found.sha256)

    def _pictures(self, item: SourceItem, media: PostMedia, folder: Path) -> FetchedVideo:
        pictures, problems = list[Downloaded](), list[str]()
        for number, urls in enumerate(media.pictures[:_MAX_PICTURES], 1):
            try:
                pictures.append(_picture(self._first(urls, folder / f"picture_{number:02d}", pictures=True)))
            except SourceError as exc:
                problems.append(f"picture {number} of {len(media.pictures)} is missing: {exc.message}")
        if not pictures:
            raise NoVideoError(f"{item.location}: no downloadable video: {problems[0]}", hint=_SCRAPE_AGAIN)
        sound = None
        try:
            sound = self._first(media.sounds, folder / "sound")
        except SourceError as exc:
            problems.append(f"the sound is missing: {exc.message}")
        files = [*pictures, *([sound] if sound else [])]
        identity = hashlib.sha256(" ".join(file.sha256 for file in files).encode()).hexdigest()
        return FetchedVideo(
            folder / f"{folder.name}.mp4",
            identity=identity,
            pictures=tuple(picture.path for picture in pictures),
            sound=sound.path if sound else None,
            problems=tuple(problems),
        )

    def _first(self, urls: Sequence[str], target: Path, *, pictures: bool = False) -> Downloaded:
        """What an earlier run downloaded, else the file behind the first address that gives one."""
        if (found := kept(target)) is not None:
            return found
        access, problem = self._access, SourceError("the scraper gave no address for it")
        credentials = None
        if access.apify_token:
            from rumiai.sources.apify.transport import credentials_for

            credentials = credentials_for(access.apify_token, self.apify)
        for url in urls:
            try:
                return download(
                    access.http,
                    url,
                    target,
                    access.limits,
                    pictures=pictures,
                    headers=_HEADERS,
                    credentials=credentials,
                )
            except SourceError as exc:
                problem = type(exc)(exc.message, hint=_SCRAPE_AGAIN)
        raise problem


def _picture(found: Downloaded) -> Downloaded:
    """A file that was taken for a picture, and is one.

    Raises:
        NoVideoError: It is a video.
    """
    with found.path.open("rb") as stream:
        if picture_format(stream.read(HEAD_BYTES)) is None:
            raise NoVideoError(f"{found.path.name} is no picture")
    return found


def actor_input(links: Sequence[TikTokLink], most: int) -> dict[str, object]:
    """What the scraper is asked for.

    Args:
        links: In any order.
        most: Posts of each profile and hashtag.
    """
    by_kind: Mapping[str, Sequence[str]] = {
        "postURLs": [link.url for link in links if link.is_one_post],
        "profiles": [link.name for link in links if link.kind == "profile"],
        "hashtags": [link.name for link in links if link.kind == "hashtag"],
    }
    endless = by_kind["profiles"] or by_kind["hashtags"]
    return {
        **{name: values for name, values in by_kind.items() if values},
        "resultsPerPage": most if endless else len(links),
        "shouldDownloadVideos": True,
        "shouldDownloadCovers": True,
        "shouldDownloadSubtitles": True,
        "shouldDownloadSlideshowImages": True,
        "proxyConfiguration": {"useApifyProxy": True},
    }


def _known(links: Sequence[TikTokLink], shelf: Shelf) -> dict[TikTokLink, Sequence[JsonObject]]:
    """What earlier runs have scraped of single posts. A profile or hashtag has new posts each time."""
    found = {link: item for link in links if link.kind == "post" and (item := shelf.get(link.name)) is not None}
    short = [link for link in links if link.kind == "short"]
    if short:
        answered = match(short, list(shelf.all()), 0)
        found |= {link: items[0] for link, items in answered.items() if items}
    return {link: [item] for link, item in found.items()}


def _item(source: str, link: TikTokLink, scraped: JsonObject) -> TikTokPost:
    number = post_id(scraped)
    if number is None:
        return TikTokPost(source, link.url, link.name, reason=error_of(scraped) or "Apify found no post there")
    return TikTokPost(source, _address(scraped, number), number, scraped=scraped)


def _address(scraped: JsonObject, number: str) -> str:
    """The post's own address, in one form."""
    for name in ("webVideoUrl", "submittedVideoUrl"):
        value = scraped.get(name)
        with suppress(SourceError):
            link = parse_link(value if isinstance(value, str) else "")
            if link.name == number:
                return link.url
    return f"https://www.tiktok.com/@_/video/{number}"
