"""Files that were cut off say so, in every container whose header tells how long they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from rumiai.media.audio import decode_audio
from rumiai.media.endings import PictureEnd, SoundEnd, losses
from rumiai.media.probe import probe

from .test_decode import Seen

MakeClip = Callable[..., Path]
X264 = {"preset": "ultrafast", "g": "15"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "g": "15"}
CONTAINERS = [
    ("a.mp4", "libx264", X264, "aac", {"movflags": "faststart"}),
    ("a.mkv", "libx264", X264, "aac", {}),
    ("a.webm", "libvpx-vp9", VP9, "libopus", {}),
    ("a.avi", "mpeg4", {"g": "15"}, "mp3", {}),
    ("a.flv", "libx264", X264, "aac", {}),
]


def told(path: Path) -> list[str]:
    info = probe(path)
    sound = SoundEnd.of(decode_audio(path, info)) if info.has_audio else None
    return losses(info, PictureEnd.of(Seen(path).report), sound)


def clip(make_clip: MakeClip, container: tuple, *, silent: bool) -> Path:
    name, codec, options, sound_codec, container_options = container
    rate = 48_000 if sound_codec == "libopus" else 44_100
    sound = None if silent else 0.3 * np.sin(np.arange(rate * 10) * 0.06)
    return make_clip(
        name=name,
        codec=codec,
        frames=300,
        options=options,
        sound=sound,
        sound_codec=sound_codec,
        sound_rate_hz=rate,
        container_options=container_options,
    )


@pytest.mark.parametrize("silent", [False, True], ids=["sound", "silent"])
@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container[0])
def test_a_whole_file_loses_nothing(make_clip: MakeClip, container: tuple, silent: bool) -> None:
    assert told(clip(make_clip, container, silent=silent)) == []


@pytest.mark.parametrize("silent", [False, True], ids=["sound", "silent"])
@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container[0])
def test_a_file_that_was_cut_off_breaks_off(make_clip: MakeClip, container: tuple, share: float, silent: bool) -> None:
    path = clip(make_clip, container, silent=silent)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    said = told(path)
    assert any("breaks off at" in line for line in said), said
    end_s = float(said[0].split(" at ")[1].split(" s ")[0])
    assert end_s < 9.6


def test_a_picture_that_ends_before_the_sound_is_whole(make_clip: MakeClip) -> None:
    path = make_clip(frames=60, sound=0.3 * np.sin(np.arange(44_100 * 4) * 0.06))
    assert told(path) == []


def test_sound_alone_that_ends_early_is_told(make_clip: MakeClip) -> None:
    info = probe(make_clip(frames=60, sound=np.zeros(44_100 * 2)))
    assert losses(info, None, SoundEnd(1.0, 2.0)) == ["the sound breaks off at 1.00 s of 2.00 s"]


def test_damaged_sound_is_told_where_no_header_declares_its_end(make_clip: MakeClip) -> None:
    path = make_clip(name="a.ts", frames=60, sound=0.3 * np.sin(np.arange(44_100 * 2) * 0.06))
    assert told(path) == []
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(audio=0) if packet.size]
    at = data.index(bytes(packets[len(packets) // 2])[:40])
    data[at + 7 : at + 40] = bytes(33)  # what stands behind the header of its first frame
    path.write_bytes(data)
    assert any(line.endswith("of the sound are damaged: they are silent") for line in told(path))


def test_the_last_frames_keep_their_times_at_a_variable_frame_rate(make_clip: MakeClip) -> None:
    # The decoder holds frames back until the end of the file; the last two stand 1.5 s apart.
    times_ms = [*range(0, 1000, 40), 2500, 4000]
    path = make_clip(frames=len(times_ms), times_ms=times_ms, options={"preset": "ultrafast", "g": "5"})
    seen = Seen(path)
    assert seen.of("sampled")[0][-1] == pytest.approx(4.0, abs=0.01)
    assert seen.report.duration_s >= 4.0
    assert losses(seen.info, PictureEnd.of(seen.report), None) == []


def test_an_edit_list_that_hides_frames_loses_nothing(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(frames=120, options={"preset": "ultrafast", "bf": "0", "g": "120"})
    hidden = tmp_path / "hidden.mp4"
    with av.open(str(path)) as source, av.open(str(hidden), "w") as out:
        video = source.streams.video[0]
        stream = out.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is not None:
                # Times below zero: the muxer writes an edit list that starts after them.
                packet.pts -= round(1.1 / packet.time_base)
                packet.dts -= round(1.1 / packet.time_base)
                packet.stream = stream
                out.mux(packet)
    with av.open(str(hidden)) as check:
        assert check.streams.video[0].frames == 120
    seen = Seen(hidden)
    assert seen.report.frames_decoded < 100
    assert losses(seen.info, PictureEnd.of(seen.report), None) == []
