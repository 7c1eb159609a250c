"""From a request to a run in the records. What is answered with 202 is in them, and is finished whatever happens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rumiai.contracts.metadata_forms import read_metadata, unread_members
from rumiai.contracts.whisper import LANGUAGES
from rumiai.core.addresses import AddressRules, literal_address
from rumiai.core.http import checked_url
from rumiai.core.json_values import JsonObject
from rumiai.errors import ConfigurationError, UsageError
from rumiai.insights import ClaudeSettings
from rumiai.records import NewRun, RunRecord
from rumiai.results.deletion import UPLOADS
from rumiai.run.claude import claude_settings
from rumiai.service.config import KIND, ServiceConfig
from rumiai.service.keys import ApiKey
from rumiai.service.models import RunRequest, VideoEntry
from rumiai.service.places import Places
from rumiai.service.problems import ProblemError
from rumiai.service.uploads import Upload
from rumiai.service.warm_server import refuse_unserved
from rumiai.settings import Settings
from rumiai.sources import Named
from rumiai.sources.tiktok_links import is_tiktok, parse_link

# Longer keys are a mistake; the draft of the header gives no limit.
MAX_KEY_CHARS: Final = 255
_MEMBERS: Final = "docs/sources.md has the names of members; a scraped item is taken as it is"


@dataclass(frozen=True)
class AcceptedRun:
    """What the service keeps of a request in the run's record.

    Attributes:
        key_id: Of the API key.
        sources: That were named.
        uploads: Files that came with it.
        videos: Entries with what is known of each, as of :class:`VideoEntry`, without the members that are null;
            ``upload`` is the name of the file.
        settings: Members that the request chose.
        insights: Whether to go on after the unified analysis.
        webhook: Whom to tell at its end; None for nobody.
    """

    key_id: str
    sources: tuple[str, ...]
    uploads: tuple[Upload, ...]
    videos: tuple[JsonObject, ...]
    settings: JsonObject
    insights: bool
    webhook: str | None

    def to_json(self) -> JsonObject:
        """JSON form."""
        return {
            "key_id": self.key_id,
            "sources": list(self.sources),
            "uploads": [upload.to_json() for upload in self.uploads],
            "videos": list(self.videos),
            "settings": self.settings,
            "insights": self.insights,
            "webhook": self.webhook,
        }

    @classmethod
    def of(cls, run: RunRecord) -> AcceptedRun:
        """Read what :meth:`to_json` wrote into a run's record."""
        members = json.loads(json.dumps(run.request))
        members.pop("upload", None)
        uploads = tuple(Upload.from_json(each) for each in members["uploads"])
        lists = {name: tuple(members[name]) for name in ("sources", "videos")}
        return cls(**{**members, **lists, "uploads": uploads})


def effective(config: ServiceConfig, chosen: JsonObject, *, insights: bool) -> tuple[Settings, ClaudeSettings]:
    """The settings of a run: the service's, with what the request chose.

    Raises:
        UsageError: A value is not what its setting takes, beyond the service's limits, or contradicts another one.
    """
    base = config.settings
    settings = base.changed(**chosen)
    if settings.max_video_duration_s > base.max_video_duration_s:
        raise UsageError(f"max_video_duration_s: the service takes at most {base.max_video_duration_s:g}")
    if settings.max_cost_usd > base.max_cost_usd:
        raise UsageError(f"max_cost_usd: a run of the service may spend at most {base.max_cost_usd:g}")
    if base.claude == "off" and settings.claude != "off":
        raise ConfigurationError("claude: it is off in this service")
    refuse_unserved(base, settings)
    return settings, claude_settings(settings, config.secrets, insights=insights)


def wanted_run(
    config: ServiceConfig,
    key: ApiKey,
    request: RunRequest,
    uploads: Sequence[Upload] = (),
    idempotency_key: str | None = None,
) -> NewRun:
    """The run that a request asks for, checked.

    Args:
        config: Of the service.
        key: Of the caller.
        request: What is asked for.
        uploads: Files that came with it.
        idempotency_key: The same one with the same request gives the same run, for each API key.

    Raises:
        UsageError: It cannot be asked for.
    """
    if not (request.sources or uploads or request.videos):
        raise UsageError("no video was named", hint="give sources, or upload files")
    places = Places(config.roots, config.prefixes)
    named = [entry.source for entry in request.videos if entry.source]
    for source in request.sources:
        places.check(source)
    for number, entry in enumerate(request.videos):
        _check_entry(entry, number, places, len(uploads))
    chosen = request.settings.given
    settings, _ = effective(config, chosen, insights=request.insights)
    fetched = [entry.source for entry in request.videos if entry.source and not entry.problem]
    _check_links([*request.sources, *fetched], config)
    webhook = _checked_webhook(request.webhook.url, config.addresses) if request.webhook else None
    videos = tuple(_entry(entry, uploads) for entry in request.videos)
    accepted = AcceptedRun(key.key_id, request.sources, tuple(uploads), videos, chosen, request.insights, webhook)
    return NewRun(
        sources=tuple(Named([*request.sources, *named, *(upload.name for upload in uploads)]).shown),
        settings={name: value for name, value in settings.to_json().items() if name in chosen},
        kind=KIND,
        # `delete` tells where copies may remain.
        request={**accepted.to_json(), "upload": config.settings.upload},
        fingerprint=_fingerprint(accepted),
        idempotency_key=None if idempotency_key is None else f"{key.key_id}:{idempotency_key}",
    )


def _entry(entry: VideoEntry, uploads: Sequence[Upload]) -> JsonObject:
    """What is kept of an entry. Its file is called by name: others of the run may be deleted before it."""
    kept: JsonObject = entry.model_dump(mode="json", exclude_none=True)
    return kept if entry.upload is None else {**kept, "upload": uploads[entry.upload].name}


def _check_links(sources: Sequence[str], config: ServiceConfig) -> None:
    """Refuse links to TikTok that the service cannot list, from their text alone."""
    for source in filter(is_tiktok, sources):
        link = parse_link(source)
        if not config.secrets.apify_token:
            raise UsageError(
                f"{link.url}: this service takes no links to TikTok",
                hint="upload the video; the operator of the service can set APIFY_API_TOKEN",
            )
        if not link.is_one_post and config.settings.limit < 1:
            raise UsageError(
                f"{link.url} is a {link.kind}, and this service takes single posts alone",
                hint="name the posts; the operator of the service can set RUMIAI_LIMIT",
            )


def _checked_webhook(text: str, rules: AddressRules) -> str:
    """The URL of a webhook. Where a name leads is seen when it is sent."""
    url = checked_url(text)
    if (address := literal_address(url.host)) and not rules.allows(url.host, address):
        raise UsageError(
            f"webhook: {url.host} is not a public address",
            hint="name a public host; the operator of the service can allow others with --allow-webhook",
        )
    return str(url)


def _check_entry(entry: VideoEntry, number: int, places: Places, uploads: int) -> None:
    if entry.source is not None and entry.problem is None:
        places.check(entry.source)
    if entry.upload is not None and entry.upload >= uploads:
        raise UsageError(f"videos/{number}/upload: got {entry.upload}, and {uploads} files came with the request")
    if entry.language is not None and entry.language not in LANGUAGES:
        raise UsageError(f"videos/{number}/language: got {entry.language}, expected a code such as pt")
    if unread := unread_members(entry.metadata or {}):
        raise UsageError(f"videos/{number}/metadata: nothing reads {unread[0][:80]!r}", hint=_MEMBERS)
    try:
        read_metadata(entry.metadata or {}, "")
    except ValueError as exc:
        raise UsageError(f"videos/{number}/metadata: {exc}") from exc


def check_same(run: RunRecord, wanted: NewRun) -> None:
    """See that a run of the same idempotency key was asked for in the same way.

    Raises:
        ProblemError: It was not.
    """
    if run.fingerprint != wanted.fingerprint:
        raise ProblemError(422, "idempotency-key-reused", "this Idempotency-Key was used for another request")


def _fingerprint(accepted: AcceptedRun) -> str:
    """Of what was asked for; where uploaded files were put is no part of it."""
    files = [[upload.name, upload.digest] for upload in accepted.uploads]
    text = json.dumps({**accepted.to_json(), "uploads": files}, sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def uploads_folder(out: Path) -> Path:
    """Where uploaded files of an output folder are."""
    return out / UPLOADS
