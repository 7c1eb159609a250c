"""The steps of the runner protocol: which lines, in which order, each once."""

from __future__ import annotations

import re

import pytest

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import LogEvent, ProgressEvent, RetryEvent, ServerEvent, VideoEvent
from rumiai.terminal.steps import StepDisplay

# The pattern that callers look for, and the steps with their percentages, as they have always been.
PATTERN = re.compile("\U0001f4ca\\s+(\\w+)\\.\\.\\.\\s+\\((\\d+)%\\)")
STEPS = [
    ("scraping_metadata", "0"), ("downloading_video", "10"), ("running_ml_analysis", "20"), ("building_timeline", "50"),
    ("generating_temporal_markers", "60"), ("saving_analysis", "65"), ("running_claude_prompts", "70"),
    ("generating_report", "95"), ("completed", "100"),
]  # fmt: skip
STAGES = ["fetch", "probe", "speech", "frames", "frames", "save", "analyse", "claude"]


def steps(text: str) -> list[tuple[str, ...]]:
    lines = text.splitlines()
    found = [PATTERN.fullmatch(line) for line in lines]
    assert None not in found, lines
    return [match.groups() for match in found if match]


def play(display: StepDisplay, *stages: str) -> None:
    for stage in stages:
        display.handle(ProgressEvent("clip", stage))


def test_every_step_comes_once_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    with StepDisplay() as display:
        play(display, *STAGES)
        display.handle(VideoEvent(VideoOutcome("clip", "clip.mp4", "ok")))
        display.reach("completed")
    assert steps(capsys.readouterr().out) == STEPS


@pytest.mark.parametrize(
    ("stages", "last"),
    [([], 1), (["fetch"], 2), (["fetch", "probe"], 2), (["frames"], 3), (["save"], 4), (["save", "analyse"], 7)],
)
def test_the_last_step_is_the_one_that_was_reached(
    capsys: pytest.CaptureFixture[str], stages: list[str], last: int
) -> None:
    with StepDisplay() as display:
        play(display, *stages)
        display.handle(VideoEvent(VideoOutcome("clip", "clip.mp4", "failed", error=Failure("E", "no", "probe"))))
    assert steps(capsys.readouterr().out) == STEPS[:last]


def test_a_video_that_is_begun_again_repeats_no_step(capsys: pytest.CaptureFixture[str]) -> None:
    with StepDisplay() as display:
        play(display, *STAGES)
        play(display, *STAGES)
    assert steps(capsys.readouterr().out) == STEPS[:7]


def test_what_is_for_people_goes_to_stderr(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with StepDisplay() as display:
        display.handle(ServerEvent("ready", "the server is ready"))
        display.handle(RetryEvent("clip", "its worker ended"))
        display.handle(LogEvent("WARNING", "rumiai", "odd", 7))
    told = capsys.readouterr()
    assert len(steps(told.out)) == 1
    assert told.err == "the server is ready\nclip: its worker ended; once more\n"
    assert [record.message for record in caplog.records] == ["odd"]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with StepDisplay(quiet=True) as display:
        play(display, *STAGES)
        display.handle(ServerEvent("ready", "the server is ready"))
        display.reach("completed")
    assert capsys.readouterr() == ("", "")
