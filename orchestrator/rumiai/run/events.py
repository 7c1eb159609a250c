"""The event channel of a run: worker processes send their events to the parent, as JSON over a Unix datagram socket.

Unlike a queue's pipe, a datagram socket has no lock that a dying worker could keep.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rumiai.contracts.run_events import EventHandler, LogEvent, ProgressEvent, WorkerEvent
from rumiai.core.processes import ProcessIdentity
from rumiai.run.leftovers import EVENTS_PREFIX, OWNER_FILE

# The display is redrawn no more often than this.
_PROGRESS_INTERVAL_S: Final = 0.1
_DATAGRAM_BYTES: Final = 1 << 16
# A datagram holds an event whose message has at most this many characters.
MESSAGE_CHARS: Final = 4000
_POLL_S: Final = 0.2
# sun_path of unix(7) has 108 bytes with its end.
_ADDRESS_BYTES: Final = 107


@contextlib.contextmanager
def event_socket(handler: EventHandler) -> Iterator[str]:
    """Receive events in a thread of its own and pass each to ``handler``; yields the address to send to."""
    with tempfile.TemporaryDirectory(prefix=EVENTS_PREFIX) as folder:
        Path(folder, OWNER_FILE).write_text(str(ProcessIdentity.own()), encoding="ascii")
        with _short_path(folder) as short, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            address = f"{short}/events"
            receiver.bind(address)
            receiver.settimeout(_POLL_S)
            closing = threading.Event()
            thread = threading.Thread(target=_receive, args=(receiver, handler, closing), daemon=True)
            thread.start()
            try:
                yield address
            finally:
                closing.set()
                thread.join()


@contextlib.contextmanager
def _short_path(folder: str) -> Iterator[str]:
    """A path of the folder that fits into a socket's address: by this process' descriptor where ``TMPDIR`` is long."""
    if len(os.fsencode(folder)) + len("/events") <= _ADDRESS_BYTES:
        yield folder
        return
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _receive(receiver: socket.socket, handler: EventHandler, closing: threading.Event) -> None:
    while True:
        try:
            message = receiver.recv(_DATAGRAM_BYTES)
        except TimeoutError:
            if closing.is_set():
                return
            continue
        handler(_read(message))


def _read(message: bytes) -> WorkerEvent:
    """The event that a worker of this same version sent."""
    members = json.loads(message)
    kind = members.pop("event")
    return next(event for event in (ProgressEvent, LogEvent) if event.kind == kind)(**members)


class EventSender:
    """A worker's end of the channel. It never blocks: an event that does not fit the parent's buffer is lost.

    Args:
        address: From :func:`event_socket`.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._last_sent_s: dict[tuple[str, str], float] = {}

    def send(self, event: WorkerEvent) -> None:
        """Send one event; raises nothing, even when the parent has gone."""
        with contextlib.suppress(OSError):
            self._socket.sendto(json.dumps(event.to_json()).encode(), self._address)

    def close(self) -> None:
        """Close the socket; a worker keeps it until its process ends."""
        self._socket.close()

    def progress(self, event: ProgressEvent) -> None:
        """Send the progress of a stage: at most ten times a second, but always its last step."""
        now_s = time.monotonic()
        key = (event.video_id, event.stage)
        if event.is_complete or now_s - self._last_sent_s.get(key, 0.0) >= _PROGRESS_INTERVAL_S:
            self._last_sent_s[key] = now_s
            self.send(event)


class EventLogHandler(logging.Handler):
    """Sends log records as events, with their tracebacks.

    Attributes:
        video_id: The video that the worker has; None between two videos.
    """

    def __init__(self, sender: EventSender) -> None:
        super().__init__()
        self._sender = sender
        self.video_id: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        self._sender.send(LogEvent(record.levelname, record.name, text[:MESSAGE_CHARS], os.getpid(), self.video_id))
