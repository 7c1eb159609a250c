"""Who may ask what: API keys, their scopes, and how often each may ask."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from rumiai.service.config import Limits
from rumiai.service.keys import ApiKey, Keys, Scope
from rumiai.service.problems import ProblemError

_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="api_key", description="A key of `rumiai-orch keys add`, scope `read` or `submit`."
)
# How soon a key that was revoked is refused.
_KNOWN_S: Final = 1.0
_MOST_KNOWN: Final = 1000
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]


class Gate:
    """Lets a request in, or says why not.

    Args:
        keys: That are good.
        limits: How often a caller may ask.
    """

    def __init__(self, keys: Keys, limits: Limits) -> None:
        self._keys = keys
        self._known: dict[str, tuple[float, ApiKey]] = {}
        self._rate = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerMinute(limits.requests_a_minute)
        self._failures = RateLimitItemPerMinute(limits.failures_a_minute)

    def admit(self, text: str | None, scope: Scope, address: str) -> ApiKey:
        """The key of a request.

        Args:
            text: What the caller sent as key; None for nothing.
            scope: What the key must have.
            address: Of the caller.

        Raises:
            ProblemError: 401 without a key that is good, 403 without the scope, 429 too often.
        """
        key = self._find(text) if text else None
        if key is None:
            self._count(self._failures, "failures", address)
            raise ProblemError(
                401,
                "unauthorized",
                "the key is not known, or revoked" if text else "there is no key",
                hint="send the header Authorization: Bearer <key>; rumiai-orch keys add makes one",
                headers={"WWW-Authenticate": "Bearer"},
            )
        self._count(self._requests, "requests", key.key_id)
        if scope not in key.scopes:
            raise ProblemError(403, "forbidden", f"the key {key.key_id} lacks the scope {scope}")
        return key

    def _find(self, text: str) -> ApiKey | None:
        """The key of a text; one that was good a second ago is not looked up again."""
        now_s = time.monotonic()
        since_s, key = self._known.get(text, (-math.inf, None))
        if now_s - since_s < _KNOWN_S:
            return key
        self._known.pop(text, None)
        if (found := self._keys.find(text)) is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[text] = (now_s, found)
        return found

    def _count(self, item: RateLimitItemPerMinute, what: str, who: str) -> None:
        if not self._rate.hit(item, what, who):
            wait_s = max(1, math.ceil(self._rate.get_window_stats(item, what, who).reset_time - time.time()))
            raise ProblemError(
                429,
                "too-many-requests",
                f"more than {item.amount} {what} a minute",
                headers={"Retry-After": str(wait_s)},
            )


def requires(scope: Scope) -> Callable[[Request, _Credentials], Awaitable[ApiKey]]:
    """A dependency: the key of the request, which has this scope."""

    async def admitted(request: Request, credentials: _Credentials) -> ApiKey:
        gate: Gate = request.app.state.service.gate
        address = request.client.host if request.client else ""
        return gate.admit(credentials.credentials if credentials else None, scope, address)

    return admitted


Reader = Annotated[ApiKey, Security(requires("read"))]
Submitter = Annotated[ApiKey, Security(requires("submit"))]
