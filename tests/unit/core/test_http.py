"""The client against a real local server: hops, addresses, credentials, retries, limits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rumiai.core.addresses import AddressRules
from rumiai.core.deadline import within
from rumiai.core.http import Credentials, HttpClient, Retry, checked_url, shown_url
from rumiai.errors import AddressError, DownloadError

from ..web_server import Handler, redirect, serving, status

LOCAL = AddressRules.parse(["127.0.0.1"])
QUICK = Retry(first_wait_s=0.01)


@pytest.fixture(scope="module")
def client() -> Iterator[HttpClient]:
    with HttpClient(LOCAL, QUICK) as made:
        yield made


def test_an_answer_with_its_body(client: HttpClient) -> None:
    with serving(status(200, b"hello")) as site:
        answer = client.request("GET", site.url("/a?b=c"))
    assert (answer.status_code, answer.content) == (200, b"hello")
    assert site.requests[0].path == "/a?b=c"


def test_a_private_address_is_not_connected_to() -> None:
    with serving(status(200)) as site, HttpClient(retry=QUICK) as client:
        with pytest.raises(AddressError, match=r"127\.0\.0\.1 leads to 127\.0\.0\.1, which is not a public address"):
            client.request("GET", site.url())
        assert not site.requests


def test_a_redirect_to_a_private_address_is_not_followed() -> None:
    with serving(redirect("http://127.9.9.9:9/latest/meta-data")) as site, HttpClient(LOCAL, QUICK) as client:
        with pytest.raises(AddressError, match=r"127\.9\.9\.9 leads to"):
            client.request("GET", site.url())
        assert len(site.requests) == 1


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose first look-up gives a permitted address and every later one another (rebinding)."""
    answers = ["127.0.0.1", "127.0.0.2", "127.0.0.2"]
    look_up = socket.getaddrinfo

    def rebinding(host: str, port: int, *rest: Any, **named: Any) -> Any:
        return look_up(answers.pop(0) if host == "rebind.test" else host, port, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with serving(status(200, b"first")) as site, HttpClient(LOCAL, QUICK) as client:
        assert client.request("GET", site.url(host="rebind.test")).content == b"first"
        assert site.requests[0].headers["Host"] == f"rebind.test:{site.port}"
    assert len(answers) == 2
    with HttpClient(LOCAL, QUICK) as client, pytest.raises(AddressError, match=r"rebind\.test leads to 127\.0\.0\.2"):
        client.request("GET", "http://rebind.test:9/")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://h/x", "gopher://h", "http://user:pw@127.0.0.1/"])
def test_a_redirect_to_what_is_no_plain_web_address(client: HttpClient, target: str) -> None:
    with serving(redirect(target)) as site, pytest.raises(AddressError):
        client.request("GET", site.url())


def test_a_loop_ends(client: HttpClient) -> None:
    with serving(redirect("/again")) as site, pytest.raises(DownloadError, match="redirects more than 8 times"):
        client.request("GET", site.url())
    assert len(site.requests) == 9


def test_a_post_becomes_a_get_by_302_and_stays_one_by_307(client: HttpClient) -> None:
    with serving(redirect("/there"), status(200)) as site:
        client.request("POST", site.url(), json={"a": 1})
        site.answers[:] = [redirect("/there", 307), status(200)]
        client.request("POST", site.url(), json={"a": 1})
    methods = [(request.method, request.body) for request in site.requests]
    assert methods == [("POST", b'{"a":1}'), ("GET", b""), ("POST", b'{"a":1}'), ("POST", b'{"a":1}')]


def test_credentials_go_to_their_own_host_alone() -> None:
    token = Credentials(frozenset({"127.0.0.1"}), {"Authorization": "Bearer abc"})
    rules = AddressRules.parse(["127.0.0.1", "localhost", "::1"])
    with serving(status(200)) as other, serving(redirect(other.url(host="localhost"))) as first:
        with HttpClient(rules, QUICK) as client:
            client.request("GET", first.url(), credentials=token)
        assert first.requests[0].headers["Authorization"] == "Bearer abc"
        assert "Authorization" not in other.requests[0].headers
    assert "abc" not in repr(token)


def test_cookies_and_authorisation_stay_with_the_site_that_was_asked(client: HttpClient) -> None:
    headers = {"Cookie": "a=b", "Authorization": "Basic abc", "Referer": "https://h.org/"}
    with serving(status(200)) as other, serving(redirect("/there"), redirect(other.url())) as first:
        with client.open("GET", first.url(), headers=headers):
            pass
        asked = [
            {name: request.headers.get(name) for name in headers} for request in (*first.requests, *other.requests)
        ]
    assert asked == [headers, headers, {"Cookie": None, "Authorization": None, "Referer": "https://h.org/"}]


def test_credentials_are_not_sent_in_the_clear() -> None:
    token = Credentials(frozenset({"api.test"}), {"Authorization": "Bearer abc"})
    assert HttpClient(LOCAL)._secret_headers(checked_url("http://api.test/"), token) == {}
    assert HttpClient(LOCAL)._secret_headers(checked_url("https://api.test/"), token)


def test_cookies_are_not_kept(client: HttpClient) -> None:
    with serving(status(200, Set_Cookie="a=b")) as site:
        client.request("GET", site.url())
        client.request("GET", site.url())
    assert all("Cookie" not in request.headers for request in site.requests)


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(client: HttpClient, code: int) -> None:
    with serving(status(code), status(code), status(200, b"there")) as site:
        assert client.request("GET", site.url()).content == b"there"
    assert len(site.requests) == 3


def test_the_third_failure_is_the_last(client: HttpClient) -> None:
    with serving(status(503)) as site, pytest.raises(DownloadError, match=r"HTTP 503 \(3 times\)"):
        client.request("GET", site.url())
    assert len(site.requests) == 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 422])
def test_what_will_not_pass_is_not_tried_again(client: HttpClient, code: int) -> None:
    with serving(status(code)) as site:
        assert client.request("GET", site.url()).status_code == code
    assert len(site.requests) == 1


def test_retry_after_is_waited_for(client: HttpClient) -> None:
    with serving(status(429, Retry_After=1), status(200)) as site:
        began = time.monotonic()
        client.request("GET", site.url())
        assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("value", ["900", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)])
def test_a_wait_that_is_too_long_is_not_begun(client: HttpClient, value: str) -> None:
    with serving(status(429, Retry_After=value)) as site, pytest.raises(DownloadError, match="no time to wait"):
        client.request("GET", site.url())
    assert len(site.requests) == 1


class Waits(threading.Event):
    """An event that is never set and notes for how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


def test_waits_grow_with_jitter() -> None:
    waits = Waits()
    with (
        serving(status(500)) as site,
        HttpClient(LOCAL, Retry(attempts=4), waits) as client,
        pytest.raises(DownloadError),
    ):
        client.request("GET", site.url())
    assert all(low <= (wait or 0) <= 1.5 * low for wait, low in zip(waits.seconds, (2, 4, 8), strict=True))


def test_a_stopped_run_waits_for_nothing() -> None:
    stop = threading.Event()

    def hang(handler: Handler) -> None:
        stop.set()
        time.sleep(5)

    with serving(hang) as site, HttpClient(LOCAL, stop=stop) as client:
        began = time.monotonic()
        with pytest.raises(DownloadError, match="the run was stopped"):
            client.request("GET", site.url())
        assert time.monotonic() - began < 3


def test_a_server_that_sends_a_byte_now_and_then_ends_with_the_limit(client: HttpClient) -> None:
    def trickle(handler: Handler) -> None:
        for _ in range(200):
            handler.wfile.write(b"H")
            time.sleep(0.02)

    with serving(trickle) as site, within(0.3):
        began = time.monotonic()
        with pytest.raises(DownloadError, match="not done within the time limit"):
            client.request("GET", site.url())
        assert time.monotonic() - began < 3


def test_an_answer_without_end_is_not_kept_in_memory(client: HttpClient) -> None:
    def endless(handler: Handler) -> None:
        handler.head(200, Connection="close")
        while True:
            handler.wfile.write(bytes(2**20))

    with serving(endless) as site, pytest.raises(DownloadError, match="more than 64 MiB"):
        client.request("GET", site.url())


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(status(200, b"direct")) as site, HttpClient(LOCAL, QUICK) as client:
        assert client.request("GET", site.url()).content == b"direct"


@pytest.mark.parametrize("url", ["http://a\\@b/", "http://a b/", "http://a/\n", "http:///x", "http://[::1", "x"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(AddressError):
        checked_url(url)


def test_a_shown_url_holds_no_secret() -> None:
    assert shown_url("https://user:pw@h/p/v.mp4?Signature=abc#t") == "https://h/p/v.mp4"
    assert shown_url("http://h/\x1b[2J") == "http://h/?[2J"
