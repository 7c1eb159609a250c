"""The video of a post's pictures: what is shown when, the sound under it, what is left out, what is kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from rumiai.errors import MediaError
from rumiai.media.probe import MediaLimits, probe
from rumiai.media.scenes import StreamingSceneDetector
from rumiai.media.still_video import StillVideo, make_video

from .conftest import picture

SIZE = (160, 96)


def photos(folder: Path, *numbers: int) -> list[Path]:
    paths = [folder / f"photo{number}.png" for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        Image.fromarray(picture(0, *SIZE, number)).save(path)
    return paths


def tone(path: Path, seconds: float, codec: str = "mp3") -> Path:
    rate, frame_samples = (48_000, 960) if codec == "libopus" else (44_100, 1024)
    samples = (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.codec_context.frame_size or frame_samples)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def shown(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def number_of(image: np.ndarray, *numbers: int) -> int:
    """Which of the photos is shown."""
    errors = {number: np.abs(image.astype(int) - picture(0, *SIZE, number)).mean() for number in numbers}
    best = min(errors, key=errors.__getitem__)
    assert errors[best] < 4
    return best


def cuts_of(path: Path) -> list[float]:
    detector = StreamingSceneDetector(5.0)
    for time_s, image in shown(path):
        detector.feed(np.ascontiguousarray(image[..., ::-1]), time_s)
    return [cut.time_s for cut in detector.cuts]


def test_each_picture_is_shown_for_three_seconds_and_a_shot_of_its_own(tmp_path: Path) -> None:
    made = make_video(photos(tmp_path, 1, 2, 3, 4), None, tmp_path / "post.mp4")
    assert made == StillVideo(pictures=4, seconds_each=3.0, has_sound=False)
    info = probe(tmp_path / "post.mp4")
    assert (info.width, info.height, info.duration_s, info.fps, info.has_audio) == (*SIZE, 12.0, 5.0, False)
    frames = shown(tmp_path / "post.mp4")
    assert [time for time, _ in frames] == pytest.approx([number / 5 for number in range(60)])
    assert [number_of(image, 1, 2, 3, 4) for _, image in frames] == [1] * 15 + [2] * 15 + [3] * 15 + [4] * 15
    assert cuts_of(tmp_path / "post.mp4") == pytest.approx([3.0, 6.0, 9.0])


@pytest.mark.parametrize(("seconds", "each"), [(10.0, 5.0), (4.0, 3.0)])
def test_the_pictures_last_as_long_as_the_sound_which_is_heard_once(
    tmp_path: Path, seconds: float, each: float
) -> None:
    sound = tone(tmp_path / "sound.mp3", seconds)
    made = make_video(photos(tmp_path, 1, 2), sound, tmp_path / "post.mp4")
    assert made.has_sound
    assert made.problems == ()
    # An MP3 has whole frames of 26 ms, and the encoder's delay in front.
    assert made.seconds_each == pytest.approx(each, abs=0.06)
    info = probe(tmp_path / "post.mp4")
    assert (info.audio_codec, info.duration_s) == ("mp3", pytest.approx(max(seconds, 6.0), abs=0.2))
    with av.open(str(tmp_path / "post.mp4")) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(heard) / 44_100 == pytest.approx(seconds, abs=0.1)
    middle = heard[len(heard) // 4 : -len(heard) // 4]
    assert np.abs(np.fft.rfft(middle)).argmax() * 44_100 / len(middle) == pytest.approx(440, abs=1)


def test_a_sound_beyond_the_limit_is_cut_off_there_and_says_so(tmp_path: Path) -> None:
    sound = tone(tmp_path / "sound.mp3", 12.0)
    made = make_video(photos(tmp_path, 1, 2), sound, tmp_path / "post.mp4", longest_s=8.0)
    assert made.seconds_each == pytest.approx(3.9, abs=0.001)
    assert made.problems == ("the sound is cut off at 7.8 s of 12.0 s",)
    assert 7.6 < probe(tmp_path / "post.mp4", MediaLimits(max_duration_s=8.0)).duration_s <= 8.0
    # With another limit it is another video.
    assert make_video(photos(tmp_path, 1, 2), sound, tmp_path / "post.mp4", longest_s=60.0).problems == ()


@pytest.mark.parametrize(("name", "codec"), [("s.m4a", "aac"), ("s.aac", "aac"), ("s.ogg", "libopus")])
def test_sounds_of_other_kinds(tmp_path: Path, name: str, codec: str) -> None:
    sound = tone(tmp_path / name, 4.0, codec)
    made = make_video(photos(tmp_path, 1), sound, tmp_path / "post.mp4")
    assert (made.has_sound, made.problems) == (True, ())
    assert made.seconds_each == pytest.approx(4.0, abs=0.1)
    assert probe(tmp_path / "post.mp4").has_audio


def test_pictures_of_other_shapes_lie_on_one_canvas(tmp_path: Path) -> None:
    paths = photos(tmp_path, 1, 2)
    Image.new("RGB", (48, 96), (250, 250, 250)).save(tmp_path / "tall.jpg")
    made = make_video([*paths, tmp_path / "tall.jpg"], None, tmp_path / "post.mp4")
    assert made.pictures == 3
    last = shown(tmp_path / "post.mp4")[-1][1]
    assert last.shape == (96, 160, 3)
    assert last[:, 70:90].mean() > 240
    assert last[:, :40].mean() < 10


def test_a_picture_or_sound_that_is_not_there_is_left_out_and_named(tmp_path: Path) -> None:
    paths = [*photos(tmp_path, 1), tmp_path / "gone.png"]
    made = make_video(paths, tmp_path / "gone.mp3", tmp_path / "post.mp4")
    assert (made.pictures, made.has_sound) == (1, False)
    assert [problem.split(":")[0] for problem in made.problems] == ["picture 2 of 2 is missing", "the sound is missing"]


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    paths = photos(tmp_path, 1, 2, 3)
    paths[1].write_bytes(paths[1].read_bytes()[:200])
    (tmp_path / "sound.mp3").write_text("<html>gone</html>")
    made = make_video(paths, tmp_path / "sound.mp3", tmp_path / "post.mp4")
    assert (made.pictures, made.has_sound) == (2, False)
    assert [problem.split(":")[0] for problem in made.problems] == ["picture 2 of 3 is missing", "the sound is missing"]
    assert "photo2.png" in made.problems[0]
    assert [number_of(image, 1, 2, 3) for _, image in shown(tmp_path / "post.mp4")[::15]] == [1, 3]
    # What an earlier call found is said again.
    assert make_video(paths, tmp_path / "sound.mp3", tmp_path / "post.mp4") == made


def test_without_a_readable_picture_there_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    with pytest.raises(MediaError, match=r"a\.jpg"):
        make_video([tmp_path / "a.jpg"], None, tmp_path / "post.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_the_same_pictures_make_the_same_video_once(tmp_path: Path) -> None:
    paths, target = photos(tmp_path, 1, 2), tmp_path / "out" / "post.mp4"
    make_video(paths, None, target)
    first, time_ns = target.read_bytes(), target.stat().st_mtime_ns
    make_video(paths, None, target)
    assert target.stat().st_mtime_ns == time_ns
    make_video(paths, None, tmp_path / "again.mp4")
    assert (tmp_path / "again.mp4").read_bytes() == first
    shutil.copyfile(*photos(tmp_path, 7), paths[0])
    make_video(paths, None, target)
    assert number_of(shown(target)[0][1], 1, 2, 7) == 7
    assert sorted(path.name for path in target.parent.iterdir()) == ["post.mp4", "post.mp4.stills.json"]


def test_an_animation_is_played_once_at_its_own_pace(tmp_path: Path) -> None:
    frames = [Image.fromarray(picture(0, *SIZE, number)) for number in (1, 2, 3)]
    path = tmp_path / "a.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[400, 600, 1000], lossless=True)
    made = make_video([path], None, tmp_path / "a.mp4")
    assert made == StillVideo(pictures=1, seconds_each=None, has_sound=False)
    found = shown(tmp_path / "a.mp4")
    assert [time for time, _ in found] == pytest.approx([0.0, 0.4, 1.0])
    assert [number_of(image, 1, 2, 3) for _, image in found] == [1, 2, 3]
    assert probe(tmp_path / "a.mp4").duration_s == pytest.approx(2.0)
    assert cuts_of(tmp_path / "a.mp4") == pytest.approx([0.4, 1.0])
