"""Files in a request: on the disk while they come, under names of our own, gone when nobody needs them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from rumiai.service.config import Limits
from rumiai.settings import Settings

from .conftest import Service, StartService
from .doubles import Analyst


def upload(service: Service, *files: tuple[str, bytes], request: object = None, **headers: str):
    data = {} if request is None else {"request": json.dumps(request)}
    parts = [("file", (name, content)) for name, content in files]
    return service.client.post("/v1/runs", data=data, files=parts, headers=headers)


def kept(service: Service) -> list[Path]:
    folder = service.config.settings.out / "uploads"
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def test_uploaded_files_are_analysed_and_removed_when_all_went_well(start: StartService) -> None:
    analyst = Analyst()
    analyst.go.clear()
    with start(analyst) as service:
        answer = upload(service, ("My Clip.mp4", b"abc" * 100_000), ("other.mp4", b""), request={"insights": False})
        assert answer.status_code == 202, answer.text
        assert answer.json()["sources"] == ["My Clip.mp4", "other.mp4"]
        files = kept(service)
        assert [path.name for path in files] == ["0.mp4", "1.mp4"]
        assert [path.stat().st_size for path in files] == [300_000, 0]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        analyst.go.set()
        run = service.ended(answer.json()["id"])
        assert run["exit_code"] == 0
        # The ids are those that submit gives to files of these names.
        digits = hashlib.sha256(b"abc" * 100_000).hexdigest()[:8]
        assert analyst.seen == [f"My_Clip_{digits}", "other"]
    assert kept(service) == []


@pytest.mark.parametrize(("keep", "content"), [(True, b"1"), (False, b"bad")])
def test_files_stay_when_asked_and_when_something_failed(start: StartService, keep: bool, content: bytes) -> None:
    with start(keep_uploads=keep) as service:
        service.ended(upload(service, ("a.mp4", content)).json()["id"])
        assert len(kept(service)) == 1


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x.mp4", "/etc/passwd", "..", "C:\\x\\..\\y.mp4", "a\0b.sh", "x" * 1000]
)
def test_no_path_is_made_of_a_clients_name(start: StartService, name: str) -> None:
    analyst = Analyst()
    analyst.go.clear()
    with start(analyst) as service:
        answer = upload(service, (name, b"1"))
        assert answer.status_code in (202, 422)
        out = service.config.settings.out
        assert {path.name for path in kept(service)} <= {"0.mp4", "0"}
        assert not list(out.parent.rglob("cron.d"))
        analyst.go.set()


def test_a_request_beyond_the_limit_leaves_nothing(start: StartService) -> None:
    with start(limits=Limits(upload_bytes=10_000, files=2)) as service:
        for files in ([("a.mp4", b"1" * 20_000)], [(f"{i}.mp4", b"1") for i in range(3)]):
            answer = upload(service, *files)
            assert answer.status_code in (413, 422)
            assert answer.headers["content-type"] == "application/problem+json"
        assert list((service.config.settings.out / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="request"\r\n\r\n{}\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.mp4"\r\n\r\nhalf',
            "multipart/form-data; boundary=x",
        ),
        (b"", "multipart/form-data; boundary=" + "y" * 300),
    ],
)
def test_a_form_that_cannot_be_read_is_a_problem(service: Service, content: bytes, kind: str) -> None:
    answer = service.client.post("/v1/runs", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert kept(service) == []
    assert service.client.get("/v1/runs").json()["runs"] == []


def test_the_same_upload_with_the_same_idempotency_key_is_one_run(start: StartService) -> None:
    analyst = Analyst()
    analyst.go.clear()
    with start(analyst) as service:
        runs = [upload(service, ("a.mp4", b"1"), **{"Idempotency-Key": "k"}).json()["id"] for _ in range(2)]
        assert runs[0] == runs[1]
        assert len(kept(service)) == 1
        other = upload(service, ("a.mp4", b"2"), **{"Idempotency-Key": "k"})
        assert other.status_code == 422
        assert len(kept(service)) == 1
        analyst.go.set()


def test_other_content_under_a_name_that_was_sent_before_is_another_video(service: Service) -> None:
    for content in (b"1", b"2", b"1"):
        service.ended(upload(service, ("clip.mp4", content)).json()["id"])
    second = hashlib.sha256(b"2").hexdigest()[:8]
    assert service.analyst.seen == ["clip", f"clip_{second}", "clip"]


def test_two_files_of_one_name_in_one_request_are_two_videos(service: Service) -> None:
    run = upload(service, ("clip.mp4", b"1"), ("clip.mp4", b"2"), ("clip.mp4", b"1")).json()
    service.ended(run["id"])
    digits = [hashlib.sha256(content).hexdigest()[:8] for content in (b"1", b"2")]
    assert service.analyst.seen == [f"clip_{each}" for each in digits]
    videos = service.client.get(f"/v1/runs/{run['id']}/videos").json()["videos"]
    assert [video["source"] for video in videos] == ["clip.mp4", "clip.mp4 (2)"]


def test_a_full_disk_takes_no_upload(start: StartService, tmp_path: Path) -> None:
    settings = Settings(out=tmp_path / "out", services=("none",), claude="off", disk_reserve_mb=1e6)
    with start(settings=settings) as service:
        answer = upload(service, ("a.mp4", b"1"))
        assert (answer.status_code, answer.json()["type"]) == (507, "urn:rumiai:problem:no-space")
        assert kept(service) == []


def test_what_a_kill_left_half_sent_is_swept(start: StartService) -> None:
    with start() as service:
        left = service.config.settings.out / "uploads/incoming-x"
        left.mkdir(parents=True)
        (left / "tmp").touch()
    with start():
        assert not left.exists()
