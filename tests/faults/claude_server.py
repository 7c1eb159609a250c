"""A server that speaks the Messages, Models and Message Batches protocols over a real socket.

What it answers is scripted: each request takes the next behaviour, and when none is left, :func:`well`. It refuses
what the real API refuses: wrong keys, sampling parameters, prefill, thinking and schemas that a model does not take.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-ant-test-0123456789-not-a-real-key"
_MOST_UNIONS = 16
_FORBIDDEN = {"minimum", "maximum", "pattern", "maxItems", "minLength", "propertyNames", "$schema"}
_THINKING = {"claude-haiku-5-5": {"disabled", "adaptive"}, "claude-sonnet-5-5": {"between_tools", "adaptive"}}


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at_s: float

    @property
    def analysis(self) -> str:
        return str(self.body["output_config"]["format"]["schema"]["title"])

    @property
    def data(self) -> dict[str, Any]:
        return data_of(self.body)


def data_of(params: dict[str, Any]) -> dict[str, Any]:
    """The data part of a prompt."""
    text = params["messages"][0]["content"][1]["text"]
    found: dict[str, Any] = json.loads(text.removeprefix("<data>\n").removesuffix("\n</data>"))
    return found


Behaviour = Callable[["Handler", Request], None]


@dataclass
class Batch:
    id: str
    requests: list[dict[str, Any]]
    created_at: datetime
    ended: bool = False
    lines: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self, base: str) -> dict[str, Any]:
        kinds = [line["result"]["type"] for line in self.lines]
        counts = {kind: kinds.count(kind) for kind in ("succeeded", "errored", "canceled", "expired")}
        return {
            "id": self.id, "type": "message_batch", "created_at": self.created_at.isoformat(),
            "expires_at": (self.created_at + timedelta(days=1)).isoformat(), "archived_at": None,
            "cancel_initiated_at": None, "ended_at": self.created_at.isoformat() if self.ended else None,
            "processing_status": "ended" if self.ended else "in_progress",
            "request_counts": {**counts, "processing": 0 if self.ended else len(self.requests)},
            "results_url": f"{base}/v1/messages/batches/{self.id}/results" if self.ended else None,
        }  # fmt: skip


class ClaudeServer:
    """The state that the handlers share."""

    def __init__(self) -> None:
        self.script: list[Behaviour] = []
        self.default: Behaviour = well
        self.requests: list[Request] = []
        self.batches: list[Batch] = []
        self.lose_batch_response = False
        self.lock = threading.Lock()
        self.release = threading.Event()
        self.in_flight = 0
        self.most_in_flight = 0
        self.url = ""

    @property
    def asked(self) -> list[Request]:
        """Prompts that arrived, attempts included."""
        return [r for r in self.requests if r.path == "/v1/messages"]

    def end_batches(self, make: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        """Answer everything that was submitted; ``make`` turns a request's params into its result."""
        for batch in self.batches:
            batch.ended = True
            batch.lines = [
                {"custom_id": r["custom_id"], "result": (make or succeeded)(r["params"])} for r in batch.requests
            ]
            batch.lines.reverse()  # the order is not kept


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *args: object) -> None:
        pass

    @property
    def state(self) -> ClaudeServer:
        state: ClaudeServer = self.server.state
        return state

    def send_json(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_raw(json.dumps(body).encode(), status, headers)

    def send_raw(self, raw: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        with self.state.lock:
            number = len(self.state.requests)
        fixed = {"content-type": "application/json", "content-length": str(len(raw)), "request-id": f"req_{number:03d}"}
        for name, value in {**fixed, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(raw)

    def send_error_json(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        self.send_json({"type": "error", "error": {"type": kind, "message": message}}, status, headers)

    def reset(self) -> None:
        """Close the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def _handle(self, method: str) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method, self.path.split("?")[0], headers, body, time.monotonic())
        state = self.state
        with state.lock:
            state.requests.append(request)
            state.in_flight += 1
            state.most_in_flight = max(state.most_in_flight, state.in_flight)
        try:
            self._route(request)
        finally:
            with state.lock:
                state.in_flight -= 1

    def _route(self, request: Request) -> None:
        state, path = self.state, request.path
        key = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if key != KEY:
            self.send_error_json(401, "authentication_error", "invalid x-api-key")
        elif "anthropic-version" not in request.headers:
            self.send_error_json(400, "invalid_request_error", "anthropic-version: header is required")
        elif path == "/v1/models":
            self.send_json({"data": [], "has_more": False, "first_id": None, "last_id": None})
        elif path == "/v1/messages":
            with state.lock:
                behaviour = state.script.pop(0) if state.script else state.default
            if fault := refused(request.body):
                self.send_error_json(400, "invalid_request_error", fault)
            else:
                behaviour(self, request)
        elif path == "/v1/messages/batches" and request.method == "POST":
            self._create_batch(request)
        elif path == "/v1/messages/batches":
            data = [batch.to_dict(state.url) for batch in reversed(state.batches)]
            self.send_json({"data": data, "has_more": False, "first_id": None, "last_id": None})
        else:
            self._one_batch(path.split("/"))

    def _create_batch(self, request: Request) -> None:
        ids = [r["custom_id"] for r in request.body["requests"]]
        faults = [fault for r in request.body["requests"] if (fault := refused(r["params"]))]
        faults += [f"custom_id {i}" for i in ids if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", i)]
        if faults or len(set(ids)) != len(ids):
            self.send_error_json(400, "invalid_request_error", "; ".join(faults) or "custom_id twice")
            return
        state = self.state
        batch = Batch(f"msgbatch_{len(state.batches) + 1:02d}", request.body["requests"], datetime.now(UTC))
        state.batches.append(batch)
        if state.lose_batch_response:
            self.reset()
        else:
            self.send_json(batch.to_dict(state.url))

    def _one_batch(self, parts: list[str]) -> None:
        batch = next((b for b in self.state.batches if b.id in parts), None)
        if batch is None:
            self.send_error_json(404, "not_found_error", "no such batch")
        elif parts[-1] == "results":
            raw = "".join(json.dumps(line) + "\n" for line in batch.lines).encode()
            self.send_raw(raw, 200, {"content-type": "application/x-jsonl"})
        else:
            self.send_json(batch.to_dict(self.state.url))


def refused(body: dict[str, Any]) -> str | None:
    """Why the real API would not take a request."""
    if missing := {"model", "max_tokens", "messages"} - set(body):
        return f"missing {sorted(missing)}"
    if set(body) & {"temperature", "top_p", "top_k"}:
        return "sampling parameters are not supported"
    if body["messages"][-1]["role"] != "user":
        return "prefill is not supported"
    kinds = _THINKING.get(body["model"])
    if kinds and "thinking" in body and body["thinking"]["type"] not in kinds:
        return f"thinking {body['thinking']['type']} is not supported"
    schema = body["output_config"]["format"]["schema"]
    text = json.dumps(schema)
    if text.count('"anyOf"') > _MOST_UNIONS:
        return "schema too complex"
    if used := [word for word in _FORBIDDEN if f'"{word}":' in text]:
        return f"schema keywords {used}"
    return None


def message(
    text: str,
    *,
    model: str = "claude-haiku-5-5",
    stop_reason: str = "end_turn",
    usage: dict[str, int] | None = None,
    thinking: bool = False,
) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": text, "citations": None}]
    if thinking:
        content.insert(0, {"type": "thinking", "thinking": "{}", "signature": "x"})
    tokens = {"input_tokens": 1000, "output_tokens": 200, "cache_creation_input_tokens": 0}
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": stop_reason, "stop_sequence": None,
        "usage": {**tokens, "cache_read_input_tokens": 0, **(usage or {})},
    }  # fmt: skip


def says(text: str | Callable[[Request], str], **options: Any) -> Behaviour:
    def behave(handler: Handler, request: Request) -> None:
        content = text if isinstance(text, str) else text(request)
        handler.send_json(message(content, model=request.body["model"], **options))

    return behave


def well(handler: Handler, request: Request) -> None:
    """A right answer."""
    handler.send_json(message(json.dumps(good_answer(request.body)), model=request.body["model"]))


def status(code: int, kind: str = "api_error", headers: dict[str, str] | None = None) -> Behaviour:
    return lambda handler, _: handler.send_error_json(code, kind, f"said {code}", headers)


def slow(seconds: float, then: Behaviour = well) -> Behaviour:
    def behave(handler: Handler, request: Request) -> None:
        handler.state.release.wait(seconds)
        then(handler, request)

    return behave


def hangs(handler: Handler, _: Request) -> None:
    """No answer until the test is over."""
    handler.state.release.wait(60)
    handler.reset()


def resets(handler: Handler, _: Request) -> None:
    handler.reset()


def breaks_off(handler: Handler, _: Request) -> None:
    """Headers and half a body, then a reset."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "msg_1", "type": "mess')
    handler.wfile.flush()
    handler.reset()


def html(handler: Handler, _: Request) -> None:
    """What a proxy says."""
    handler.send_raw(b"<html>sign in</html>", 200, {"content-type": "text/html"})


def succeeded(params: dict[str, Any]) -> dict[str, Any]:
    """Result of a batch's request."""
    text = json.dumps(good_answer(params))
    return {"type": "succeeded", "message": message(text, model=params["model"])}


def good_answer(params: dict[str, Any], word: str = "") -> dict[str, Any]:
    """An answer that keeps the contract: computed list items as given, a plain word for each judged text."""
    schema = params["output_config"]["format"]["schema"]
    metrics = data_of(params)["metrics"]
    out: dict[str, Any] = {}
    for number, (name, block) in enumerate(schema["properties"].items()):
        generic = next(g for g in metrics if name.endswith(g))
        out[name] = {}
        for key, kind in block["properties"].items():
            given = metrics[generic].get(key)
            if key in ("confidence", "overallConfidence"):
                out[name][key] = 0.5 + number / 20
            else:
                out[name][key] = _filled(kind, given, word or f"judged_{key}")
    return out


def _filled(kind: dict[str, Any], given: Any, word: str) -> Any:
    if "anyOf" in kind:
        # A list of records that the metrics do not have is left null; words are the model's own.
        records = kind["anyOf"][0].get("items", {}).get("type") == "object"
        return None if given is None and records else _filled(
            kind["anyOf"][0], given, word
        )  # fmt: skip
    if "enum" in kind:
        return given if given in kind["enum"] else kind["enum"][-1]
    match kind["type"]:
        case "object":
            return {k: _filled(v, (given or {}).get(k), word) for k, v in kind["properties"].items()}
        case "array" if isinstance(given, list):
            return [_filled(kind["items"], item, word) for item in given]
        case "array":
            return [word] if kind["items"].get("type") == "string" else []
        case "string":
            return given if isinstance(given, str) else word
        case "boolean":
            return given if isinstance(given, bool) else False
        case _:
            return given if given is not None else 0.5


@contextlib.contextmanager
def claude_server() -> Iterator[ClaudeServer]:
    state = ClaudeServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.state = state  # type: ignore[attr-defined]
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
