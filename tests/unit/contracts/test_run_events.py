"""The JSON form of every event, member by member and in the order in which programs get to see it."""

from __future__ import annotations

import json

import pytest

from rumiai.contracts.outcome import ClaudeTotals, Failure, ServiceOutcome, VideoOutcome
from rumiai.contracts.run_events import (
    ClaudeEvent,
    DoneEvent,
    LogEvent,
    NotStarted,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.errors import ServerError

TOTALS = ClaudeTotals(videos=2, answered=9, stored=1, cost_usd=None, uncertain_usd=0.5, tokens=80)
TOTALS_JSON = (
    '"videos": 2, "answered": 9, "stored": 1, "skipped": 0, "fallen": 0, "pending": 0, "cost_usd": null, '
    '"uncertain_usd": 0.5, "counted_usd": 0.0, "tokens": 80'
)
OUTCOME = VideoOutcome(
    "clip",
    "in/clip.mp4",
    "failed",
    seconds=1.23456,
    error=Failure("MLError", "no words", "services", 4),
    services={"whisper": ServiceOutcome(False, "no words", 0.5, False)},
    bytes=99,
)
OUTCOME_JSON = (
    '"video_id": "clip", "status": "failed", "skipped": false, "seconds": 1.235, "files": {}, "error": '
    '{"type": "MLError", "message": "no words", "stage": "services"}, "source": "in/clip.mp4", "services": '
    '{"whisper": {"ok": false, "reason": "no words", "seconds": 0.5, "cached": false, "device": null, '
    '"frames": null, "sample_fps": null}}, "stage_seconds": {}, '
    '"analyses": {}, "warnings": [], "summary": {}, "memory": {}, "bytes": 99'
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ProgressEvent("clip", "probe"), '{"event": "progress", "video_id": "clip", "stage": "probe"}'),
        (
            ProgressEvent("clip", "frames", 0, 22),
            '{"event": "progress", "video_id": "clip", "stage": "frames", "done": 0, "of": 22}',
        ),
        (
            LogEvent("INFO", "rumiai", "so", 7, "clip"),
            '{"event": "log", "level": "INFO", "logger": "rumiai", "message": "so", "pid": 7, "video_id": "clip"}',
        ),
        (RetryEvent("clip", "exit status 3"), '{"event": "retry", "video_id": "clip", "reason": "exit status 3"}'),
        (ServerEvent("ready", "at :1"), '{"event": "server", "state": "ready", "message": "at :1"}'),
        (ClaudeEvent("estimate", "1 USD"), '{"event": "claude", "state": "estimate", "message": "1 USD"}'),
        (
            ClaudeEvent("done", "9", TOTALS),
            '{"event": "claude", "state": "done", "message": "9", ' + TOTALS_JSON + "}",
        ),
        (VideoEvent(OUTCOME), '{"event": "video", ' + OUTCOME_JSON + "}"),
        (
            DoneEvent([OUTCOME, NotStarted("next")], TOTALS, ServerError("gone", hint="look")),
            '{"event": "done", "videos": [{' + OUTCOME_JSON + '}, {"video_id": "next", "status": "failed", '
            '"skipped": false, "seconds": 0.0, "files": {}, "error": {"type": "NotStarted", "message": '
            '"the run ended before this video", "stage": "start"}}], "claude": {' + TOTALS_JSON + '}, '
            '"error": {"type": "ServerError", "message": ' + json.dumps(str(ServerError("gone", hint="look"))) + "}}",
        ),
        (DoneEvent([], None, None), '{"event": "done", "videos": [], "claude": null, "error": null}'),
    ],
)  # fmt: skip
def test_json_form(event: RunEvent, expected: str) -> None:
    assert json.dumps(event.to_json()) == expected


def test_a_stage_that_does_not_count_has_no_further_step() -> None:
    assert ProgressEvent("clip", "probe").is_complete
    assert ProgressEvent("clip", "frames", 22, 22).is_complete
    assert not ProgressEvent("clip", "frames", 21, 22).is_complete
