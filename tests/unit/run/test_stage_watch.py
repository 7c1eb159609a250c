from __future__ import annotations

from rumiai.contracts.run_events import ProgressEvent
from rumiai.run.stage_watch import StageWatch


class Clock:
    """Seconds that pass as the test says; looked at every second, as the scheduler does more often."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.watch = StageWatch(60.0, lambda: self.now_s)

    def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_s += 1
            self.watch.look()


def test_progress_of_any_stage_keeps_a_video() -> None:
    clock = Clock()
    watch = clock.watch
    watch.begin("a")
    for done in range(4):
        watch.saw(ProgressEvent("a", "frames", done, 10))
        clock.passes(50)
        assert watch.hanging("a") is None
    clock.passes(9)
    assert watch.hanging("a") is None
    clock.passes(1)
    assert watch.hanging("a") == "frames"


def test_the_stage_that_stands_longest_is_named_not_the_one_that_was_heard_last() -> None:
    clock = Clock()
    clock.watch.begin("a")
    for event in (ProgressEvent("a", "probe"), ProgressEvent("a", "frames", 1, 10), ProgressEvent("a", "speech", 0, 2)):
        clock.watch.saw(event)
        clock.passes(1)
    clock.watch.saw(ProgressEvent("a", "speech", 1, 2))
    clock.passes(60)
    assert clock.watch.hanging("a") == "frames"


def test_when_all_that_count_are_done_the_last_one_is_named() -> None:
    clock = Clock()
    clock.watch.begin("a")
    clock.watch.saw(ProgressEvent("a", "frames", 10, 10))
    clock.watch.saw(ProgressEvent("a", "save"))
    clock.passes(60)
    assert clock.watch.hanging("a") == "save"


def test_the_same_count_again_is_no_progress() -> None:
    clock = Clock()
    clock.watch.begin("a")
    for _ in range(3):
        clock.watch.saw(ProgressEvent("a", "frames", 3, 10))
        clock.passes(30)
    assert clock.watch.hanging("a") == "frames"


def test_a_video_that_says_nothing_hangs_at_its_start() -> None:
    clock = Clock()
    clock.watch.begin("a")
    clock.passes(60)
    assert clock.watch.hanging("a") == "start"
    assert clock.watch.hanging("unknown") is None


def test_progress_may_come_before_the_run_knows_that_a_worker_has_the_video() -> None:
    clock = Clock()
    clock.watch.saw(ProgressEvent("a", "frames", 1, 10))
    clock.passes(30)
    clock.watch.begin("a")
    clock.passes(59)
    assert clock.watch.hanging("a") is None
    clock.passes(1)
    assert clock.watch.hanging("a") == "frames"


def test_another_attempt_begins_anew() -> None:
    clock = Clock()
    clock.watch.begin("a")
    clock.watch.saw(ProgressEvent("a", "frames", 3, 10))
    clock.passes(60)
    clock.watch.end("a")
    assert clock.watch.hanging("a") is None
    clock.watch.begin("a")
    assert clock.watch.hanging("a") is None
    clock.passes(60)
    assert clock.watch.hanging("a") == "start"


def test_the_time_in_which_the_whole_run_was_stopped_counts_for_nobody() -> None:
    clock = Clock()
    clock.watch.begin("a")
    clock.now_s += 3600
    clock.watch.look()
    assert clock.watch.hanging("a") is None
    clock.passes(60)
    assert clock.watch.hanging("a") == "start"
