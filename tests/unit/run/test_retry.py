from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import VideoEvent
from rumiai.errors import UsageError
from rumiai.records import NewRun, NewVideo, Recorder, Records, RunEnding, RunRecord
from rumiai.run.recording import request_of
from rumiai.run.retry import plan_retry
from rumiai.settings import Settings
from rumiai.sources.listing import Named

NAMED = Named(["/clips", "/more/*.mp4"], "/list.csv", "/meta.json")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(tmp_path) as opened:
        yield opened


def ended(records: Records, new: NewRun) -> RunRecord:
    """A run with an ok video, a failed one, and one that it never came to."""
    run, _ = records.create_run(new)
    records.claim(run.run_id)
    records.add_videos(run.run_id, [NewVideo(name, f"/clips/{name}.mp4") for name in ("ok", "bad", "late")])
    with Recorder(records.path.parent, run.run_id) as recorder:
        recorder.handle(VideoEvent(VideoOutcome("ok", "/clips/ok.mp4", "ok")))
        failure = Failure("MLError", "no", "services", 4)
        recorder.handle(VideoEvent(VideoOutcome("bad", "/clips/bad.mp4", "failed", error=failure)))
    records.finish_run(run.run_id, RunEnding("interrupted", 1))
    return records.run(run.run_id)


def new(settings: Settings, named: Named = NAMED, kind: str = "submit") -> NewRun:
    return NewRun(tuple(named.shown), settings.to_json(), kind, request_of(named, insights=False))


def test_what_a_run_lacks_is_begun_again_as_it_was_asked_for(records: Records, tmp_path: Path) -> None:
    run = ended(records, new(Settings(out=Path("elsewhere"), workers=3, strict=True, services=("ocr",))))
    plan = plan_retry(records, Settings(out=tmp_path, workers=7), (), None, ())
    assert (plan.run.run_id, plan.only) == (run.run_id, {"/clips/bad.mp4", "/clips/late.mp4"})
    assert plan.settings == Settings(out=tmp_path, workers=3, strict=True, services=("ocr",))
    assert (plan.texts, plan.manifest, plan.metadata) == (["/clips", "/more/*.mp4"], "/list.csv", "/meta.json")
    assert not plan.insights
    plan.check_listing()


def test_flags_of_the_call_count_more(records: Records, tmp_path: Path) -> None:
    ended(records, new(Settings(workers=3, claude="on")))
    plan = plan_retry(records, Settings(out=tmp_path, workers=7, claude="off"), ("workers", "claude"), None, ())
    assert plan.settings == Settings(out=tmp_path, workers=7, claude="off")


def test_videos_may_be_named(records: Records, tmp_path: Path) -> None:
    run = ended(records, new(Settings()))
    assert plan_retry(records, Settings(out=tmp_path), (), run.run_id[:-1], ("ok",)).only == {"/clips/ok.mp4"}
    with pytest.raises(UsageError, match="has no video other"):
        plan_retry(records, Settings(out=tmp_path), (), None, ("other",))


def test_a_run_that_goes_on_is_left_alone(records: Records, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run in this folder"):
        plan_retry(records, Settings(out=tmp_path), (), None, ())
    run, _ = records.create_run(new(Settings()))
    records.claim(run.run_id)
    with pytest.raises(UsageError, match="has not ended"):
        plan_retry(records, Settings(out=tmp_path), (), None, ())


def test_a_run_made_again_from_files_has_no_settings_of_its_own(records: Records, tmp_path: Path) -> None:
    ended(records, NewRun((), {}, "rebuilt"))
    plan = plan_retry(records, Settings(out=tmp_path, workers=7), (), None, ())
    assert plan.settings.workers == 7
    assert plan.texts == ["/clips/bad.mp4", "/clips/late.mp4"]
    assert plan.insights


@pytest.mark.parametrize(
    ("had", "variable"),
    [
        ({"plugins": ("evil.py",)}, "RUMIAI_PLUGINS=evil.py, this call has nothing"),
        ({"upload": "s3://evil/x"}, "RUMIAI_UPLOAD=s3://evil/x, this call has nothing"),
        ({"allow_addresses": ("10.0.0.0/8",)}, "RUMIAI_ALLOW_ADDRESSES=10.0.0.0/8, this call has nothing"),
        ({"whisper_model": "/x/evil.pt"}, "RUMIAI_WHISPER_MODEL=/x/evil.pt, this call has base"),
        ({"insights_dir": "/etc"}, "RUMIAI_INSIGHTS_DIR=/etc, this call has insights"),
    ],
)
def test_what_chooses_code_hosts_and_places_is_not_taken_from_the_records(
    records: Records, tmp_path: Path, had: dict[str, Any], variable: str
) -> None:
    ended(records, new(Settings(**had)))
    with pytest.raises(UsageError, match=f"had {variable}"):
        plan_retry(records, Settings(out=tmp_path), (), None, ())
    assert plan_retry(records, Settings(out=tmp_path, **had), (), None, ()).settings == Settings(out=tmp_path, **had)
    ended(records, new(Settings()))
    with pytest.raises(UsageError, match="set it again"):
        plan_retry(records, Settings(out=tmp_path, **had), (), None, ())


def test_the_server_is_the_calls_own(records: Records, tmp_path: Path) -> None:
    ended(records, new(Settings(server="evil:1")))
    assert plan_retry(records, Settings(out=tmp_path), (), None, ()).settings.server == ""
    assert plan_retry(records, Settings(out=tmp_path, server="own:1"), (), None, ()).settings.server == "own:1"


def test_what_cannot_be_listed_again_says_why(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(records, new(Settings(), Named(["-"])))
    with pytest.raises(UsageError, match="standard input"):
        plan_retry(records, Settings(out=tmp_path), (), None, ()).check_listing()
    run = ended(records, new(Settings(), Named(["clips", "https://host/v.mp4"])))
    plan = plan_retry(records, Settings(out=tmp_path), (), run.run_id, ())
    plan.check_listing()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="clips is relative to"):
        plan.check_listing()
    replace(plan, run=ended(records, new(Settings(), Named(["https://host/v.mp4"])))).check_listing()
