"""Outcomes and runs that the tests of the records share."""

from __future__ import annotations

from pathlib import Path

from rumiai.contracts.outcome import AnalysisOutcome, Failure, ServiceOutcome, VideoOutcome
from rumiai.records import NewRun, NewVideo, Records, RunRecord

NEW = NewRun(("a.mp4", "folder/"), {"workers": 2})


def accepted(records: Records, *video_ids: str) -> RunRecord:
    """A run that this process has, with these videos of 1000 bytes each."""
    run, _ = records.create_run(NEW)
    records.add_videos(run.run_id, [NewVideo(each, f"/clips/{each}.mp4", 1000) for each in video_ids])
    assert records.claim(run.run_id)
    return records.run(run.run_id)


def ok(video_id: str) -> VideoOutcome:
    """A video with one service that did well, one that failed, and an answer of Claude."""
    return VideoOutcome(
        video_id,
        f"/clips/{video_id}.mp4",
        "partial",
        seconds=12.5,
        services={
            "yolo": ServiceOutcome(ok=True, reason=None, seconds=3.0, cached=False),
            "ocr": ServiceOutcome(ok=False, reason="no text", seconds=1.0, cached=False),
        },
        stage_seconds={"visual": 8.0, "total": 12.5},
        bytes=1234,
        analyses={"speech_analysis": AnalysisOutcome("claude", 0.9, "haiku", cost_usd=0.02, tokens=700)},
        files={"unified": str(Path("/out") / f"{video_id}.json")},
    )


def failed(video_id: str, kind: str = "DecodeError") -> VideoOutcome:
    """A video that failed."""
    return VideoOutcome(
        video_id, f"/clips/{video_id}.mp4", "failed", seconds=1.0, error=Failure(kind, "it is broken", "decode", 5)
    )
