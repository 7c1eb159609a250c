"""One run of an Apify actor: start it, wait for its end, read what it found, end it when it takes too long."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from apify_client import ApifyClient
from apify_client.errors import ApifyApiError, ApifyClientError, ForbiddenError, UnauthorizedError
from pydantic import ValidationError

from rumiai.core.foreign_json import valid
from rumiai.core.http import HttpClient
from rumiai.core.json_values import JsonObject
from rumiai.errors import APIError, ConfigurationError, SourceError
from rumiai.sources.apify.pending import Pending
from rumiai.sources.apify.transport import BASE_URL, ApifyTransport

if TYPE_CHECKING:
    from apify_client._models import Run

LOG = logging.getLogger(__name__)

_FAILED: Final = frozenset({"FAILED", "ABORTING", "ABORTED", "TIMED-OUT"})
_ENDED: Final = frozenset({"SUCCEEDED", "FAILED", "ABORTED", "TIMED-OUT"})
# The API holds the answer until the run has ended, at most so long: below the read timeout, and a sign of life.
_POLL_S: Final = 20.0
_ITEMS_PER_PAGE: Final = 500
# What a foreign service says, in one line of ours.
_SAID_CHARS: Final = 200


@dataclass(frozen=True)
class ActorRun:
    """What a run of an actor brought.

    Attributes:
        run_id: Apify's name for it.
        status: ``SUCCEEDED``, ``FAILED``, ``ABORTED``, ``TIMED-OUT``, or ``GIVEN-UP`` when it took longer than we wait.
        message: What the actor said last; may be empty.
        items: Its dataset, also of a run that did not succeed.
    """

    run_id: str
    status: str
    message: str
    items: Sequence[JsonObject]

    @property
    def ended_well(self) -> bool:
        """Whether the run did what it was asked to do."""
        return self.status == "SUCCEEDED"


class Apify:
    """Runs actors.

    Args:
        http: Of the run; repeats failed requests.
        token: Of the account; never logged, sent to ``base_url`` alone.
        base_url: Of the API.
        timeout_s: The longest run; Apify ends it then, and so do we.
    """

    def __init__(self, http: HttpClient, token: str, *, base_url: str = BASE_URL, timeout_s: float = 300.0) -> None:
        self._token = token
        self._timeout_s = timeout_s
        transport = ApifyTransport(http, token, base_url)
        self._client = ApifyClient.with_custom_http_client(api_url=base_url, http_client=transport)

    def run(self, actor: str, actor_input: Mapping[str, object], pending: Pending) -> ActorRun:
        """Run an actor to its end. It is ended when the user interrupts us and when it has taken too long.

        Where Apify can no longer be asked how it is doing, it stays noted: a later call goes on with it.

        Args:
            actor: Its id, or ``user/name``.
            actor_input: As the actor's page describes it.
            pending: Where the run is noted while it is under way; one that is noted there is gone on with.

        Raises:
            ConfigurationError: Apify rejects the token.
            APIError: Apify refuses, answers with something else, or cannot be reached, after the retries.
        """
        began_s = time.monotonic()
        run = self._begun_before(pending) or self._started(actor, actor_input)
        pending.note(run.id)
        try:
            run, status = self._waited(run, began_s + self._timeout_s)
        except (KeyboardInterrupt, SystemExit):
            self._abort(run.id, pending)
            raise
        if status not in _ENDED:
            self._abort(run.id, pending)
            status = "GIVEN-UP"
        LOG.info("Apify: run %s: %s after %.0f s", run.id, status, time.monotonic() - began_s)
        with self._translated("give the results of the scraper"):
            found = self._client.dataset(run.default_dataset_id).iterate_items(chunk_size=_ITEMS_PER_PAGE)
            items = [valid(item) for item in found]
            if not all(isinstance(item, dict) for item in items):
                raise ValueError("the results hold something else than objects")
        return ActorRun(run.id, status, self._said(run.status_message), items)

    def _started(self, actor: str, actor_input: Mapping[str, object]) -> Run:
        with self._translated("start the scraper"):
            run: Run = self._client.actor(actor).start(
                run_input=dict(actor_input), run_timeout=timedelta(seconds=self._timeout_s)
            )
        LOG.info("Apify: run %s of %s has started", run.id, actor)
        return run

    def _begun_before(self, pending: Pending) -> Run | None:
        """The run that a killed command has left, where it may still bring something."""
        run_id = pending.run_id()
        if run_id is None:
            return None
        with self._translated("tell of an earlier run of the scraper"):
            run: Run | None = self._client.run(run_id).get()
        if run is None or run.status in _FAILED:
            return None
        LOG.info("Apify: run %s of an earlier command is gone on with", run_id)
        return run

    def _waited(self, run: Run, deadline_s: float) -> tuple[Run, str]:
        """The run after its end or the deadline, and its status."""
        while run.status not in _ENDED and (left_s := deadline_s - time.monotonic()) > 0:
            with self._translated("tell how the scraper is doing"):
                wait = timedelta(seconds=min(left_s, _POLL_S))
                found = self._client.run(run.id).wait_for_finish(wait_duration=wait)
            if found is None:
                raise APIError(f"Apify no longer knows the run {run.id} that it has started", hint="run it again")
            run = found
            LOG.debug("Apify: run %s: %s", run.id, run.status)
        return run, run.status

    def _abort(self, run_id: str, pending: Pending) -> None:
        with suppress(APIError, ConfigurationError):
            with self._translated("end the scraper"):
                self._client.run(run_id).abort()
            pending.clear()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Errors of the client and of the connection become ours."""
        try:
            yield
        except (UnauthorizedError, ForbiddenError) as exc:
            raise ConfigurationError(
                f"Apify token rejected: {exc.status_code}, {self._said(exc.message)}",
                hint="check APIFY_API_TOKEN: console.apify.com, Settings, API & Integrations",
            ) from exc
        except ApifyApiError as exc:
            raise APIError(f"Apify did not {doing}: {exc.status_code}, {self._said(exc.message)}") from exc
        except SourceError as exc:
            raise APIError(f"Apify did not {doing}: {self._said(exc.message)}", hint=exc.hint) from exc
        except (ApifyClientError, ValidationError, ValueError, KeyError) as exc:
            raise APIError(f"Apify was asked to {doing}, and answered with something else: {_kind(exc)}") from exc

    def _said(self, text: str | None) -> str:
        """One line of what a foreign service says, without the token."""
        line = " ".join((text or "").split())
        return (line.replace(self._token, "***") if self._token else line)[:_SAID_CHARS]


def _kind(exc: Exception) -> str:
    if isinstance(exc, ValidationError):
        return f"{exc.error_count()} members are missing or odd"
    return "no JSON" if isinstance(exc, ApifyClientError) else str(exc)[:_SAID_CHARS]
