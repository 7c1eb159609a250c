"""Clocks that start again, sizes that change, streams beside the film: what players show is what is analysed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rumiai.errors import DecodeError
from rumiai.media.audio import SAMPLE_RATE_HZ, decode_audio
from rumiai.media.probe import probe
from rumiai.media.streams import choose_streams

from .conftest import Clip, number_in, picture, write_clip
from .test_decode import Seen

MakeClip = Callable[..., Path]
RATE = 44_100


def click(at_s: float, length_s: float) -> np.ndarray:
    samples = np.zeros(round(length_s * RATE))
    samples[round(at_s * RATE) : round(at_s * RATE) + 400] = 0.9
    return samples


def joined(tmp_path: Path, *clips: Clip) -> Path:
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(write_clip(tmp_path, clip).read_bytes() for clip in clips))
    return path


def test_recordings_that_were_joined_follow_one_another(tmp_path: Path) -> None:
    path = joined(
        tmp_path,
        Clip(name="a.ts", frames=60, sound=click(0.5, 2.0)),
        Clip(name="b.ts", frames=90, sound=click(1.0, 3.0), draw=lambda n, w, h, shot: picture(n + 100, w, h, 7)),
    )
    info = probe(path)
    assert info.duration_s == pytest.approx(5.0, abs=0.1)
    seen = Seen(path)
    times, _ = seen.of("sampled")
    numbers = [number_in(image) for image in seen.images[:10]]
    assert times[:10] == pytest.approx([k / 2 for k in range(10)], abs=0.06)
    assert numbers[:4] == [0, 15, 30, 45]
    # The sound of the first part is 40 ms longer than its picture, so 2.0 s is still its last frame.
    assert numbers[4:] == [59, *(pytest.approx(100 + 15 * k, abs=2) for k in range(1, 6))]
    assert (seen.report.frames_corrupt, seen.report.frames_misplaced) == (0, 0)
    detector = Seen(path, scenes=True).detector
    assert detector is not None
    assert detector.cuts[0].time_s == pytest.approx(2.0, abs=0.06)
    samples = decode_audio(path, info).samples
    loud = np.flatnonzero(np.abs(samples) > 0.3) / SAMPLE_RATE_HZ
    assert loud[0] == pytest.approx(0.5, abs=0.05)
    assert loud[loud > 1.0][0] == pytest.approx(3.0, abs=0.08)


def test_one_recording_has_no_break(make_clip: MakeClip) -> None:
    path = make_clip(name="one.ts", options={"preset": "medium"}, sound=click(0.5, 2.0))
    assert probe(path).clock_breaks == ()


def test_a_picture_that_starts_late_stands_where_it_is_shown(make_clip: MakeClip) -> None:
    path = make_clip(frames=50, times_ms=list(range(2000, 4000, 40)), sound=click(0.5, 4.0))
    seen = Seen(path)
    times, _ = seen.of("sampled")
    assert times == pytest.approx([2.0, 2.5, 3.0, 3.5], abs=0.05)
    assert [number_in(image) for image in seen.images] == pytest.approx([0, 12, 25, 37], abs=1)


def test_a_size_that_changes_loses_no_cut_and_squeezes_nothing(tmp_path: Path) -> None:
    wide = Clip(name="a.ts", frames=60)
    tall = Clip(
        name="b.ts", frames=120, size=(96, 160), cuts=(60,), draw=lambda n, w, h, s: picture(n + 100, w, h, s + 3)
    )
    seen = Seen(joined(tmp_path, wide, tall), scenes=True)
    assert seen.detector is not None
    assert [cut.time_s for cut in seen.detector.cuts] == pytest.approx([2.0, 4.0], abs=0.06)
    later = seen.images[-1]
    assert later.shape == (96, 160, 3)
    # 96x160 fits 96 pixels high as 58 wide: black bars of 51 beside it.
    assert later[:, :49].max() <= 20
    assert later[:, -49:].max() <= 20
    assert later[40:, 60:100].min() > 20


def _copy(source: Path, out: av.container.OutputContainer, **disposition: av.stream.Disposition) -> None:
    with av.open(str(source)) as container:
        streams = {s.index: out.add_stream_from_template(s) for s in container.streams}
        for stream in streams.values():
            if stream.type in disposition:
                stream.disposition = disposition[stream.type]
        out.start_encoding()
        for packet in container.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)


def test_a_poster_before_the_film_is_not_the_film(tmp_path: Path) -> None:
    film = write_clip(tmp_path, Clip(frames=60))
    path = tmp_path / "poster.mkv"
    with av.open(str(path), "w") as out:
        poster = out.add_stream("mjpeg", rate=1)
        poster.width, poster.height, poster.pix_fmt = 64, 64, "yuvj420p"
        with av.open(str(film)) as container:
            source = container.streams.video[0]
            video = out.add_stream_from_template(source)
            out.mux(poster.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
            out.mux(poster.encode())
            for packet in container.demux(source):
                if packet.dts is not None:
                    packet.stream = video
                    out.mux(packet)
    info = probe(path)
    assert (info.width, info.height, info.video_codec) == (160, 96, "h264")
    assert info.duration_s == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("second_is_default", [True, False])
def test_the_default_sound_is_heard(tmp_path: Path, second_is_default: bool) -> None:
    path = tmp_path / "two.mkv"
    default = av.stream.Disposition.default
    with av.open(str(path), "w") as out:
        tracks = [out.add_stream("pcm_s16le", rate=SAMPLE_RATE_HZ, layout="mono") for _ in range(2)]
        for track, is_default in zip(tracks, (not second_is_default, second_is_default), strict=True):
            track.disposition = default if is_default else av.stream.Disposition(0)
        for track, level in zip(tracks, (1000, 9000), strict=True):
            frame = av.AudioFrame.from_ndarray(np.full((1, SAMPLE_RATE_HZ), level, np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
            out.mux(track.encode(frame))
            out.mux(track.encode())
    info = probe(path)
    level = decode_audio(path, info).samples[1000:-1000].mean() * 32768
    assert level == pytest.approx(9000 if second_is_default else 1000, rel=0.01)
    with av.open(str(path)) as container:
        assert choose_streams(path, container).audio == info.audio_stream == int(second_is_default)


def test_twice_the_same_time_is_not_called_damage(tmp_path: Path) -> None:
    film = write_clip(tmp_path, Clip(frames=60, options={"preset": "ultrafast", "bf": "0"}))
    path = tmp_path / "twice.mkv"
    with av.open(str(film)) as container, av.open(str(path), "w") as out:
        source = container.streams.video[0]
        video = out.add_stream_from_template(source)
        for number, packet in enumerate(container.demux(source)):
            if packet.dts is not None:
                packet.pts = packet.dts = round(Fraction(number // 2 * 2, 30) / packet.time_base)
                packet.stream = video
                out.mux(packet)
    with av.open(str(path)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.size]
    report = Seen(path).report
    assert (len(times), len(set(times))) == (60, 30)
    assert (report.frames_decoded, report.frames_corrupt, report.frames_misplaced) == (30, 0, 30)


def test_unknown_sound_costs_the_sound_alone(tmp_path: Path) -> None:
    path = write_clip(tmp_path, Clip(name="sound.mov", sound=click(0.5, 2.0)))
    data = bytearray(path.read_bytes())
    entry = data.index(b"mp4a")
    data[entry : entry + 4] = b"apac"
    at = data.index(b"esds", entry)
    data[at : at + 4] = b"dapa"
    path.write_bytes(data)
    info = probe(path)
    assert (info.has_video, info.has_audio, info.audio_stream) == (True, True, None)
    assert info.audio_problem is not None
    with pytest.raises(DecodeError, match="not known to this build of FFmpeg"):
        decode_audio(path, info)
    assert len(Seen(path).images) == 4


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "pcm_s24be"), ("b.mov", "adpcm_ima_qt")])
def test_any_sound_that_ffmpeg_decodes_is_heard(make_clip: MakeClip, name: str, codec: str) -> None:
    path = make_clip(name=name, sound=click(0.5, 2.0), sound_codec=codec)
    loud = np.flatnonzero(np.abs(decode_audio(path, probe(path)).samples) > 0.3) / SAMPLE_RATE_HZ
    assert loud[0] == pytest.approx(0.5, abs=0.02)
