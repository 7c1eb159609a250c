"""httpx's connections, made only to addresses that were checked, within a time limit, and given up when a run stops."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import httpcore
import httpx

from rumiai.core.addresses import AddressRules
from rumiai.core.deadline import left_s

# A host with more addresses than these is out of reach when they are.
_MAX_TRIED: Final = 4
_MAX_CONNECTIONS: Final = 32
# How often a connection that waits looks whether the run was stopped.
_STOP_POLL_S: Final = 0.25
# Without a limit of the caller's.
_READ_S: Final = 30.0


class CheckedTransport(httpx.BaseTransport):
    """httpx over a connection pool whose connections follow the address rules."""

    def __init__(self, rules: AddressRules, stop: threading.Event) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
            keepalive_expiry=30.0,
            network_backend=_CheckedBackend(rules, stop),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is read as it is asked for."""
        url = request.url
        with _errors_of_httpx():
            answer = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions=dict(answer.extensions)
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextlib.contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """Raise httpcore's errors as those of httpx, which have the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as exc:
        raise getattr(httpx, type(exc).__name__)(str(exc)) from exc


class _CheckedBackend(httpcore.NetworkBackend):
    """Looks a host up, checks its addresses and connects to one of those that it has checked."""

    def __init__(self, rules: AddressRules, stop: threading.Event) -> None:
        self._rules, self._stop, self._plain = rules, stop, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._rules.resolve(host, port)[:_MAX_TRIED]:
            try:
                stream = self._plain.connect_tcp(address, port, _limited(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
            else:
                return _TimedStream(stream, self._stop)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("a Unix socket is no address")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _TimedStream(httpcore.NetworkStream):
    """A connection that keeps the limit of :func:`within`, also against a server that sends a byte now and then.

    It gives up when the run is stopped.
    """

    def __init__(self, stream: httpcore.NetworkStream, stop: threading.Event) -> None:
        self._stream, self._stop = stream, stop

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        limit = time.monotonic() + (_limited(timeout) or _READ_S)
        while not self._stop.is_set():
            with contextlib.suppress(httpcore.ReadTimeout):
                return self._stream.read(max_bytes, min(_STOP_POLL_S, max(limit - time.monotonic(), 0.001)))
            if time.monotonic() >= limit:
                raise httpcore.ReadTimeout("no answer")
        raise httpcore.ReadError("the run was stopped")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _limited(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _limited(timeout))
        return _TimedStream(stream, self._stop)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _limited(timeout: float | None) -> float | None:
    """A timeout that is over when the limit of :func:`within` is.

    Raises:
        httpcore.ReadTimeout: It is over.
    """
    seconds = left_s()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the time limit is over")
    if seconds == float("inf"):
        return timeout
    return seconds if timeout is None else min(timeout, seconds)
