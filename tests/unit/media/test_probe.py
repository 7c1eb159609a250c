"""What is let in, what is refused and with which words, and the facts of files of every kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from rumiai.contracts.frames import VideoInfo
from rumiai.errors import ContractError, LimitError, ProbeError
from rumiai.media.probe import MediaLimits, probe, sampling_for

MakeClip = Callable[..., Path]
TONE = np.sin(np.arange(44_100 * 2) / 20) * 0.3


def test_h264_and_aac_in_mp4(make_clip: MakeClip) -> None:
    path = make_clip(sound=TONE)
    info = probe(path)
    assert info.duration_s == pytest.approx(2.0, abs=0.03)
    assert info == VideoInfo(
        path=str(path),
        size_bytes=path.stat().st_size,
        container="mov,mp4,m4a,3gp,3g2,mj2",
        duration_s=info.duration_s,
        has_video=True,
        has_audio=True,
        width=160,
        height=96,
        fps=30.0,
        rotation_deg=0,
        frames_declared=60,
        video_codec="h264",
        pixel_format="yuv420p",
        hdr=False,
        audio_codec="aac",
        audio_sample_rate_hz=44_100,
        video_stream=info.video_stream,
        audio_stream=info.audio_stream,
        declared_s=info.duration_s,
    )
    assert {info.video_stream, info.audio_stream} == {0, 1}


def test_vp9_and_opus_in_webm(make_clip: MakeClip) -> None:
    info = probe(
        make_clip(
            name="clip.webm",
            codec="libvpx-vp9",
            options={"deadline": "realtime", "cpu-used": "8"},
            sound=TONE[:48_000],
            sound_codec="libopus",
            sound_rate_hz=48_000,
        )
    )
    assert (info.video_codec, info.audio_codec, info.frames_declared) == ("vp9", "opus", None)
    assert info.duration_s == pytest.approx(2.0, abs=0.03)
    assert info.fps == pytest.approx(30.0, abs=0.01)


def test_silent_video(make_clip: MakeClip) -> None:
    info = probe(make_clip())
    assert (info.has_video, info.has_audio, info.audio_codec, info.audio_sample_rate_hz) == (True, False, None, None)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.m4a", "aac"), ("a.mp3", "libmp3lame"), ("a.wav", "pcm_s16le"), ("a.ogg", "libopus")]
)
def test_audio_only(make_clip: MakeClip, name: str, codec: str) -> None:
    rate = 48_000
    info = probe(make_clip(name=name, frames=0, sound=np.zeros(rate), sound_codec=codec, sound_rate_hz=rate))
    assert (info.has_video, info.width, info.height, info.fps, info.video_codec) == (False, 0, 0, 0.0, None)
    assert info.has_audio
    assert info.duration_s == pytest.approx(1.0, abs=0.06)
    with pytest.raises(ContractError, match="no video stream"):
        sampling_for(info, 2.0)


def test_cover_art_is_no_video(make_clip: MakeClip) -> None:
    path = make_clip(name="song.m4a", frames=0, sound=TONE)
    with av.open(str(path)) as source, av.open(str(path.with_name("cover.mp4")), "w") as out:
        audio = out.add_stream_from_template(source.streams.audio[0])
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = audio
                out.mux(packet)
        out.mux(cover.encode())
    with av.open(str(path.with_name("cover.mp4"))) as check:
        assert len(check.streams.video) == 1
    info = probe(path.with_name("cover.mp4"))
    assert (info.has_video, info.has_audio) == (False, True)


@pytest.mark.parametrize(
    ("ccw", "clockwise", "size"), [(90, 270, (96, 160)), (180, 180, (160, 96)), (-90, 90, (96, 160))]
)
def test_rotation(make_clip: MakeClip, ccw: int, clockwise: int, size: tuple[int, int]) -> None:
    info = probe(make_clip(rotation_ccw=ccw, frames=2))
    assert (info.rotation_deg, (info.width, info.height)) == (clockwise, size)


def test_pixel_aspect(make_clip: MakeClip) -> None:
    info = probe(make_clip(pixel_aspect=Fraction(4, 3), frames=2))
    assert (info.width, info.height) == (213, 96)
    turned = probe(make_clip(pixel_aspect=Fraction(4, 3), frames=2, rotation_ccw=90))
    assert (turned.width, turned.height) == (96, 213)
    with pytest.raises(LimitError, match="sample aspect ratio of 20"):
        probe(make_clip(pixel_aspect=Fraction(20), frames=2))


def test_ten_bit(make_clip: MakeClip) -> None:
    assert probe(make_clip(pixel_format="yuv420p10le", frames=2)).pixel_format == "yuv420p10le"


def test_missing_duration_is_measured(make_clip: MakeClip) -> None:
    # A live recording: Matroska without a duration in its header.
    path = make_clip(name="live.mkv", container_options={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
    assert probe(path).duration_s == pytest.approx(2.0, abs=0.04)
    with pytest.raises(LimitError, match="the limit is 1 s"):
        probe(path, MediaLimits(max_duration_s=1.0))
    with pytest.raises(LimitError, match="packets"):
        probe(path, MediaLimits(max_frames=10))


def test_a_video_whose_sound_starts_earlier_is_timed_from_the_sound(make_clip: MakeClip) -> None:
    times_ms = list(range(1000, 3000, 40))
    info = probe(make_clip(frames=50, times_ms=times_ms, sound=np.zeros(44_100 * 3)))
    assert info.duration_s == pytest.approx(3.0, abs=0.06)


def test_a_late_video_without_sound_is_timed_from_its_first_picture(make_clip: MakeClip) -> None:
    info = probe(make_clip(frames=50, times_ms=list(range(1000, 3000, 40)), name="late.mkv"))
    assert info.duration_s == pytest.approx(2.0, abs=0.06)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_duration_s": 1.9}, r"has 2.0 s, the limit is 1.9 s \(MAX_VIDEO_DURATION\)"),
        ({"max_size_bytes": 1000}, r"MiB, the limit is 0.0 MiB"),
        ({"max_frames": 59}, "60 frames, the limit is 59"),
        ({"max_streams": 1}, "2 streams, the limit is 1"),
        ({"max_pixels": 160 * 96 - 1}, "160x96 pixels, the limit is 15359"),
        ({"max_pixels_per_s": 160 * 96 * 29.0}, r"has 0 million pixels a second, the limit is 0 million"),
    ],
)
def test_limits(make_clip: MakeClip, limits: dict[str, Any], message: str) -> None:
    path = make_clip(sound=TONE)
    with pytest.raises(LimitError, match=message):
        probe(path, MediaLimits(**limits))


def test_endless_duration_is_refused(make_clip: MakeClip) -> None:
    path = make_clip()
    data = bytearray(path.read_bytes())
    # Offsets from the name of each MP4 box: durations of movie, media, track and edit, and of every frame.
    for box, offset in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24), (b"elst", 12), (b"stts", 16)):
        at = data.index(box) + offset
        data[at : at + 4] = (2**26).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(LimitError, match="MAX_VIDEO_DURATION"):
        probe(path)


def test_nothing_to_play(tmp_path: Path, make_clip: MakeClip) -> None:
    subtitles = tmp_path / "sub.mkv"
    with av.open(str(subtitles), "w") as out:
        stream = out.add_stream("ass")
        stream.codec_context.subtitle_header = b"[Script Info]\n"
        out.start_encoding()
    with pytest.raises(ProbeError, match=r"neither a video nor an audio stream|no video or audio file"):
        probe(subtitles)


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"not a video at all\n" * 100, bytes(range(256)) * 64])
def test_garbage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.mp4"
    path.write_bytes(content)
    with pytest.raises(ProbeError, match=r"garbage\.mp4 is (empty|no video or audio file)"):
        probe(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile '{clip}'\n"),
        ("session.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    ],
)
def test_files_that_point_to_others_are_refused(make_clip: MakeClip, tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content.format(clip=make_clip()))
    with pytest.raises(ProbeError, match="no video or audio file"):
        probe(path)


def test_names_are_never_protocols(make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip()
    for name in ("concat:a|b.mp4", "-i.mp4", "%03d.mp4", "pipe:0"):
        clip = clip.rename(tmp_path / name)
        monkeypatch.chdir(tmp_path)
        assert probe(Path(name)).has_video


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "missing.mp4", tmp_path, tmp_path / "pipe.mp4", Path("a\0b")):
        with pytest.raises(ProbeError):
            probe(path)


def test_codecs_are_an_allow_list(make_clip: MakeClip) -> None:
    with pytest.raises(ProbeError, match="video codec ffv1, expected one of av1"):
        probe(make_clip(name="a.mkv", codec="ffv1", options={}, frames=2))


def _info(duration_s: float, fps: float) -> VideoInfo:
    return VideoInfo("v.mp4", 1, "mp4", duration_s, True, False, width=90, height=160, fps=fps)


@pytest.mark.parametrize(
    ("duration_s", "fps", "sample_fps", "expected"),
    [
        (10.0, 30.0, 2.0, (2.0, 20)),
        (10.001, 30.0, 2.0, (2.0, 21)),
        (79.9, 29.97, 2.0, (2.0, 160)),
        (10.0, 1.5, 2.0, (1.5, 15)),
        (0.04, 25.0, 2.0, (2.0, 1)),
        (0.0, 25.0, 2.0, (2.0, 1)),
        (3.0, 0.0, 2.0, (2.0, 6)),
        (1.1, 30.0, 10.0, (10.0, 11)),
        (0.7, 30.0, 10.0, (10.0, 7)),
    ],
)
def test_sampling_grid(duration_s: float, fps: float, sample_fps: float, expected: tuple[float, int]) -> None:
    sampling = sampling_for(_info(duration_s, fps), sample_fps)
    assert (sampling.sample_fps, sampling.frames_expected) == expected
    assert (sampling.width, sampling.height, sampling.fps, sampling.duration_s) == (90, 160, fps, duration_s)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_sampling_rates_that_are_none(rate: float) -> None:
    with pytest.raises(ContractError, match="expected a number above 0"):
        sampling_for(_info(1.0, 30.0), rate)
