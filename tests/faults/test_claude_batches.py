"""The Message Batches API: submitted by one process, collected by another, recovered after a crash."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rumiai.errors import APIError
from rumiai.insights import Budget, Collection, Insights, Submission, VideoInsights
from rumiai.metrics.registry import ANALYSES

from .claude_server import ClaudeServer, claude_server, message, succeeded
from .claude_videos import settings, store, video

OVERLAYS = "visual_overlay_analysis"


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with claude_server() as running:
        yield running


def submit(server: ClaudeServer, folder: Path, *names: str, budget: Budget | None = None) -> Submission:
    async def run() -> Submission:
        async with Insights(settings(server.url, mode="batch"), store(folder), budget=budget) as insights:
            return await insights.submit([video(*names)])

    return asyncio.run(run())


def collect(server: ClaudeServer, folder: Path) -> Collection:
    async def run() -> Collection:
        async with Insights(settings(server.url, mode="batch"), store(folder)) as insights:
            return await insights.collect()

    return asyncio.run(run())


def analyse(server: ClaudeServer, folder: Path, *names: str) -> VideoInsights:
    async def run() -> VideoInsights:
        async with Insights(settings(server.url, mode="batch"), store(folder)) as insights:
            return await insights.analyse(video(*names))

    return asyncio.run(run())


def test_another_process_collects(server: ClaudeServer, tmp_path: Path) -> None:
    sent = submit(server, tmp_path)
    assert sent.batch_id == "msgbatch_01"
    assert len(sent.submitted) == len(ANALYSES)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", custom_id) for custom_id in sent.submitted)
    assert collect(server, tmp_path).pending == ("msgbatch_01",)
    waiting = analyse(server, tmp_path)
    assert {r.error for r in waiting.results.values()} == {"not_collected"}
    server.end_batches()
    got = collect(server, tmp_path)
    assert got.stored == sent.submitted
    assert (got.failed, got.pending) == ({}, ())
    # Half of the list's price.
    assert got.cost_usd == pytest.approx(0.0001 * len(ANALYSES))
    found = analyse(server, tmp_path)
    assert {r.source for r in found.results.values()} == {"claude"}
    assert found.cost_usd == 0
    assert all(r.stored_cost == pytest.approx(0.0001) for r in found.results.values())
    assert server.asked == []
    assert collect(server, tmp_path).stored == ()


def test_what_waits_or_is_answered_is_not_submitted_again(server: ClaudeServer, tmp_path: Path) -> None:
    first = submit(server, tmp_path, OVERLAYS)
    again = submit(server, tmp_path, OVERLAYS)
    assert (again.batch_id, again.waiting) == (None, first.submitted)
    server.end_batches()
    collect(server, tmp_path)
    last = submit(server, tmp_path, OVERLAYS)
    assert (last.batch_id, last.waiting, len(server.batches)) == (None, (), 1)


def test_a_batch_whose_response_was_lost_is_found_again(server: ClaudeServer, tmp_path: Path) -> None:
    server.lose_batch_response = True
    with pytest.raises(APIError, match="not known whether"):
        submit(server, tmp_path, OVERLAYS)
    server.lose_batch_response = False
    again = submit(server, tmp_path, OVERLAYS)
    assert (again.batch_id, len(again.waiting), len(server.batches)) == (None, 1, 1)
    server.end_batches()
    assert len(collect(server, tmp_path).stored) == 1


def test_an_intention_without_a_batch_is_dropped(server: ClaudeServer, tmp_path: Path) -> None:
    """Killed between the record and the request."""
    with pytest.raises(APIError):
        submit(ClaudeServerStub(), tmp_path, OVERLAYS)  # type: ignore[arg-type]
    assert submit(server, tmp_path, OVERLAYS).batch_id == "msgbatch_01"


class ClaudeServerStub:
    url = "http://127.0.0.1:9"


def test_requests_that_failed_fall_back_with_the_reason(server: ClaudeServer, tmp_path: Path) -> None:
    submit(server, tmp_path, OVERLAYS, "scene_pacing", "metadata_analysis")
    results: list[dict[str, Any]] = [
        {"type": "errored", "error": {
            "type": "error", "error": {"type": "invalid_request_error", "message": "too odd"}, "request_id": None}},
        {"type": "expired"},
    ]  # fmt: skip
    server.end_batches(lambda params: results.pop() if results else succeeded(params))
    got = collect(server, tmp_path)
    assert (len(got.stored), len(got.failed)) == (1, 2)
    assert sorted(got.failed.values()) == ["errored: too odd", "expired"]
    found = analyse(server, tmp_path, OVERLAYS, "scene_pacing", "metadata_analysis")
    assert found.partial
    assert sorted(str(r.reason) for r in found.results.values() if not r.model_success) == [
        "errored: too odd",
        "expired",
    ]
    assert len(submit(server, tmp_path, OVERLAYS, "scene_pacing", "metadata_analysis").submitted) == 2


def test_an_invalid_answer_of_a_batch_is_repaired_at_once(server: ClaudeServer, tmp_path: Path) -> None:
    submit(server, tmp_path, OVERLAYS)
    server.end_batches(lambda p: {"type": "succeeded", "message": message("no", model=p["model"])})
    collect(server, tmp_path)
    result = analyse(server, tmp_path, OVERLAYS).results[OVERLAYS]
    assert (result.source, result.repaired, len(server.asked)) == ("claude", True, 1)
    assert result.stored_cost == pytest.approx(0.0001)
    assert result.estimated_cost == pytest.approx(0.0002)


def test_a_batch_that_is_gone_is_said_to_be(server: ClaudeServer, tmp_path: Path) -> None:
    submit(server, tmp_path, OVERLAYS)
    server.batches.clear()
    got = collect(server, tmp_path)
    assert list(got.failed.values()) == ["the batch and its results are gone"]
    assert got.pending == ()


def test_a_batch_stays_within_the_cost_limit(server: ClaudeServer, tmp_path: Path) -> None:
    budget = Budget(0.006)
    sent = submit(server, tmp_path, budget=budget)
    assert 0 < len(sent.submitted) < len(ANALYSES)
    assert len(sent.submitted) + len(sent.not_sent) == len(ANALYSES)
    assert all("cost limit" in reason for reason in sent.not_sent.values())
    assert 0 < budget.spent_usd <= 0.006
    assert len(server.batches[0].requests) == len(sent.submitted)


def test_records_hold_no_prompt(server: ClaudeServer, tmp_path: Path) -> None:
    submit(server, tmp_path, OVERLAYS)
    (record,) = (json.loads(p.read_text()) for p in (tmp_path / "batches").glob("*.json"))
    assert set(record) == {"format", "state", "batch_id", "created_at", "requests"}
    assert "STOP SCROLLING" not in json.dumps(record)
