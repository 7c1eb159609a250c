"""What a person sees of a run in 80 columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console, RenderableType

from rumiai.core.processes import ProcessIdentity
from rumiai.records import ErrorRecord, RunRecord, VideoRecord, VideoState
from rumiai.terminal.status import RunView, run_screen, runs_table, told_bytes, told_seconds

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def before(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat(timespec="milliseconds")


def run(**changes: object) -> RunRecord:
    base = RunRecord(
        run_id="20260102-115500-abcdef", kind="submit", state="done", created_at=before(minutes=5),
        started_at=before(minutes=5), ended_at=before(minutes=1), seen_at=before(seconds=30), owner=None,
        sources=("clips",), settings={}, request={}, fingerprint="", idempotency_key=None, cancel=None, exit_code=1,
        error_type=None, error_message=None, claude=None,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def video(name: str, state: VideoState, **changes: object) -> VideoRecord:
    ended = state in ("ok", "partial", "failed")
    base = VideoRecord(
        run_id="20260102-115500-abcdef", video_id=name, position=0, source=f"/clips/{name}.mp4", bytes=2_000_000,
        state=state, stage=None, stage_since=None, done=None, of=None, attempts=1, skipped=False,
        started_at=before(minutes=4), ended_at=before(minutes=2) if ended else None, seconds=61.0 if ended else None,
        cost_usd=0.0, tokens=0, error_type=None, error_message=None, error_stage=None, outcome=None,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


BROKEN = video(
    "broken", "failed", error_type="ProbeError", error_stage="probe", error_message="broken.mp4 is no video " * 9
)
HUNG = video("hung", "failed", attempts=2, error_type="StageTimeout", error_stage="frames", error_message="quarantined")
PARTIAL = video("quiet", "partial", outcome={"services": {"ocr": {"ok": False}}, "warnings": ["it breaks off"]})
IN_FLIGHT = video("now", "running", stage="frames", stage_since=before(seconds=12), done=3, of=24, attempts=2)
VIDEOS = [video(f"fine{n}", "ok") for n in range(6)] + [BROKEN, HUNG, PARTIAL, IN_FLIGHT]
VIDEOS += [video("later", "waiting"), video("last", "waiting")]


def view(state: RunRecord, *videos: VideoRecord, errors: tuple[ErrorRecord, ...] = ()) -> RunView:
    counts = {name: sum(v.state == name for v in videos) for name in {v.state for v in videos}}
    return RunView(replace(state, counts=counts, bytes=sum(v.bytes or 0 for v in videos)), videos, errors, NOW)


def lines(screen: RenderableType) -> list[str]:
    console = Console(width=80, highlight=False, no_color=True)
    with console.capture() as captured:
        console.print(screen)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_run_that_goes_on_shows_pace_failures_and_what_is_in_flight() -> None:
    own = str(ProcessIdentity.own())
    running = run(state="running", ended_at=None, exit_code=None, owner=own)
    shown = lines(run_screen(view(running, *VIDEOS)))
    pid = own.partition("-")[0]
    assert shown == [
        f"run 20260102-115500-abcdef: running for 5 min 0 s, process {pid}",
        "  12 videos: 6 ok, 1 partial, 2 failed, 1 running, 2 waiting",
        "  1.8 videos a minute, about 1 min 40 s left, 24.0 MB",
        "",
        "failed",
        "  broken  ProbeError in probe: broken.mp4 is no video broken.mp4 is no video",
        "          broken.mp4 is no video broken.mp4 is no video broken.mp4 is no video",
        "          br...",
        "  hung    StageTimeout in frames: quarantined (2 attempts)",
        "",
        "running",
        "  now  frames 3/24, 12 s in this stage, attempt 2",
        "",
        "partial",
        "  quiet  1 min 1 s, without ocr, it breaks off",
    ]


def test_a_run_that_died_says_so_and_what_to_do() -> None:
    own = ProcessIdentity.own()
    dead = run(state="running", ended_at=None, owner=str(replace(own, started_ticks=own.started_ticks - 1)))
    found = view(dead, BROKEN, video("now", "unfinished", stage="ocr"), video("later", "unfinished"))
    assert found.is_over
    shown = lines(run_screen(found, out="my results"))
    assert shown[0].startswith(f"run 20260102-115500-abcdef: died: its process {own.pid} ended without finishing")
    assert "  now    it was in ocr" in shown
    assert "  later  not begun" in shown
    assert shown[-1] == "rumiai-orch retry --failed --out 'my results' begins 3 videos again"


def test_a_run_that_is_silent_says_so() -> None:
    elsewhere = replace(ProcessIdentity.own(), namespace=1)
    silent = run(state="running", ended_at=None, owner=str(elsewhere), seen_at=before(minutes=12), cancel="all")
    shown = " ".join(lines(run_screen(view(silent, IN_FLIGHT)))[:2])
    assert "not heard of for 12 min 0 s, being cancelled" in shown


def test_a_run_that_an_error_ended_says_which() -> None:
    failed = run(state="failed", error_type="ServerError", error_message="no port is free")
    shown = lines(run_screen(view(failed, video("a", "unfinished"))))
    assert shown[0] == "run 20260102-115500-abcdef: failed 1 min 0 s ago after 4 min 0 s, exit status 1"
    assert shown[3] == "  ServerError: no port is free"


def test_the_log_stands_below_its_error() -> None:
    error = ErrorRecord("hung", 1, before(minutes=3), "Retry", "its worker ended", "ocr", "WARNING one\nERROR two")
    shown = lines(run_screen(view(run(), HUNG, errors=(error,)), logs=True))
    at = shown.index("        attempt 1, Retry: its worker ended")
    assert shown[at + 1 : at + 3] == ["        WARNING one", "        ERROR two"]


def test_of_many_failures_ten_are_listed() -> None:
    many = [replace(HUNG, video_id=f"v{n:02}") for n in range(37)]
    shown = lines(run_screen(view(run(), *many)))
    assert "  and 27 more: --videos lists them" in shown
    assert "  v09  StageTimeout in frames: quarantined (2 attempts)" in shown
    assert not any("v10" in line for line in shown)
    everything = lines(run_screen(view(run(), *many, video("fine", "ok")), every_video=True))
    assert "  v36  StageTimeout in frames: quarantined (2 attempts)" in everything
    assert "  fine  1 min 1 s" in everything


def test_nothing_on_the_screen_is_taken_for_markup() -> None:
    odd = replace(HUNG, video_id="[red]x", error_message="[/nonsense] :smile:")
    assert "  [red]x  StageTimeout in frames: [/nonsense] :smile: (2 attempts)" in lines(run_screen(view(run(), odd)))


def test_json_has_the_same_without_outcomes() -> None:
    told = view(run(), PARTIAL).to_json()
    assert told["run"]["state"] == "done"  # type: ignore[index, call-overload]
    (only,) = told["videos"]  # type: ignore[misc]
    assert only["video_id"] == "quiet"  # type: ignore[index, call-overload]
    assert "outcome" not in only  # type: ignore[operator]


def test_runs_are_a_line_each() -> None:
    shown = lines(runs_table([run(counts={"ok": 3, "failed": 1}), run(state="accepted", started_at=None)], NOW))
    assert shown[1] == "20260102-115500-abcdef  done      3 ok, 1 failed  5 min 0 s ago  4 min 0 s"
    assert len(shown) == 3


def test_durations_and_sizes() -> None:
    assert [told_seconds(s) for s in (0.04, 9.96, 12.3, 61, 3725)] == [
        "0.0 s", "10.0 s", "12 s", "1 min 1 s", "1 h 2 min"
    ]  # fmt: skip
    assert [told_bytes(size) for size in (0, 1_499, 2_500_000, 3_100_000_000)] == [
        "0.0 kB",
        "1.5 kB",
        "2.5 MB",
        "3.1 GB",
    ]
