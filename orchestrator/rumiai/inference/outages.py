"""Which failures of a request pass by themselves, because the server or a model of it is being restarted."""

from __future__ import annotations

from typing import Final, Literal

from tritonclient.utils import InferenceServerException

# What is away: the whole server; the process of one model; the server's registration of shared memory.
Outage = Literal["server", "model", "memory"]

# How often a request is sent. One that ends the process of its model each time must not do so for ever; one that only
# waited beside it was not the cause.
ATTEMPTS: Final = 5
GONE: Final = frozenset({"StatusCode.UNAVAILABLE", "StatusCode.CANCELLED"})

_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 8.0
# What gRPC says when the other end goes in the middle of an answer.
_BROKEN_OFF: Final = ("connection reset", "RST_STREAM", "stream removed", "socket closed")
# What Triton says of a model whose process has died, of one that is being loaded again, and of a region of memory that
# it does not know any more.
_MODEL_AWAY: Final = ("not healthy", "Stub process", "no available versions", "is not ready")
_REGION_LOST: Final = "Unable to find shared memory region"
_REGION_KNOWN: Final = "already in manager"


def delay_s(attempt: int) -> float:
    """Seconds to wait after an attempt, counted from 1: 0.5, 1, 2, 4, then 8."""
    return min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** (attempt - 1))


def outage_of(exc: InferenceServerException) -> Outage | None:
    """What was away when a request failed so; None when another attempt would fail alike."""
    message = str(exc.message())
    if _REGION_LOST in message:
        return "memory"
    if any(part in message for part in _MODEL_AWAY):
        return "model"
    if exc.status() in GONE or any(part.lower() in message.lower() for part in _BROKEN_OFF):
        return "server"
    return None


def is_mapped_already(exc: InferenceServerException) -> bool:
    """Whether a region was not registered because it is registered."""
    return exc.status() == "StatusCode.ALREADY_EXISTS" or _REGION_KNOWN in str(exc.message())
