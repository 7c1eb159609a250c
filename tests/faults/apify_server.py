"""Two servers on real sockets: one speaks Apify's API (v2) with TikTok's scraper behind it, one is TikTok's delivery.

The API is at ``localhost``, the delivery at ``127.0.0.1``: two hosts, so that a token that reaches the wrong one is
seen. Every request takes the next of the faults that were set for its kind, and without one is answered well.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..unit.web_server import listening

TOKEN = "apify_api_test_0123456789_not_a_real_token"
# Personal members of an item that nothing reads: they may stand in no file.
PRIVATE = ("a biography", "avatar-of-somebody", "mentioned-person", "12 Some Street", "region-of-the-author")

Fault = Callable[["Handler"], None]


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Run:
    id: str
    input: dict[str, Any]
    status: str = "RUNNING"
    polls: int = 0
    items: list[Any] = field(default_factory=list)


@dataclass
class World:
    """What both servers know and have seen.

    Attributes:
        api: Address of Apify's API.
        cdn: Address of TikTok's delivery.
        posts: Id of a post -> its item.
        short: Code of a short link -> id of a post.
        files: Path of the delivery -> content.
        ends: The status that a run ends with.
        polls: How often a run is asked for before it has ended.
        faults: Kind of request -> what happens to the next ones.
        requests: Of both servers, in order.
        leaks: Requests that brought a token to the delivery.
    """

    api: str = ""
    cdn: str = ""
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    ends: str = "SUCCEEDED"
    polls: int = 1
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    requests: list[Request] = field(default_factory=list)
    leaks: list[Request] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)

    def video_post(self, number: str, content: bytes, user: str = "somebody", **members: Any) -> dict[str, Any]:
        """Add a post with a video; both servers then know it."""
        self.files[f"/video/{number}.mp4"] = content
        item = {**_item(number, user), "mediaUrls": [f"{self.cdn}/video/{number}.mp4"], **members}
        self.posts[number] = item
        return item

    def photo_post(
        self, number: str, pictures: list[bytes], sound: bytes, user: str = "somebody", **members: Any
    ) -> dict[str, Any]:
        """Add a post of photo mode."""
        links = []
        for index, picture in enumerate(pictures):
            path = f"/photo/{number}/{index}.jpeg"
            self.files[path] = picture
            links.append({"tiktokLink": f"{self.cdn}{path}", "downloadLink": f"{self.cdn}{path}?from=apify"})
        self.files[f"/music/{number}.mp3"] = sound
        item = {**_item(number, user), "isSlideshow": True, "slideshowImageLinks": links, "mediaUrls": []}
        item["musicMeta"] = {**item["musicMeta"], "playUrl": f"{self.cdn}/music/{number}.mp3"}
        self.posts[number] = {**item, **members}
        return self.posts[number]

    def of_kind(self, kind: str) -> list[Request]:
        """The requests that were of this kind: start, run, abort, items, record, file."""
        return [request for request in self.requests if _kind(request.method, request.path) == kind]


def _item(number: str, user: str) -> dict[str, Any]:
    return {
        "id": number,
        "text": f"Post {number}, wait for it 🔥 #fun @friend",
        "textLanguage": "en",
        "createTime": 1735689600,
        "createTimeISO": "2025-01-01T00:00:00.000Z",
        "webVideoUrl": f"https://www.tiktok.com/@{user}/video/{number}",
        "authorMeta": {
            "id": "6800000000000000000", "name": user, "nickName": "Some Body", "verified": True, "fans": 12_000,
            "following": 7, "heart": 9, "video": 3, "signature": PRIVATE[0], "avatar": PRIVATE[1], "region": PRIVATE[4],
        },
        "musicMeta": {"musicId": "77", "musicName": "a song", "musicAuthor": "a singer", "musicOriginal": False},
        "videoMeta": {"duration": 3, "width": 576, "height": 1024, "coverUrl": "https://c.example.org/x.jpg"},
        "playCount": 1000, "diggCount": 50, "commentCount": 6, "shareCount": 4, "collectCount": 20,
        "hashtags": [{"id": "1", "name": "fun", "title": "", "cover": ""}],
        "mentions": ["@friend"],
        "detailedMentions": [{"id": "5", "nickName": PRIVATE[2]}],
        "effectStickers": [], "isAd": False, "isSlideshow": False,
        "locationCreated": "DE", "locationMeta": {"address": PRIVATE[3], "city": "Bonn"},
    }  # fmt: skip


def _kind(method: str, path: str) -> str:
    patterns = {
        "start": r"POST /v2/(?:acts|actors)/[^/]+/runs", "run": r"GET /v2/actor-runs/[^/]+", "abort": r"POST .*/abort",
        "items": r"GET /v2/datasets/[^/]+/items", "record": r"GET /v2/key-value-stores/.*",
    }  # fmt: skip
    return next((kind for kind, pattern in patterns.items() if re.fullmatch(pattern, f"{method} {path}")), "file")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World
    is_api: bool

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        query = dict(parse_qsl(parts.query))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_seen = Request(self.command, parts.path, query, headers, json.loads(body) if body else None)
        self.world.requests.append(self.request_seen)
        if not self.is_api and ("authorization" in headers or "token" in query):
            self.world.leaks.append(self.request_seen)
        faults = self.world.faults[_kind(self.command, parts.path)]
        with contextlib.suppress(ConnectionError):
            (faults.pop(0) if faults else _well)(self)

    def do_POST(self) -> None:
        self.do_GET()

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def tell(self, status: int, value: Any, **headers: str) -> None:
        self.send(status, json.dumps(value).encode(), Content_Type="application/json; charset=utf-8", **headers)

    def log_message(self, *_: object) -> None:
        pass


def _well(handler: Handler) -> None:
    request, world = handler.request_seen, handler.world
    if not handler.is_api:
        _deliver(handler)
    elif request.headers.get("authorization") != f"Bearer {TOKEN}":
        refused(401, "user-or-token-not-found", "User was not found or authentication token is not valid")(handler)
    else:
        answer = {"start": _start, "run": _poll, "abort": _abort, "items": _items, "record": _record}
        answer[_kind(request.method, request.path)](handler, world)


def _start(handler: Handler, world: World) -> None:
    run = Run(f"run{len(world.runs)}", handler.request_seen.body)
    run.items = scrape(world, run.input)
    world.runs[run.id] = run
    handler.tell(201, {"data": _told(run)})


def _poll(handler: Handler, world: World) -> None:
    run = world.runs[handler.request_seen.path.rpartition("/")[2]]
    run.polls += 1
    if run.status == "RUNNING" and run.polls >= world.polls:
        run.status = world.ends
    elif run.status == "RUNNING":
        time.sleep(min(0.05, float(handler.request_seen.query.get("waitForFinish", 0))))
    handler.tell(200, {"data": _told(run)})


def _abort(handler: Handler, world: World) -> None:
    run = world.runs[handler.request_seen.path.split("/")[-2]]
    run.status = "ABORTED"
    handler.tell(200, {"data": _told(run)})


def _items(handler: Handler, world: World) -> None:
    run = world.runs[handler.request_seen.path.split("/")[-2].removeprefix("dataset-")]
    query = handler.request_seen.query
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 1000))
    page = run.items[offset : offset + limit]
    counts = {"total": len(run.items), "offset": offset, "count": len(page), "limit": limit, "desc": "false"}
    handler.tell(200, page, **{f"x_apify_pagination_{name}": str(value) for name, value in counts.items()})


def _record(handler: Handler, world: World) -> None:
    handler.send(200, world.files[handler.request_seen.path], Content_Type="video/mp4")


def _deliver(handler: Handler) -> None:
    content = handler.world.files.get(handler.request_seen.path)
    if content is None:
        handler.send(404, b"gone")
    else:
        handler.send(200, content, Content_Type="application/octet-stream")


def scrape(world: World, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """What the scraper finds, in another order than it was asked for."""
    found = []
    for url in asked.get("postURLs", ()):
        last = urlsplit(url).path.rstrip("/").rpartition("/")[2]
        item = world.posts.get(world.short.get(last, last))
        lost = {"url": url, "error": "Post not found or private", "errorCode": "POST_NOT_FOUND_OR_PRIVATE"}
        found.append({**item, "submittedVideoUrl": url} if item else lost)
    most = asked["resultsPerPage"]
    for name in asked.get("profiles", ()):
        posts = [post for post in world.posts.values() if post["authorMeta"]["name"] == name]
        found += [{**post, "input": name, "fromProfileSection": "videos"} for post in posts[:most]]
    for name in asked.get("hashtags", ()):
        posts = [post for post in world.posts.values() if name in post["text"]]
        found += [{**post, "input": name, "searchHashtag": {"name": name, "views": 3}} for post in posts[:most]]
    return found[::-1]


def _told(run: Run) -> dict[str, Any]:
    ended = run.status not in ("READY", "RUNNING")
    return {
        "id": run.id, "actId": "GdWCkxBtKWOsKjdch", "userId": "u1", "startedAt": "2026-01-01T00:00:00.000Z",
        "finishedAt": "2026-01-01T00:01:00.000Z" if ended else None, "status": run.status,
        "statusMessage": f"the run is {run.status}", "meta": {"origin": "API"}, "stats": {"restartCount": 0},
        "options": {"build": "latest", "timeoutSecs": 300, "memoryMbytes": 1024, "diskMbytes": 2048}, "buildId": "b1",
        "buildNumber": "0.0.36", "defaultKeyValueStoreId": f"store-{run.id}",
        "defaultDatasetId": f"dataset-{run.id}", "defaultRequestQueueId": f"queue-{run.id}",
    }  # fmt: skip


def refused(status: int, kind: str, message: str, **headers: str) -> Fault:
    """An error as Apify tells it."""
    return lambda handler: handler.tell(status, {"error": {"type": kind, "message": message}}, **headers)


def says(body: bytes, status: int = 200, content_type: str = "application/json") -> Fault:
    """A body that is not what was asked for."""
    return lambda handler: handler.send(status, body, Content_Type=content_type)


def moved(target: str, status: int = 302) -> Fault:
    """The answer is elsewhere."""
    return lambda handler: handler.send(status, b"", Location=target)


def cut_off(handler: Handler) -> None:
    """The connection ends without an answer."""
    handler.close_connection = True
    handler.connection.close()


@contextlib.contextmanager
def apify() -> Iterator[World]:
    """Both servers, for the length of a ``with`` block."""
    world = World()
    with contextlib.ExitStack() as stack:
        for is_api in (True, False):
            handler = type("BoundHandler", (Handler,), {"world": world, "is_api": is_api})
            port = stack.enter_context(listening(handler))
            if is_api:
                world.api = f"http://localhost:{port}"
            else:
                world.cdn = f"http://127.0.0.1:{port}"
        yield world
