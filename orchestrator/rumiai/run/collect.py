"""Fetch the answers of ``submit --claude batch`` from the Message Batches API and put them into the analyses."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rumiai.contracts.outcome import ClaudeTotals, VideoOutcome
from rumiai.contracts.run_events import DoneEvent
from rumiai.errors import SourceError, StoreError
from rumiai.insights import ClaudeSettings, Collection, Insights
from rumiai.metrics.registry import ANALYSES
from rumiai.results.analyses import read_latest
from rumiai.results.store import Store
from rumiai.run.claude import answer_store, claude_settings, new_budget, read_video, with_video, write_judged
from rumiai.settings import Secrets, Settings
from rumiai.terminal.logs import start_logging
from rumiai.terminal.streams import write_line

# How often running batches are asked about: they take minutes to hours.
_POLL_S: Final = 30.0


@dataclass(frozen=True)
class Collected:
    """What one call fetched.

    Attributes:
        stored: Answers stored by this call.
        failed: custom_id -> why its batch has no answer.
        running: Batches that have not ended.
        videos: Those whose analyses were updated, with these analyses alone.
        totals: Of the analyses that had been waiting.
        batch_cost_usd: Of the answers stored now; None when a price is not known.
    """

    stored: int
    failed: Mapping[str, str]
    running: tuple[str, ...]
    videos: tuple[VideoOutcome, ...]
    totals: ClaudeTotals
    batch_cost_usd: float | None

    def to_json(self) -> dict[str, Any]:
        """The ``done`` event, with more members."""
        done = DoneEvent(self.videos, self.totals, None).to_json()
        more = {"stored": self.stored, "failed": dict(self.failed), "running": list(self.running)}
        return {**done, **more, "batch_cost_usd": self.batch_cost_usd}

    def lines(self) -> Iterator[str]:
        """A summary, line by line."""
        cost = "cost unknown" if self.batch_cost_usd is None else f"{self.batch_cost_usd:.4f} USD"
        yield f"{self.stored} answers fetched ({cost}), {len(self.videos)} videos updated"
        if self.totals.videos:
            yield self.totals.line()
        if self.failed:
            reasons = sorted(set(self.failed.values()))
            yield f"{len(self.failed)} prompts brought no answer ({'; '.join(reasons[:3])}); submit again to ask them"
        if self.running:
            yield f"{len(self.running)} batches have not ended; run the same command later"


def collect_answers(
    settings: Settings,
    secrets: Secrets,
    *,
    wait: bool = False,
    as_json: bool = False,
    claude: ClaudeSettings | None = None,
) -> None:
    """Fetch the answers of ended batches, update the analyses that waited for them, and print a summary.

    Args:
        settings: Of the folder; ``claude`` is ignored.
        secrets: The keys.
        wait: Until every batch has ended.
        as_json: One JSON line on stdout, the ``done`` event.
        claude: Overrides what settings and keys say.

    Raises:
        ConfigurationError: There is no key.
        SourceError: Nothing was submitted from this folder.
        APIError: The API refused or could not be reached.
        StoreError: A file could not be read or written, or another run exchanges batches.
    """
    start_logging(settings)
    store = Store(*settings.folders)
    if not (store.claude_folder / "batches").is_dir():
        raise SourceError(f"no batch was submitted from {settings.out}", hint="run submit --claude batch first")
    chosen = claude or claude_settings(settings.changed(claude="batch", python_only=False), secrets)
    with store.batch_lock():
        found = asyncio.run(_collect(store, settings, chosen, wait=wait))
    if as_json:
        write_line(json.dumps(found.to_json(), ensure_ascii=False), sys.stdout)
    else:
        write_line("\n".join(found.lines()), sys.stdout)


async def _collect(store: Store, settings: Settings, claude: ClaudeSettings, *, wait: bool) -> Collected:
    totals = ClaudeTotals()
    updated: list[VideoOutcome] = []
    failed: dict[str, str] = {}
    stored, cost = 0, 0.0
    known = True
    async with Insights(claude, answer_store(store), budget=new_budget(store, claude)) as insights:
        while True:
            found: Collection = await insights.collect()
            stored += len(found.stored)
            failed |= found.failed
            known = known and found.cost_usd is not None
            cost += found.cost_usd or 0.0
            if not (wait and found.pending):
                break
            await asyncio.sleep(_POLL_S)
        for video_id, models in _waiting(store):
            with store.lock(video_id):
                video, measured = read_video(store, video_id)
                waiting = {name: measured[name] for name in models}
                judged = await insights.analyse(replace(video, measured=waiting, decided=models))
                totals = with_video(totals, judged)
                written = write_judged(store, video_id, measured, judged.results, settings.output_format)
            if any(summary.written for summary in written.values()):
                unified = {"unified": str(store.unified_file(video_id))}
                updated.append(VideoOutcome(video_id, "", "ok", files=unified, analyses=written))
        totals = replace(totals, counted_usd=insights.budget.spent_usd)
    return Collected(stored, failed, found.pending, tuple(updated), totals, cost if known else None)


def _waiting(store: Store) -> Iterator[tuple[str, dict[str, str]]]:
    """Videos with analyses that wait for a batch, and for each such analysis the model it was sent to."""
    for folder in sorted(path for path in _insights_folder(store).glob("*") if path.is_dir()):
        models = {}
        for name in ANALYSES:
            try:
                _, complete = read_latest(store, folder.name, name)
            except StoreError:
                continue
            if complete.get("error") in ("not_collected", "batch_failed"):
                models[name] = str(complete["model"])
        if models:
            yield folder.name, models


def _insights_folder(store: Store) -> Path:
    return store.base / store.insights_dir
