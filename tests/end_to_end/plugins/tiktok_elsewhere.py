"""Links to TikTok with Apify's API at the address that APIFY_ELSEWHERE names; it is no setting on purpose."""

from __future__ import annotations

import os

from rumiai.sources import register
from rumiai.sources.tiktok import TikTokSource


class ElsewhereSource(TikTokSource):
    name = "tiktok_elsewhere"


register(ElsewhereSource(apify=os.environ["APIFY_ELSEWHERE"]))
