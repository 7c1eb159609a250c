"""Speed of light: how fast each stage is alone, how fast behind Triton, how fast in the pipeline, and what limits it.

    python bench/stages.py --clip bench

* bare: the stage's own code with nothing beside it, on all frames of the clip, in the batches that the pipeline makes.
* served: the same requests by shared memory to a running server, two in flight, in turns with the bare engines, which
  wait in a process of their own. Both have done the same work once before: what a first frame of its size costs is in
  the whole run below, not in the rates. The turn in the middle counts, of ``--runs`` or as many as ten seconds have
  room for.
* in the pipeline: seconds that the service worked or waited during ``rumiai-orch submit`` (they overlap; several
  requests of one service at once count each), and CPU seconds of the process that does it.

The speed of light of the clip is the larger of: all bare CPU seconds spread over all cores, and the longest chain that
cannot be spread. No order of the stages can be faster without making a stage cheaper.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import bare
import common
import cv2

from rumiai.contracts.frames import AudioTrack, FrameBatch, Sampling, VideoInfo
from rumiai.contracts.whisper import WhisperParams as SpeechRequest
from rumiai.inference.client import TritonClient
from rumiai.inference.ocr import CAPTIONS, read_texts
from rumiai.inference.spans import frame_runs
from rumiai.inference.text_reader import TextReader
from rumiai.inference.whisper import transcribe
from rumiai.inference.yolo import DetectionParams, detect
from rumiai.media.audio import decode_audio
from rumiai.media.audio_energy import analyze_audio_energy
from rumiai.media.decode import VideoPass, slot_bytes_for
from rumiai.media.probe import probe, sampling_for
from rumiai.media.scenes import StreamingSceneDetector
from rumiai.media.shared_frames import FrameArena, SharedRegion
from rumiai.perception.visual_stage import FRAMES_PER_BATCH
from rumiai.settings import Settings

_IN_FLIGHT: Final = 2
# Of one stage, in as many turns as that takes: a turn of a second scatters by a third.
_LEAST_S: Final = 10.0


@dataclass
class Stage:
    """One stage's figures; seconds are for the whole clip."""

    name: str
    units: float
    unit: str
    bare_s: float
    bare_cpu_s: float
    served_s: float | None = None
    pipeline_s: float | None = None
    pipeline_cpu_s: float | None = None

    @property
    def served_share(self) -> float | None:
        """Served throughput by the bare one."""
        return self.bare_s / self.served_s if self.served_s else None


@dataclass
class Material:
    """The clip, decoded: every batch in shared memory, the track, what the detector and the gate said."""

    path: Path
    info: VideoInfo
    sampling: Sampling
    arena: FrameArena
    batches: list[FrameBatch] = field(default_factory=list)
    region: SharedRegion | None = None
    track: AudioTrack | None = None
    wanted: list[list[int]] = field(default_factory=list)
    people: list[list[Any]] = field(default_factory=list)

    @property
    def sampled(self) -> list[FrameBatch]:
        """Without the frames after cuts."""
        return [batch for batch in self.batches if batch.kind == "sampled"]

    def engines(self) -> list[str]:
        """Those that this clip is work for."""
        return [name for name in bare.UNITS if self.track is not None or name != "whisper"]

    def frames(self) -> list[bare.Frames]:
        """The batches as the bare engines take them."""
        runs = [frame_runs(b, wanted) if wanted else [] for b, wanted in zip(self.batches, self.wanted, strict=True)]
        return [
            bare.Frames(
                b.images, b.timestamps_s, b.frame_numbers, b.kind == "sampled", [(r.start, r.stop) for r in run]
            )
            for b, run in zip(self.batches, runs, strict=True)
        ]


class Stopwatch:
    """Runs a piece of work and remembers it as a stage.

    Args:
        runs: Of work that can be repeated, at least; the one in the middle counts.
        least_s: So many seconds of it, too.
    """

    def __init__(self, runs: int = 1, least_s: float = 0.0) -> None:
        self.runs, self.least_s = runs, least_s
        self.stages: dict[str, Stage] = {}

    def time(self, name: str, unit: str, work: Callable[[], float]) -> None:
        """Once; ``work`` returns how many units it did."""
        wall, cpu = time.monotonic(), time.process_time()
        units = work()
        self.stages[name] = Stage(name, units, unit, time.monotonic() - wall, time.process_time() - cpu)
        print(f"  bare {name}: {self.stages[name].bare_s:.2f} s", flush=True)

    def keep(self, name: str, turns: Sequence[bare.Turn], served_s: Sequence[float] = ()) -> None:
        """An engine's turn in the middle, and that of the server."""
        turn = common.middle(turns, lambda turn: turn.wall_s)
        served = common.middle(served_s, float) if served_s else None
        self.stages[name] = Stage(name, turn.units, bare.UNITS[name], turn.wall_s, turn.cpu_s, served)
        print(f"  bare {name}: {', '.join(f'{turn.wall_s:.2f}' for turn in turns)} s", flush=True)
        if served_s:
            print(f"  served {name}: {', '.join(f'{turn_s:.2f}' for turn_s in served_s)} s", flush=True)

    def enough(self, turns_s: Sequence[float]) -> bool:
        """Whether turns of these seconds tell how long one takes."""
        return len(turns_s) >= self.runs and sum(turns_s) >= self.least_s


def open_material(path: Path) -> Material:
    """Facts of the clip, and memory for all of its frames (a slot for every batch, and for the frames after cuts)."""
    info = probe(path)
    sampling = sampling_for(info, Settings().sample_fps)
    slots = -(-sampling.frames_expected // FRAMES_PER_BATCH) * 2 + 2
    slot_bytes = slot_bytes_for(info, max_side_px=Settings().max_side_px, frames_per_batch=FRAMES_PER_BATCH)
    arena = FrameArena(f"bench{os.getpid()}-frames", slots=slots, slot_bytes=slot_bytes)
    return Material(path, info, sampling, arena)


def measure_decoding(watch: Stopwatch, material: Material) -> None:
    """The video stream without and with scene detection; the second pass keeps its batches. Then the sound."""

    def decode(scenes: StreamingSceneDetector | None, *, keep: bool) -> float:
        readers = {"sampled": 1, "after_cut": 1}
        video = VideoPass(
            material.path,
            material.info,
            material.sampling,
            material.arena,
            max_side_px=Settings().max_side_px,
            frames_per_batch=FRAMES_PER_BATCH,
            scene_detector=scenes,
            readers=readers,  # type: ignore[arg-type]
        )
        for batch in video:
            if keep:
                material.batches.append(batch)
            else:
                batch.release()
        return float(video.report.frames_decoded)

    def region(size_bytes: int) -> SharedRegion:
        material.region = SharedRegion(f"bench{os.getpid()}-audio", size_bytes)
        return material.region

    def sound() -> float:
        material.track = decode_audio(material.path, material.info, region)
        return material.info.duration_s

    def energy() -> float:
        analyze_audio_energy(material.track)
        return material.info.duration_s

    cv2.setNumThreads(1)  # as in a worker
    watch.time("decode", "frames", lambda: decode(None, keep=False))
    watch.time("decode + scenes", "frames", lambda: decode(StreamingSceneDetector(material.info.fps), keep=True))
    if material.info.has_audio:
        watch.time("audio decode", "s of sound", sound)
        watch.time("audio energy", "s of sound", energy)


def measure_gate(watch: Stopwatch, material: Material) -> None:
    """Which frames OCR is to read; keeps the answer."""

    def gate() -> float:
        nobody = cast(TritonClient, None)  # deciding sends nothing
        reading = TextReader(nobody, material.sampling)
        material.wanted += [reading.decide(batch) for batch in material.batches]
        return float(sum(len(batch) for batch in material.batches))

    watch.time("ocr gate, stickers", "frames", gate)


def measure_engines(watch: Stopwatch, material: Material) -> None:
    """YOLO, OCR, Whisper and MediaPipe, one after another in this process."""
    with bare.Engines(material.frames(), material.track) as engines:
        for name in material.engines():
            turns: list[bare.Turn] = []
            while not watch.enough([turn.wall_s for turn in turns]):
                turns.append(engines.turn(name))
            watch.keep(name, turns)


async def measure_side_by_side(watch: Stopwatch, material: Material, server: common.Server) -> None:
    """The same, each turn of YOLO, OCR and Whisper followed by one of the same requests to the server."""
    with bare.in_own_process(material.frames(), material.track) as turn:
        async with TritonClient.connect(server.grpc, server.token) as client:
            await client.register(material.arena.region, material.arena.key, material.arena.size_bytes)
            if material.region is not None:
                await client.register(material.region.region, material.region.key, material.region.size_bytes)
            requests = _requests(client, material)
            for name in material.engines():
                turns: list[bare.Turn] = []
                served_s: list[float] = []
                if name in requests:
                    await _in_flight(requests[name])
                while not watch.enough([turn.wall_s for turn in turns]):
                    turns.append(turn(name))
                    if name in requests:
                        began = time.monotonic()
                        await _in_flight(requests[name])
                        served_s.append(time.monotonic() - began)
                watch.keep(name, turns, served_s)
            await client.unregister(material.arena.region)
            if material.region is not None:
                await client.unregister(material.region.region)


def _requests(client: TritonClient, material: Material) -> dict[str, list[Callable[[], Awaitable[Any]]]]:
    """By model, what the pipeline asks of the server for the clip."""
    pairs = [(b, w) for b, w in zip(material.batches, material.wanted, strict=True) if w]
    requests: dict[str, list[Callable[[], Awaitable[Any]]]] = {
        "yolo": [lambda b=b: detect(client, b, DetectionParams()) for b in material.sampled],  # type: ignore[misc]
        "ocr": [lambda b=b, w=w: read_texts(client, b, CAPTIONS, w) for b, w in pairs],  # type: ignore[misc]
    }
    track = material.track
    if track is not None:
        requests["whisper"] = [lambda: transcribe(client, track, SpeechRequest())]
    return requests


async def _in_flight(requests: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    places = asyncio.Semaphore(_IN_FLIGHT)

    async def send(request: Callable[[], Awaitable[Any]]) -> None:
        async with places:
            await request()

    async with asyncio.TaskGroup() as group:
        for request in requests:
            group.create_task(send(request))


def analysis_seconds(run: common.Run) -> float:
    """Of the only video of a run."""
    (video,) = run.videos
    return float(video["seconds"])


def take_pipeline(watch: Stopwatch, run: common.Run) -> None:
    """What the stages took during a whole run."""
    (video,) = run.videos
    cpu = run.usage.cpu_by_program_s
    for name, stage in watch.stages.items():
        stage.pipeline_s = video["services"].get(name, {}).get("seconds")
        stage.pipeline_cpu_s = cpu.get(f"server {name}")
    watch.stages["decode + scenes"].pipeline_s = video["stage_seconds"].get("decode_video")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", default="bench", help="bench, demo, short, or a file  [default: bench]")
    parser.add_argument("--runs", type=int, default=3, help="of each, at least  [default: 3]")
    args = parser.parse_args()
    watch = Stopwatch(args.runs, _LEAST_S)
    with tempfile.TemporaryDirectory(prefix="rumiai-measure-") as temporary:
        folder = Path(temporary)
        clip = common.make_clip(args.clip, folder)
        material = open_material(clip.path)
        try:
            measure_decoding(watch, material)
            measure_gate(watch, material)
            with common.serving(folder / "server.log") as server:
                asyncio.run(measure_side_by_side(watch, material, server))
                ran = [common.submit([clip.path], folder / f"out{i}", server) for i in range(args.runs)]
        finally:
            material.arena.close()
            if material.region is not None:
                material.region.close()
    run = common.middle(ran, analysis_seconds)
    analysis_s = analysis_seconds(run)
    take_pipeline(watch, run)
    print_stages(list(watch.stages.values()))
    report = speed_of_light(watch, analysis_s)
    print(json.dumps(report))
    stages = [vars(stage) for stage in watch.stages.values()]
    common.write_result(
        "stages",
        {
            "clip": clip.name,
            "runs": args.runs,
            "stages": stages,
            "speed_of_light": report,
            "analysis_s_of_all_runs": [analysis_seconds(each) for each in ran],
            "pipeline": run.usage.to_dict(),
        },
    )


def print_stages(stages: Sequence[Stage]) -> None:
    """The table."""
    common.print_table(
        "Stages: seconds for the whole clip",
        ("", "units", "bare s", "bare CPU s", "bare units/s", "served s", "served/bare", "in pipeline s", "its CPU s"),
        [
            (
                stage.name,
                f"{stage.units:.0f} {stage.unit}",
                stage.bare_s,
                stage.bare_cpu_s,
                stage.units / stage.bare_s,
                stage.served_s,
                stage.served_share,
                stage.pipeline_s,
                stage.pipeline_cpu_s,
            )
            for stage in stages
        ],
    )


def speed_of_light(watch: Stopwatch, analysis_s: float) -> dict[str, Any]:
    """The bound, how near the pipeline came, and which stage limits it."""
    stages = {name: stage for name, stage in watch.stages.items() if name != "decode"}  # a part of the next
    cores = len(os.sched_getaffinity(0))
    spread_s = sum(stage.bare_cpu_s for stage in stages.values()) / cores
    longest = max(stages.values(), key=lambda stage: stage.bare_s)
    bound_s = max(spread_s, longest.bare_s)
    dearest = max(stages.values(), key=lambda stage: stage.bare_cpu_s)
    return {
        "analysis_s": round(analysis_s, 2),
        "all_cpu_by_cores_s": round(spread_s, 2),
        "longest_stage_s": round(longest.bare_s, 2),
        "longest_stage": longest.name,
        "speed_of_light_s": round(bound_s, 2),
        "share_reached": round(bound_s / analysis_s, 3),
        "limiting_stage": dearest.name,
        "its_share_of_cpu": round(dearest.bare_cpu_s / sum(s.bare_cpu_s for s in stages.values()), 3),
    }


if __name__ == "__main__":
    main()
