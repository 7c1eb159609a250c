"""The Claude half of a run: a thread with an event loop judges finished videos while workers measure others.

One ``Insights`` serves all videos, so that one limiter and one budget hold for the run. The rule-based analyses are on
disk before a video comes here, and stay when Claude fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from rumiai.contracts.blocks import MeasuredAnalysis
from rumiai.contracts.outcome import AnalysisOutcome, ClaudeTotals, Failure, VideoOutcome
from rumiai.contracts.run_events import ClaudeEvent, EventHandler, ProgressEvent
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.clock import now_iso
from rumiai.errors import APIError, ConfigurationError, RumiAIError
from rumiai.insights import (
    AnswerStore,
    Budget,
    ClaudeSettings,
    Files,
    Insights,
    PromptResult,
    VideoInput,
    VideoInsights,
    choose_mode,
)  # fmt: skip
from rumiai.results.analyses import (
    measure,
    read_measured,
    write_analyses,
)
from rumiai.results.half_written import remove_half_written
from rumiai.results.run_state import RunState
from rumiai.results.store import Store, read_json, write_json
from rumiai.settings import Secrets, Settings

LOG = logging.getLogger("rumiai")

# Prompts of one video. At most one video per seven concurrent prompts is in memory, plus one.
_PROMPTS_PER_VIDEO: Final = 7
# A batch is made of the prompts of at most this many videos: they take tens of megabytes.
_VIDEOS_PER_BATCH: Final = 100

_T = TypeVar("_T")


def claude_settings(settings: Settings, secrets: Secrets, *, insights: bool = True) -> ClaudeSettings:
    """The settings of Claude: ``--claude`` and its companions, with the keys that are there.

    Args:
        settings: Of the run.
        secrets: The keys.
        insights: False when the run stops before the analyses.

    Raises:
        ConfigurationError: Claude is asked for and cannot be had: no key, or a contradiction.
    """
    if not insights and settings.claude in ("on", "batch"):
        raise ConfigurationError(f"--claude {settings.claude} contradicts --no-insights", hint="leave one of them out")
    mode, key = choose_mode(
        settings.claude,
        claude_key=secrets.claude_key,
        anthropic_key=secrets.anthropic_key,
        python_only=settings.python_only,
    )
    return ClaudeSettings(
        mode=mode if insights else "off",
        api_key=key,
        model=settings.claude_model or None,
        use_sonnet=settings.claude_sonnet,
        analyses=settings.judged_analyses,
        max_cost_usd=None if math.isinf(settings.max_cost_usd) else settings.max_cost_usd,
        warn_cost_usd=settings.warn_cost_usd,
        force_cost=settings.force_cost,
        max_concurrent=settings.concurrent_prompts,
        min_spacing_s=settings.prompt_delay_s,
    )


def answer_store(store: Store) -> AnswerStore:
    """Where the answers of an output folder are kept; what killed runs left half written there is removed."""
    remove_half_written(store.claude_folder)
    return AnswerStore(store.claude_folder, Files(read_json, write_json))


def new_budget(store: Store, claude: ClaudeSettings) -> Budget:
    """The account of one run, in a ledger file of its own."""
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    return Budget(claude.max_cost_usd, store.claude_folder / f"ledger-{stamp}-{os.getpid()}.json")


def with_video(totals: ClaudeTotals, found: VideoInsights) -> ClaudeTotals:
    """The totals after one more video."""
    results = list(found.results.values())
    cost = found.cost_usd
    return replace(
        totals,
        videos=totals.videos + 1,
        answered=totals.answered + sum(result.model_success for result in results),
        stored=totals.stored + sum(result.model_success and result.reused for result in results),
        skipped=totals.skipped + sum(result.source == "python" for result in results),
        fallen=totals.fallen + len(found.warnings),
        pending=totals.pending + len(found.pending),
        cost_usd=None if cost is None or totals.cost_usd is None else totals.cost_usd + cost,
        uncertain_usd=totals.uncertain_usd + sum(result.uncertain_cost for result in results),
        tokens=totals.tokens + found.tokens_used,
    )


class ClaudeRun:
    """Judges the videos of one run; made by :func:`open_claude`."""

    def __init__(self, settings: Settings, claude: ClaudeSettings, handler: EventHandler) -> None:
        self._settings, self._handle = settings, handler
        self._store = Store(*settings.folders)
        self._budget = new_budget(self._store, claude)
        self._insights = Insights(claude, answer_store(self._store), budget=self._budget)
        self._pending: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._places = asyncio.Semaphore(1 + math.ceil(claude.max_concurrent / _PROMPTS_PER_VIDEO))
        self._thread = threading.Thread(target=self._loop.run_forever, name="claude", daemon=True)
        self.totals = ClaudeTotals()

    def start(self, videos: int) -> None:
        """Check the key, fetch the answers of earlier batches, and report what the run may cost.

        Raises:
            APIError: The key was refused, or earlier batches could not be asked for.
        """
        self._thread.start()
        self._wait(self._insights.__aenter__())
        if warning := self._wait(self._insights.check_key()):
            LOG.warning("Claude: %s", warning)
        elif (self._store.claude_folder / "batches").is_dir():
            with self._store.batch_lock():
                self._wait(self._insights.collect())
        estimate = self._insights.ceiling(videos)
        self._say("estimate", estimate.line(self._insights.settings.max_cost_usd, known=False))

    def judge(self, outcome: VideoOutcome) -> Future[VideoOutcome]:
        """Begin to judge one video; the future holds the outcome that its files then agree with."""
        return asyncio.run_coroutine_threadsafe(self._judge(outcome), self._loop)

    def submit_pending(self) -> None:
        """In mode ``batch``, submit every prompt without an answer to the Message Batches API.

        Raises:
            APIError: The API refused, or could not be reached.
            StoreError: Another run is doing the same, or a file could not be read or written.
        """
        for start in range(0, len(self._pending), _VIDEOS_PER_BATCH):
            chosen = self._pending[start : start + _VIDEOS_PER_BATCH]
            with self._store.batch_lock():
                videos = [read_video(self._store, video_id)[0] for video_id in chosen]
                self._say("estimate", self._insights.estimate(videos).line(self._insights.settings.max_cost_usd))
                made = self._wait(self._insights.submit(videos))
            for custom_id, reason in made.not_sent.items():
                LOG.warning("Claude: %s was not submitted: %s", custom_id, reason)
            sent = f"{len(made.submitted)} prompts are in batch {made.batch_id}" if made.batch_id else "no new prompts"
            waiting = f", {len(made.waiting)} wait in earlier batches" if made.waiting else ""
            then = f"; `rumiai-orch collect --out {self._settings.out}` brings the answers"
            self._say("submitted", f"Claude: {sent}{waiting}{then}")

    def close(self) -> None:
        """Report the totals and stop; prompts in flight are given up."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        self._wait(self._end())
        self.totals = replace(self.totals, counted_usd=self._budget.spent_usd)
        if self.totals.videos:
            self._handle(ClaudeEvent("done", self.totals.line(), self.totals))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._insights.__aexit__(None, None, None)

    async def _judge(self, outcome: VideoOutcome) -> VideoOutcome:
        async with self._places:
            self._handle(ProgressEvent(outcome.video_id, "claude"))
            try:
                with self._store.lock(outcome.video_id):
                    return await self._judged(outcome)
            except RumiAIError as exc:
                return self._without(outcome, [f"Claude: {exc}"])

    async def _judged(self, outcome: VideoOutcome) -> VideoOutcome:
        began = time.monotonic()
        store, video_id = self._store, outcome.video_id
        video, measured = await asyncio.to_thread(read_video, store, video_id)
        found = await self._insights.analyse(video)
        self.totals = with_video(self.totals, found)
        if found.to_submit:
            self._pending.append(video_id)
        written = await asyncio.to_thread(
            write_judged, store, video_id, measured, found.results, self._settings.output_format
        )
        outcome = replace(
            outcome,
            skipped=outcome.skipped and not any(summary.written for summary in written.values()),
            seconds=outcome.seconds + time.monotonic() - began,
            stage_seconds={**outcome.stage_seconds, "claude": time.monotonic() - began},
            analyses=written,
        )
        return self._without(outcome, found.warnings) if found.partial else outcome

    def _without(self, outcome: VideoOutcome, warnings: Sequence[str]) -> VideoOutcome:
        """The outcome of a video that Claude judged only in part: ``partial``, in strict mode ``failed``."""
        outcome = replace(outcome, status="partial", warnings=[*outcome.warnings, *warnings])
        if not self._settings.strict:
            return outcome
        message = f"in strict mode every analysis must be judged: {'; '.join(warnings)}"
        return replace(outcome, status="failed", error=Failure("APIError", message, "claude", APIError.exit_code))

    def _say(self, state: Literal["estimate", "submitted"], message: str) -> None:
        self._handle(ClaudeEvent(state, message))

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextlib.contextmanager
def open_claude(
    settings: Settings, claude: ClaudeSettings, videos: int, handler: EventHandler
) -> Iterator[ClaudeRun | None]:
    """The Claude half of a run, ready; None when it is off.

    Args:
        settings: Of the run.
        claude: From :func:`claude_settings`.
        videos: How many there are.
        handler: Gets events; called from several threads.

    Raises:
        APIError: The key was refused: begin nothing else.
    """
    if claude.mode == "off" or not videos:
        if settings.claude == "auto":
            LOG.info("Claude is off: the analyses are computed by rules alone (set CLAUDE_API_KEY to switch it on)")
        yield None
        return
    run = ClaudeRun(settings, claude, handler)
    try:
        run.start(videos)
        yield run
    finally:
        run.close()


def read_video(store: Store, video_id: str) -> tuple[VideoInput, dict[str, MeasuredAnalysis]]:
    """Read a measured video back: the input of its prompts, and its rule-based analyses.

    Raises:
        StoreError: Its unified analysis cannot be read.
    """
    analysis = UnifiedAnalysis.from_dict(read_json(store.unified_file(video_id)))
    measured = read_measured(store, video_id) or measure(analysis)
    return VideoInput(analysis, measured), measured


def write_judged(
    store: Store,
    video_id: str,
    measured: Mapping[str, MeasuredAnalysis],
    results: Mapping[str, PromptResult],
    output_format: Any,
) -> dict[str, AnalysisOutcome]:
    """Write the judged analyses of a video and record their files as its latest.

    Raises:
        StoreError: A file could not be written.
    """
    chosen = {name: measured[name] for name in results}
    written = write_analyses(store, video_id, chosen, output_format, results)
    if any(summary.written for summary in written.values()):
        latest = (store.insights_folder(video_id) / name / "latest.json" for name in measured)
        outputs = [path.parent / file for path in latest for file in read_json(path).values()]
        files: list[Path] = [store.markers_file(video_id), *outputs]
        RunState(store.state_file(video_id)).renew("analyses", files, now_iso())
    return written
