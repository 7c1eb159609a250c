"""How long the requests of one task may take together, whatever each of them does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

# When the work that is under way in this thread must be done, by the monotonic clock.
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all requests inside the ``with`` block this long together; a shorter limit around it stays."""
    limit = time.monotonic() + seconds
    outer = _deadline.get()
    token = _deadline.set(limit if outer is None else min(limit, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


def left_s() -> float:
    """Seconds until the limit of :func:`within`; infinite without one."""
    deadline = _deadline.get()
    return float("inf") if deadline is None else deadline - time.monotonic()
