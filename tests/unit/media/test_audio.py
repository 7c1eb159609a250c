"""The sound: on the video's clock, as other decoders hear it, silent where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from rumiai.errors import DecodeError, LimitError, UsageError
from rumiai.media.audio import SAMPLE_RATE_HZ, decode_audio
from rumiai.media.probe import probe
from rumiai.media.shared_frames import SHM_DIR, SharedRegion

MakeClip = Callable[..., Path]
RATE = 48_000


def _clicks(seconds: float, at_s: tuple[float, ...], rate: int = RATE) -> np.ndarray:
    """Short tone bursts in silence."""
    sound = np.zeros(round(seconds * rate))
    burst = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate // 50) / rate)
    for start in at_s:
        sound[round(start * rate) :][: len(burst)] = burst
    return sound


def _onsets_s(samples: np.ndarray) -> list[float]:
    loud = np.flatnonzero(np.abs(samples) > 0.2) / SAMPLE_RATE_HZ
    return [float(t) for i, t in enumerate(loud) if i == 0 or t - loud[i - 1] > 0.1]


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("a.mp4", "aac", 44_100), ("a.mp4", "aac", 8_000), ("a.webm", "libopus", 48_000), ("a.wav", "pcm_s16le", 48_000)],
)
def test_clicks_are_where_they_were(make_clip: MakeClip, name: str, codec: str, rate: int) -> None:
    path = make_clip(
        name=name, frames=0, sound=_clicks(3.0, (0.5, 1.25, 2.6), rate), sound_codec=codec, sound_rate_hz=rate
    )
    info = probe(path)
    track = decode_audio(path, info)
    assert (track.sample_rate_hz, track.offset_s, track.span) == (SAMPLE_RATE_HZ, 0.0, None)
    assert track.samples.dtype == np.float32
    assert not track.samples.flags.writeable
    assert track.duration_s == pytest.approx(3.0, abs=0.07)
    assert track.duration_s <= info.duration_s
    assert _onsets_s(track.samples) == pytest.approx([0.5, 1.25, 2.6], abs=0.02)


def test_as_faster_whisper_hears_it(make_clip: MakeClip) -> None:
    decode = pytest.importorskip("faster_whisper.audio").decode_audio
    path = make_clip(
        sound=_clicks(2.0, (0.3, 1.1)) + np.random.default_rng(0).normal(0, 0.05, RATE * 2), sound_rate_hz=RATE
    )
    ours = decode_audio(path, probe(path)).samples
    theirs = decode(str(path), sampling_rate=SAMPLE_RATE_HZ)[: len(ours)]
    # They go through 16 bit; and AAC in MP4 may begin one rounding apart.
    assert len(theirs) >= len(ours) - 32
    assert np.abs(ours[: len(theirs)] - theirs).max() < 2e-3


def test_sound_that_starts_late_has_silence_before(make_clip: MakeClip) -> None:
    path = make_clip(frames=90, sound=_clicks(2.0, (0.5,)), sound_rate_hz=RATE, sound_start_s=1.0)
    track = decode_audio(path, probe(path))
    assert _onsets_s(track.samples) == pytest.approx([1.5], abs=0.02)
    assert np.abs(track.samples[: SAMPLE_RATE_HZ * 9 // 10]).max() == 0.0


def test_sound_from_before_the_first_picture_is_kept(make_clip: MakeClip) -> None:
    path = make_clip(
        frames=50, times_ms=list(range(1000, 3000, 40)), sound=_clicks(3.0, (0.4, 1.7)), sound_rate_hz=RATE
    )
    track = decode_audio(path, probe(path))
    assert _onsets_s(track.samples) == pytest.approx([0.4, 1.7], abs=0.03)
    assert track.duration_s == pytest.approx(3.0, abs=0.06)


def _stereo(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=SAMPLE_RATE_HZ, layout="stereo")
        samples = np.stack((left, right), axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16), "s16", "stereo")
        frame.sample_rate = SAMPLE_RATE_HZ
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize(("loud", "expected"), [(-1.0, 1.0), (-0.9, 1.0), (-1.1, -1.1)])
def test_of_channels_that_cancel_the_louder_one_is_heard(tmp_path: Path, loud: float, expected: float) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    path = _stereo(tmp_path / "phase.wav", tone, loud * tone)
    heard = decode_audio(path, probe(path)).samples
    assert np.abs(heard[100:-100] - expected * tone[100:-100]).max() < 2e-3


@pytest.mark.parametrize("right", [0.0, 0.3, -0.3])
def test_channels_that_differ_are_averaged(tmp_path: Path, right: float) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    path = _stereo(tmp_path / "mix.wav", tone, right * tone)
    heard = decode_audio(path, probe(path)).samples
    assert np.abs(heard[100:-100] - (1 + right) / 2 * tone[100:-100]).max() < 2e-3


def test_a_gap_is_silence_and_moves_nothing(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(
        name="a.mkv", frames=0, sound=_clicks(4.0, (0.5, 3.5)), sound_codec="pcm_s16le", sound_rate_hz=RATE
    )
    holed = tmp_path / "holed.mkv"
    with av.open(str(path)) as source, av.open(str(holed), "w") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None and not 1.0 < packet.pts * packet.time_base < 3.0:
                packet.stream = stream
                out.mux(packet)
    track = decode_audio(holed, probe(holed))
    assert _onsets_s(track.samples) == pytest.approx([0.5, 3.5], abs=0.02)
    assert track.duration_s == pytest.approx(4.0, abs=0.03)


def test_stereo_becomes_the_mean(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=SAMPLE_RATE_HZ, layout="stereo")
        samples = np.zeros((1, 2 * SAMPLE_RATE_HZ), np.int16)
        samples[0, 0::2] = 16384
        frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
        frame.sample_rate = SAMPLE_RATE_HZ
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    track = decode_audio(path, probe(path))
    assert len(track.samples) == SAMPLE_RATE_HZ
    assert track.samples[1000:-1000] == pytest.approx(0.25, abs=1e-3)


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_f32le", rate=SAMPLE_RATE_HZ, layout="mono")
        samples = np.full((1, SAMPLE_RATE_HZ), 0.5, np.float32)
        samples[0, 100], samples[0, 200], samples[0, 300] = np.nan, np.inf, -9.0
        frame = av.AudioFrame.from_ndarray(samples, "flt", "mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    samples = decode_audio(path, probe(path)).samples
    assert list(samples[[99, 100, 200, 300]]) == [0.5, 0.0, 1.0, -1.0]


def test_shared_memory_holds_the_track(make_clip: MakeClip) -> None:
    path = make_clip(sound=_clicks(2.0, (0.5,)), sound_rate_hz=RATE)
    made: list[SharedRegion] = []

    def make(size_bytes: int) -> SharedRegion:
        made.append(SharedRegion(f"t{os.getpid()}-audio", size_bytes))
        return made[0]

    track = decode_audio(path, probe(path), make)
    assert track.span is not None
    assert (track.span.region, track.span.offset_bytes) == (made[0].region, 0)
    stored = Path(SHM_DIR, track.span.region).read_bytes()[: track.span.size_bytes]
    assert stored == track.samples.tobytes()
    made[0].close()


def test_damaged_sound_is_an_error_and_leaves_no_memory(make_clip: MakeClip) -> None:
    path = make_clip(frames=0, sound=_clicks(4.0, (0.5,)), sound_rate_hz=RATE)
    data = bytearray(path.read_bytes())
    info = probe(path)
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    if end < start:
        end = len(data)
    data[start:end] = np.random.default_rng(0).integers(0, 256, end - start, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    name = f"t{os.getpid()}-damaged"
    with pytest.raises(DecodeError, match="cannot be decoded"):
        decode_audio(path, info, lambda size_bytes: SharedRegion(name, size_bytes))
    assert list(SHM_DIR.glob(f"*{name}")) == []


def test_no_audio_stream(make_clip: MakeClip) -> None:
    path = make_clip()
    with pytest.raises(UsageError, match="no audio stream"):
        decode_audio(path, probe(path))


def test_more_sound_than_declared(make_clip: MakeClip) -> None:
    path = make_clip(frames=0, sound=_clicks(9.0, (0.5,)), sound_rate_hz=RATE)
    with pytest.raises(LimitError, match=r"1\.0 s are declared"):
        decode_audio(path, replace(probe(path), duration_s=1.0))
    with pytest.raises(LimitError, match="took more than 0 s"):
        decode_audio(path, probe(path), deadline_s=0.0)


def test_a_changed_file_is_an_error(make_clip: MakeClip) -> None:
    path = make_clip(sound=_clicks(1.0, (0.5,)), sound_rate_hz=RATE)
    info: Any = probe(path)
    path.write_bytes(b"gone")
    with pytest.raises(DecodeError, match="changed since it was probed"):
        decode_audio(path, info)
