"""The channel from workers to the parent, over its real socket."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from rumiai.contracts.run_events import LogEvent, ProgressEvent, RunEvent
from rumiai.run.events import MESSAGE_CHARS, EventLogHandler, EventSender, event_socket


class Received(list[RunEvent]):
    """The events so far; ``wait`` for a number of them."""

    def wait(self, count: int) -> list[RunEvent]:
        deadline = time.monotonic() + 10
        while len(self) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return list(self)


@pytest.fixture
def channel() -> Iterator[tuple[EventSender, Received]]:
    received = Received()
    with event_socket(received.append) as address, closing(EventSender(address)) as sender:
        yield sender, received


def test_events_arrive_as_they_were_sent(channel: tuple[EventSender, Received]) -> None:
    sender, received = channel
    sent = [ProgressEvent("clip \udce9", "probe"), ProgressEvent("ö", "frames", 1, 2), LogEvent("INFO", "x", "a\nb", 7)]
    for event in sent:
        sender.send(event)
    assert received.wait(3) == sent


def test_progress_is_thinned_but_never_loses_its_last_step(channel: tuple[EventSender, Received]) -> None:
    sender, received = channel
    for done in range(1001):
        sender.progress(ProgressEvent("clip", "frames", done, 1000))
    sender.progress(ProgressEvent("clip", "speech", 0, 3))
    sender.progress(ProgressEvent("clip", "save"))
    sender.send(LogEvent("INFO", "x", "end", 1))
    deadline = time.monotonic() + 10
    while not any(isinstance(event, LogEvent) for event in received) and time.monotonic() < deadline:
        time.sleep(0.01)
    *frames, last, speech, save, _ = received
    assert last == ProgressEvent("clip", "frames", 1000, 1000)
    assert (speech, save) == (ProgressEvent("clip", "speech", 0, 3), ProgressEvent("clip", "save"))
    assert 1 <= len(frames) < 1000


def test_a_log_record_carries_its_traceback_and_fits_a_datagram(channel: tuple[EventSender, Received]) -> None:
    sender, received = channel
    logger = logging.Logger("rumiai.test")
    logger.addHandler(EventLogHandler(sender))
    try:
        raise KeyError("typo")
    except KeyError:
        logger.exception("it %s", "broke")
    logger.warning("\U0001f600" * 2 * MESSAGE_CHARS)
    broke, long = received.wait(2)
    assert isinstance(broke, LogEvent)
    assert (broke.level, broke.logger, broke.pid) == ("ERROR", "rumiai.test", os.getpid())
    assert broke.message.startswith("it broke\nTraceback")
    assert broke.message.endswith("KeyError: 'typo'")
    assert isinstance(long, LogEvent)
    assert long.message == "\U0001f600" * MESSAGE_CHARS


def test_without_a_parent_nothing_is_raised() -> None:
    with event_socket(lambda event: None) as address:
        sender = EventSender(address)
    with closing(sender):
        sender.send(ProgressEvent("clip", "probe"))
