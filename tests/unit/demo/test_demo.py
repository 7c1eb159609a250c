"""The demo's clips hold what their truth says: checked by decoding them with PyAV."""

from __future__ import annotations

import importlib.util
import itertools
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from rumiai.demo import Caption, ClipSpec, Shot, Utterance, View, bench_spec, demo_spec, render
from rumiai.demo.sound import SAMPLE_RATE_HZ, compose, speech
from rumiai.errors import ConfigurationError, StoreError

GREY = ((90, 90, 90), (90, 90, 90))
SMALL = ClipSpec(
    shots=(
        Shot("gradient", 1.0),
        Shot("solid", 0.7, colours=GREY),
        Shot("noise", 0.8, View(0.4, 0.5, 1.0), View(0.6, 0.5, 1.2), grain=2.0),
    ),
    captions=(
        Caption("HELLO", 0.2, 0.9, (0.5, 0.3), 0.12),
        Caption("TWO\nLINES", 1.1, 1.6, (0.5, 0.6), 0.10, box=(255, 255, 255), colour=(0, 0, 0), outline=None),
    ),
    width=180,
    height=320,
    tone_hz=440.0,
)


def decode(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [frame.time for frame in frames]


def decode_sound(path: Path) -> np.ndarray:
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE_HZ)
    with av.open(str(path)) as container:
        parts = [out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "small.mp4"
    truth = render(SMALL, path)
    return truth, *decode(path)


def test_every_frame_has_its_time(small):
    truth, frames, times = small
    assert truth.n_frames == len(frames) == 75
    assert truth.duration_s == 2.5
    np.testing.assert_allclose(times, truth.frame_times_s, atol=1e-3)


def test_cuts_are_where_frames_differ_most(small):
    truth, frames, times = small
    difference = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(frames)]
    largest = sorted(times[i + 1] for i in np.argsort(difference)[-2:])
    np.testing.assert_allclose(largest, truth.cuts_s, atol=1e-3)
    assert truth.cuts_s == (1.0, 1.7)


def test_caption_is_drawn_in_its_box_and_time_only(small):
    truth, frames, times = small
    hello = truth.lines[0]
    height, width = frames[0].shape[:2]
    x, y, w, h = hello.box
    rows, columns = slice(int(y * height), int((y + h) * height)), slice(int(x * width), int((x + w) * width))
    bright = [(image[rows, columns].min(axis=2) > 230).mean() for image in frames]
    shown = [t for t, share in zip(times, bright, strict=True) if share > 0.2 and t < 1.0]
    assert shown[0] == pytest.approx(0.2, abs=1e-3)
    assert shown[-1] == pytest.approx(0.9 - 1 / 30, abs=1e-3)
    # Nothing of it lies outside: with the outline of a twelfth of the letters' height around the box at most.
    with_text, without = frames[10].astype(int), frames[2].astype(int)
    changed = np.argwhere(np.abs(with_text - without).max(axis=2) > 40)
    margin = 5
    assert changed[:, 0].min() >= rows.start - margin
    assert changed[:, 0].max() <= rows.stop + margin
    assert changed[:, 1].min() >= columns.start - margin
    assert changed[:, 1].max() <= columns.stop + margin


def test_lines_of_a_caption_are_told_apart(small):
    truth, _, _ = small
    assert [line.text for line in truth.lines_at(1.2)] == ["TWO", "LINES"]
    first, second = truth.lines_at(1.2)
    assert first.box[1] + first.box[3] <= second.box[1]
    assert truth.lines_at(1.65) == ()


def test_fade_scroll_and_highlight():
    from rumiai.demo.draw import CaptionPainter

    caption = Caption("go on", 0.0, 2.0, (0.5, 0.8), 0.2, fade_s=0.5, velocity=(0.0, -0.2), highlight=1, outline=None)
    painter = CaptionPainter(caption, 200, 200)

    def drawn(t_s):
        frame = np.zeros((200, 200, 3), np.uint8)
        painter.draw(frame, t_s)
        return frame

    full, faint, later = drawn(0.5), drawn(0.25), drawn(1.5)
    assert faint.max() == pytest.approx(full.max() / 2, abs=2)
    middle = [np.argwhere(image.max(axis=2) > 60).mean(axis=0) for image in (full, later)]
    assert middle[0][0] - middle[1][0] == pytest.approx(0.2 * 200, abs=1)
    assert middle[0][1] == pytest.approx(middle[1][1], abs=1)
    yellow = (full[..., 0] > 200) & (full[..., 2] < 80)
    white = full.min(axis=2) > 200
    assert np.argwhere(white)[:, 1].max() < np.argwhere(yellow)[:, 1].min()
    assert not drawn(2.0).any()


def test_same_spec_same_bytes(tmp_path):
    spec = replace(SMALL, shots=SMALL.shots[2:], captions=(), speech=(Utterance("Yes.", 0.0),), tone_hz=None)
    render(spec, tmp_path / "a.mp4")
    render(spec, tmp_path / "b.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize(
    ("changes", "codec", "audio"),
    [
        ({"codec": "vp9", "container": "webm"}, "vp9", "opus"),
        ({"codec": "hevc"}, "hevc", "aac"),
        ({"codec": "hevc", "pixel_format": "yuv420p10le"}, "hevc", "aac"),
        ({"silent": True}, "h264", None),
    ],
)
def test_codecs(tmp_path, changes, codec, audio):
    spec = replace(SMALL, shots=(Shot("gradient", 0.5),), captions=(), **changes)
    path = tmp_path / f"clip.{spec.container}"
    truth = render(spec, path)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name.replace("libvpx-", ""), video.codec_context.pix_fmt) == (
            codec,
            spec.pixel_format,
        )
        names = [s.codec_context.name.removeprefix("lib") for s in container.streams.audio]
        assert names == ([audio] if audio else [])
    frames, times = decode(path)
    assert len(frames) == truth.n_frames == 15
    np.testing.assert_allclose(times, truth.frame_times_s, atol=1.1e-3)  # WebM counts milliseconds


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_shows_the_picture_upright(tmp_path, degrees):
    spec = replace(SMALL, shots=(Shot("gradient", 0.2),), captions=(), rotation_deg=degrees, silent=True)
    render(spec, tmp_path / "turned.mp4")
    with av.open(str(tmp_path / "turned.mp4")) as container:
        frame = next(container.decode(video=0))
    stored = frame.to_ndarray(format="rgb24")
    # PyAV says by how much to turn the picture counter-clockwise, as numpy.rot90 does.
    assert frame.rotation % 360 == (360 - degrees) % 360
    shown = np.rot90(stored, frame.rotation // 90)
    assert shown.shape == (320, 180, 3)
    top, bottom = shown[:20].mean(axis=(0, 1)), shown[-20:].mean(axis=(0, 1))
    assert top[2] > top[0]  # the gradient is blue above and orange below
    assert bottom[0] > bottom[2]


def test_variable_rate(tmp_path):
    truth = render(replace(SMALL, vfr=True, silent=True), tmp_path / "vfr.mp4")
    _, times = decode(tmp_path / "vfr.mp4")
    np.testing.assert_allclose(times, truth.frame_times_s, atol=1e-3)
    assert len({round(float(step), 3) for step in np.diff(times)}) > 1
    assert set(truth.cuts_s) <= set(truth.frame_times_s)


def test_dissolve_is_no_cut(tmp_path):
    spec = replace(SMALL, shots=(Shot("gradient", 0.5), Shot("solid", 1.0, dissolve_s=0.5)), captions=(), silent=True)
    truth = render(spec, tmp_path / "dissolve.mp4")
    frames, _ = decode(tmp_path / "dissolve.mp4")
    steps = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(frames)]
    assert truth.cuts_s == ()
    assert max(steps) < 0.2 * np.abs(frames[0].astype(int) - frames[-1]).mean()


def test_speech_is_heard_where_its_words_are(tmp_path):
    spec = replace(SMALL, captions=(), tone_hz=None, speech=(Utterance("Call a friend.", 0.6),))
    truth = render(spec, tmp_path / "speech.mp4")
    sound = decode_sound(tmp_path / "speech.mp4")
    assert [word.text for word in truth.words] == ["Call", "a", "friend."]
    assert truth.transcript == "Call a friend."

    def rms(start_s, end_s):
        return float(np.sqrt(np.mean(sound[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)] ** 2)))

    assert rms(0.0, 0.55) < 0.002
    for word in truth.words:
        assert 0.6 <= word.start_s < word.end_s
        assert rms(word.start_s, word.end_s) > 0.03
    assert rms(truth.words[-1].end_s + 0.1, truth.duration_s) < 0.005


def test_audio_only_with_music(tmp_path):
    spec = ClipSpec((), duration_s=2.0, music_bpm=120.0)
    truth = render(spec, tmp_path / "music.mp4")
    with av.open(str(tmp_path / "music.mp4")) as container:
        assert not container.streams.video
    assert truth.beats_s == (0.0, 0.5, 1.0, 1.5)
    loudness = np.abs(compose(spec).samples).reshape(-1, SAMPLE_RATE_HZ // 20).max(axis=1)
    assert {int(i) for i in np.argsort(loudness)[-4:]} == {0, 10, 20, 30}


def test_what_cannot_be_rendered_says_why(tmp_path):
    with pytest.raises(ValueError, match="after the sentence before"):
        render(replace(SMALL, speech=(Utterance("One two three.", 0.0), Utterance("Four.", 0.2))), tmp_path / "x.mp4")
    with pytest.raises(ConfigurationError, match="expected one of hopper"):
        render(replace(SMALL, shots=(Shot("nobody", 1.0),)), tmp_path / "x.mp4")
    with pytest.raises(ValueError, match="vp9 in webm"):
        replace(SMALL, container="webm")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the clip"):
        render(replace(SMALL, silent=True), tmp_path / "file" / "x.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_missing_package_is_named(monkeypatch):
    from rumiai.demo import pictures

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "skimage" else find(name))
    pictures.picture.cache_clear()
    with pytest.raises(ConfigurationError, match="pip install scikit-image"):
        pictures.picture("coffee")


@pytest.mark.parametrize("make", [demo_spec, bench_spec])
def test_the_clips_are_consistent(make):
    spec = make()
    assert all(caption.end_s <= spec.length_s for caption in spec.captions)
    assert compose(spec).words
    for utterance in spec.speech:
        assert " ".join(word.text for word in speech(utterance.text)[1]) == utterance.text
    from rumiai.demo.draw import CaptionPainter

    for caption in spec.captions:
        for line in CaptionPainter(caption, spec.width, spec.height).truth():
            x, y, w, h = line.box
            assert x >= 0.02
            assert y >= 0.02
            assert x + w <= 0.98
            assert y + h <= 0.98


def test_bench_clip_is_the_one_that_the_targets_name():
    spec = bench_spec()
    assert (spec.width, spec.height, spec.fps, spec.length_s) == (720, 1280, 30, 30.0)
