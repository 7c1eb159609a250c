"""One limiter for all prompts of a process: how many at once, how close together, and what the API says is left."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_BUCKETS: Final = ("requests", "tokens", "input-tokens", "output-tokens")
_PREFIX: Final = "anthropic-ratelimit-"
# Told to come back at a time already past, or without one: look again after this.
_LEAST_WAIT_S: Final = 0.05


@dataclass
class _Bucket:
    """What the API said is left, less what was sent since, and when it is full again (monotonic clock)."""

    left: float
    full_at_s: float


class Limiter:
    """Lets prompts through; :meth:`observe` every response so that it knows the account's limits.

    Args:
        max_concurrent: Prompts in flight.
        min_spacing_s: Between the starts of two.
    """

    def __init__(self, max_concurrent: int = 3, min_spacing_s: float = 0.0) -> None:
        self._slots = asyncio.Semaphore(max_concurrent)
        self._min_spacing_s = min_spacing_s
        self._last_start_s = -min_spacing_s
        self._closed_until_s = 0.0
        self._buckets: dict[str, _Bucket] = {}

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the places in flight."""
        async with self._slots:
            yield

    async def admit(self, input_tokens: int, output_tokens: int) -> None:
        """Wait until the request may be sent, and take what it will use from what is left."""
        need = {
            "requests": 1,
            "tokens": input_tokens + output_tokens,
            "input-tokens": input_tokens,
            "output-tokens": output_tokens,
        }
        while (wait_s := self._wait_s(need)) > 0:
            await asyncio.sleep(wait_s)
        self._last_start_s = time.monotonic()
        for name, amount in need.items():
            if name in self._buckets:
                self._buckets[name].left -= amount

    def _wait_s(self, need: Mapping[str, int]) -> float:
        now = time.monotonic()
        until = max(self._closed_until_s, self._last_start_s + self._min_spacing_s)
        for name, amount in need.items():
            bucket = self._buckets.get(name)
            if bucket is None:
                continue
            if now >= bucket.full_at_s:
                del self._buckets[name]  # full again, and by how much only the next response says
            elif bucket.left < amount:
                until = max(until, bucket.full_at_s)
        return max(until - now, _LEAST_WAIT_S) if until > now else 0.0

    def observe(self, headers: Mapping[str, str], *, limited: bool) -> None:
        """Learn from a response.

        Args:
            headers: Its headers.
            limited: Whether it was a 429 or 529: then nobody sends before its Retry-After is over.
        """
        now = time.monotonic()
        for name in _BUCKETS:
            left, reset = headers.get(f"{_PREFIX}{name}-remaining"), headers.get(f"{_PREFIX}{name}-reset")
            seconds = _seconds_until(reset) if reset else None
            if left is not None and seconds is not None and left.isdigit():
                self._buckets[name] = _Bucket(float(left), now + seconds)
        wait_s = retry_after_s(headers)
        if limited and wait_s is not None:
            self._closed_until_s = max(self._closed_until_s, now + wait_s)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a response asks to wait; None when it does not say, or not as a number of seconds."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if seconds >= 0 else None
    return None


def _seconds_until(stamp: str) -> float | None:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
