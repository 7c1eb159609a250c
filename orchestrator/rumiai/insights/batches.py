"""The Message Batches API: half the price, answers within a day, collected by whatever process comes later.

What was submitted stands in a record file. It is written before the batch is created, so that a process killed at any
moment leaves either no batch or one that is found again: first among the account's batches, then by its custom_ids.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import anthropic
from anthropic.types.messages import MessageBatch

from rumiai.errors import APIError, StoreError
from rumiai.insights.answers import AnswerStore
from rumiai.insights.budget import Budget
from rumiai.insights.client import answer_of, failure_of, translated
from rumiai.insights.prompt import Prompt
from rumiai.insights.results import Collection, Submission

State = Literal["intended", "submitted", "ended"]

_FORMAT: Final = 1
# Our clock and the API's.
_CLOCK_SKEW: Final = timedelta(minutes=5)
# Of the API; far above what one folder of videos asks.
_MOST_REQUESTS: Final = 100_000
_NO_RESULT: Final = "the batch ended without a result for it"


@dataclass(frozen=True)
class _Record:
    """One batch: its custom_ids with the template version of each."""

    path: Path
    created_at: str
    requests: Mapping[str, str]
    state: State = "intended"
    batch_id: str | None = field(default=None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "state": self.state,
            "batch_id": self.batch_id,
            "created_at": self.created_at,
            "requests": dict(self.requests),
        }


class Batches:
    """Submits and collects.

    Args:
        sdk: The client.
        answers: Where answers and records are kept.
        budget: Of the run that submits; what it submits counts in full.
        deadline_s: For one exchange with the API.
    """

    def __init__(self, sdk: anthropic.AsyncAnthropic, answers: AnswerStore, budget: Budget, deadline_s: float) -> None:
        self._sdk, self._answers, self._budget, self._deadline_s = sdk, answers, budget, deadline_s

    async def submit(self, prompts: Sequence[Prompt], refused: Mapping[str, str]) -> Submission:
        """Create one batch of the prompts that are in none yet.

        Raises:
            APIError: The API refused, or it is not known whether it took the batch; the next call finds that out.
            StoreError: The record could not be written; nothing was sent.
        """
        open_ = [record for record in await self._found(self._records()) if record.state != "ended"]
        in_flight = {custom_id for record in open_ for custom_id in record.requests}
        new = {p.custom_id: p for p in prompts if p.custom_id not in in_flight}
        waiting = tuple(sorted({p.custom_id for p in prompts} & in_flight))
        chosen, reserved, not_sent = self._affordable(new)
        for custom_id, reason in not_sent.items():
            self._answers.save_failure(custom_id, reason)
        if not chosen:
            return Submission(None, (), waiting, {**refused, **not_sent})
        record = self._new_record(chosen)
        self._write(record)
        try:
            batch = await self._create(chosen)
        except anthropic.APIStatusError as exc:
            self._write(replace(record, state="ended", requests={}))
            for token in reserved:
                self._budget.settle(token, 0.0)
            raise _api_error(exc, "the batch was not taken") from exc
        except (anthropic.AnthropicError, TimeoutError) as exc:
            for token in reserved:
                self._budget.forfeit(token)
            raise _api_error(exc, "it is not known whether the batch was taken") from exc
        self._write(replace(record, state="submitted", batch_id=batch.id))
        for token in reserved:
            self._budget.forfeit(token)
        for custom_id in chosen:
            self._answers.forget_failure(custom_id)
        return Submission(batch.id, tuple(sorted(chosen)), waiting, {**refused, **not_sent})

    async def collect(self) -> Collection:
        """Store the answers of all batches that have ended.

        Raises:
            APIError: The API refused or could not be reached; what is stored stays.
            StoreError: An answer could not be stored.
        """
        stored: dict[str, float | None] = {}
        failed: dict[str, str] = {}
        pending: list[str] = []
        for record in await self._found(self._records()):
            if record.state == "ended" or record.batch_id is None:
                continue
            ended = await self._collect_one(record, record.batch_id, stored, failed)
            if ended:
                self._write(replace(record, state="ended"))
            else:
                pending.append(record.batch_id)
        costs = list(stored.values())
        known = [cost for cost in costs if cost is not None]
        total = sum(known) if len(known) == len(costs) else None
        return Collection(tuple(sorted(stored)), failed, tuple(pending), total)

    async def _collect_one(
        self, record: _Record, batch_id: str, stored: dict[str, float | None], failed: dict[str, str]
    ) -> bool:
        missing = set(record.requests)
        try:
            async with self._exchange(f"batch {batch_id} cannot be collected"):
                batch = await self._sdk.messages.batches.retrieve(batch_id)
                if batch.processing_status != "ended":
                    return False
                async for item in await self._sdk.messages.batches.results(batch_id):
                    if item.custom_id in missing:
                        missing.discard(item.custom_id)
                        self._take(item, record.requests[item.custom_id], batch_id, stored, failed)
        except _GoneError:
            failed |= dict.fromkeys(missing, "the batch and its results are gone")
        for custom_id in missing:
            failed.setdefault(custom_id, _NO_RESULT)
        for custom_id in record.requests:
            if custom_id in failed:
                self._answers.save_failure(custom_id, failed[custom_id])
        return True

    def _take(
        self, item: Any, version: str, batch_id: str, stored: dict[str, float | None], failed: dict[str, str]
    ) -> None:
        kind = item.result.type
        answer = answer_of(item.result.message, version, batch_id) if kind == "succeeded" else None
        if answer is not None:
            if not self._answers.path(item.custom_id, 1).exists():
                self._answers.save(item.custom_id, 1, answer)
            stored[item.custom_id] = answer.cost_usd
        elif kind == "errored":
            error = getattr(item.result.error, "error", None)
            failed[item.custom_id] = f"errored: {getattr(error, 'message', 'unknown')}"
        else:
            failed[item.custom_id] = str(kind)

    def _affordable(self, prompts: Mapping[str, Prompt]) -> tuple[dict[str, Prompt], list[str], dict[str, str]]:
        chosen: dict[str, Prompt] = {}
        tokens: list[str] = []
        not_sent: dict[str, str] = {}
        for custom_id, prompt in list(prompts.items())[:_MOST_REQUESTS]:
            amount = prompt.most_cost_usd(batch=True)
            if amount is None and self._budget.limit_usd is not None:
                not_sent[custom_id] = f"the price of {prompt.model.id} is not known, so no cost limit can be kept"
            elif (token := self._budget.reserve(amount or 0.0)) is None:
                not_sent[custom_id] = f"it could pass the cost limit of {self._budget.limit_usd:g} USD"
            else:
                chosen[custom_id] = prompt
                tokens.append(token)
        return chosen, tokens, not_sent

    async def _create(self, prompts: Mapping[str, Prompt]) -> MessageBatch:
        requests: list[Any] = [
            {"custom_id": custom_id, "params": translated(prompt.request())} for custom_id, prompt in prompts.items()
        ]
        async with asyncio.timeout(self._deadline_s):
            # No retries: a request whose response was lost may have been taken, and a second batch would be paid too.
            return await self._sdk.with_options(max_retries=0).messages.batches.create(requests=requests)

    async def _found(self, records: Sequence[_Record]) -> list[_Record]:
        """The records, those without a batch id matched with the account's batches, or dropped when there is none."""
        out = [record for record in records if record.state != "intended"]
        lost = [record for record in records if record.state == "intended"]
        if not lost:
            return out
        known = {record.batch_id for record in out}
        since = min(datetime.fromisoformat(record.created_at) for record in lost) - _CLOCK_SKEW
        candidates = [batch async for batch in self._batches_since(since) if batch.id not in known]
        for record in lost:
            batch = next((b for b in candidates if _size(b) == len(record.requests) and _after(b, record)), None)
            if batch is None:
                record = replace(record, state="ended", requests={})
            else:
                candidates.remove(batch)
                record = replace(record, state="submitted", batch_id=batch.id)
            self._write(record)
            out.append(record)
        return out

    async def _batches_since(self, since: datetime) -> AsyncIterator[MessageBatch]:
        async with self._exchange("the batches cannot be listed"):
            async for batch in self._sdk.messages.batches.list():
                if batch.created_at < since:  # newest first
                    return
                yield batch

    @contextlib.asynccontextmanager
    async def _exchange(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline_s):
                yield
        except anthropic.NotFoundError as exc:
            raise _GoneError(what) from exc
        except (anthropic.AnthropicError, TimeoutError) as exc:
            raise _api_error(exc, what) from exc

    def _new_record(self, prompts: Mapping[str, Prompt]) -> _Record:
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S%f}-{min(prompts)[-8:]}.json"
        requests = {custom_id: prompt.template_version for custom_id, prompt in prompts.items()}
        return _Record(self._folder / name, now.isoformat(), requests)

    @property
    def _folder(self) -> Path:
        return self._answers.folder / "batches"

    def _write(self, record: _Record) -> None:
        self._answers.files.write(record.path, record.to_dict())

    def _records(self) -> list[_Record]:
        return list(self._read_records())

    def _read_records(self) -> Iterator[_Record]:
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            raw = self._answers.files.read(path)
            try:
                yield _Record(path, raw["created_at"], raw["requests"], raw["state"], raw["batch_id"])
            except (KeyError, TypeError) as exc:
                raise StoreError(f"{path} is no record of a batch", hint="move it away") from exc


class _GoneError(APIError):
    """The API knows no such batch (any more)."""


def _api_error(exc: Exception, what: str) -> APIError:
    failure = failure_of(exc)
    return APIError(f"{what}: {failure.message}", hint="run the same command again")


def _size(batch: MessageBatch) -> int:
    counts = batch.request_counts
    return counts.canceled + counts.errored + counts.expired + counts.processing + counts.succeeded


def _after(batch: MessageBatch, record: _Record) -> bool:
    return batch.created_at >= datetime.fromisoformat(record.created_at) - _CLOCK_SKEW
