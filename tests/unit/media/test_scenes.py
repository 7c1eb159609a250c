"""Cuts: those of PySceneDetect on the file. Gradual transitions: synthetic mixtures, movement and light."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import scenedetect

from rumiai.contracts.frames import FrameKind
from rumiai.errors import ContractError
from rumiai.media.decode import VideoPass, slot_bytes_for
from rumiai.media.probe import probe, sampling_for
from rumiai.media.scenes import StreamingSceneDetector, shrink
from rumiai.media.shared_frames import FrameArena
from rumiai.media.transitions import GradualTransition, GradualTransitions

MakeClip = Callable[..., Path]


def _detected(path: Path) -> tuple[StreamingSceneDetector, dict[str, Any]]:
    """What the one pass over the file finds."""
    info = probe(path)
    detector = StreamingSceneDetector(info.fps)
    small: dict[str, int] = {"max_side_px": 64, "frames_per_batch": 4}
    with FrameArena("test-scenes", slots=2, slot_bytes=slot_bytes_for(info, **small)) as arena:
        readers: dict[FrameKind, int] = {"sampled": 1, "after_cut": 1}
        video = VideoPass(path, info, sampling_for(info, 2.0), arena, readers=readers, scene_detector=detector, **small)
        for batch in video:
            batch.release()
    return detector, detector.finish(info.duration_s).to_json()


def _theirs(path: Path) -> list[float]:
    scenes = scenedetect.detect(str(path), scenedetect.AdaptiveDetector(min_scene_len=0.3))
    return [start.seconds for start, _ in scenes[1:]]


def _busy(number: int, width: int, height: int, shot: int) -> np.ndarray:
    """Shots that pan, with noise; every third shot looks much like the one before it."""
    pattern = np.random.default_rng(shot - (shot % 3 == 2)).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    image = np.roll(cv2.resize(pattern, (width, height), interpolation=cv2.INTER_LINEAR), number * (shot % 4), axis=1)
    noise = np.random.default_rng(number).integers(0, 40, (90, 160), dtype=np.uint8)
    return cv2.add(image, cv2.merge([cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST)] * 3))


# Shots down to 4 frames: shorter than the minimum of 0.3 s, so some cuts must be left out.
CUTS = (17, 25, 29, 60, 61, 75, 84, 90, 130, 139, 150, 162, 175)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"fps": Fraction(30000, 1001)},
        {"fps": Fraction(24000, 1001)},
        {"fps": Fraction(60)},
        {"size": (1080, 1920), "frames": 40},
        {"size": (163, 301), "pixel_format": "yuv444p"},
        {"rotation_ccw": 90, "size": (480, 270)},
        {"colour": {"colorspace": 1, "color_range": 1}},
        {"pixel_format": "yuv420p10le"},
        {"options": {"preset": "ultrafast", "crf": "40"}},
        {"name": "clip.webm", "codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    ],
    ids=lambda settings: "-".join(str(value) for value in settings.values()) or "plain",
)
def test_cuts_are_pyscenedetects(make_clip: MakeClip, settings: dict[str, Any]) -> None:
    path = make_clip(**{"size": (320, 180), "frames": 180, "cuts": CUTS, "draw": _busy, **settings})
    _, data = _detected(path)
    assert len(data["scene_changes"]) >= 1
    # The same to the microseconds in which PySceneDetect counts.
    assert data["scene_changes"] == pytest.approx(_theirs(path), abs=2e-6)


def test_cuts_are_pyscenedetects_at_a_variable_frame_rate(make_clip: MakeClip) -> None:
    steps_ms = np.random.default_rng(3).integers(12, 95, 200)
    times_ms = [int(t) for t in np.cumsum(steps_ms) - steps_ms[0]]
    path = make_clip(size=(320, 180), frames=200, times_ms=times_ms, cuts=CUTS, draw=_busy)
    _, data = _detected(path)
    assert len(data["scene_changes"]) >= 8
    assert data["scene_changes"] == pytest.approx(_theirs(path), abs=2e-6)
    assert all(any(abs(t - times_ms[cut] / 1000) < 1e-6 for cut in CUTS) for t in data["scene_changes"])


def test_scores_are_pyscenedetects(make_clip: MakeClip) -> None:
    path = make_clip(size=(320, 180), frames=150, cuts=CUTS[:9], draw=_busy)
    detector, data = _detected(path)
    statistics = scenedetect.StatsManager()
    manager = scenedetect.SceneManager(statistics)
    manager.add_detector(scenedetect.AdaptiveDetector(min_scene_len=0.3))
    video = scenedetect.open_video(str(path))
    manager.detect_scenes(video)
    starts = [start for start, _ in manager.get_scene_list()][1:]
    ratios = [statistics.get_metrics(start, ["adaptive_ratio (w=2)"])[0] for start in starts]
    assert data["scene_change_scores"] == pytest.approx(ratios, rel=1e-12)
    assert [cut.score for cut in detector.cuts] == data["scene_change_scores"]


def test_scenes_are_contiguous_and_canonical(make_clip: MakeClip) -> None:
    _, data = _detected(make_clip(size=(320, 180), frames=90, cuts=(30, 63)))
    assert data["scene_changes"] == pytest.approx([1.0, 2.1])
    assert data["total_scenes"] == 3
    assert [(s["scene_number"], s["scene_index"], s["start_frame"], s["end_frame"]) for s in data["scenes"]] == [
        (1, 0, 0, 30),
        (2, 1, 30, 63),
        (3, 2, 63, 90),
    ]
    assert data["scenes"][0]["start_time"] == 0.0
    assert data["scenes"][-1]["end_time"] == 3.0
    assert [s["end_time"] for s in data["scenes"][:-1]] == data["scene_changes"]
    assert [s["start_time"] for s in data["scenes"][1:]] == data["scene_changes"]
    assert data["transition_types"] == ["cut", "cut"]
    assert data["transitions"] == [{"start": t, "end": t, "type": "cut"} for t in data["scene_changes"]]
    metadata = data["metadata"]
    assert (metadata["processed"], metadata["frames"], metadata["duration"], metadata["fps"]) == (True, 90, 3.0, 30.0)


def test_one_shot_is_one_scene(make_clip: MakeClip) -> None:
    _, data = _detected(make_clip(frames=30))
    assert (data["total_scenes"], data["scene_changes"], data["transition_types"]) == (1, [], [])
    assert (data["scenes"][0]["start_time"], data["scenes"][0]["end_time"]) == (0.0, 1.0)


def test_cuts_come_two_frames_late(make_clip: MakeClip, draw: Callable[..., np.ndarray]) -> None:
    detector = StreamingSceneDetector(30.0)
    found = {n: detector.feed(draw(0, 64, 48, int(n >= 20)), n / 30) for n in range(40)}
    assert [n for n, cuts in found.items() if cuts] == [20 + detector.lag_frames]
    assert found[22][0].frame_number == 20
    assert found[22][0].score == 255.0


def test_pictures_of_another_size_are_left_out(draw: Callable[..., np.ndarray]) -> None:
    detector = StreamingSceneDetector(30.0)
    for n in range(30):
        detector.feed(draw(0, 64, 48, 0), n / 30, n)
        detector.feed(draw(0, 32, 24, 1), n / 30 + 0.01, n)
    assert detector.finish(1.0).total_scenes == 1


def test_contradictions_are_refused(draw: Callable[..., np.ndarray]) -> None:
    detector = StreamingSceneDetector(0.0)
    with pytest.raises(ContractError, match="no frame"):
        detector.finish(1.0)
    for n in range(40):
        detector.feed(draw(0, 64, 48, int(n >= 20)), n / 30)
    with pytest.raises(ContractError, match="does not lie within"):
        detector.finish(0.5)


def test_shrink_is_pyscenedetects_downscale() -> None:
    assert shrink(np.zeros((1920, 1080, 3), np.uint8)).shape == (256, 144, 3)
    assert shrink(np.zeros((101, 255, 3), np.uint8)).shape == (101, 255, 3)
    assert shrink(np.zeros((2, 4000, 3), np.uint8)).shape == (1, 256, 3)


A, B, BLACK = (
    cv2.resize(np.random.default_rng(i).integers(0, 255, (4, 6, 3), dtype=np.uint8), (256, 144)).astype(float) * (i < 3)
    for i in (1, 2, 3)
)


def _mix(first: np.ndarray, last: np.ndarray, start_s: float, length_s: float) -> Callable[[float], np.ndarray]:
    return lambda t: first + (last - first) * np.clip((t - start_s) / length_s, 0, 1)


def _frames(scene: Callable[[float], np.ndarray], seconds: float = 7.0, fps: int = 30) -> Iterator[tuple[Any, float]]:
    random = np.random.default_rng(5)
    for n in range(round(seconds * fps)):
        noisy = scene(n / fps) + random.normal(0, 4, (144, 256, 1))
        yield np.clip(noisy, 0, 255).astype(np.uint8), n / fps


def _found(scene: Callable[[float], np.ndarray]) -> list[GradualTransition]:
    gradual = GradualTransitions()
    for image, time_s in _frames(scene):
        gradual.feed(image, time_s)
    return gradual.finish()


@pytest.mark.parametrize("length_s", [0.4, 0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    ("first", "last", "kind", "direction"),
    [(A, B, "dissolve", None), (A, BLACK, "fade", "out"), (BLACK, A, "fade", "in")],
    ids=["dissolve", "fade-out", "fade-in"],
)
def test_gradual_transitions(
    first: np.ndarray, last: np.ndarray, kind: str, direction: str | None, length_s: float
) -> None:
    (found,) = _found(_mix(first, last, 3.0, length_s))
    assert (found.type, found.direction) == (kind, direction)
    assert found.start_s == pytest.approx(3.0, abs=0.25)
    assert found.end_s == pytest.approx(3.0 + length_s, abs=0.25)


@pytest.mark.parametrize(
    "scene",
    [
        lambda t: A,
        lambda t: A if t < 4 else B,
        lambda t: np.roll(A, int(t * 30), axis=1),
        lambda t: np.roll(A, int(t * 240), axis=1),
        lambda t: A * (0.4 + t / 12),
        lambda t: cv2.warpAffine(A, cv2.getRotationMatrix2D((128, 72), 0, 1 + t / 3), (256, 144), borderMode=2),
    ],
    ids=["still", "cut", "slow-pan", "fast-pan", "exposure", "zoom"],
)
def test_what_is_no_gradual_transition(scene: Callable[[float], np.ndarray]) -> None:
    assert _found(scene) == []


def _gradient(turn: float, direction: float = 0.7) -> np.ndarray:
    """A sine of one wave a frame, moved by ``turn`` waves."""
    down, across = np.mgrid[0:144, 0:256]
    way = across / 256 * np.cos(direction) + down / 144 * np.sin(direction)
    return np.repeat((128 + 100 * np.sin(2 * np.pi * (way + turn)))[..., None], 3, axis=2)


@pytest.mark.parametrize("turn", [0.18, 0.21])  # of a wave: 65 and 76 degrees
@pytest.mark.parametrize("length_s", [0.5, 1.2])
def test_a_gradient_that_moves_and_stops_is_no_dissolve(turn: float, length_s: float) -> None:
    """Over so short a way its pictures are nearly mixtures of the first and the last."""
    assert _found(lambda t: _gradient(turn * float(np.clip((t - 3) / length_s, 0, 1)))) == []


def test_one_gradient_that_dissolves_into_another_is_found() -> None:
    (found,) = _found(_mix(_gradient(0.0), _gradient(0.3, direction=2.5), 3.0, 1.0))
    assert found.type == "dissolve"


def test_gradual_transitions_are_named_and_add_no_cut() -> None:
    detector = StreamingSceneDetector(30.0)
    dissolve = _mix(A, B, 3.0, 1.0)
    for image, time_s in _frames(lambda t: BLACK if t >= 6 else dissolve(t)):
        detector.feed(image, time_s)
    data = detector.finish(7.0).to_json()
    assert data["scene_changes"] == pytest.approx([6.0])
    assert data["transition_types"] == ["cut", "dissolve"]
    assert [t["type"] for t in data["transitions"]] == ["dissolve", "cut"]
    assert data["total_scenes"] == 2


def _flat(shot: int, width: int = 160, height: int = 90) -> np.ndarray:
    """Pictures of a slideshow, each of its own colours."""
    pattern = np.random.default_rng(shot).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return cv2.resize(pattern, (width, height), interpolation=cv2.INTER_NEAREST)


def _slides(fps: float, frames: int) -> StreamingSceneDetector:
    """Four pictures with so many frames each."""
    detector = StreamingSceneDetector(fps)
    for number in range(4 * frames):
        detector.feed(_flat(number // frames), number / fps)
    return detector


@pytest.mark.parametrize(("fps", "frames"), [(0.5, 1), (1.0, 2), (1.0, 1), (2.0, 2), (3.0, 1)])
def test_a_slideshow_of_few_frames_a_picture_has_a_cut_at_each(fps, frames):
    # The adaptive detector alone finds none: it needs two frames on either side that resemble each other.
    shown = [i * frames / fps for i in range(1, 4)]
    data = _slides(fps, frames).finish(4 * frames / fps)
    assert data.changes_s == pytest.approx(shown)
    assert data.change_confidences == (1.0, 1.0, 1.0)
    assert [scene.duration_s for scene in data.scenes] == pytest.approx([frames / fps] * 4)


def test_a_slideshow_at_a_camera_rate_has_each_cut_once():
    assert _slides(30.0, 30).finish(4.0).changes_s == pytest.approx([1.0, 2.0, 3.0])


def test_a_held_picture_that_hardly_changes_is_one_shot():
    detector = StreamingSceneDetector(1.0)
    for number in range(4):
        picture = _flat(0)
        picture[:8, :40] = 255 * (number % 2)  # a caption comes and goes
        detector.feed(picture, float(number))
    assert detector.finish(4.0).total_scenes == 1


def test_a_single_picture_is_one_shot_as_long_as_its_sound():
    detector = StreamingSceneDetector(25.0)
    detector.feed(_flat(0), 0.0)
    assert [(scene.start_s, scene.end_s) for scene in detector.finish(6.0).scenes] == [(0.0, 6.0)]
