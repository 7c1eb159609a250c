"""The Anthropic SDK's asynchronous client behind the limiter and the budget.

The SDK retries; what is done here is to count its attempts, to keep it from retrying what cannot succeed, and to turn
whatever happens into an :class:`Answer` or a :class:`CallFailure`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import anthropic

from rumiai.errors import APIError, StoreError
from rumiai.insights.answers import Answer, CallFailure, FailureKind, Reply
from rumiai.insights.budget import Budget
from rumiai.insights.limiter import Limiter, retry_after_s
from rumiai.insights.models import Usage
from rumiai.insights.prompt import Prompt
from rumiai.insights.settings import ClaudeSettings

# After one of these no other request can succeed either.
_FATAL: Final = frozenset({"refused_key", "payment"})
_STATUS_KINDS: Final[dict[int, FailureKind]] = {
    401: "refused_key", 403: "refused_key", 402: "payment", 413: "too_large", 429: "rate_limited", 529: "overloaded",
    408: "timeout", 504: "timeout",
}  # fmt: skip
_LIMITED: Final = frozenset({429, 529})
_NO_CONNECTION: Final = ("connect_tcp.failed", "start_tls.failed")
_MESSAGE_CHARS: Final = 300


class _OverBudgetError(anthropic.AnthropicError):
    """Raised inside the SDK, which passes its own kind of errors on without retrying."""


@dataclass
class _Call:
    """One prompt on its way, through all attempts of the SDK."""

    budget: Budget
    limiter: Limiter
    prompt: Prompt
    amount_usd: float
    deadline_at: float
    attempts: int = 0
    uncertain_usd: float = 0.0
    token: str | None = None
    # Sent, and neither refused nor answered: it may have been charged.
    open: bool = field(default=False)

    async def begin(self) -> None:
        """Before each attempt."""
        self.give_up()
        if self.attempts:
            await self.limiter.admit(self.prompt.estimated_input_tokens, self.prompt.max_tokens)
        if self.token is None:
            try:
                self.token = self.budget.reserve(self.amount_usd)
            except StoreError as exc:
                raise _OverBudgetError(str(exc)) from exc
        if self.token is None:
            raise _OverBudgetError(
                f"it could pass the cost limit of {self.budget.limit_usd:g} USD"
                f" ({self.budget.spent_usd:.4f} spent, {self.amount_usd:.4f} needed at most)"
            )
        self.attempts += 1
        self.open = True

    async def trace(self, event: str, _: Any) -> None:
        """Told by the transport what it does: without a connection nothing was sent, and nothing can be charged."""
        if event.endswith(_NO_CONNECTION):
            self.open = False

    def give_up(self) -> None:
        """Count an attempt without an end as paid."""
        if self.open and self.token is not None:
            self.uncertain_usd += self.budget.forfeit(self.token)
            self.token = None
        self.open = False

    def close(self, cost: float | None) -> None:
        """Settle what was set aside: the answer's cost, or all of it when the price is not known."""
        self.open = False
        if self.token is not None:
            self.budget.settle(self.token, self.amount_usd if cost is None else cost)
            self.token = None


_CALL: ContextVar[_Call | None] = ContextVar("rumiai_claude_call", default=None)


class ClaudeClient:
    """Asks Claude; made inside a running event loop, closed with :meth:`aclose`.

    Args:
        settings: With a key.
        limiter: Of the process.
        budget: Of the run.
    """

    def __init__(self, settings: ClaudeSettings, limiter: Limiter, budget: Budget) -> None:
        if settings.api_key is None:
            raise ValueError("got no key, expected settings with one")
        self._settings, self._limiter, self._budget = settings, limiter, budget
        self._fatal: CallFailure | None = None
        self._not_kept: StoreError | None = None
        # At level DEBUG the SDK logs whole requests; prompts are in no log, whatever the level of ours.
        logging.getLogger("anthropic").setLevel(logging.WARNING)
        hooks: dict[str, list[Callable[..., Any]]] = {
            "request": [self._before_attempt],
            "response": [self._after_attempt],
        }
        self.sdk = anthropic.AsyncAnthropic(
            api_key=settings.api_key.reveal(),
            base_url=settings.base_url,
            max_retries=settings.max_retries,
            timeout=anthropic.Timeout(settings.deadline_s, connect=settings.connect_timeout_s),
            http_client=anthropic.DefaultAsyncHttpxClient(event_hooks=hooks, follow_redirects=False),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self.sdk.close()

    async def check_key(self) -> str | None:
        """One request without cost, the model list; returns a warning when the API could not be asked.

        Raises:
            APIError: The key was refused.
        """
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                await self.sdk.models.list(limit=1)
        except (anthropic.AnthropicError, TimeoutError) as exc:
            failure = failure_of(exc)
            if failure.kind in _FATAL:
                raise APIError(f"Claude refused the key: {failure.message}", hint="check CLAUDE_API_KEY") from exc
            return f"the Claude API could not be asked beforehand: {failure.message}"
        return None

    async def ask(self, prompt: Prompt, keep: Callable[[Answer], None]) -> Reply:
        """Send one prompt; waits for its turn.

        Args:
            prompt: What is asked.
            keep: Stores an answer; called before anything else is done with it.

        Raises:
            StoreError: ``keep`` or the cost ledger failed.
        """
        amount = prompt.most_cost_usd()
        if amount is None and self._budget.limit_usd is not None:
            unknown = f"the price of {prompt.model.id} is not known, so no cost limit can be kept"
            return Reply(failure=CallFailure("cost_limit", unknown))
        async with self._limiter.slot():
            if self._not_kept is not None:
                raise self._not_kept  # what cannot be kept is not paid for
            if self._fatal is not None:
                return Reply(failure=self._fatal)
            deadline_at = time.monotonic() + self._settings.deadline_s
            call = _Call(self._budget, self._limiter, prompt, amount or 0.0, deadline_at)
            context = _CALL.set(call)
            answer: Answer | None = None
            failure: CallFailure | None = None
            try:
                async with asyncio.timeout(self._settings.deadline_s):
                    await self._limiter.admit(prompt.estimated_input_tokens, prompt.max_tokens)
                    answer = await self._send(call, keep)
                if answer is None:
                    failure = CallFailure("bad_response", "the API sent something that is no message")
            except (anthropic.AnthropicError, TimeoutError) as exc:
                failure = failure_of(exc)
                self._fatal = failure if failure.kind in _FATAL else self._fatal
            except StoreError as exc:
                self._not_kept = exc
                raise
            finally:
                # Also when the task is cancelled: an attempt under way counts as paid, one that was refused does not.
                call.give_up()
                call.close(0.0)
                _CALL.reset(context)
        return Reply(answer, failure, call.attempts, call.uncertain_usd)

    async def _send(self, call: _Call, keep: Callable[[Answer], None]) -> Answer | None:
        read_s = self._settings.read_timeout_s or call.prompt.timeout_s
        timeout = anthropic.Timeout(read_s, connect=self._settings.connect_timeout_s)
        message = await self.sdk.messages.create(**translated(call.prompt.request()), timeout=timeout)
        answer = answer_of(message, call.prompt.template_version)
        if answer is not None:
            keep(answer)
            call.close(answer.cost_usd)
        return answer

    async def _before_attempt(self, request: Any) -> None:
        if (call := _CALL.get()) is not None:
            await call.begin()
            request.extensions = {**request.extensions, "trace": call.trace}

    async def _after_attempt(self, response: Any) -> None:
        call, status = _CALL.get(), int(response.status_code)
        self._limiter.observe(response.headers, limited=status in _LIMITED)
        if call is None or status < 400:
            return
        call.open = False
        wait_s = retry_after_s(response.headers)
        if wait_s is not None and time.monotonic() + wait_s > call.deadline_at:
            # The SDK would sleep past the deadline.
            response.headers["x-should-retry"] = "false"


def translated(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its schema in the dialect of the API, as the SDK's own helper writes it."""
    config = request["output_config"]["format"]
    schema = anthropic.transform_schema(config["schema"])
    return {**request, "output_config": {"format": {**config, "schema": schema}}}


def answer_of(message: Any, template_version: str, batch_id: str | None = None) -> Answer | None:
    """Read the SDK's message; None when it is none."""
    usage, content = getattr(message, "usage", None), getattr(message, "content", None)
    model = getattr(message, "model", None)
    if usage is None or not isinstance(content, list) or not isinstance(model, str):
        return None
    written = getattr(usage, "cache_creation_input_tokens", None) or 0
    hour = getattr(getattr(usage, "cache_creation", None), "ephemeral_1h_input_tokens", None) or 0
    text = "".join(str(part.text) for part in content if getattr(part, "type", None) == "text")
    return Answer(
        text=text.encode("utf-8", "replace").decode(),  # half a surrogate pair could not be stored
        stop_reason=message.stop_reason,
        model=model,
        usage=Usage(
            input=usage.input_tokens or 0,
            output=usage.output_tokens or 0,
            cache_write=written - hour,
            cache_read=getattr(usage, "cache_read_input_tokens", None) or 0,
            cache_write_1h=hour,
        ),
        received_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        request_id=getattr(message, "_request_id", None),
        batch_id=batch_id,
        template_version=template_version,
    )


def failure_of(exc: Exception) -> CallFailure:
    """What an error of the SDK means."""
    request_id: str | None = None
    kind: FailureKind
    match exc:
        case _OverBudgetError():
            kind, message = "cost_limit", str(exc)
        case anthropic.APIStatusError():
            request_id, status = exc.request_id, exc.status_code
            kind = _STATUS_KINDS.get(status) or ("server" if status >= 500 else "rejected")
            message = f"HTTP {status}: {exc.api_message or exc.message}"
        case anthropic.APITimeoutError():
            kind, message = "timeout", "no answer within the time of one attempt"
        case anthropic.APIConnectionError():
            kind, message = "connection", f"{exc.message} ({type(exc.__cause__).__name__})"
        case TimeoutError():
            kind, message = "deadline", "no answer before the prompt's deadline"
        case _:
            kind, message = "bad_response", f"{type(exc).__name__}: {exc}"
    return CallFailure(kind, message[:_MESSAGE_CHARS], request_id)
