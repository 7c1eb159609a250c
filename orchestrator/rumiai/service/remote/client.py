"""Calls of a service, tried again while the service or the network is away."""

from __future__ import annotations

import io
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx

from rumiai.core.json_values import JsonObject
from rumiai.errors import ConfigurationError, RumiAIError, ServerError, StoreError, UsageError

LOG = logging.getLogger(__name__)

_CONNECT_S: Final = 10.0
# The service says something every 15 s where a run has nothing to say.
_READ_S: Final = 60.0
# A service that is started again is there within this time; its model server may take longer, which runs wait for.
_PATIENCE_S: Final = 300.0
# A service that has never answered and refuses connections is not there at all.
_FIRST_CONTACT_S: Final = 12.0
# Shorter absences are not told.
_UNTOLD_S: Final = 0.4
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 10.0
_LATER: Final = frozenset({408, 429, 502, 503, 504})
_PAGE: Final = 500


class ServiceClient:
    """One service.

    Args:
        url: Of the service.
        key: An API key.
        patience_s: How long it may be away once it has answered.
    """

    def __init__(self, url: str, key: str, patience_s: float = _PATIENCE_S) -> None:
        self._url, self._patience_s = url.rstrip("/"), patience_s
        self._was_there = False
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"}, timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S)
        )

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def submit(self, request: JsonObject, files: Sequence[Path], idempotency_key: str) -> str:
        """Submit a run, once however often it is sent.

        Args:
            request: As POST /v1/runs takes it.
            files: To upload, under their paths.
            idempotency_key: Of this run.

        Returns:
            The run's id.
        """

        def attempt() -> httpx.Response:
            headers = {"Idempotency-Key": idempotency_key}
            if not files:
                return self._client.post(f"{self._url}/v1/runs", json=request, headers=headers)
            parts: Any = [("file", (str(path), _LateFile(path), "application/octet-stream")) for path in files]
            form = {"request": json.dumps(request)}
            return self._client.post(f"{self._url}/v1/runs", data=form, files=parts, headers=headers)

        return str(_json(self._patiently(attempt))["id"])

    def run(self, run_id: str) -> JsonObject:
        """A run."""
        return _json(self._get(f"/v1/runs/{run_id}"))

    def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        self._patiently(lambda: self._client.delete(f"{self._url}/v1/runs/{run_id}"))

    def videos(self, run_id: str) -> Iterator[JsonObject]:
        """The videos of a run, in their order."""
        after: object = -1
        while after is not None:
            page: Any = _json(self._get(f"/v1/runs/{run_id}/videos?limit={_PAGE}&after={after}"))
            yield from page["videos"]
            after = page["next"]

    def files(self, run_id: str, video_id: str) -> list[str]:
        """Paths of a video's result files."""
        listed: Any = _json(self._get(f"/v1/runs/{run_id}/videos/{video_id}/files"))
        return [str(each["path"]) for each in listed["files"]]

    def file(self, run_id: str, video_id: str, path: str) -> bytes:
        """One result file."""
        return self._get(f"/v1/runs/{run_id}/videos/{video_id}/files/{path}").content

    def events(self, run_id: str) -> Iterator[JsonObject]:
        """The events of a run from the first to ``done``, whatever happens to the connection.

        Raises:
            ServerError: The service was away for too long.
        """
        after, away = 0, self._away()
        while True:
            try:
                for seq, members in self._stream(run_id, after, away.back):
                    after = seq or after
                    yield members
                    if members["event"] == "done":
                        return
                away.wait("the service ended the stream")
            except httpx.TransportError as exc:
                away.wait(_reason(exc), exc)

    def _stream(self, run_id: str, after: int, heard: Callable[[], None]) -> Iterator[tuple[int | None, JsonObject]]:
        """The events of one connection, with the ids of those that have one; each line of it is ``heard``."""
        headers = {"Last-Event-ID": str(after)}
        with self._client.stream("GET", f"{self._url}/v1/runs/{run_id}/events", headers=headers) as answer:
            if answer.is_error:
                answer.read()
                if answer.status_code in _LATER:
                    raise httpx.RemoteProtocolError(f"HTTP {answer.status_code}")
                raise _refusal(answer)
            seq: int | None = None
            data = ""
            for line in answer.iter_lines():
                heard()
                name, _, value = line.partition(": ")
                if name == "id":
                    seq = int(value)
                elif name == "data":  # JSON in one line
                    data = value
                elif not line and data:
                    yield seq, json.loads(data)
                    seq, data = None, ""

    def _get(self, path: str) -> httpx.Response:
        return self._patiently(lambda: self._client.get(f"{self._url}{path}"))

    def _patiently(self, attempt: Callable[[], httpx.Response]) -> httpx.Response:
        away = self._away()
        while True:
            try:
                answer = attempt()
            except httpx.ConnectError as exc:
                away.wait(_reason(exc), exc, patience_s=None if self._was_there else _FIRST_CONTACT_S)
                continue
            except httpx.TransportError as exc:
                away.wait(_reason(exc), exc)
                continue
            except httpx.InvalidURL as exc:
                raise UsageError(f"--to: got {self._url}, expected such as http://127.0.0.1:8080") from exc
            self._was_there = True
            if answer.status_code in _LATER:
                away.wait(f"HTTP {answer.status_code}", after_s=_number(answer.headers.get("Retry-After")))
                continue
            if not answer.is_success:
                raise _refusal(answer)
            away.back()
            return answer

    def _away(self) -> _Away:
        return _Away(self._url, self._patience_s)


class _Away:
    """How long a service has been away; it is told once, and when it is there again."""

    def __init__(self, url: str, patience_s: float) -> None:
        self._url, self._patience_s = url, patience_s
        self._told = False
        self.back()

    def back(self) -> None:
        """It is there."""
        self._since_s, self._wait_s = time.monotonic(), _FIRST_WAIT_S
        if self._told:
            self._told = False
            LOG.warning("the service at %s is there again", self._url)

    def wait(
        self, reason: str, cause: Exception | None = None, after_s: float = 0.0, patience_s: float | None = None
    ) -> None:
        """Wait before the next attempt.

        Args:
            reason: Why it does not answer.
            cause: What says so.
            after_s: The service asked to wait for so long.
            patience_s: How long it may be away, where it has never answered; None for one that has.

        Raises:
            ServerError: It has been away for too long.
        """
        left_s = min(self._patience_s, math.inf if patience_s is None else patience_s)
        left_s -= (away_s := time.monotonic() - self._since_s)
        if left_s < 0:
            hint = "what it accepted is finished when it is there again; `rumiai-orch status` shows it there"
            if patience_s is not None:
                hint = "check the address of --to, and whether `rumiai-orch serve` runs there"
            raise ServerError(f"the service at {self._url} does not answer: {reason}", hint=hint) from cause
        if away_s > _UNTOLD_S and not self._told:
            self._told = True
            LOG.warning("waiting for the service at %s: %s", self._url, reason)
        time.sleep(min(max(self._wait_s, after_s), left_s + _FIRST_WAIT_S))
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)


class _LateFile(io.RawIOBase):
    """A file that is opened when it is read, and closed at its end: a run may have more than may be open at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Read; the end closes the file.

        Raises:
            StoreError: It cannot be read.
        """
        try:
            if self._stream is None:
                self._stream = self._path.open("rb")
            block = self._stream.read(size)
        except OSError as exc:
            raise StoreError(f"cannot read {self._path}: {exc.strerror}") from exc
        if not block:
            self._stream.close()
            self._stream = None
        return block


def _json(answer: httpx.Response) -> JsonObject:
    """The JSON object of an answer.

    Raises:
        ServerError: It holds none: something else listens there.
    """
    try:
        found = json.loads(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ServerError(
            f"{answer.url} answered with something else than JSON",
            hint="check the address of --to, and whether `rumiai-orch serve` runs there",
        )
    return found


def _reason(exc: httpx.TransportError) -> str:
    return str(exc) or type(exc).__name__


def _number(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0


def _refusal(answer: httpx.Response) -> RumiAIError:
    """The error of a problem that the service answered with."""
    told: Mapping[str, object] = {}
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        told = answer.json()
    detail = str(told.get("detail") or f"HTTP {answer.status_code} from {answer.url}")
    mistakes = told.get("errors")
    if isinstance(mistakes, list):
        detail += "".join(f"; {each['at']}: {each['message']}" for each in mistakes)
    hint = str(told["hint"]) if told.get("hint") else None
    if answer.status_code in (401, 403):
        return ConfigurationError(f"the service refused the API key: {detail}", hint="RUMIAI_API_KEY holds the key")
    kind = UsageError if told and answer.status_code < 500 else ServerError
    return kind(f"the service: {detail}", hint=hint)
