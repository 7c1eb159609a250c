"""Runs over HTTP: accepted, listed, followed, cancelled."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from rumiai.records import Records
from rumiai.service.accepting import AcceptedRun
from rumiai.service.listing import list_accepted
from rumiai.service.places import Places
from rumiai.sources import Access, SourceItem

from .conftest import Service, StartService
from .doubles import Analyst


def submit(service: Service, *sources: Path | str, **members: object) -> dict[str, object]:
    answer = service.client.post("/v1/runs", json={"sources": [str(source) for source in sources], **members})
    assert answer.status_code == 202, answer.text
    run: dict[str, object] = answer.json()
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    return run


def test_a_run_is_accepted_and_finished(service: Service, videos: Path) -> None:
    run = submit(service, videos)
    assert (run["state"], run["videos"]["waiting"]) == ("accepted", 0)
    ended = service.ended(run["id"])
    assert (ended["state"], ended["exit_code"]) == ("done", 0)
    assert ended["videos"] == {"waiting": 0, "running": 0, "ok": 2, "partial": 0, "failed": 0, "unfinished": 0}
    assert service.analyst.seen == ["one", "two"]


def test_videos_are_listed_in_pages(service: Service, videos: Path) -> None:
    run = submit(service, videos)
    service.ended(run["id"])
    first = service.client.get(f"/v1/runs/{run['id']}/videos", params={"limit": 1}).json()
    assert [video["id"] for video in first["videos"]] == ["one"]
    second = service.client.get(f"/v1/runs/{run['id']}/videos", params={"limit": 1, "after": first["next"]}).json()
    assert [(video["id"], video["state"]) for video in second["videos"]] == [("two", "ok")]
    one = service.client.get(f"/v1/runs/{run['id']}/videos/two").json()
    assert one["outcome"]["seconds"] == 1.5


def test_runs_are_listed_newest_first(service: Service, videos: Path) -> None:
    runs = [submit(service, videos / name)["id"] for name in ("one.mp4", "two.mp4")]
    for run_id in runs:
        service.ended(run_id)
    listed = service.client.get("/v1/runs", params={"state": "done"}).json()
    assert {run["id"] for run in listed["runs"]} == set(runs)
    assert listed["next"] is None


def test_a_bad_video_gives_the_exit_code_of_submit(service: Service, videos: Path) -> None:
    (videos / "bad.mp4").write_bytes(b"bad")
    run = submit(service, videos / "bad.mp4")
    ended = service.ended(run["id"])
    assert (ended["state"], ended["exit_code"]) == ("done", 5)
    video = service.client.get(f"/v1/runs/{run['id']}/videos/bad").json()
    assert video["error"] == {"type": "ProbeError", "message": "no video", "stage": "probe"}


def test_an_idempotency_key_gives_the_same_run_again(service: Service, videos: Path) -> None:
    headers = {"Idempotency-Key": "k1"}
    body = {"sources": [str(videos)]}
    first = service.client.post("/v1/runs", json=body, headers=headers)
    again = service.client.post("/v1/runs", json=body, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    other = service.client.post("/v1/runs", json={"sources": [str(videos / "one.mp4")]}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "urn:rumiai:problem:idempotency-key-reused")
    foreign = service.client.post("/v1/runs", json=body, headers={**headers, **service.add_key("submit")})
    assert foreign.json()["id"] != first.json()["id"]


def events_of(service: Service, run_id: object, after: int | None = None) -> list[dict[str, str]]:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    answer = service.client.get(f"/v1/runs/{run_id}/events", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.strip().split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n") if not line.startswith(":")]
        found.append({name: value for name, _, value in lines})
    return [event for event in found if event]


def test_events_are_told_from_the_first_and_resume_behind_any(service: Service, videos: Path) -> None:
    run = submit(service, videos)
    service.ended(run["id"])
    events = events_of(service, run["id"])
    assert [event["event"] for event in events] == ["run", "video", "video", "done"]
    assert json.loads(events[0]["data"])["videos"] == 2
    assert json.loads(events[1]["data"])["video_id"] == "one"
    done = json.loads(events[-1]["data"])
    assert (done["state"], done["exit_code"]) == ("done", 0)
    resumed = events_of(service, run["id"], int(events[1]["id"]))
    assert [json.loads(event["data"]).get("video_id") for event in resumed] == ["two", None]


def test_a_run_in_work_is_cancelled(service: Service, videos: Path) -> None:
    service.analyst.go.clear()
    run = submit(service, videos)
    while not service.analyst.seen and service.client.get(f"/v1/runs/{run['id']}").json()["state"] != "running":
        time.sleep(0.2)  # a key has 20 requests a second
    assert service.client.delete(f"/v1/runs/{run['id']}").status_code == 202
    ended = service.ended(run["id"])
    assert (ended["state"], ended["exit_code"], ended["videos"]["unfinished"]) == ("cancelled", 1, 2)


def test_a_run_that_waits_is_cancelled_at_once_and_never_begun(
    service: Service, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[tuple[str, ...]] = []

    def listing(accepted: AcceptedRun, places: Places, access: Access) -> list[SourceItem]:
        listed.append(accepted.sources)
        return list_accepted(accepted, places, access)

    monkeypatch.setattr("rumiai.service.engine.list_accepted", listing)
    service.analyst.go.clear()
    first, second = submit(service, videos / "one.mp4"), submit(service, videos / "two.mp4")
    cancelled = service.client.delete(f"/v1/runs/{second['id']}").json()
    assert (cancelled["state"], cancelled["exit_code"]) == ("cancelled", 1)
    third = submit(service, videos / "one.mp4")
    service.analyst.go.set()
    assert [service.ended(run["id"])["exit_code"] for run in (first, third)] == [0, 0]
    assert service.analyst.seen == ["one", "one"]
    assert listed == [(str(videos / "one.mp4"),)] * 2  # to list a hashtag costs money


def test_what_was_accepted_is_finished_by_the_next_service_and_nothing_twice(start: StartService, videos: Path) -> None:
    with start() as first:
        (videos / "a.mp4").write_bytes(b"a")
        done = submit(first, videos / "a.mp4")["id"]
        first.ended(done)
        first.analyst.go.clear()
        runs = [submit(first, videos / "one.mp4", videos / "two.mp4")["id"], submit(first, videos / "two.mp4")["id"]]
        while first.client.get(f"/v1/runs/{runs[0]}").json()["state"] != "running":
            time.sleep(0.2)  # a key has 20 requests a second
    with start() as second:
        ended = [second.ended(run_id) for run_id in runs]
        assert [(run["state"], run["exit_code"]) for run in ended] == [("done", 0), ("done", 0)]
        assert [run["videos"]["ok"] for run in ended] == [2, 1]
        assert second.analyst.seen == ["one", "two", "two"]
        kinds = [event["event"] for event in events_of(second, runs[0])]
        assert (kinds.count("run"), kinds.count("video"), kinds[-1]) == (1, 2, "done")


@pytest.mark.parametrize("name", ["nobody", "20261128-101500-a1b2c3", "20261128-101500-123a1b2c3", "%2e%2e"])
def test_a_run_that_is_not_there_is_not_found(service: Service, name: str) -> None:
    answer = service.client.get(f"/v1/runs/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_entries_say_what_is_known_of_each_video(start: StartService, videos: Path) -> None:
    (videos / "left.mp4").write_bytes(b"3")
    analyst = Analyst()
    entries = [
        {
            "source": str(videos / "one.mp4"),
            "id": "7301",
            "language": "pt",
            "metadata": {"caption": "Hi", "likes": "7"},
        },
        {"source": str(videos / "two.mp4")},
        {"upload": 1, "id": "mine", "metadata": {"views": 3}},
        {"source": "https://www.tiktok.com/none", "problem": "posts.csv, line 4: no link to a post"},
    ]
    request = {"sources": [str(videos / "left.mp4")], "videos": entries}
    files = [("file", ("a.mp4", b"a")), ("file", ("b.mp4", b"b"))]
    with start(analyst) as service:
        answer = service.client.post("/v1/runs", data={"request": json.dumps(request)}, files=files)
        assert answer.status_code == 202, answer.text
        service.ended(answer.json()["id"])
    items = {video_id: task.item for video_id, task in analyst.tasks.items()}
    *good, bad = items
    assert good == ["a", "left", "7301", "two", "mine"]
    assert bad.startswith("https___www.tiktok.com_none_")
    assert (items["7301"].language, items["7301"].metadata.description, items["7301"].metadata.likes) == ("pt", "Hi", 7)
    assert (items["mine"].metadata.views, items["two"].metadata, items["a"].metadata) == (3, None, None)
    assert items[bad].address == "posts.csv, line 4: no link to a post"


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({}, "either source or upload"),
        ({"source": "http://x.test/v.mp4", "upload": 0}, "either source or upload"),
        ({"upload": 0, "problem": "no JSON"}, "a problem is one of a source"),
        ({"upload": 0}, "videos/0/upload: got 0, and 0 files"),
        ({"source": "/etc/passwd"}, "below no folder"),
        ({"source": "http://x.test/v.mp4", "language": "xx"}, "videos/0/language"),
        ({"source": "http://x.test/v.mp4", "metadata": {"likes": "many"}}, "videos/0/metadata"),
        (
            {"source": "http://x.test/v.mp4", "metadata": {"captoin": "Hi"}},
            "videos/0/metadata: nothing reads 'captoin'",
        ),
    ],
)
def test_an_entry_that_cannot_be_is_refused(service: Service, entry: dict[str, object], what: str) -> None:
    answer = service.client.post("/v1/runs", json={"videos": [entry]})
    assert answer.status_code == 422
    assert what in answer.text


def test_a_video_is_deleted_with_its_copy_and_its_records(start: StartService, videos: Path) -> None:
    with start(keep_uploads=True) as service:
        run = service.client.post("/v1/runs", files=[("file", ("a.mp4", b"a")), ("file", ("b.mp4", b"b"))]).json()
        service.ended(run["id"])
        uploads = service.config.settings.out / "uploads"
        assert len(list(uploads.rglob("*.mp4"))) == 2
        assert service.client.delete(f"/v1/runs/{run['id']}/videos/a").status_code == 204
        assert [path.read_bytes() for path in uploads.rglob("*.mp4")] == [b"b"]
        assert not (service.config.settings.out / "insights/a").exists()
        assert service.client.get(f"/v1/runs/{run['id']}/videos/a").status_code == 404
        assert service.client.delete(f"/v1/runs/{run['id']}/videos/a").status_code == 404
        assert service.client.get(f"/v1/runs/{run['id']}/videos/b").status_code == 200


def test_what_a_request_told_of_a_deleted_upload_goes_and_all_else_stays(start: StartService) -> None:
    entries = [{"upload": n, "id": name, "metadata": {"caption": f"of {name}"}} for n, name in ((1, "two"), (0, "one"))]
    files = [("file", ("clip.mp4", b"a")), ("file", ("clip.mp4", b"b"))]
    with start(keep_uploads=True) as service:
        answer = service.client.post("/v1/runs", data={"request": json.dumps({"videos": entries})}, files=files)
        run = answer.json()["id"]
        service.ended(run)
        assert service.client.delete(f"/v1/runs/{run}/videos/two").status_code == 204
        with Records.open(service.config.settings.out) as records:
            accepted = AcceptedRun.of(records.run(run))
        assert [entry["metadata"] for entry in accepted.videos] == [{"caption": "of one"}]
        assert [(upload.name, Path(upload.path).read_bytes()) for upload in accepted.uploads] == [("clip.mp4", b"a")]
        stored = b"".join(path.read_bytes() for path in service.config.settings.out.glob("records.sqlite*"))
        assert b"of two" not in stored


def test_a_video_that_a_run_has_before_it_is_not_deleted(service: Service, videos: Path) -> None:
    done = submit(service, videos / "one.mp4")["id"]
    service.ended(done)
    service.analyst.go.clear()
    again = submit(service, videos / "one.mp4")["id"]
    while service.client.get(f"/v1/runs/{again}").json()["state"] != "running":
        time.sleep(0.2)  # a key has 20 requests a second
    answer = service.client.delete(f"/v1/runs/{done}/videos/one")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rumiai:problem:in-work")
    service.analyst.go.set()


def test_two_runs_side_by_side_never_work_on_one_video(start: StartService, videos: Path) -> None:
    with start(runs_at_once=3) as service:
        service.analyst.go.clear()
        first, same = (submit(service, videos / "one.mp4")["id"] for _ in range(2))
        other = submit(service, videos / "two.mp4")["id"]
        while any(service.client.get(f"/v1/runs/{run_id}").json()["state"] != "running" for run_id in (first, other)):
            time.sleep(0.2)  # a key has 20 requests a second
        assert service.client.get(f"/v1/runs/{same}").json()["state"] == "accepted"
        service.analyst.go.set()
        assert [service.ended(run_id)["exit_code"] for run_id in (first, same, other)] == [0, 0, 0]
        assert sorted(service.analyst.seen) == ["one", "one", "two"]
