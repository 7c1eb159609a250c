"""Ids, paths, atomic writes, locks and the record of finished stages."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.errors import StoreError
from rumiai.results.store import Store, assign_ids, fingerprint, read_json, safe_id, write_json
from rumiai.services import find_service
from rumiai.settings import Settings
from rumiai.sources.local import LocalSource


def digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def ids(paths: list[Path]) -> list[str]:
    source = LocalSource()
    return list(assign_ids([item for path in paths for item in source.list(str(path))], source.digest).values())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("7454575786134195489", ("7454575786134195489", False)),
        ("my clip", ("my_clip", True)),
        ("../../etc/passwd", ("_._.._etc_passwd", True)),
        (".hidden", ("_hidden", True)),
        ("été", ("_t_", True)),
        ("a" * 101, ("a" * 100, True)),
    ],
)
def test_safe_id_by_hand(raw: str, expected: tuple[str, bool]) -> None:
    assert safe_id(raw) == expected


@given(st.text())
def test_a_safe_id_stays_inside_its_folder(raw: str) -> None:
    clean, changed = safe_id(raw)
    assert changed == (clean != raw)
    assert "/" not in clean
    assert not clean.startswith(".")
    assert len(clean) <= 100
    assert safe_id(clean) == (clean, False)


def test_ids_of_a_run(tmp_path: Path) -> None:
    files = {"a/clip.mp4": b"one", "b/clip.mp4": b"two", "ok.mp4": b"3", "so so.mp4": b"4", "Ünï.mp4": b"5"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert ids([tmp_path / name for name in files]) == [
        f"clip_{digits(b'one')}",
        f"clip_{digits(b'two')}",
        "ok",
        f"so_so_{digits(b'4')}",
        f"_n__{digits(b'5')}",
    ]


def test_names_that_differ_in_case_alone_collide(tmp_path: Path) -> None:
    for name in ("Clip.mp4", "clip.mov"):
        (tmp_path / name).write_bytes(name.encode())
    assert ids([tmp_path / "Clip.mp4", tmp_path / "clip.mov"]) == [
        f"Clip_{digits(b'Clip.mp4')}",
        f"clip_{digits(b'clip.mov')}",
    ]


LONG = "a" * 140


@pytest.mark.parametrize(
    ("stem", "start"),
    [
        (LONG, "a" * 91),
        ("My caption with words " * 4 + "#fyp #x", ("My_caption_with_words_" * 4 + "_fyp__x")[:91]),
        ("\N{FACE WITH TEARS OF JOY}" * 30, "_" * 30),
    ],
)
def test_a_long_or_odd_stem_has_an_id_that_the_store_takes(tmp_path: Path, stem: str, start: str) -> None:
    path = tmp_path / f"{stem}.mp4"
    path.write_bytes(b"film")
    (video_id,) = ids([path])
    assert video_id == f"{start}_{digits(b'film')}"
    assert len(video_id) <= 100
    assert ids([path]) == [video_id]
    assert Store(tmp_path).unified_file(video_id) == tmp_path / f"unified_analysis/{video_id}.json"


def run_ids(out: Path, *paths: Path) -> list[str]:
    """The ids of one run into a folder, which then knows them."""
    source, store = LocalSource(), Store(out)
    found = assign_ids([i for path in paths for i in source.list(str(path))], source.digest, store.known_input)
    for item, video_id in found.items():
        store.remember_input(video_id, item, source.digest(item))
    return list(found.values())


@pytest.fixture
def namesakes(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "clip.mp4").write_bytes(name.encode())
    return tmp_path / "a/clip.mp4", tmp_path / "b/clip.mp4"


def test_two_runs_keep_namesakes_apart(tmp_path: Path, namesakes: tuple[Path, Path]) -> None:
    a, b = namesakes
    out = tmp_path / "out"
    assert run_ids(out, a) == ["clip"]
    assert run_ids(out, b) == [f"clip_{digits(b'b')}"]
    assert run_ids(out, b, a) == [f"clip_{digits(b'b')}", "clip"]
    assert run_ids(out, a, b) == ["clip", f"clip_{digits(b'b')}"]
    assert run_ids(out, a) == ["clip"]


def test_namesakes_of_one_run_keep_their_ids_alone(tmp_path: Path, namesakes: tuple[Path, Path]) -> None:
    a, b = namesakes
    both = [f"clip_{digits(b'a')}", f"clip_{digits(b'b')}"]
    assert run_ids(tmp_path / "one", a, b) == both
    assert run_ids(tmp_path / "two", b, a) == both[::-1]
    assert [run_ids(tmp_path / "one", a), run_ids(tmp_path / "one", b)] == [[both[0]], [both[1]]]


def test_a_moved_file_and_a_changed_one_keep_their_id(tmp_path: Path, namesakes: tuple[Path, Path]) -> None:
    a, b = namesakes
    out = tmp_path / "out"
    assert run_ids(out, a) == ["clip"]
    a.write_bytes(b"cut anew")
    assert run_ids(out, a) == ["clip"]
    b.write_bytes(b"cut anew")
    a.unlink()
    assert run_ids(out, b) == ["clip"]


def test_content_beats_location(tmp_path: Path, namesakes: tuple[Path, Path]) -> None:
    a, b = namesakes
    out = tmp_path / "out"
    assert run_ids(out, a) == ["clip"]
    b.write_bytes(b"a")
    a.write_bytes(b"new")
    assert run_ids(out, a, b) == [f"clip_{digits(b'new')}", "clip"]


def test_a_link_gives_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/3f2a").write_bytes(b"film")
    (tmp_path / "holiday.mp4").symlink_to(tmp_path / "objects/3f2a")
    assert ids([tmp_path / "holiday.mp4"]) == ["holiday"]


def test_json_with_a_name_that_is_not_utf8_is_utf8(tmp_path: Path) -> None:
    name = b"caf\xe9.mp4".decode("utf-8", "surrogateescape")
    write_json(tmp_path / "file.json", {"source": name, "text": "é"})
    assert '"source": "caf\\udce9.mp4"' in (tmp_path / "file.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "file.json") == {"source": name, "text": "é"}
    assert fingerprint(name) != fingerprint("caf.mp4")


def test_write_json_is_utf8_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"text": "naïve 🎬", "n": 1.5})
    assert "naïve 🎬" in path.read_text(encoding="utf-8")
    assert read_json(path) == {"text": "naïve 🎬", "n": 1.5}
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_what_json_has_no_form_for_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"n": 1})
    with pytest.raises(StoreError, match=r"file\.json"):
        write_json(path, {"n": float("nan")})
    assert read_json(path) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_a_failed_write_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="taken"):
        write_json(tmp_path / "taken" / "x.json", {})


def test_read_json_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"a": ')
    with pytest.raises(StoreError, match="not valid JSON"):
        read_json(tmp_path / "broken.json")
    with pytest.raises(StoreError, match="cannot read"):
        read_json(tmp_path / "absent.json")


def test_paths_are_those_of_the_specification(tmp_path: Path) -> None:
    store = Store(tmp_path)
    relative = {
        "yolo": "object_detection_outputs/v1/v1_yolo_detections.json",
        "whisper": "speech_transcriptions/v1_whisper.json",
        "mediapipe": "human_analysis_outputs/v1/v1_human_analysis.json",
        "ocr": "creative_analysis_outputs/v1/v1_creative_analysis.json",
        "scene_detection": "scene_detection_outputs/v1/v1_scenes.json",
        "audio_energy": "audio_energy_outputs/v1/v1_energy.json",
        "emotion_detection": "emotion_detection_outputs/v1/v1_emotions.json",
    }
    for service, name in relative.items():
        assert store.service_file(find_service(service), "v1") == tmp_path / name
    assert store.unified_file("v1") == tmp_path / "unified_analysis/v1.json"
    assert store.markers_file("v1") == tmp_path / "temporal_markers/v1.json"
    assert store.state_file("v1") == tmp_path / "insights/v1/state.json"


@pytest.mark.parametrize("bad", ["", "../x", "a/b", ".x"])
def test_no_path_is_built_from_an_unsafe_id(bad: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store(tmp_path).unified_file(bad)


def test_a_video_is_locked_between_processes_and_freed_by_death(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from rumiai.results.store import Store\n"
        f"with Store(Path({str(tmp_path)!r})).lock('v1'):\n    print('locked', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        store = Store(tmp_path)
        with pytest.raises(StoreError, match="another run"), store.lock("v1"):
            pass
        with store.lock("v2"):
            pass
        # A holder that is about to end is waited for.
        threading.Timer(0.5, holder.kill).start()
        with store.lock("v1"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with store.lock("v1"):
        pass


def test_fingerprints_are_of_values_not_of_order() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert len(fingerprint("x")) == 16


def test_another_run_is_waited_for_as_long_as_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rumiai.results.store._LOCK_WAIT_S", 0.1)
    store = Store(tmp_path)
    with store.lock("v1"):
        with pytest.raises(StoreError, match="another run is working on v1") as told, store.lock("v1", 0.05):
            pass
        assert "run the command again" in (told.value.hint or "")
        assert "waiting for it" not in caplog.text
    held = store.lock("v1")
    held.__enter__()
    release = threading.Timer(0.5, held.__exit__, (None, None, None))
    release.start()
    with store.lock("v1", 10):
        assert caplog.text.count("another run is working on v1: waiting for it, 10 s at most") == 1
    release.join()


def test_the_lock_of_a_video_removes_what_a_killed_run_left_half_written_of_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ours = [store.unified_file("a"), store.markers_file("a"), store.state_file("a")]
    ours.append(store.service_file(find_service("yolo"), "a"))
    for path in (*ours, store.unified_file("a2")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        path.with_name(f".{path.name}.4711.tmp").touch()
    with store.lock("a"):
        assert [path.name for path in tmp_path.rglob("*.tmp")] == [".a2.json.4711.tmp"]
    assert all(path.exists() for path in ours)


def test_every_folder_may_lie_elsewhere(tmp_path: Path) -> None:
    named = {"unified_dir": "u", "temporal_dir": "t", "insights_dir": "i", "ml_dir": "m", "downloads_dir": "d"}
    store = Store(*Settings(out=tmp_path / "out", log_dir=str(tmp_path / "logs"), **named).folders)
    yolo = find_service("yolo")
    assert [str(path.relative_to(tmp_path)) for path in (
        store.unified_file("7"), store.markers_file("7"), store.insights_folder("7"), store.service_file(yolo, "7"),
        store.download_folder("7"), store.log_folder,
    )] == [
        "out/u/7.json", "out/t/7.json", "out/i/7", "out/m/object_detection_outputs/7/7_yolo_detections.json",
        "out/d/7", "logs",
    ]  # fmt: skip
