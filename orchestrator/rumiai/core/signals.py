"""Signals handled in an ordinary thread.

A Python signal handler runs in the main thread between any two instructions. One that takes a lock (logging, an event
that is set, a terminal that is drawn) waits for ever when the main thread holds that lock, or when a second signal
comes while the first is handled. Here the handler writes one byte to a pipe, and a thread does the rest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

# What asks a program to end.
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_READ_BYTES: Final = 64


@contextlib.contextmanager
def stop_signals(handle: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call ``handle`` in a thread of its own for each SIGINT, SIGTERM and SIGHUP.

    The old handlers come back at the end. SIGHUP stays ignored where it is, as under ``nohup``. To be entered in the
    main thread.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def pass_on(signum: int, _frame: FrameType | None) -> None:
        # A full pipe holds more requests to stop than anybody needs.
        with contextlib.suppress(BlockingIOError):
            os.write(writer, bytes([signum]))

    def listen() -> None:
        while numbers := os.read(reader, _READ_BYTES):
            for number in numbers:
                handle(signal.Signals(number))

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    wanted = [each for each in STOP_SIGNALS if signal.getsignal(each) is not signal.SIG_IGN or each != signal.SIGHUP]
    before = {each: signal.signal(each, pass_on) for each in wanted}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        os.close(writer)
        thread.join()
        os.close(reader)
