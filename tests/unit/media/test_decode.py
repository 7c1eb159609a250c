"""The one pass: which frames, at which times, in which colours; and what a hostile file can do to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from rumiai.contracts.frames import FrameBatch
from rumiai.errors import DecodeError, LimitError, ProbeError, RumiAIError, UsageError
from rumiai.media.decode import DecodeReport, VideoPass, slot_bytes_for
from rumiai.media.pixels import BgrFrames
from rumiai.media.probe import MediaLimits, probe, sampling_for
from rumiai.media.scenes import StreamingSceneDetector
from rumiai.media.shared_frames import FrameArena

MakeClip = Callable[..., Path]


class Seen:
    """All that a pass gave out, copied."""

    def __init__(self, path: Path, *, sample_fps: float = 2.0, scenes: bool = False, **settings: Any) -> None:
        self.info = probe(path)
        self.sampling = sampling_for(self.info, sample_fps)
        self.detector = StreamingSceneDetector(self.info.fps) if scenes else None
        side, per_batch = settings.get("max_side_px", 1280), settings.get("frames_per_batch", 8)
        size = slot_bytes_for(self.info, max_side_px=side, frames_per_batch=per_batch)
        self.batches: list[FrameBatch] = []
        self.images: list[np.ndarray] = []
        with FrameArena("test-decode", slots=2, slot_bytes=size) as arena:
            video = VideoPass(
                path,
                self.info,
                self.sampling,
                arena,
                readers={"sampled": 2, "after_cut": 1},
                scene_detector=self.detector,
                **settings,
            )
            for batch in video:
                self.batches.append(batch)
                self.images += list(np.array(batch.images))
                for _ in range(2 if batch.kind == "sampled" else 1):
                    batch.release()
            self.free_slots = arena.free_slots
            self.report: DecodeReport = video.report

    def of(self, kind: str) -> tuple[list[float], list[int]]:
        times = [float(t) for b in self.batches if b.kind == kind for t in b.timestamps_s]
        return times, [int(n) for b in self.batches if b.kind == kind for n in b.frame_numbers]


def test_the_frames_shown_at_29_97_fps_cover_the_tail(make_clip: MakeClip, read_number: Callable[..., int]) -> None:
    rate = Fraction(30000, 1001)
    seen = Seen(make_clip(fps=rate, frames=100), sample_fps=5.0)
    times, numbers = seen.of("sampled")
    # Duration 100 / 29.97 = 3.3367 s: instants 0, 0.2 .. 3.2.
    assert seen.sampling.frames_expected == 17
    expected = [math.floor((k / 5 + 0.0006) * float(rate)) for k in range(17)]
    assert numbers == expected
    assert times == pytest.approx([n / rate for n in expected], abs=1e-6)
    assert [read_number(image) for image in seen.images] == expected
    assert seen.report.frames_decoded == 100
    assert seen.report.frames_corrupt == 0
    assert seen.report.complete
    assert seen.report.duration_s == pytest.approx(100 / rate, abs=1e-3)
    assert seen.report.sampled_timestamps_s == tuple(times)
    assert seen.free_slots == 2


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        ("clip.mkv", "libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}),
        ("clip.mp4", "mpeg4", {"qscale": "2"}),
        ("clip.mp4", "libsvtav1", {"preset": "12"}),
    ],
)
def test_other_codecs(
    make_clip: MakeClip, read_number: Callable[..., int], name: str, codec: str, options: dict[str, str]
) -> None:
    seen = Seen(make_clip(name=name, codec=codec, options=options))
    assert seen.of("sampled") == (pytest.approx([0.0, 0.5, 1.0, 1.5], abs=2e-3), [0, 15, 30, 45])
    assert [read_number(image) for image in seen.images] == [0, 15, 30, 45]


def test_variable_frame_rate_is_sampled_by_time(make_clip: MakeClip, read_number: Callable[..., int]) -> None:
    # 1 s at 10 fps, 1 s at 50 fps, then one picture on show for 2 s, then 10 fps again.
    times_ms = [*range(0, 1000, 100), *range(1000, 2000, 20), *range(4000, 5000, 100)]
    seen = Seen(make_clip(frames=len(times_ms), times_ms=times_ms))
    times, numbers = seen.of("sampled")
    # From 1.98 s on the picture stands still: 2.0 is within half a step of it, 2.5 .. 3.5 see it held.
    assert times == pytest.approx([0.0, 0.5, 1.0, 1.5, 1.98, 2.5, 3.0, 3.5, 4.0, 4.5])
    assert numbers == [0, 5, 10, 35, 59, 59, 59, 59, 60, 65]
    assert [read_number(image) for image in seen.images] == numbers


def test_reordered_pictures_in_avi(make_clip: MakeClip, read_number: Callable[..., int]) -> None:
    # B-frames in a container without presentation times.
    seen = Seen(make_clip(name="clip.avi", options={"preset": "medium"}))
    assert [read_number(image) for image in seen.images][:4] == [0, 15, 30, 45]
    assert seen.of("sampled")[0][:4] == pytest.approx([0.0, 0.5, 1.0, 1.5])
    assert (seen.report.frames_decoded, seen.report.frames_corrupt) == (60, 0)


@pytest.mark.parametrize("name", ["clip.ts", "clip.mov", "clip.flv"])
def test_other_containers(make_clip: MakeClip, read_number: Callable[..., int], name: str) -> None:
    seen = Seen(make_clip(name=name, options={"preset": "medium"}))
    assert [read_number(image) for image in seen.images][:4] == [0, 15, 30, 45]
    assert seen.of("sampled")[0][:4] == pytest.approx([0.0, 0.5, 1.0, 1.5])


def test_a_source_slower_than_the_sampling_rate_gives_each_frame_once(make_clip: MakeClip) -> None:
    seen = Seen(make_clip(fps=Fraction(1), frames=5))
    assert seen.sampling.sample_fps == pytest.approx(1.0)
    assert seen.of("sampled") == ([0.0, 1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3, 4])


def test_one_frame(make_clip: MakeClip) -> None:
    seen = Seen(make_clip(frames=1), scenes=True)
    assert seen.of("sampled") == ([0.0], [0])
    assert seen.detector is not None
    assert seen.detector.finish(seen.info.duration_s).total_scenes == 1


@pytest.mark.parametrize("quarter_turns_ccw", [1, 2, 3])
def test_rotation_is_applied(make_clip: MakeClip, read_number: Callable[..., int], quarter_turns_ccw: int) -> None:
    degrees = {1: 90, 2: 180, 3: -90}[quarter_turns_ccw]
    seen = Seen(make_clip(rotation_ccw=degrees))
    coded = [np.rot90(image, -quarter_turns_ccw) for image in seen.images]
    assert coded[0].shape == (96, 160, 3)
    assert [read_number(image) for image in coded] == [0, 15, 30, 45]
    assert (seen.info.width, seen.info.height) == ((160, 96) if degrees == 180 else (96, 160))


def test_pixel_aspect_and_size_limit(make_clip: MakeClip, read_number: Callable[..., int]) -> None:
    path = make_clip(pixel_aspect=Fraction(3, 2))
    assert Seen(path).images[0].shape == (96, 240, 3)
    small = Seen(path, max_side_px=120)
    assert small.images[0].shape == (48, 120, 3)
    assert [read_number(image) for image in small.images] == [0, 15, 30, 45]


def test_odd_sizes(make_clip: MakeClip, read_number: Callable[..., int]) -> None:
    seen = Seen(make_clip(size=(161, 97), pixel_format="yuv444p"))
    assert seen.images[0].shape == (97, 161, 3)
    assert [read_number(image) for image in seen.images] == [0, 15, 30, 45]


def _flat(colour: tuple[int, int, int]) -> Callable[[int, int, int, int], np.ndarray]:
    return lambda number, width, height, shot: np.full((height, width, 3), colour, np.uint8)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"colour": {"colorspace": 1, "color_range": 1}},
        {"pixel_format": "yuvj420p"},
        {"pixel_format": "yuv420p10le"},
        {"pixel_format": "yuv420p10le", "codec": "libx265", "options": {"x265-params": "log-level=none"}},
    ],
    ids=["bt601", "bt709", "full-range", "10-bit", "hevc-10-bit"],
)
def test_colours_are_those_that_went_in(make_clip: MakeClip, settings: dict[str, Any]) -> None:
    colour = (200, 60, 30)
    seen = Seen(make_clip(draw=_flat(colour), frames=3, **settings))
    assert np.abs(seen.images[0].astype(int) - colour).max() <= 4


@pytest.mark.parametrize(("color_range", "grey"), [(ColorRange.MPEG, 28), (ColorRange.JPEG, 40)])
def test_the_scene_detector_sees_full_range_from_nvdec_as_from_software(color_range: int, grey: int) -> None:
    # NVDEC gives nv12 whatever the range. Luma 40 is 40 in full range, and (40 - 16) * 255 / 219 = 28 in limited.
    planes = np.concatenate([np.full((64, 64), 40, np.uint8), np.full((32, 64), 128, np.uint8)])
    frame = av.VideoFrame.from_ndarray(planes, "nv12")
    frame.color_range = color_range
    assert np.abs(BgrFrames().read(frame).astype(int) - grey).max() <= 2


def test_hdr_is_converted_by_its_own_matrix(make_clip: MakeClip) -> None:
    # BT.2020 (9) and PQ (16) tags on known Y'CbCr: the expected RGB is the matrix of ITU-R BT.2020 by hand.
    luma, blue, red = 100, 110, 160

    def write(path: Path) -> None:
        with av.open(str(path), "w") as out:
            video = out.add_stream("libx265", rate=30, options={"x265-params": "log-level=none:qp=4"})
            video.width, video.height, video.pix_fmt = 64, 64, "yuv420p10le"
            context = video.codec_context
            context.colorspace, context.color_trc, context.color_primaries, context.color_range = 9, 16, 9, 1
            for i in range(2):
                planes = [np.full((64, 64), luma * 4, "<u2"), np.full((16, 64), blue * 4, "<u2")]
                planes.append(np.full((16, 64), red * 4, "<u2"))
                frame = av.VideoFrame.from_ndarray(np.concatenate(planes), "yuv420p10le")
                frame.pts, frame.colorspace, frame.color_range = i, 9, 1
                out.mux(video.encode(frame))
            out.mux(video.encode())

    path = make_clip(frames=1).with_name("hdr.mp4")
    write(path)
    y, cb, cr = (luma - 16) / 219, (blue - 128) / 224, (red - 128) / 224
    rgb = (y + 1.4746 * cr, y - 0.16455 * cb - 0.57135 * cr, y + 1.8814 * cb)
    seen = Seen(path)
    assert seen.info.hdr
    assert seen.images[0].mean(axis=(0, 1)) == pytest.approx([255 * c for c in rgb], abs=2.5)


def test_frames_are_opencvs_frames(make_clip: MakeClip) -> None:
    path = make_clip(cuts=(20, 40))
    capture = cv2.VideoCapture(str(path))
    theirs = [capture.read()[1][..., ::-1] for _ in range(60)]
    capture.release()
    seen = Seen(path)
    for image, number in zip(seen.images, seen.of("sampled")[1], strict=True):
        np.testing.assert_array_equal(image, theirs[number])


def test_after_cut_frames_unless_a_sample_shows_the_shot(make_clip: MakeClip, read_number: Callable[..., int]) -> None:
    # Samples at 0, 15, 30, 45 ...; a step is 15 frames. Cut at 20: next sample 10 frames later, more than half a step.
    # Cut at 55: sample 5 frames later shows the shot. Cut at 75: is itself a sample.
    seen = Seen(make_clip(frames=90, cuts=(20, 55, 75)), scenes=True)
    assert seen.detector is not None
    assert [cut.frame_number for cut in seen.detector.cuts] == [20, 55, 75]
    times, numbers = seen.of("after_cut")
    assert numbers == [20]
    assert times == pytest.approx([20 / 30])
    assert seen.report.after_cut_timestamps_s == tuple(times)
    extra = [i for i, b in enumerate(seen.batches) if b.kind == "after_cut"]
    assert read_number(seen.images[sum(len(b) for b in seen.batches[: extra[0]])]) == 20


def test_batches_are_views_of_the_slots(make_clip: MakeClip) -> None:
    path = make_clip(frames=300)
    info = probe(path)
    size = slot_bytes_for(info, max_side_px=1280, frames_per_batch=8)
    with FrameArena("test-view", slots=2, slot_bytes=size) as arena:
        video = VideoPass(path, info, sampling_for(info, 2.0), arena, readers={"sampled": 1, "after_cut": 1})
        with pytest.raises(UsageError, match="not been decoded"):
            _ = video.report
        lengths = []
        for batch in video:
            assert not batch.images.flags.writeable
            shared = Path("/dev/shm", batch.span.key.lstrip("/")).read_bytes()
            span = shared[batch.span.offset_bytes : batch.span.offset_bytes + batch.span.size_bytes]
            assert span == batch.images.tobytes()
            lengths.append(len(batch))
            batch.release()
        assert lengths == [8, 8, 4]
        with pytest.raises(UsageError, match="once"):
            next(iter(video))


def test_a_reader_that_never_releases_stops_the_pass(make_clip: MakeClip) -> None:
    path = make_clip(frames=300)
    info = probe(path)
    size = slot_bytes_for(info, max_side_px=1280, frames_per_batch=2)
    with FrameArena("test-slow", slots=2, slot_bytes=size) as arena:
        video = VideoPass(path, info, sampling_for(info, 2.0), arena, frames_per_batch=2, slot_timeout_s=0.05)
        batches = []
        with pytest.raises(RumiAIError, match="no frame slot became free"):
            batches += iter(video)
        assert arena.free_slots == 0


def test_a_given_up_pass_frees_its_slot(make_clip: MakeClip) -> None:
    path = make_clip(frames=300)
    info = probe(path)
    size = slot_bytes_for(info, max_side_px=1280, frames_per_batch=2)
    with FrameArena("test-stop", slots=2, slot_bytes=size) as arena:
        video = VideoPass(
            path, info, sampling_for(info, 2.0), arena, frames_per_batch=2, readers={"sampled": 3, "after_cut": 1}
        )
        passing = iter(video)
        batch = next(passing)
        passing.close()  # type: ignore[attr-defined]
        for _ in range(3):
            batch.release()
        assert arena.free_slots == 2


def test_arena_must_fit(make_clip: MakeClip) -> None:
    path = make_clip()
    info = probe(path)
    with FrameArena("test-fit", slots=2, slot_bytes=1000) as arena, pytest.raises(UsageError, match="slots of 1000"):
        VideoPass(path, info, sampling_for(info, 2.0), arena)


def test_truncated_file_gives_what_there_is(make_clip: MakeClip) -> None:
    path = make_clip(
        frames=300, options={"preset": "ultrafast", "g": "15"}, container_options={"movflags": "faststart"}
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    seen = Seen(path, scenes=True)
    times, numbers = seen.of("sampled")
    assert seen.info.duration_s == 10.0
    assert seen.report.complete is False
    assert 100 < seen.report.frames_decoded < 250
    # Nothing is claimed of the part that is missing.
    assert times[-1] <= seen.report.duration_s
    assert len(times) < seen.sampling.frames_expected
    assert numbers[:-1] == [15 * k for k in range(len(numbers) - 1)]


def test_last_picture_is_held_while_the_sound_goes_on(make_clip: MakeClip) -> None:
    sound = np.sin(np.arange(44_100 * 4) / 10) * 0.1
    seen = Seen(make_clip(frames=60, sound=sound))
    times, numbers = seen.of("sampled")
    assert seen.info.duration_s == pytest.approx(4.0, abs=0.05)
    assert seen.report.complete
    assert times == pytest.approx([0, 0.5, 1.0, 1.5, 59 / 30, 2.5, 3.0, 3.5], abs=0.02)
    assert numbers[4:] == [59] * 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limits": MediaLimits(max_frames=50)}, "more than 50 frames"),
        ({"deadline_s": 0.0}, "took more than 0 s"),
        # 30 frames a second, where 10 are allowed: after half a second the second of slack is used up.
        ({"limits": MediaLimits(max_pixels_per_s=160 * 96 * 10.0)}, r"million pixels in 0\.[45] s, expected"),
    ],
)
def test_limits_while_decoding(make_clip: MakeClip, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(LimitError, match=message):
        Seen(make_clip(frames=60), **settings)


def frames_that_last(path: Path, ticks: int) -> Path:
    """An MP4 whose header keeps its 2 s while every frame lasts so long, and no edit list cuts them off."""
    data = bytearray(path.read_bytes())
    at = data.index(b"stts") + 16
    data[at : at + 4] = ticks.to_bytes(4, "big")
    at = data.index(b"edts")
    data[at : at + 4] = b"free"
    path.write_bytes(data)
    return path


def test_frames_that_last_for_hours_are_one_clear_line(make_clip: MakeClip) -> None:
    with pytest.raises(ProbeError, match=r"declares 5\.7e-05 frames a second, not one in its 2\.0 s"):
        probe(frames_that_last(make_clip(), 2**28))


def test_a_stream_that_is_longer_than_declared(make_clip: MakeClip) -> None:
    path = frames_that_last(make_clip(), 2 * 15_360)
    assert probe(path).duration_s == 2.0
    with pytest.raises(LimitError, match=r"a frame at \d+\.\d s, expected 2\.0 s"):
        Seen(path)


def test_unknown_device_is_an_error(make_clip: MakeClip) -> None:
    # No such device type in any build, so this holds on machines with and without a GPU.
    with pytest.raises(DecodeError, match="abacus"):
        Seen(make_clip(), hwaccel="abacus")
