"""Speed of light: how fast each stage is alone, how fast behind Triton, how fast in the pipeline, and what limits it.

    python bench/stages.py --clip bench

* bare: the stage's own code in this process with nothing beside it, on all frames of the clip, in the batches that the
  pipeline makes.
* served: the same requests by shared memory to a running server, two in flight. Bare engines and served ones have both
  done the same work once before: what a first frame of its size costs is in the whole run below, not in the rates. Of
  all that can be repeated the turn in the middle counts, of ``--runs`` or of as many as ten seconds have room for.
* in the pipeline: seconds that the service worked or waited during ``rumiai-orch submit`` (they overlap; several
  requests of one service at once count each), and CPU seconds of the process that does it.

The speed of light of the clip is the larger of: all bare CPU seconds spread over all cores, and the longest chain that
cannot be spread. No order of the stages can be faster without making a stage cheaper.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import common
import cv2
import numpy as np

from rumiai import weights
from rumiai.contracts import tensors
from rumiai.contracts.frames import AudioTrack, FrameBatch, Sampling, VideoInfo
from rumiai.inference.client import TritonClient
from rumiai.inference.ocr import CAPTIONS, read_texts
from rumiai.inference.spans import frame_runs
from rumiai.inference.whisper import WhisperParams as SpeechRequest
from rumiai.inference.whisper import transcribe
from rumiai.inference.yolo import DetectionParams, detect
from rumiai.media.audio import decode_audio
from rumiai.media.audio_energy import analyze_audio_energy
from rumiai.media.decode import VideoPass, slot_bytes_for
from rumiai.media.probe import probe, sampling_for
from rumiai.media.scenes import StreamingSceneDetector
from rumiai.media.shared_frames import FrameArena, SharedRegion
from rumiai.people.landmarks import PeopleAnalyzer
from rumiai.perception.reading import Reading
from rumiai.perception.watching import FRAMES_PER_BATCH
from rumiai.settings import Settings

_IN_FLIGHT: Final = 2
# Of one stage, in as many turns as that takes: a turn of a second scatters by a third.
_LEAST_S: Final = 10.0
_PERSON: Final = tensors.COCO_NAMES.index("person")


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


class Stopwatch:
    """Runs a piece of work and remembers it as a stage.

    Args:
        runs: Of work that can be repeated, at least; the one in the middle counts.
        least_s: So many seconds of it, too.
    """

    def __init__(self, runs: int = 1, least_s: float = 0.0) -> None:
        self.runs, self.least_s = runs, least_s
        self.stages: dict[str, Stage] = {}

    def time(self, name: str, unit: str, work: Callable[[], float], *, repeat: bool = False) -> None:
        """``work`` returns how many units it did; with ``repeat`` a first turn does not count."""
        if repeat:
            work()
        turns: list[Stage] = []
        while not turns or (repeat and not self.enough([turn.bare_s for turn in turns])):
            wall, cpu = time.monotonic(), time.process_time()
            units = work()
            turns.append(Stage(name, units, unit, time.monotonic() - wall, time.process_time() - cpu))
        self.stages[name] = common.middle(turns, lambda turn: turn.bare_s)
        print(f"  bare {name}: {', '.join(f'{turn.bare_s:.2f}' for turn in turns)} s", flush=True)

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
        reading = Reading(nobody, Settings(), material.sampling)
        material.wanted += [reading.decide(batch) for batch in material.batches]
        return float(sum(len(batch) for batch in material.batches))

    watch.time("ocr gate, stickers", "frames", gate)


def measure_engines(watch: Stopwatch, material: Material) -> None:
    """YOLO, OCR, Whisper and MediaPipe, one after another in this process."""
    from rumiai_server.engines.ocr import OcrEngine, OcrParams
    from rumiai_server.engines.whisper import WhisperParams, make_engine
    from rumiai_server.engines.yolo import YoloEngine, YoloParams

    threads = len(os.sched_getaffinity(0))
    yolo = YoloEngine(weights.path("yolov8n.onnx"), threads=threads)

    def objects() -> float:
        material.people.clear()
        for batch in material.sampled:
            (found,) = yolo.detect([(batch.images, YoloParams())])
            height, width = batch.images.shape[1:3]
            scale = np.array([width, height, width, height], np.float32)
            corners = [frame.boxes[frame.class_ids == _PERSON] / scale for frame in found]
            boxes = [np.concatenate((box[:, :2], box[:, 2:] - box[:, :2]), axis=1) for box in corners]
            material.people.append(boxes)
        return float(sum(len(batch) for batch in material.sampled))

    watch.time("yolo", "frames", objects, repeat=True)
    detector, recognizer, locator = map(
        weights.path, ("craft_mlt_25k.pth", "english_g2.pth", "PP-OCRv6_det_small.onnx")
    )
    ocr = OcrEngine(detector, recognizer, locator=locator, threads=threads)

    def texts() -> float:
        for batch, wanted in zip(material.batches, material.wanted, strict=True):
            for run in frame_runs(batch, wanted) if wanted else ():
                ocr.read([(batch.images[run.start : run.stop], OcrParams(**CAPTIONS.to_request()))])
        return float(sum(len(wanted) for wanted in material.wanted))

    watch.time("ocr", "frames read", texts, repeat=True)
    track = material.track
    if track is not None:
        whisper = make_engine("ctranslate2", weights.path("whisper-base-ct2"), threads=threads)

        def speech() -> float:
            whisper.transcribe([(track.samples, WhisperParams())])
            return track.duration_s

        watch.time("whisper", "s of sound", speech, repeat=True)
    with PeopleAnalyzer(weights.path) as analyzer:

        def people() -> float:
            for batch, boxes in zip(material.sampled, material.people, strict=True):
                analyzer.analyze(batch.images, batch.timestamps_s, batch.frame_numbers, boxes)
            return float(sum(len(batch) for batch in material.sampled))

        watch.time("mediapipe", "frames", people, repeat=True)


async def measure_served(watch: Stopwatch, material: Material, server: common.Server) -> dict[str, float]:
    """The same requests to the server: seconds by model.

    Before the engines are loaded here: with them in its memory this client took a third longer with YOLO, and a worker,
    which is the client in the pipeline, has no engines.
    """
    served_s: dict[str, float] = {}
    async with TritonClient.connect(server.grpc, server.token) as client:
        await client.register(material.arena.region, material.arena.key, material.arena.size_bytes)
        if material.region is not None and material.track is not None and material.track.span is not None:
            await client.register(material.region.region, material.region.key, material.region.size_bytes)
        pairs = [(b, w) for b, w in zip(material.batches, material.wanted, strict=True) if w]
        calls: dict[str, list[Callable[[], Awaitable[Any]]]] = {
            "yolo": [lambda b=b: detect(client, b, DetectionParams()) for b in material.sampled],  # type: ignore[misc]
            "ocr": [lambda b=b, w=w: read_texts(client, b, CAPTIONS, w) for b, w in pairs],  # type: ignore[misc]
        }
        track = material.track
        if track is not None:
            calls["whisper"] = [lambda: transcribe(client, track, SpeechRequest())]
        for name, requests in calls.items():
            await _in_flight(requests)
            turns_s: list[float] = []
            while not watch.enough(turns_s):
                began = time.monotonic()
                await _in_flight(requests)
                turns_s.append(time.monotonic() - began)
            served_s[name] = common.middle(turns_s, float)
            print(f"  served {name}: {', '.join(f'{turn_s:.2f}' for turn_s in turns_s)} s", flush=True)
        await client.unregister(material.arena.region)
        if material.region is not None:
            await client.unregister(material.region.region)
    return served_s


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
                served_s = asyncio.run(measure_served(watch, material, server))
                ran = [common.submit([clip.path], folder / f"out{i}", server) for i in range(args.runs)]
            measure_engines(watch, material)
        finally:
            material.arena.close()
            if material.region is not None:
                material.region.close()
    for name, seconds in served_s.items():
        watch.stages[name].served_s = seconds
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
