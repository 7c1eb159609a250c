"""One kept HTTP client for addresses that came from outside.

It connects only where the rules let it: each host's addresses are looked up and checked at every hop, and the address
that was checked is the one that is connected to. Proxies of the environment are not used, since a proxy would look the
host up again. Credentials go to their own hosts alone.
"""

from __future__ import annotations

import contextlib
import email.utils
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, TypeVar

import httpx

from rumiai.core.addresses import AddressRules
from rumiai.core.checked_transport import CheckedTransport
from rumiai.core.deadline import left_s
from rumiai.errors import AddressError, DownloadError

T = TypeVar("T")

_CONNECT_S: Final = 10.0
_READ_S: Final = 30.0
_MAX_REDIRECTS: Final = 8
_LAST_PORT: Final = 65535
# An answer that is kept in memory: a page or a list of items, never a video.
_MAX_BODY_BYTES: Final = 64 * 2**20
# Of a URL in a message; longer ones name their video far enough.
_SHOWN_CHARS: Final = 1000
_USER_AGENT: Final = "rumiai (+https://github.com/rumiai/rumiai)"
_LATER: Final = "try again later: what is finished is kept"
_PASSING: Final = frozenset({408, 429})
# What was meant for the site that was asked, and not for the one that it redirects to.
_OF_ONE_SITE: Final = frozenset({"authorization", "cookie"})


@dataclass(frozen=True)
class Credentials:
    """Headers that only some hosts may see; they are sent over https, or to hosts that the address rules name.

    Attributes:
        hosts: Names, lower case.
        headers: Such as ``Authorization``.
    """

    hosts: frozenset[str]
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Retry:
    """How often and how long a request is tried again.

    Attributes:
        attempts: In all, without those that got further than the ones before.
        first_wait_s: Doubled from wait to wait, with a jitter of half of it.
        longest_wait_s: Also of what a server asks for; one that asks for more is not waited for.
    """

    attempts: int = 3
    first_wait_s: float = 2.0
    longest_wait_s: float = 120.0


class TransientError(Exception):
    """What may work another time.

    Args:
        reason: What went wrong.
        after_s: How long the server wants us to wait.
        progressed: Whether this attempt got further than the ones before.
    """

    def __init__(self, reason: str, after_s: float | None = None, *, progressed: bool = False) -> None:
        super().__init__(reason)
        self.after_s, self.progressed = after_s, progressed


class HttpClient:
    """Requests with connections that are kept, under the address rules; may be used by several threads at once.

    Args:
        rules: Where it may connect to.
        retry: For :meth:`request` and :meth:`retried`.
        stop: When it is set, what is under way fails within a second.
    """

    def __init__(
        self, rules: AddressRules | None = None, retry: Retry | None = None, stop: threading.Event | None = None
    ) -> None:
        # Its lines would show the signatures of signed URLs.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.rules, self.retry = rules or AddressRules(), retry or Retry()
        self._stop = stop or threading.Event()
        timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
        headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        self._client = httpx.Client(
            transport=CheckedTransport(self.rules, self._stop),
            timeout=timeout,
            headers=headers,
            trust_env=False,
            cookies=_no_cookies(),
        )

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    @contextlib.contextmanager
    def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        json: Any = None,
        content: bytes | None = None,
    ) -> Iterator[httpx.Response]:
        """Send one request, follow its redirects, and yield the answer with its body not yet read.

        Of ``headers`` the cookies and the authorisation go no further than the site of the URL.

        Raises:
            AddressError: A hop leads where we do not go.
            DownloadError: Too many hops.
            httpx.TransportError: The connection failed, or the limit of :func:`within` is over.
        """
        target = checked_url(url)
        for _ in range(_MAX_REDIRECTS + 1):
            sent = {**(headers or {}), **self._secret_headers(target, credentials)}
            request = self._client.build_request(method, target, headers=sent, json=json, content=content)
            answer = self._client.send(request, stream=True)
            try:
                if not answer.has_redirect_location:
                    yield answer
                    return
                before, target = target, checked_url(str(target.join(answer.headers["Location"])))
                if (before.scheme, before.netloc) != (target.scheme, target.netloc):
                    headers = {
                        name: value for name, value in (headers or {}).items() if name.lower() not in _OF_ONE_SITE
                    }
                if answer.status_code in (301, 302, 303) and method != "HEAD":
                    method, json, content = "GET", None, None
            finally:
                answer.close()
        raise DownloadError(f"{shown_url(url)} redirects more than {_MAX_REDIRECTS} times")

    def request(
        self,
        method: str,
        url: str,
        *,
        credentials: Credentials | None = None,
        json: Any = None,
    ) -> httpx.Response:
        """An answer with its body read, after redirects and retries; statuses below 500 are the caller's to judge.

        Raises:
            AddressError: A hop leads where we do not go.
            DownloadError: It failed for good, or the body is larger than 64 MiB.
        """

        def attempt() -> httpx.Response:
            with self.open(method, url, credentials=credentials, json=json) as answer:
                refuse_passing(answer)
                return httpx.Response(
                    answer.status_code, headers=answer.headers, content=_body(answer, url), request=answer.request
                )

        return self.retried(attempt, shown_url(url))

    def retried(self, attempt: Callable[[], T], what: str) -> T:
        """Call until it works.

        Args:
            attempt: Raises :class:`TransientError` or an ``httpx.TransportError`` for what may work another time.
            what: Whom the error is about.

        Raises:
            DownloadError: The last attempt failed too, there is no time for another one, or the run was stopped.
        """
        failures = 0
        while True:
            try:
                return attempt()
            except (TransientError, httpx.TransportError) as exc:
                again, cause = as_transient(exc), exc
            failures = 1 if again.progressed else failures + 1
            wait_s = _wait_s(self.retry, failures, again.after_s)
            if problem := self._hopeless(failures, wait_s, again):
                raise DownloadError(f"{what}: {problem}", hint=_LATER) from cause
            self._stop.wait(wait_s)

    def _hopeless(self, failures: int, wait_s: float, again: TransientError) -> str | None:
        """Why there is no further attempt; None where there is one."""
        if self._stop.is_set():
            return "the run was stopped"
        if left_s() <= 0:
            return "not done within the time limit (RUMIAI_DOWNLOAD_TIMEOUT_S)"
        if failures >= self.retry.attempts:
            return f"{again} ({'once' if failures == 1 else f'{failures} times'})"
        if wait_s > min(self.retry.longest_wait_s, left_s()):
            return f"{again}, and there is no time to wait {wait_s:.0f} s for another attempt"
        return None

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Send a body once; a redirect is not followed.

        Returns:
            The status.

        Raises:
            AddressError: It leads where we do not go.
            DownloadError: The connection failed, or the limit of :func:`within` is over.
        """
        request = self._client.build_request("POST", checked_url(url), headers=headers, content=content)
        try:
            answer = self._client.send(request, stream=True)
        except httpx.TransportError as exc:
            raise DownloadError(f"{shown_url(url)}: {_reason(exc)}") from exc
        answer.close()
        return answer.status_code

    def _secret_headers(self, target: httpx.URL, credentials: Credentials | None) -> Mapping[str, str]:
        if credentials is None or target.host.lower() not in credentials.hosts:
            return {}
        is_safe = target.scheme == "https" or self.rules.names(target.host)
        return credentials.headers if is_safe else {}


def as_transient(exc: TransientError | httpx.TransportError) -> TransientError:
    """A failure of the connection with its reason in a few words; any other as it is."""
    return exc if isinstance(exc, TransientError) else TransientError(_reason(exc))


def refuse_passing(answer: httpx.Response) -> None:
    """Raise for a status that may be another one next time.

    Raises:
        TransientError: 408, 429 or 5xx.
    """
    if answer.status_code in _PASSING or answer.status_code >= 500:
        raise TransientError(f"HTTP {answer.status_code}", _retry_after_s(answer.headers.get("Retry-After")))


def checked_url(url: str) -> httpx.URL:
    """A URL that may be asked for.

    Raises:
        AddressError: It is none of http or https, or holds a user name or password.
    """
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as exc:
        raise AddressError(f"{shown_url(url)} is no URL: {exc}") from exc
    if found.scheme not in ("http", "https") or not found.host:
        raise AddressError(f"{shown_url(url)} is taken neither by http nor by https")
    if found.port is not None and not 0 < found.port <= _LAST_PORT:
        raise AddressError(f"{shown_url(url)}: got the port {found.port}, expected 1 to {_LAST_PORT}")
    if found.userinfo:
        raise AddressError(f"{shown_url(url)} holds a user name or password", hint="give a URL without them")
    if "\\" in url or any(ord(char) < 33 for char in url):
        raise AddressError(f"{shown_url(url)} holds a character that no URL has", hint="write it as %XX")
    return found


def shown_url(url: str) -> str:
    """A URL as it may be shown: without user, password, query and fragment, in one line."""
    plain = url.split("?", 1)[0].split("#", 1)[0]
    scheme, mark, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    shown = f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
    return "".join(char if char.isprintable() else "?" for char in shown[:_SHOWN_CHARS])


def _no_cookies() -> CookieJar:
    """A jar that keeps nothing: what one answer sets must not reach the request for another video."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _wait_s(retry: Retry, failures: int, after_s: float | None) -> float:
    backoff_s = retry.first_wait_s * 2.0 ** (failures - 1)
    return max(after_s or 0.0, backoff_s * random.uniform(1.0, 1.5))


def _retry_after_s(value: str | None) -> float | None:
    """Seconds of a ``Retry-After``, which has seconds or a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _reason(exc: httpx.TransportError) -> str:
    if isinstance(exc, httpx.TimeoutException):
        return "it did not answer in time"
    return str(exc) or type(exc).__name__


def _body(answer: httpx.Response, url: str) -> bytes:
    body = bytearray()
    for block in answer.iter_bytes():
        body += block
        if len(body) > _MAX_BODY_BYTES:
            raise DownloadError(f"{shown_url(url)} answers with more than {_MAX_BODY_BYTES >> 20} MiB")
    return bytes(body)
