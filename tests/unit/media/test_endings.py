"""Files that were cut off say so, in every container whose header tells how long they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rumiai.media.audio import decode_audio
from rumiai.media.endings import SoundEnd, losses
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
    return losses(info, Seen(path).report, sound)


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
