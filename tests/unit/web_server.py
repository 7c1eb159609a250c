"""A web server on a real socket whose answers are scripted: each request takes the next one, the last one stays."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    """Scripted answers, and the requests that came."""

    port: int
    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str = "/clip.mp4", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.site.requests.append(Request(self.command, self.path, dict(self.headers), self.rfile.read(length)))
        with contextlib.suppress(ConnectionError):
            self.site.next_answer()(self)

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def head(self, status: int, **headers: str | int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server of this machine whose requests the handler answers, for the length of a ``with`` block; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def serving(*answers: Answer) -> Iterator[Site]:
    handler = type("SiteHandler", (Handler,), {})
    with listening(handler) as port:
        handler.site = Site(port, list(answers))
        yield handler.site


def status(code: int, body: bytes = b"", **headers: str | int) -> Answer:
    """An answer of one status and a whole body."""

    def answer(handler: Handler) -> None:
        handler.head(code, Content_Length=len(body), **headers)
        handler.wfile.write(body)

    return answer


def redirect(target: str, code: int = 302) -> Answer:
    return status(code, Location=target)


def file(content: bytes, content_type: str = "video/mp4") -> Answer:
    """A file as real servers give it: with an ETag, and in ranges."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:12]}"'

    def answer(handler: Handler) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if wanted is None or handler.headers.get("If-Range", etag) != etag:
            handler.head(200, Content_Length=len(content), ETag=etag, Content_Type=content_type)
            handler.wfile.write(content)
            return
        begin, total = int(wanted[1]), len(content)
        if begin >= total:
            handler.head(416, Content_Range=f"bytes */{total}", Content_Length=0)
            return
        span = f"bytes {begin}-{total - 1}/{total}"
        handler.head(206, Content_Length=total - begin, ETag=etag, Content_Range=span, Content_Type=content_type)
        handler.wfile.write(content[begin:])

    return answer


def broken_off(content: bytes, after_bytes: int, **headers: str | int) -> Answer:
    """A file of which the connection brings only the beginning."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:12]}"'

    def answer(handler: Handler) -> None:
        handler.head(200, **{"Content_Length": len(content), "ETag": etag, "Content_Type": "video/mp4", **headers})
        handler.wfile.write(content[:after_bytes])
        handler.close_connection = True

    return answer
