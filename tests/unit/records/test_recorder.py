from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rumiai.contracts.run_events import (
    LogEvent,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    RunStartedEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.records import Recorder, Records

from .samples import accepted, failed, ok


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(tmp_path) as opened:
        yield opened


def record(out: Path, run_id: str, *events: RunEvent) -> None:
    with Recorder(out, run_id) as recorder:
        for event in events:
            recorder.handle(event)


def until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_progress_is_seen_while_the_run_goes_on(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a")
    with Recorder(tmp_path, run.run_id) as recorder:
        recorder.handle(ProgressEvent("a", "frames", 1, 10))
        recorder.handle(ProgressEvent("a", "frames", 7, 10))
        until(lambda: records.videos(run.run_id)[0].state == "running")
        video = records.videos(run.run_id)[0]
        assert (video.stage, video.done, video.of, video.attempts) == ("frames", 7, 10, 1)
        assert video.started_at is not None
        assert records.run(run.run_id).seen_at is not None


def test_an_outcome_is_the_video_with_its_stages_and_cost(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a", "b")
    record(tmp_path, run.run_id, ProgressEvent("a", "probe"), VideoEvent(ok("a")), VideoEvent(failed("b")))
    a, b = records.videos(run.run_id)
    assert (a.state, a.seconds, a.cost_usd, a.tokens, a.error_type) == ("partial", 12.5, 0.02, 700, None)
    assert a.outcome == ok("a").to_dict()
    assert (b.state, b.error_type, b.error_message, b.error_stage) == (
        "failed",
        "DecodeError",
        "it is broken",
        "decode",
    )
    stages = {(s.kind, s.name): (s.seconds, s.ok, s.reason) for s in records.stages(run.run_id, "a")}
    assert stages == {
        ("stage", "total"): (12.5, True, None), ("stage", "visual"): (8.0, True, None),
        ("service", "yolo"): (3.0, True, None), ("service", "ocr"): (1.0, False, "no text"),
    }  # fmt: skip
    sums = records.run(run.run_id)
    assert (sums.seconds, sums.bytes, sums.cost_usd) == (13.5, 1234 + 1000, 0.02)
    assert sums.counts == {"partial": 1, "failed": 1}


def test_videos_may_be_read_without_their_outcomes(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a")
    record(tmp_path, run.run_id, VideoEvent(ok("a")))
    (full,), (plain,) = records.videos(run.run_id), records.videos(run.run_id, outcomes=False)
    assert full.outcome is not None
    assert plain == replace(full, outcome=None)


def test_a_run_without_events_says_that_it_is_there(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rumiai.records.recorder._SEEN_S", 0.0)
    run = accepted(records, "a")
    with Recorder(tmp_path, run.run_id):
        until(lambda: records.run(run.run_id).seen_at != run.seen_at)


def test_an_error_has_its_attempt_and_the_last_lines_of_its_video(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a", "b")
    lines = [LogEvent("WARNING", "rumiai", f"line {index}", 1, "a") for index in range(25)]
    other = LogEvent("WARNING", "rumiai", "of another video", 1, "b")
    record(
        tmp_path, run.run_id,
        ProgressEvent("a", "probe"), *lines, other, RetryEvent("a", "its worker ended"),
        ProgressEvent("a", "probe"), ProgressEvent("a", "ocr"), LogEvent("ERROR", "rumiai", "boom", 2, "a"),
        VideoEvent(failed("a", "WorkerDied")),
    )  # fmt: skip
    first, second = records.errors(run.run_id, "a")
    assert (first.type, first.message, first.attempt, first.stage) == ("Retry", "its worker ended", 1, "probe")
    assert first.log_tail.splitlines() == [f"WARNING line {index}" for index in range(5, 25)]
    assert (second.type, second.attempt, second.log_tail) == ("WorkerDied", 2, "ERROR boom")
    attempts = [(a.number, a.stage, a.outcome) for a in records.attempts(run.run_id, "a")]
    assert attempts == [(1, "probe", "its worker ended"), (2, "ocr", "WorkerDied")]
    assert records.videos(run.run_id)[0].attempts == 2


def test_what_was_given_up_is_unfinished_and_no_error(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a")
    record(tmp_path, run.run_id, ProgressEvent("a", "ocr"), VideoEvent(failed("a", "Interrupted")))
    video = records.videos(run.run_id)[0]
    assert (video.state, video.stage) == ("unfinished", "ocr")
    assert records.errors(run.run_id) == []


def test_progress_that_comes_late_begins_nothing(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a")
    record(tmp_path, run.run_id, ProgressEvent("a", "ocr"), VideoEvent(ok("a")), ProgressEvent("a", "ocr", 1, 2))
    video = records.videos(run.run_id)[0]
    assert (video.state, video.attempts, video.done) == ("partial", 1, None)


def test_events_are_kept_as_they_are_printed(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a")
    told = [RunStartedEvent(run.run_id, 1), ServerEvent("ready", "it is"), RetryEvent("a", "why"), VideoEvent(ok("a"))]
    record(tmp_path, run.run_id, *told, ProgressEvent("a", "ocr"))
    events = records.events(run.run_id)
    assert [event.members for event in events] == [event.to_json() for event in told]
    assert [event.kind for event in records.events(run.run_id, after=events[1].seq)] == ["retry", "video"]


def test_a_video_that_is_deleted_while_it_runs_does_not_come_back(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a", "b")
    with Recorder(tmp_path, run.run_id) as recorder:
        recorder.handle(ProgressEvent("a", "ocr"))
        until(lambda: records.videos(run.run_id)[0].state == "running")
        records.delete_video("a")
        for event in (RetryEvent("a", "why"), ProgressEvent("a", "ocr"), VideoEvent(ok("a")), VideoEvent(ok("b"))):
            recorder.handle(event)
    assert [video.video_id for video in records.videos(run.run_id)] == ["b"]
    assert [event.members["video_id"] for event in records.events(run.run_id)] == ["b"]


def test_a_cancel_is_heard_once_for_each_kind(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a")
    heard: list[str] = []
    with Recorder(tmp_path, run.run_id, heard.append):
        records.request_cancel(run.run_id)
        until(lambda: heard == ["waiting"])
        records.request_cancel(run.run_id, "all")
        until(lambda: heard == ["waiting", "all"])
    assert heard == ["waiting", "all"]


def test_records_that_cannot_be_written_cost_no_run(
    records: Records, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = accepted(records, "a")
    with Recorder(tmp_path, run.run_id) as recorder:
        records._db.write("DROP TABLE events")
        recorder.handle(VideoEvent(ok("a")))
        until(lambda: "the run goes on without records" in caplog.text)
        recorder.handle(VideoEvent(ok("a")))
    assert caplog.text.count("the run goes on") == 1


def test_attempts_go_on_counting_when_another_process_takes_the_run(records: Records, tmp_path: Path) -> None:
    run = accepted(records, "a")
    record(tmp_path, run.run_id, ProgressEvent("a", "ocr"))
    record(tmp_path, run.run_id, ProgressEvent("a", "probe"))
    assert [a.number for a in records.attempts(run.run_id, "a")] == [1, 2]


def test_an_event_costs_the_run_less_than_a_millisecond(records: Records, tmp_path: Path) -> None:
    """Processor time of both threads; alone, an event takes about 50 microseconds."""
    videos = [f"v{index}" for index in range(200)]
    run = accepted(records, *videos)
    events: list[RunEvent] = []
    for video_id in videos:
        events += [ProgressEvent(video_id, "ocr", done, 10) for done in range(10)]
        events.append(VideoEvent(ok(video_id)))
    began = time.process_time()
    record(tmp_path, run.run_id, *events)
    assert (time.process_time() - began) / len(events) < 1e-3
    assert records.run(run.run_id).counts == {"partial": 200}
    assert threading.active_count() < 10
