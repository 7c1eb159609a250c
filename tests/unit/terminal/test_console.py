"""What a person reads during a run, and at its end: the table of a video, from its unified analysis."""

from __future__ import annotations

import json

import pytest

from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.outcome import Failure, ServiceOutcome, VideoOutcome
from rumiai.contracts.run_events import (
    ClaudeEvent,
    LogEvent,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    RunStartedEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.results.summary import summarise
from rumiai.services import entries_of
from rumiai.terminal.console import JsonDisplay, PlainDisplay, print_outcomes
from rumiai.timeline.build import build

from ..timeline_samples import FACTS, canonical, results


def table(capsys, **replaced):
    """Name -> text of the rows of a table."""
    analysis = build("v1", AnalysisMetadata.of(VideoMetadata.local("v1")), FACTS, results(**replaced), entries_of)
    print_outcomes([VideoOutcome("v1", "v1.mp4", "ok", summary=summarise(analysis))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "v1  ok"
    return {name: text.strip() for name, text in (line.split(maxsplit=1) for line in lines[1:])}


def test_what_was_found_is_told(capsys):
    rows = table(capsys)
    assert rows["duration"] == "12.0 s, 576x1024"
    assert rows["shots"] == "3 (cuts at 3.50, 3.75 s)"
    assert rows["speech"] == "8 words, en: Wait for it."
    assert rows["texts"] == "STOP SCROLLING (0.0-3.2 s)"
    assert rows["objects"] == "person 12%, cup 4% of frames"
    assert rows["people"] == "on 4% of frames, at most 1 faces, gestures pointing"


@pytest.mark.parametrize(("colored", "no_color", "coded"), [(True, "", True), (False, "", False), (True, "1", False)])
def test_colours_are_switched_off(capsys, monkeypatch, colored, no_color, coded):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_color)
    print_outcomes([VideoOutcome("v1", "v1.mp4", "ok")], colored=colored)
    assert ("32m" in capsys.readouterr().out) is coded


def test_what_is_left_out_is_counted(capsys):
    scenes, texts, objects = (canonical(service) for service in ("scene_detection", "ocr", "yolo"))
    cuts = [float(second) for second in range(1, 11)]
    edges = [0.0, *cuts, 12.0]
    shape = scenes["scenes"][0]
    scenes |= {
        "scenes": [
            {
                **shape, "scene_number": i + 1, "scene_index": i, "start_time": edges[i], "end_time": edges[i + 1],
                "duration": edges[i + 1] - edges[i], "start_frame": round(edges[i] * 30),
                "end_frame": round(edges[i + 1] * 30),
            }
            for i in range(11)
        ],
        "scene_changes": cuts, "scene_change_scores": [30.0] * 10, "transition_types": ["cut"] * 10,
        "total_scenes": 11,
    }  # fmt: skip
    texts["textAnnotations"] = [{**texts["textAnnotations"][0], "id": f"text_{i}", "text": f"T{i}"} for i in range(8)]
    names = ["person", "cup", "bus", "car", "dog", "cat", "tie", "bed", "cow"]
    first = objects["objectAnnotations"][0]
    objects["objectAnnotations"] = [{**first, "trackId": f"object_{n}", "className": n} for n in names]
    rows = table(capsys, scene_detection=scenes, ocr=texts, yolo=objects)
    assert rows["shots"] == "11 (cuts at 1.00, 2.00, 3.00, 4.00, 5.00, 6.00, 7.00, 8.00 s; 2 more)"
    assert rows["texts"].endswith("T5 (0.0-3.2 s); 2 more")
    assert rows["objects"] == "bed 12%, bus 12%, car 12%, cat 12%, cow 12%, cup 12% of frames; 3 more"


EVENTS: list[RunEvent] = [
    RunStartedEvent("20260101-000000-abcdef", 3),
    ServerEvent("starting", "starting ..."),
    ProgressEvent("one", "frames", 1, 2),
    RetryEvent("one", "its worker ended (killed by SIGSEGV)"),
    LogEvent("WARNING", "rumiai.test", "100 % odd", 7),
    VideoEvent(VideoOutcome("one", "1.mp4", "failed", error=Failure("MLError", "no picture", "services"))),
    VideoEvent(VideoOutcome("two", "2.mp4", "ok", skipped=True)),
    VideoEvent(
        VideoOutcome(
            "three", "3.mp4", "partial", seconds=2.34,
            services={"ocr": ServiceOutcome(False, "gone", 0, False), "yolo": ServiceOutcome(True, None, 0, False)},
        )
    ),
    ClaudeEvent("submitted", "Claude: sent"),
]  # fmt: skip


def test_plain_lines_tell_what_matters(capsys, caplog):
    display = PlainDisplay(3)
    for event in EVENTS:
        display.handle(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "run 20260101-000000-abcdef: 3 videos",
        "starting ...",
        "one: its worker ended (killed by SIGSEGV); once more",
        "[1/3] one: failed: no picture",
        "[2/3] two: done by an earlier run",
        "[3/3] three: partial in 2.3 s, without ocr",
        "Claude: sent",
    ]
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [("rumiai.test", "WARNING", "100 % odd")]


def test_quiet_shows_none_of_them(capsys):
    display = PlainDisplay(3, quiet=True)
    for event in EVENTS:
        display.handle(event)
    assert capsys.readouterr().err == ""


def test_json_has_every_event_but_the_log(capsys, caplog):
    for event in EVENTS:
        JsonDisplay().handle(event)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [event.to_json() for event in EVENTS if not isinstance(event, LogEvent)]
    assert len(caplog.records) == 1


def test_a_name_does_not_steer_the_terminal(capsys):
    failure = Failure("SourceError", "a\x1b[2J.mp4 does not exist", "source", 2)
    outcomes = [VideoOutcome("v\x1b[31m", "x", "failed", error=failure), VideoOutcome("w\x9b1m", "x", "ok")]
    print_outcomes(outcomes)
    display = PlainDisplay(2)
    for outcome in outcomes:
        display.handle(VideoEvent(outcome))
    told = capsys.readouterr()
    assert "a\\u001b[2J.mp4 does not exist" in told.out
    assert "v\\u001b[31m" in told.out
    assert "v\\u001b[31m: failed: a\\u001b[2J.mp4 does not exist" in told.err
    assert not {"\x1b", "\x9b"} & {*told.out, *told.err}
