"""Videos of other sites, found by yt-dlp (extra ``rumiai[ytdlp]``); only what the user sends here by ``--via ytdlp``.

yt-dlp reads the pages and says where the video file is. All its requests go through the run's client, so that the
address rules hold for it, and the file is downloaded by us. It starts no other program: videos that a site offers only
in pieces, which ffmpeg would have to fetch and join, are refused.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any, Final
from urllib.request import Request as UrllibRequest

import httpx

from rumiai.contracts.metadata_forms import read_metadata
from rumiai.core.deadline import within
from rumiai.core.http import HttpClient, checked_url, shown_url
from rumiai.errors import ConfigurationError, DownloadError, NoVideoError, RumiAIError
from rumiai.sources.base import Access, FetchedVideo, Source, SourceItem
from rumiai.sources.download import download, kept
from rumiai.sources.web import is_web, location_of, stem_of

# One file with picture and sound that comes by plain http; else anything, so that we can say what is wrong with it.
_FORMAT: Final = "b[protocol=https]/b[protocol=http]/b*"
_MAX_PAGE_BYTES: Final = 64 * 2**20
_REASON_CHARS: Final = 300


@dataclass(frozen=True)
class YtdlpSource(Source):
    """Pages that yt-dlp knows how to read."""

    name = "ytdlp"
    ahead = True
    by_name = True

    access: Access | None = None

    def accepts(self, text: str) -> bool:
        """Every http or https URL."""
        return is_web(text)

    def using(self, access: Access) -> YtdlpSource:
        """With the run's client."""
        return YtdlpSource(access)

    def list(self, text: str) -> Sequence[SourceItem]:
        """The page as one video, without a look at it; with a limit, the first videos of a list.

        Raises:
            DownloadError: yt-dlp cannot read the page.
            ConfigurationError: yt-dlp is not installed.
        """
        access = self._access()
        checked_url(text)
        reader = _Reader(access)
        if not access.most:
            return [self._item(text, reader.id_of(text))]
        found = reader.read(text, flat=True)
        entries = [entry for entry in found.get("entries") or [found] if entry][: access.most]
        return [self._item(str(e.get("webpage_url") or e.get("url")), str(e.get("id") or "")) for e in entries]

    def _item(self, url: str, video_id: str) -> SourceItem:
        return SourceItem(self.name, location_of(url), video_id or stem_of(url), address=url)

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """Read the page, and download the file that it names; metadata come with it.

        Raises:
            RumiAIError: As :func:`rumiai.sources.download.download`; or the page has no such video.
        """
        access, began = self._access(), time.monotonic()
        target = folder / f"{folder.name}.mp4"
        with within(access.limits.total_s):
            found = _Reader(access).read(item.address or item.location)
        if found.get("_type", "video") != "video":
            raise NoVideoError(f"{item.location} is a list of videos", hint="--limit N takes the first N of it")
        file, headers = _file_of(found, item.location)
        whole = kept(target) or download(access.http, file, target, access.limits, headers=headers)
        try:
            metadata = read_metadata(found, item.stem)
        except ValueError as exc:
            raise DownloadError(f"{item.location}: yt-dlp gives metadata that are none: {exc}") from exc
        return FetchedVideo(whole.path, metadata, whole.sha256, is_copy=True, seconds=time.monotonic() - began)

    def _access(self) -> Access:
        if self.access is None:
            raise ConfigurationError("yt-dlp needs the run's client", hint="call using() first")
        return self.access


class _Reader:
    """yt-dlp, bound to our client.

    Raises:
        ConfigurationError: It is not installed.
    """

    def __init__(self, access: Access) -> None:
        try:
            import yt_dlp
            from yt_dlp.globals import plugin_dirs
        except ImportError as exc:
            raise ConfigurationError("--via ytdlp needs yt-dlp", hint="pip install 'rumiai[ytdlp]'") from exc
        plugin_dirs.value = []
        self._http, self._package = access.http, yt_dlp
        self._options = {
            "quiet": True, "no_warnings": True, "noprogress": True, "logger": _Silent(), "cachedir": False,
            "format": _FORMAT, "noplaylist": True, "playlistend": access.most or 1, "js_runtimes": {},
            "proxy": "", "ffmpeg_location": "/nonexistent", "retries": 0, "extractor_retries": 1,
        }  # fmt: skip

    def id_of(self, url: str) -> str:
        """What the site calls a video, from its address alone; empty where that does not say it."""
        suitable = (kind for kind in self._package.extractor.gen_extractor_classes() if kind.suitable(url))
        return str(next(suitable).get_temp_id(url) or "")

    def read(self, url: str, *, flat: bool = False) -> Mapping[str, Any]:
        """What yt-dlp finds on a page.

        Raises:
            RumiAIError: It finds nothing, or asks for what we do not give it.
        """
        refused: list[RumiAIError] = []
        options = {**self._options, "extract_flat": "in_playlist" if flat else False}
        with _bound_to(self._http, refused)(options) as reader:
            try:
                found: Mapping[str, Any] = reader.sanitize_info(reader.extract_info(url, download=False))
            except self._package.utils.YoutubeDLError as exc:
                if refused:
                    raise refused[-1] from exc
                reason = " ".join(str(exc).split())[:_REASON_CHARS].removeprefix("ERROR: ")
                raise DownloadError(f"{shown_url(url)}: {reason}", hint="yt-dlp may need an update") from exc
        return found


def _file_of(found: Mapping[str, Any], location: str) -> tuple[str, dict[str, str]]:
    """Where the video file is, and what the site wants to be sent with the request."""
    url = found.get("url")
    is_whole = found.get("protocol", "https") in ("http", "https") and not _is_half(found)
    # What is no address of the web is refused as such where it would be fetched.
    if not isinstance(url, str) or (is_web(url) and not is_whole):
        raise NoVideoError(f"{location} is offered in pieces only", hint="download it with yt-dlp, and name the file")
    headers = {str(name): str(value) for name, value in (found.get("http_headers") or {}).items()}
    headers.pop("Accept-Encoding", None)
    return url, headers


def _is_half(found: Mapping[str, Any]) -> bool:
    """Whether the site offers the sound or the picture of this file in another one."""
    formats = found.get("formats") or ()
    return any(
        found.get(codec) == "none" and any(other.get(codec) not in (None, "none") for other in formats)
        for codec in ("acodec", "vcodec")
    )


def _bound_to(http: HttpClient, refused: list[RumiAIError]) -> Any:
    """A class of yt-dlp whose every request goes through the client; what that refuses is put into ``refused``."""
    from yt_dlp import YoutubeDL
    from yt_dlp.networking import RequestHandler, Response
    from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError

    class CheckedRH(RequestHandler):  # type: ignore[misc]
        _SUPPORTED_URL_SCHEMES = ("http", "https")
        _SUPPORTED_PROXY_SCHEMES = ()

        def _check_extensions(self, extensions: dict[str, Any]) -> None:
            for name in ("cookiejar", "timeout", "legacy_ssl", "keep_header_casing", "impersonate"):
                extensions.pop(name, None)
            super()._check_extensions(extensions)

        def _send(self, request: Any) -> Any:
            jar = self._get_cookiejar(request)
            headers = {name: str(value) for name, value in self._get_headers(request).items()}
            headers["Accept-Encoding"] = "identity"
            if cookies := jar.get_cookie_header(request.url):
                headers["Cookie"] = cookies
            data = request.data if isinstance(request.data, bytes) or request.data is None else b"".join(request.data)
            stack = contextlib.ExitStack()
            try:
                opened = http.open(request.method, request.url, headers=headers, content=data)
                answer = stack.enter_context(opened)
            except httpx.TransportError as exc:
                raise TransportError(cause=exc) from exc
            except RumiAIError as exc:
                refused.append(exc)
                raise RequestError(str(exc), cause=exc) from exc
            _keep_cookies(jar, request.url, answer)
            body = _Whole(_Body(stack, answer.iter_raw()))
            response = Response(body, str(answer.url), dict(answer.headers), answer.status_code, answer.reason_phrase)
            if answer.is_error:
                raise HTTPError(response)
            return response

    class Bound(YoutubeDL):  # type: ignore[misc]
        def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
            return super().build_request_director([CheckedRH], ())

    return Bound


def _keep_cookies(jar: Any, url: str, answer: httpx.Response) -> None:
    """Put what an answer sets into yt-dlp's own jar, which lives as long as this page is read."""
    message = Message()
    for value in answer.headers.get_list("Set-Cookie"):
        message["Set-Cookie"] = value
    jar.extract_cookies(_Headers(message), UrllibRequest(url))


@dataclass(frozen=True)
class _Headers:
    """What a cookie jar asks an answer for."""

    message: Message

    def info(self) -> Message:
        return self.message


class _Body(io.RawIOBase):
    """An answer's body as a file, read as it comes."""

    def __init__(self, stack: contextlib.ExitStack, blocks: Iterator[bytes]) -> None:
        self._stack, self._blocks, self._left = stack, blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = block
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size

    def close(self) -> None:
        self._stack.close()
        super().close()


class _Whole(io.BufferedReader):
    """A body that is read to its end when no size is given; one that does not end must not fill memory."""

    def read(self, size: int | None = None, /) -> bytes:
        wanted = size is not None and size >= 0
        found = super().read(size if wanted else _MAX_PAGE_BYTES)
        if not wanted and len(found) == _MAX_PAGE_BYTES:
            raise OSError(f"the page is larger than {_MAX_PAGE_BYTES >> 20} MiB")
        return found


class _Silent:
    """yt-dlp's own lines: what matters is in its errors."""

    def debug(self, message: str) -> None:
        pass

    info = warning = error = debug
