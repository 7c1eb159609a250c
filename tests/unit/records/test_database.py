from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rumiai.contracts.outcome import ClaudeTotals
from rumiai.core.processes import ProcessIdentity
from rumiai.errors import StoreError, UsageError
from rumiai.records import NewVideo, Records, RunEnding
from rumiai.records.connection import DamagedRecordsError

from .samples import NEW, accepted


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(tmp_path) as opened:
        yield opened


@contextlib.contextmanager
def dead_process() -> Iterator[str]:
    """The identity of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity.of(process.pid)
    process.kill()
    process.wait()
    assert process.stdin is not None
    process.stdin.close()
    yield str(identity)


def owned_by(records: Records, run_id: str, owner: str) -> None:
    records._db.write("UPDATE runs SET owner = ? WHERE run_id = ?", owner, run_id)


def test_a_run_is_accepted_claimed_and_ended(records: Records) -> None:
    run, is_new = records.create_run(NEW)
    assert is_new
    assert (run.state, run.sources, run.settings) == ("accepted", NEW.sources, NEW.settings)
    assert records.claimable() == [run.run_id]
    assert records.claim(run.run_id)
    assert records.claimable() == []
    assert not records.claim(run.run_id)
    records.add_videos(run.run_id, [NewVideo("a", "/a.mp4", 5), NewVideo("b", "/b.mp4")])
    assert records.run(run.run_id).counts == {"waiting": 2}
    totals = ClaudeTotals(videos=2, cost_usd=0.5)
    records.finish_run(run.run_id, RunEnding("failed", 3, "APIError", "refused", totals))
    ended = records.run(run.run_id)
    assert (ended.state, ended.exit_code, ended.error_type, ended.error_message) == ("failed", 3, "APIError", "refused")
    assert ended.claude is not None
    assert ended.claude["cost_usd"] == 0.5
    assert (ended.counts, ended.bytes) == ({"unfinished": 2}, 5)
    assert records.claimable() == []


def test_a_name_of_any_bytes_is_kept(records: Records) -> None:
    source = os.fsdecode(b"/in/caf\xe9.mp4")
    run = records.create_run(NEW)[0].run_id
    records.add_videos(run, [NewVideo("caf_", source)])
    records.finish_run(run, RunEnding("failed", 5, "ProbeError", f"{source}: no film"))
    assert [video.source for video in records.videos(run)] == [source]
    assert records.run(run).error_message == "/in/caf\\udce9.mp4: no film"


def test_a_run_that_is_given_back_is_claimable_and_its_videos_wait(records: Records) -> None:
    run = accepted(records, "a", "b")
    with records._db.transaction() as db:
        db.write("UPDATE videos SET state = 'running' WHERE video_id = 'a'")
    records.release(run.run_id)
    given_back = records.run(run.run_id)
    assert (given_back.state, given_back.owner, given_back.counts) == ("accepted", None, {"waiting": 2})
    assert records.claimable() == [run.run_id]
    records.release(run.run_id)  # what nobody has stays as it is
    assert records.run(run.run_id) == given_back


def test_the_same_idempotency_key_is_the_same_run(records: Records) -> None:
    asked = replace(NEW, idempotency_key="k", fingerprint="f")
    first, _ = records.create_run(asked)
    again, is_new = records.create_run(replace(asked, fingerprint="other"))
    assert not is_new
    assert (again.run_id, again.fingerprint) == (first.run_id, "f")
    assert records.create_run(NEW)[1]
    assert records.create_run(NEW)[1]
    assert len(records.runs()) == 3


def test_what_is_accepted_is_told_as_it_is_read_back(records: Records) -> None:
    asked = [replace(NEW, idempotency_key="k"), NEW, replace(NEW, idempotency_key="k")]
    made = records.create_runs(asked)
    assert [is_new for _, is_new in made] == [True, True, False]
    assert [run for run, _ in made] == [records.run(run.run_id) for run, _ in made]
    assert made[0][0].run_id == made[2][0].run_id


def test_ids_that_were_drawn_before_are_drawn_again(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["aaaaaa", "aaaaaa", "aaaaaa", "bbbbbb", "aaaaaa", "cccccc"])
    monkeypatch.setattr("rumiai.records.database.secrets.token_hex", lambda size: next(drawn))
    ids = [records.create_run(NEW)[0].run_id for _ in range(3)]
    assert len(set(ids)) == 3


def test_of_many_threads_one_key_makes_one_run_and_one_claims_it(records: Records) -> None:
    made: list[tuple[str, bool]] = []
    claims: list[bool] = []
    barrier = threading.Barrier(8)

    def accept() -> None:
        barrier.wait()
        run, is_new = records.create_run(replace(NEW, idempotency_key="k"))
        made.append((run.run_id, is_new))
        claims.append(records.claim(run.run_id))

    threads = [threading.Thread(target=accept) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run_id for run_id, _ in made}) == 1
    assert sum(is_new for _, is_new in made) == 1
    assert sum(claims) == 1


def test_videos_are_accepted_once_and_keep_their_order(records: Records) -> None:
    run = accepted(records, "c", "a")
    records.add_videos(run.run_id, [NewVideo("a", "/other.mp4"), NewVideo("b", "/b.mp4")])
    videos = records.videos(run.run_id)
    assert [(v.video_id, v.source) for v in videos] == [
        ("c", "/clips/c.mp4"), ("a", "/clips/a.mp4"), ("b", "/b.mp4")
    ]  # fmt: skip
    assert [v.video_id for v in records.videos(run.run_id, after=videos[0].position, limit=1)] == ["a"]
    assert records.videos(run.run_id, states=["failed"]) == []


def test_a_run_whose_process_has_ended_has_died_and_may_be_claimed(records: Records) -> None:
    run = accepted(records, "a", "b")
    records._db.write("UPDATE videos SET state = 'running' WHERE video_id = 'a'")
    with dead_process() as owner:
        owned_by(records, run.run_id, owner)
    dead = records.run(run.run_id)
    assert (dead.died, dead.shown_state) == (True, "died")
    assert records.claimable() == [run.run_id]
    assert records.claim(run.run_id)
    again = records.run(run.run_id)
    assert (again.died, again.counts, again.started_at) == (False, {"waiting": 2}, run.started_at)


def test_a_process_of_the_same_number_is_another_one(records: Records) -> None:
    run = accepted(records, "a")
    own = ProcessIdentity.own()
    owned_by(records, run.run_id, str(replace(own, started_ticks=own.started_ticks - 1)))
    assert records.run(run.run_id).died
    owned_by(records, run.run_id, str(replace(own, namespace=own.namespace + 1)))
    assert not records.run(run.run_id).died  # in another container nothing can be said


def test_cancel_asks_who_runs_it_and_ends_what_nobody_runs(records: Records) -> None:
    run = accepted(records, "a")
    assert records.run(run.run_id).cancel is None
    assert records.request_cancel(run.run_id).state == "running"
    assert records.run(run.run_id).cancel == "waiting"
    records.request_cancel(run.run_id, "all")
    records.request_cancel(run.run_id, "waiting")
    assert records.run(run.run_id).cancel == "all"
    waiting, _ = records.create_run(NEW)
    assert records.request_cancel(waiting.run_id).state == "cancelled"
    with dead_process() as owner:
        owned_by(records, run.run_id, owner)
    dead = records.request_cancel(run.run_id)
    assert (dead.state, dead.counts) == ("cancelled", {"unfinished": 1})


def test_a_run_is_found_by_the_beginning_of_its_id(records: Records) -> None:
    run, _ = records.create_run(NEW)
    assert records.run(run.run_id[:-2]).run_id == run.run_id
    records.create_run(NEW)
    with pytest.raises(UsageError, match="several runs"):
        records.run(run.run_id[:4])
    for unknown in ("x", "", "%", run.run_id + "0"):
        with pytest.raises(UsageError, match="no run"):
            records.run(unknown)


def test_ids_of_runs_sort_by_time(records: Records) -> None:
    ids = []
    for _ in range(3):
        ids.append(records.create_run(NEW)[0].run_id)
        time.sleep(0.002)
    assert [run.run_id for run in records.runs()] == ids[::-1]


def test_runs_are_listed_newest_first_page_by_page(records: Records) -> None:
    ids = [f"20260101-00000{index}-aaaaaa" for index in range(5)]
    for run_id in ids:
        made, _ = records.create_run(NEW)
        records._db.write("UPDATE runs SET run_id = ? WHERE run_id = ?", run_id, made.run_id)
    first = records.runs(limit=2)
    assert [run.run_id for run in first] == [ids[4], ids[3]]
    assert [run.run_id for run in records.runs(before=ids[3])] == ids[2::-1]
    assert records.runs(states=["running", "done"]) == []


def test_deleting_leaves_no_row(records: Records) -> None:
    run = accepted(records, "a", "b")
    tables = ("videos", "stages", "attempts", "errors", "events")
    db = records._db
    db.write("INSERT INTO stages VALUES (?, 'a', 'stage', 'x', 1.0, 1, 0, NULL)", run.run_id)
    db.write("INSERT INTO attempts VALUES (?, 'a', 1, 'now', NULL, NULL, NULL)", run.run_id)
    db.write("INSERT INTO errors VALUES (NULL, ?, 'a', 1, 'now', 't', 'm', 's', '')", run.run_id)
    db.write("INSERT INTO events VALUES (NULL, ?, 'a', 'now', 'k', '{}')", run.run_id)
    db.write("INSERT INTO events VALUES (NULL, ?, NULL, 'now', 'k', '{}')", run.run_id)
    assert records.delete_video("a") == 1
    assert records.delete_video("a") == 0
    counts = [db.read(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] for table in tables]
    assert counts == [1, 0, 0, 0, 1]
    assert records.delete_run(run.run_id)
    assert not records.delete_run(run.run_id)
    assert all(db.read(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] == 0 for table in ("runs", *tables))


def test_what_is_no_file_of_records_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with pytest.raises(StoreError, match="no run records"):
        Records.open(tmp_path, create=False)
    path.write_bytes(b"not a database, certainly not one" * 100)
    with pytest.raises(DamagedRecordsError, match="cannot open the run records"):
        Records.open(tmp_path)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link"):
        Records.open(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


_WRITER = """
import sys
from pathlib import Path
from rumiai.records import NewRun, NewVideo, Records
records = Records.open(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    run, _ = records.create_run(NewRun(("a",), {}))
    records.add_videos(run.run_id, [NewVideo(f"v{i}", "x") for i in range(50)])
    records.claim(run.run_id)
    records.delete_run(run.run_id)
"""


def test_a_writer_that_is_killed_leaves_whole_transactions(tmp_path: Path) -> None:
    """Two processes write the same file; one is killed in the middle of it, several times."""
    with Records.open(tmp_path) as records:
        for round_ in range(3):
            process = subprocess.Popen([sys.executable, "-c", _WRITER, tmp_path], stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(20 + round_):
                accepted(records, "mine")
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
            assert records._db.read("PRAGMA integrity_check")[0][0] == "ok"
            videos = [run.videos for run in records.runs() if run.sources == ("a",)]
            assert set(videos) <= {0, 50}
    with Records.open(tmp_path) as records:
        assert sum(run.sources == NEW.sources for run in records.runs()) == 63
