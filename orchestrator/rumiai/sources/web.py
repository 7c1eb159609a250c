"""Video files behind http and https addresses."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from rumiai.contracts.metadata import VideoMetadata
from rumiai.core.http import checked_url, shown_url
from rumiai.core.secrets import holds_secret
from rumiai.errors import ConfigurationError
from rumiai.sources.base import Access, FetchedVideo, Source, SourceItem
from rumiai.sources.download import download, kept

# Pictures are analysed as a post of one.
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp"})
# In the names of parameters that sign a URL or say until when it holds; of short words the whole word, since `design`
# and `insight` tell videos apart.
_SIGNATURES: Final = re.compile(
    r"signature|(^|[^a-z])sign(ed)?([^a-z]|$)|sig([^a-z]|$)|expires|credential|hmac|policy|security|x-amz-|x-goog-|token"
)
# Between the words of a name such as `wsSign`.
_NEXT_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class WebSource(Source):
    """One video behind each http or https address; the file itself, not a page that shows it."""

    name = "web"
    ahead = True

    access: Access | None = None

    def accepts(self, text: str) -> bool:
        """Every http or https URL."""
        return is_web(text)

    def using(self, access: Access) -> WebSource:
        """With the run's client."""
        return WebSource(access)

    def list(self, text: str) -> Sequence[SourceItem]:
        """The address; what signs it is neither shown nor stored.

        Raises:
            AddressError: It is malformed, or holds a user name or password.
        """
        checked_url(text)
        return [SourceItem(self.name, location_of(text), stem_of(text), address=text)]

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """Download it, unless an earlier run has.

        Raises:
            RumiAIError: As :func:`rumiai.sources.download.download`.
        """
        if self.access is None:
            raise ConfigurationError("an address of the web needs the run's client", hint="call using() first")
        began = time.monotonic()
        address = item.address or item.location
        suffix = Path(urlsplit(address).path).suffix.lower()
        is_picture = suffix in _PICTURES
        target = folder / f"{folder.name}{suffix if is_picture else '.mp4'}"
        found = kept(target) or download(self.access.http, address, target, self.access.limits, pictures=is_picture)
        metadata = VideoMetadata(item.stem, url=item.location)
        return FetchedVideo(found.path, metadata, found.sha256, is_copy=True, seconds=time.monotonic() - began)


def is_web(text: str) -> bool:
    """Whether this is an http or https URL."""
    return text[:8].lower().startswith(("http://", "https://"))


def location_of(url: str) -> str:
    """A URL without fragment, and without the parameters that sign it: those change, the video stays."""
    try:
        parts = urlsplit(url)
    except ValueError:  # such as http://[::1/; whoever fetches it says so
        return shown_url(url)
    plain = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not _signs(name)]
    query = parts.query if len(plain) == len(parse_qsl(parts.query, keep_blank_values=True)) else urlencode(plain)
    return shown_url(url) + (f"?{query}" if query else "")


def stem_of(url: str) -> str:
    """The last part of a URL's path without suffix; without one, the host."""
    parts = urlsplit(url)
    last = unquote(parts.path).rstrip("/").rpartition("/")[2]
    return Path(last).stem or parts.hostname or ""


def _signs(name: str) -> bool:
    words = _NEXT_WORD.sub("_", name).lower()
    return words == "key" or holds_secret(name) or _SIGNATURES.search(words) is not None
