"""Damaged files, by the hundred: an error of ours or a result, in time, with the process alive."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MakeClip = Callable[..., Path]
# Generous for a loaded machine; a file of two seconds that takes longer hangs.
TIMEOUT_S = 120
MUTATIONS = 30

# Runs in a process of its own: a decoder that crashes must not take the tests with it, and must be seen. FFmpeg's
# messages stay off, as they are in the product: PyAV's own callback for them takes the GIL in a decoder's thread, for
# which a context that is being freed waits with the GIL held.
SCRIPT = """
import json, sys
from pathlib import Path
from rumiai.errors import MediaError
from rumiai.media.audio import decode_audio
from rumiai.media.decode import VideoPass, slot_bytes_for
from rumiai.media.probe import probe, sampling_for
from rumiai.media.scenes import StreamingSceneDetector
from rumiai.media.shared_frames import FrameArena

for name in sys.argv[1:]:
    path, seen = Path(name), {}
    try:
        info = probe(path)
        seen["duration_s"] = info.duration_s
        if info.has_video:
            size = slot_bytes_for(info, max_side_px=160, frames_per_batch=4)
            detector, times = StreamingSceneDetector(info.fps), []
            with FrameArena("hostile", slots=2, slot_bytes=size) as arena:
                video = VideoPass(
                    path, info, sampling_for(info, 2.0), arena, max_side_px=160, frames_per_batch=4,
                    readers={"sampled": 1, "after_cut": 1}, scene_detector=detector, deadline_s=20,
                )
                for batch in video:
                    times += batch.timestamps_s.tolist() if batch.kind == "sampled" else []
                    batch.release()
            seen["times"], seen["corrupt"] = times, video.report.frames_corrupt
            seen["changes"] = list(detector.finish(info.duration_s).changes_s)
        if info.has_audio:
            seen["audio_s"] = decode_audio(path, info, deadline_s=20).duration_s
    except MediaError as error:
        seen["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(seen), flush=True)
"""


def _mutations(data: bytes, seed: int) -> list[bytes]:
    """Flipped bits, overwritten stretches and cuts, everywhere and in the first and last 2 KiB (the headers)."""
    random = np.random.default_rng(seed)
    results = []
    for i in range(MUTATIONS):
        mutant = bytearray(data)
        area = (0, len(data)) if i % 3 else ((0, 2048), (max(0, len(data) - 2048), len(data)))[i // 3 % 2]
        for at in random.integers(*area, size=1 + i):
            if at < len(mutant):
                mutant[at] ^= 1 << int(random.integers(8))
        if i % 5 == 4:
            at = int(random.integers(len(mutant)))
            mutant[at : at + 200] = random.integers(0, 256, 200, dtype=np.uint8).tobytes()
        if i % 7 == 6:
            del mutant[int(random.integers(len(mutant) // 4, len(mutant))) :]
        results.append(bytes(mutant))
    return results


@pytest.mark.parametrize(
    ("seed", "settings"),
    [
        (1, {"options": {"preset": "ultrafast", "g": "12"}}),
        (2, {"name": "a.webm", "codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
        (3, {"name": "a.mkv", "codec": "libx265", "options": {"preset": "ultrafast", "x265-params": "log-level=none"}}),
    ],
    ids=["h264-mp4", "vp9-webm", "hevc-mkv"],
)
def test_mutated_files(make_clip: MakeClip, tmp_path: Path, seed: int, settings: dict[str, Any]) -> None:
    sound = 0.1 * np.sin(np.arange(90_000) / 9)
    codec = "libopus" if settings.get("name") == "a.webm" else "aac"
    # Without an identifier by chance in Matroska: the same bytes, and so the same damage, in every run.
    exact = {"fflags": "+bitexact"}
    original = make_clip(
        cuts=(20, 45), sound=sound, sound_rate_hz=48_000, sound_codec=codec, container_options=exact, **settings
    )
    paths = [original]
    for i, mutant in enumerate(_mutations(original.read_bytes(), seed)):
        paths.append(tmp_path / f"{i}{original.suffix}")
        paths[-1].write_bytes(mutant)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, paths)], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"after {len(results)} files: {done.returncode}\n{done.stderr[-2000:]}"
    assert len(results) == len(paths)
    assert len(results[0]["times"]) == 4
    assert "error" not in results[0]
    for result in results:
        times = result.get("times", [])
        assert all(0 <= time_s < result["duration_s"] for time_s in times)
        assert all(before < after for before, after in pairwise(times))
        assert result.get("audio_s", 0.0) <= result.get("duration_s", 0.0) + 1e-3
    # Small damage is survived: most mutants give frames.
    assert sum("times" in result and "error" not in result for result in results) >= MUTATIONS // 3
