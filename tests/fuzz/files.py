"""Mutated media files, run as one batch and judged against what an independent reader finds in them.

Every file is one of a few generated clips of two seconds, one per container, with bits flipped, stretches overwritten,
removed or repeated, or its end cut off. The batch runs through ``rumiai-orch submit`` with the services that need no
model. A *wrong success* is a file that ``submit`` calls ``ok`` without a warning although plain PyAV meets damage in
it: a packet that cannot be decoded, a frame or packet that is flagged as corrupt, or less picture or sound than the
file itself declares. Files of MPEG transport and program streams declare no length, so that an end that is missing
leaves no trace in them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from .report import Report

COMMAND: Final = (sys.executable, "-c", "from rumiai.cli import main; main()")
FPS: Final = 24
FRAMES: Final = 48
WIDTH, HEIGHT = 144, 256
_SOUND_HZ: Final = 48_000
# A file of two seconds that takes longer hangs; generous for a loaded machine.
FILE_LIMIT_S: Final = 60
# What may lack at the end before it counts as lost: encoders of sound pad and prime by packets, muxers round durations,
# and the last pictures that were reordered may not come out.
_SLACK_S: Final = 0.25


@dataclass(frozen=True)
class Container:
    """A container with the codecs that are usual in it."""

    suffix: str
    format: str
    video: str
    audio: str
    declares_length: bool = True


CONTAINERS: Final = (
    Container("mp4", "mp4", "libx264", "aac"),
    Container("mov", "mov", "mpeg4", "pcm_s16le"),
    Container("mkv", "matroska", "libx264", "libopus"),
    Container("webm", "webm", "libvpx", "libopus"),
    Container("avi", "avi", "mpeg4", "libmp3lame"),
    Container("flv", "flv", "libx264", "aac"),
    Container("wmv", "asf", "mpeg4", "wmav2"),
    Container("3gp", "3gp", "libx264", "aac"),
    Container("ts", "mpegts", "libx264", "aac", declares_length=False),
    Container("mpg", "mpeg", "mpeg2video", "mp2", declares_length=False),
)


def make_clip(container: Container, path: Path) -> None:
    """Write the clip: a moving pattern, so that all frames differ, and a tone."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    with av.open(str(path), "w", format=container.format) as out:
        video = out.add_stream(container.video, rate=FPS)
        video.width, video.height, video.pix_fmt, video.gop_size = WIDTH, HEIGHT, "yuv420p", 12
        audio = out.add_stream(container.audio, rate=_SOUND_HZ)
        audio.bit_rate = 96_000
        for k in range(FRAMES):
            shade = 127 + 100 * np.sin((rows + 3 * k) / 9) * np.cos((columns - 5 * k) / 13)
            picture = np.repeat(shade.astype(np.uint8)[..., None], 3, axis=2)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = k
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        at = np.arange(FRAMES * _SOUND_HZ // FPS)
        tone = (8000 * np.sin(2 * np.pi * 440 * at / _SOUND_HZ)).astype(np.int16)
        resampler = av.AudioResampler(audio.format, audio.layout, _SOUND_HZ, audio.frame_size or 1024)
        sound = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        sound.sample_rate, sound.pts = _SOUND_HZ, 0
        for piece in [*resampler.resample(sound), *resampler.resample(None)]:
            out.mux(audio.encode(piece))
        out.mux(audio.encode(None))


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One mutation of a file: its kind, place and extent are drawn."""
    mutant = bytearray(data)
    size = len(mutant)
    area = [(0, size), (0, min(2048, size)), (max(0, size - 2048), size)][int(rng.integers(3))]
    at = int(rng.integers(*area))
    length = int(rng.integers(1, max(2, size // 8)))
    kind = int(rng.integers(6))
    if kind == 0:
        for place in rng.integers(*area, size=int(rng.integers(1, 30))):
            mutant[int(place)] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        mutant[at : at + length] = rng.integers(0, 256, len(mutant[at : at + length]), dtype=np.uint8).tobytes()
    elif kind == 2:
        mutant[at : at + length] = bytes(len(mutant[at : at + length]))
    elif kind == 3:
        del mutant[at : at + length]
    elif kind == 4:
        mutant[at:at] = mutant[at : at + length]
    else:
        del mutant[int(rng.integers(1, size)) :]
    return bytes(mutant)


@dataclass(frozen=True)
class Held:
    """What plain PyAV finds in a file.

    Attributes:
        readable: Whether it opens and has a video or audio stream.
        damage: What it met, in words; empty when the file seems whole.
        frames: Pictures that could be decoded.
    """

    readable: bool
    damage: tuple[str, ...] = ()
    frames: int = 0


def look(path: Path, *, declares_length: bool) -> Held:
    """Read a file to its end, packet by packet, going on after what cannot be decoded."""
    damage: set[str] = set()
    frames, end_s = 0, 0.0
    try:
        with av.open(str(path)) as source:
            video = next(iter(source.streams.video), None)
            audio = next(iter(source.streams.audio), None)
            wanted = [stream for stream in (video, audio) if stream is not None]
            if not wanted:
                return Held(False)
            if video is not None:
                # What FFmpeg finds wrong depends on it: threads by slices refuse the end of a VP8 stream that threads
                # by frames decode.
                video.thread_type = "AUTO"
            for packet in _packets(source, wanted, damage):
                for frame in _frames(packet, damage):
                    is_picture = packet.stream is video
                    frames += is_picture
                    length_s = 1 / FPS if is_picture else frame.samples / frame.sample_rate
                    end_s = max(end_s, (frame.time or 0.0) + length_s)
            declared_s = (source.duration or 0) / av.time_base
            if declares_length and end_s < declared_s - _SLACK_S:
                damage.add(f"{end_s:.2f} s of {declared_s:.2f} s")
            if video is not None and declares_length and frames < video.frames - _SLACK_S * FPS:
                damage.add(f"{frames} of {video.frames} pictures")
    except (av.FFmpegError, ValueError, OverflowError):
        return Held(False)
    return Held(True, tuple(sorted(damage)), frames)


def _packets(source: Any, streams: list[Any], damage: set[str]) -> Iterator[Any]:
    try:
        for packet in source.demux(*streams):
            if packet.is_corrupt:
                damage.add("corrupt packet")
            yield packet
    except av.FFmpegError as error:
        damage.add(f"reading: {type(error).__name__}")


def _frames(packet: Any, damage: set[str]) -> Iterator[Any]:
    try:
        for frame in packet.decode():
            if frame.is_corrupt:
                damage.add("corrupt frame")
            yield frame
    except av.FFmpegError as error:
        damage.add(f"decoding {packet.stream.type}: {type(error).__name__}")


@dataclass
class FilesReport(Report):
    """What a batch of mutated files gave.

    Attributes:
        files: How many there were.
        statuses: How many ended ``ok``, ``ok`` with a warning, ``partial``, ``failed``.
        wrong: Files that were called ok although they are damaged, with what the independent reader met.
        refused: Whole files that were not called ok, with the reason.
        lost: Files of which the run said nothing.
        hangs: Files that took longer than :data:`FILE_LIMIT_S`, or the whole run.
        tracebacks: Lines of stderr that begin one.
    """

    must_be_empty = ("wrong", "refused", "lost", "hangs", "tracebacks")

    files: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    def headline(self) -> Iterator[str]:
        """How many files, by status."""
        told = ", ".join(f"{count} {status}" for status, count in sorted(self.statuses.items()))
        yield f"files: {self.files} ({told})"


def run(folder: Path, *, count: int, seed: int, workers: int = 2) -> FilesReport:
    """Make ``count`` mutants and one whole file per container below ``folder``, run them, judge them."""
    media, out = folder / "media", folder / "out"
    media.mkdir(parents=True)
    containers: dict[str, Container] = {}
    whole: set[str] = set()
    rng = np.random.default_rng(seed)
    for number, container in enumerate(CONTAINERS):
        original = media / f"whole-{container.suffix}.{container.suffix}"
        make_clip(container, original)
        whole.add(original.stem)
        containers[original.stem] = container
        data = original.read_bytes()
        for k in range(number, count, len(CONTAINERS)):
            mutant = media / f"{container.suffix}-{k:04}.{container.suffix}"
            mutant.write_bytes(mutate(data, rng))
            containers[mutant.stem] = container
    return judge(media, containers, whole, *submit(media, out, len(containers), workers))


def submit(media: Path, out: Path, files: int, workers: int) -> tuple[list[dict[str, Any]], str, bool]:
    """Run the batch; its ``video`` events, its stderr and whether it ended in time and with ``done``."""
    command = [*COMMAND, "submit", media, "--out", out, "--json", "--workers", workers, "--no-insights"]
    services = ["--services", "scene_detection,audio_energy"]
    limit_s = 60 + files * 5 + FILE_LIMIT_S
    with (out.parent / "stdout").open("w+") as stdout, (out.parent / "stderr").open("w+") as stderr:
        process = subprocess.Popen(
            [*map(str, command), *services],
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, "RUMIAI_VIDEO_TIMEOUT_S": str(FILE_LIMIT_S)},
        )
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(60)
        stdout.seek(0)
        stderr.seek(0)
        events = [json.loads(line) for line in stdout]
        return (
            [e for e in events if e["event"] == "video"],
            stderr.read(),
            bool(events) and events[-1]["event"] == "done",
        )


def judge(
    media: Path,
    containers: Mapping[str, Container],
    whole: set[str],
    videos: list[dict[str, Any]],
    stderr: str,
    ended: bool,
) -> FilesReport:
    """Hold what the run said of each file against what the independent reader finds."""
    report = FilesReport(files=len(containers))
    if not ended:
        report.hangs.append("the run")
    report.tracebacks = [line for line in stderr.splitlines() if line.startswith("Traceback")]
    by_stem = {Path(video["source"]).stem: video for video in videos}
    report.lost = sorted(set(containers) - set(by_stem))
    for stem, video in sorted(by_stem.items()):
        container = containers[stem]
        status = video["status"] + (" with a warning" if video["status"] == "ok" and video["warnings"] else "")
        report.statuses[status] = report.statuses.get(status, 0) + 1
        if video["seconds"] > FILE_LIMIT_S + 5:
            report.hangs.append(f"{stem}: {video['seconds']:.0f} s")
        if stem in whole and status != "ok":
            report.refused.append(f"{stem}: {status}: {video['warnings'] or video['error']}")
        if status == "ok":
            held = look(media / f"{stem}.{container.suffix}", declares_length=container.declares_length)
            if not held.readable or held.damage:
                report.wrong.append(f"{stem}: {', '.join(held.damage) or 'cannot be opened'}")
    return report
