"""The Messages API and everything that goes wrong with it, through the real SDK and a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rumiai.errors import APIError, StoreError
from rumiai.insights import Budget, ClaudeSettings, Insights, PromptResult, VideoInput, VideoInsights
from rumiai.metrics.registry import ANALYSES, schema_of

from .claude_server import (
    KEY,
    Behaviour,
    ClaudeServer,
    Request,
    breaks_off,
    claude_server,
    good_answer,
    hangs,
    html,
    message,
    resets,
    says,
    slow,
    status,
    well,
)
from .claude_videos import settings, store, video

OVERLAYS = "visual_overlay_analysis"


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with claude_server() as running:
        yield running


def analyse(
    video_input: VideoInput, chosen: ClaudeSettings, folder: Path, budget: Budget | None = None
) -> VideoInsights:
    async def run() -> VideoInsights:
        async with Insights(chosen, store(folder), budget=budget) as insights:
            return await insights.analyse(video_input)

    return asyncio.run(run())


def one(server: ClaudeServer, folder: Path, *script: Behaviour, **changes: Any) -> PromptResult:
    """The result of the overlay analysis after these behaviours."""
    server.script = list(script)
    budget = changes.pop("budget", None)
    return analyse(video(OVERLAYS), settings(server.url, **changes), folder, budget).results[OVERLAYS]


def test_all_analyses_are_judged_concurrently(server: ClaudeServer, tmp_path: Path) -> None:
    server.default = slow(0.15)
    source = video()
    found = analyse(source, settings(server.url), tmp_path)
    assert [r.source for r in found.results.values()] == ["claude"] * len(ANALYSES)
    assert not found.partial
    assert found.success_rate == 1.0
    assert server.most_in_flight == 3  # max_concurrent
    assert len(server.asked) == len(ANALYSES)
    for name, result in found.results.items():
        assert schema_of(name).problems(result.blocks_json(), duration_s=12.0) == []
        assert result.provenance()["CoreMetrics"]["source"] == "python"
        assert result.blocks_json()["CoreMetrics"] == source.measured[name].blocks_json()["CoreMetrics"]
        # 1000 tokens in and 200 out by the list: 0.1 and 0.5 USD per million.
        assert result.estimated_cost == pytest.approx(0.0002)
        json.dumps(result.to_dict(), allow_nan=False)
    assert found.cost_usd == pytest.approx(0.0002 * len(ANALYSES))
    overlays = found.results[OVERLAYS]
    assert overlays.provenance()["Patterns"] == {
        "source": "claude", "model": "claude-haiku-5-5", "repaired": False,
        "judged": ["textStyle", "visualTechniques", "productionQuality"],
    }  # fmt: skip
    assert overlays.blocks_json()["Patterns"]["visualTechniques"] == ["judged_visualTechniques"]
    assert overlays.template_version.startswith("2.0+")
    assert "# Analysis: visual overlays" in str(overlays.prompt_text)
    assert "prompt_text" not in overlays.to_dict()


def test_the_request_is_what_current_models_take(server: ClaudeServer, tmp_path: Path) -> None:
    one(server, tmp_path)
    body = server.asked[0].body
    assert body["thinking"] == {"type": "disabled"}
    assert body["max_tokens"] == 3000
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    instruction, data = body["messages"][0]["content"]
    assert instruction["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in data
    assert not {"temperature", "top_p", "top_k", "tools", "tool_choice"} & set(body)


def test_sonnet_is_asked_its_own_way_and_thinking_is_skipped(server: ClaudeServer, tmp_path: Path) -> None:
    server.default = lambda handler, request: handler.send_json(
        message(json.dumps(good_answer(request.body)), model=request.body["model"], thinking=True)
    )
    result = one(server, tmp_path, model="sonnet")
    assert server.asked[0].body["thinking"] == {"type": "between_tools"}
    assert (result.source, result.model) == ("claude", "claude-sonnet-5-5")
    assert result.estimated_cost == pytest.approx(0.004)


def test_cached_tokens_have_their_own_price(server: ClaudeServer, tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "cache_creation_input_tokens": 2000, "cache_read_input_tokens": 4000}
    result = one(server, tmp_path, says(lambda r: json.dumps(good_answer(r.body)), usage=usage))
    assert result.estimated_cost == pytest.approx((100 * 0.1 + 2000 * 0.125 + 4000 * 0.01 + 200 * 0.5) / 1e6)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (status(401, "authentication_error"), "refused_key"),
        (status(402, "billing_error"), "payment"),
        (status(403, "permission_error"), "refused_key"),
        (status(413, "request_too_large"), "too_large"),
        (status(400, "invalid_request_error"), "rejected"),
        (status(404, "not_found_error"), "rejected"),
        (status(302, headers={"location": "http://127.0.0.1:9/elsewhere"}), "rejected"),
        (html, "bad_response"),
    ],
)
def test_what_cannot_succeed_is_not_retried(
    server: ClaudeServer, tmp_path: Path, behaviour: Behaviour, error: str
) -> None:
    result = one(server, tmp_path, behaviour)
    assert (result.source, result.error) == ("python_fallback", error)
    assert len(server.asked) == 1
    assert not result.model_success


def test_a_refused_key_stops_the_prompts_that_wait(server: ClaudeServer, tmp_path: Path) -> None:
    server.default = status(401, "authentication_error")
    found = analyse(video(), settings(server.url, max_concurrent=1), tmp_path)
    assert {r.error for r in found.results.values()} == {"refused_key"}
    assert len(server.asked) == 1
    assert found.partial


@pytest.mark.parametrize(
    "fault",
    [
        status(429, "rate_limit_error", {"retry-after": "0.2"}),
        status(429, "rate_limit_error"),
        status(500),
        status(529, "overloaded_error"),
        resets,
        breaks_off,
    ],
    ids=["429-retry-after", "429", "500", "529", "reset", "broken-off"],
)
def test_what_may_pass_is_retried(server: ClaudeServer, tmp_path: Path, fault: Behaviour) -> None:
    result = one(server, tmp_path, fault)
    assert result.source == "claude"
    assert result.retry_attempts == 1
    first, second = server.asked
    assert second.at_s - first.at_s >= 0.18


def test_retries_end(server: ClaudeServer, tmp_path: Path) -> None:
    server.default = status(529, "overloaded_error", {"retry-after": "0.02"})
    result = one(server, tmp_path)
    assert (result.source, result.error, result.retry_attempts) == ("python_fallback", "overloaded", 2)
    assert result.request_id == "req_003"
    assert result.estimated_cost == 0


def test_a_wait_beyond_the_deadline_is_not_waited_for(server: ClaudeServer, tmp_path: Path) -> None:
    result = one(server, tmp_path, status(429, "rate_limit_error", {"retry-after": "3600"}))
    assert (result.error, len(server.asked)) == ("rate_limited", 1)
    assert result.processing_time < 2


def test_retry_after_holds_all_prompts_back(server: ClaudeServer, tmp_path: Path) -> None:
    server.script = [status(429, "rate_limit_error", {"retry-after": "0.4"})]
    found = analyse(video(), settings(server.url, max_concurrent=1, min_spacing_s=0.01), tmp_path)
    assert not found.partial
    assert server.asked[1].at_s - server.asked[0].at_s >= 0.39


def test_rate_limit_headers_are_followed(server: ClaudeServer, tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    def last(handler: Any, request: Request) -> None:
        reset = (datetime.now(UTC) + timedelta(seconds=0.6)).isoformat().replace("+00:00", "Z")
        limits = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": reset}
        handler.send_json(message(json.dumps(good_answer(request.body))), 200, limits)

    server.script = [last]
    found = analyse(video(OVERLAYS, "scene_pacing"), settings(server.url, max_concurrent=1), tmp_path)
    assert not found.partial
    assert server.asked[1].at_s - server.asked[0].at_s >= 0.5


def test_a_slow_answer_is_waited_for(server: ClaudeServer, tmp_path: Path) -> None:
    assert one(server, tmp_path, slow(0.5)).source == "claude"


def test_a_hanging_attempt_is_given_up_and_counts_as_paid(server: ClaudeServer, tmp_path: Path) -> None:
    budget = Budget(1.0)
    result = one(server, tmp_path, hangs, read_timeout_s=0.3, budget=budget)
    assert result.source == "claude"
    assert result.retry_attempts == 1
    assert result.uncertain_cost > 0
    assert budget.spent_usd == pytest.approx(result.uncertain_cost + 0.0002)
    assert budget.reserved_usd == 0


def test_the_deadline_ends_everything(server: ClaudeServer, tmp_path: Path) -> None:
    server.default = hangs
    result = one(server, tmp_path, deadline_s=0.5, read_timeout_s=30.0)
    assert (result.source, result.error) == ("python_fallback", "deadline")
    assert result.processing_time < 2


def test_an_answer_is_never_asked_for_again(server: ClaudeServer, tmp_path: Path) -> None:
    first = analyse(video(), settings(server.url), tmp_path)
    again = analyse(video(), settings(server.url), tmp_path)
    assert len(server.asked) == len(ANALYSES)
    assert {n: r.blocks for n, r in again.results.items()} == {n: r.blocks for n, r in first.results.items()}
    assert all(r.reused and r.estimated_cost == 0 and r.stored_cost for r in again.results.values())
    one(server, tmp_path, model="sonnet")  # another model is another question
    assert len(server.asked) == len(ANALYSES) + 1


def test_an_answer_is_stored_before_it_is_judged(
    server: ClaudeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    monkeypatch.setattr("rumiai.insights.service.judge", killed)
    with pytest.raises(KilledError):
        one(server, tmp_path)
    monkeypatch.undo()
    assert one(server, tmp_path).source == "claude"
    assert len(server.asked) == 1


def test_what_cannot_be_kept_is_asked_once(server: ClaudeServer, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file where the folder should be")
    budget = Budget(1.0)
    with pytest.raises(StoreError):
        analyse(video(), settings(server.url, max_concurrent=1), tmp_path, budget)
    assert len(server.asked) == 1
    assert budget.spent_usd > 0
    assert budget.reserved_usd == 0


def test_the_same_question_under_two_ids_is_asked_once(server: ClaudeServer, tmp_path: Path) -> None:
    async def run() -> None:
        async with Insights(settings(server.url), store(tmp_path)) as insights:
            await asyncio.gather(insights.analyse(video(OVERLAYS)), insights.analyse(video(OVERLAYS)))

    asyncio.run(run())
    assert len(server.asked) == 1


def test_the_cost_limit_counts_what_is_in_flight(server: ClaudeServer, tmp_path: Path) -> None:
    server.default = slow(0.2)
    source = video(OVERLAYS, "scene_pacing", "metadata_analysis")
    one_prompt = 0.006  # a prompt reserves about 0.004 USD: a token per byte, and max_tokens
    budget = Budget(one_prompt)
    found = analyse(source, settings(server.url, max_cost_usd=one_prompt), tmp_path, budget)
    sources = sorted(r.source for r in found.results.values())
    assert sources.count("claude") >= 1
    assert "python_fallback" in sources
    assert {r.error for r in found.results.values() if not r.model_success} == {"cost_limit"}
    assert budget.spent_usd <= one_prompt
    assert len(server.asked) == sources.count("claude")


def test_an_attempt_after_a_lost_one_needs_money_of_its_own(server: ClaudeServer, tmp_path: Path) -> None:
    server.default = resets
    budget = Budget(0.006)
    result = one(server, tmp_path, budget=budget)
    assert (result.error, len(server.asked)) == ("cost_limit", 1)
    assert 0 < budget.spent_usd <= 0.006


def test_what_was_never_sent_costs_nothing(tmp_path: Path) -> None:
    budget = Budget(0.006)
    chosen = settings("http://127.0.0.1:9", max_retries=1)
    result = analyse(video(OVERLAYS), chosen, tmp_path, budget).results[OVERLAYS]
    assert (result.error, result.retry_attempts, result.uncertain_cost) == ("connection", 1, 0.0)
    assert budget.spent_usd == 0


def test_an_unknown_price_is_refused_under_a_limit_only(server: ClaudeServer, tmp_path: Path) -> None:
    result = one(server, tmp_path, model="claude-next")
    assert (result.error, len(server.asked)) == ("cost_limit", 0)
    result = one(server, tmp_path, model="claude-next", max_cost_usd=None)
    assert (result.source, result.estimated_cost) == ("claude", None)


def test_processes_share_a_ledger(tmp_path: Path) -> None:
    first, second = Budget(1.0, tmp_path / "ledger.json"), Budget(1.0, tmp_path / "ledger.json")
    token = first.reserve(0.7)
    assert token is not None
    assert second.reserve(0.4) is None
    first.settle(token, 0.1)
    assert second.reserve(0.4) is not None
    assert second.spent_usd == pytest.approx(0.1)
    assert first.reserved_usd == pytest.approx(0.4)
    (tmp_path / "ledger.json").write_text("[]")
    with pytest.raises(StoreError, match="no ledger"):
        first.reserve(0.1)


def test_a_key_is_checked_without_cost(server: ClaudeServer, tmp_path: Path) -> None:
    async def check(chosen: ClaudeSettings) -> str | None:
        async with Insights(chosen, store(tmp_path)) as insights:
            return await insights.check_key()

    from rumiai.insights import ApiKey

    assert asyncio.run(check(settings(server.url))) is None
    with pytest.raises(APIError, match="refused the key") as caught:
        asyncio.run(check(settings(server.url, api_key=ApiKey("sk-wrong"))))
    assert caught.value.exit_code == 3
    assert "sk-wrong" not in str(caught.value)
    assert "could not be asked" in str(asyncio.run(check(settings("http://127.0.0.1:9", max_retries=0))))


def test_the_key_is_nowhere(
    server: ClaudeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    chosen = settings(server.url)
    server.script = [status(500), says("no json")]
    found = analyse(video(OVERLAYS, "metadata_analysis"), chosen, tmp_path)
    told = [repr(chosen), str(chosen.to_dict()), caplog.text, *capsys.readouterr(), repr(found)]
    told += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(KEY in text for text in told)
    assert "STOP SCROLLING" not in caplog.text
    assert any(path.name.endswith(".1.json") for path in tmp_path.rglob("*"))


def test_off_asks_nobody(server: ClaudeServer, tmp_path: Path) -> None:
    found = analyse(video(), ClaudeSettings(), tmp_path)
    assert {r.source for r in found.results.values()} == {"python"}
    assert server.requests == []


def test_empty_data_is_not_asked_about(server: ClaudeServer, tmp_path: Path) -> None:
    empty = video(texts=[], stickers=[], segments=[], faces=[], expressions=[], gestures=[], metadata=None)
    found = analyse(empty, settings(server.url), tmp_path)
    assert found.results[OVERLAYS].reason == "there are no overlays"
    assert found.results["metadata_analysis"].source == "python"
    assert OVERLAYS not in {request.analysis for request in server.asked}
    failed = video(OVERLAYS, missing={"ocr": "broken", "emotion_detection": "x"})
    assert analyse(failed, settings(server.url), tmp_path).results[OVERLAYS].source == "python"
    assert not found.partial


def test_poor_data_gets_the_small_model(server: ClaudeServer, tmp_path: Path) -> None:
    poor = video("creative_density", missing=["yolo", "mediapipe", "whisper", "scene_detection", "emotion_detection"])
    result = analyse(poor, settings(server.url, use_sonnet=True), tmp_path).results["creative_density"]
    assert result.model == "claude-haiku-5-5"
    assert "the data is poor" in str(result.model_reason)


def test_an_estimate_sends_nothing(server: ClaudeServer, tmp_path: Path) -> None:
    insights = Insights(settings(server.url), store(tmp_path))
    estimate = insights.estimate([video()])
    assert (estimate.prompts, estimate.stored) == (len(ANALYSES), 0)
    assert estimate.models == {"claude-haiku-5-5": len(ANALYSES)}
    assert estimate.probable_usd is not None
    assert estimate.most_usd is not None
    assert 0 < estimate.probable_usd < estimate.most_usd
    assert server.requests == []
    analyse(video(OVERLAYS), settings(server.url), tmp_path)
    assert insights.estimate([video()]).stored == 1


def test_a_dear_prompt_is_refused_unless_forced(server: ClaudeServer, tmp_path: Path) -> None:
    dear = {"model": "claude-opus-5-5", "warn_cost_usd": 0.001}
    result = one(server, tmp_path, **dear)
    assert (result.source, result.error, len(server.asked)) == ("python_fallback", "refused", 0)
    assert one(server, tmp_path, well, **dear, force_cost=True).source == "claude"
