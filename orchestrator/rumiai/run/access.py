"""What the sources of a run may use: one HTTP client, limits, tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient
from rumiai.settings import Secrets, Settings
from rumiai.sources import Access
from rumiai.sources.apify.shelf import SCRAPED
from rumiai.sources.download import DownloadLimits

_MIB: Final = 2**20


@contextmanager
def open_access(
    settings: Settings, secrets: Secrets | None = None, stop: threading.Event | None = None
) -> Iterator[Access]:
    """The access of a run, for the length of a ``with`` block.

    Args:
        settings: Of the run.
        secrets: The user's tokens.
        stop: When it is set, downloads end within a second.

    Raises:
        ConfigurationError: A setting names no address.
    """
    limits = DownloadLimits(
        max_bytes=round(settings.max_video_size_mb * _MIB),
        total_s=settings.download_timeout_s,
        reserve_bytes=round(settings.disk_reserve_mb * _MIB),
    )
    secrets = secrets or Secrets()
    with HttpClient(AddressRules.parse(settings.allow_addresses), stop=stop) as http:
        yield Access(
            http,
            limits,
            via=settings.via,
            most=settings.limit,
            apify_token=secrets.apify_token,
            apify_timeout_s=settings.apify_timeout_s,
            scraped=settings.out / SCRAPED,
            anew=settings.force,
            cloud=secrets.cloud,
        )
