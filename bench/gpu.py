"""The engines on a CUDA device: right against the CPU, and how fast in which batch and precision.

    python bench/gpu.py                    # random weights of the right architecture
    python bench/gpu.py --weights cached   # the real ones; adds the pipeline where the server runs
    python bench/gpu.py --device cpu --batches 1,2 --seconds 0.2   # tries this program itself

NOT YET RUN ON A GPU: it was only tried with ``--device cpu``. Without a CUDA device it ends with status 3.

Needs torch and, for each engine, the library that has its model: ultralytics, easyocr, openai-whisper; what cannot be
imported is named and left out. Throughput of the networks does not depend on weights, except Whisper's: random weights
never end a sentence, so its figure is that of the longest possible text.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch

_ROOT: Final = Path(__file__).resolve().parents[1]
if importlib.util.find_spec("rumiai_server") is None:  # a machine with torch alone: a checkout is enough
    sys.path += [str(_ROOT / "orchestrator"), str(_ROOT / "triton")]

_NO_DEVICE: Final = 3
# A phone's frame, and a short one's track.
_FRAME: Final = (1280, 720, 3)
_TRACK_S: Final = 30
# Worst error of a network's output, by the largest value of the CPU's float32 output.
_TOLERANCE: Final = {"float32": 1e-3, "float16": 5e-2}
# Whisper base.
_WHISPER_DIMS: Final = {
    "n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 512, "n_audio_head": 8, "n_audio_layer": 6,
    "n_vocab": 51865, "n_text_ctx": 448, "n_text_state": 512, "n_text_head": 8, "n_text_layer": 6,
}  # fmt: skip

_MODES: Final[tuple[Literal["fast", "strict"], ...]] = ("fast", "strict")

Row = tuple[object, ...]


class Bench:
    """What all measurements share: the device, the batch sizes, how long to measure, and where weights are."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.device = torch.device(args.device)
        self.batches = [int(n) for n in args.batches.split(",")]
        self.seconds: float = args.seconds
        self.cached: bool = args.weights == "cached"
        self.folder = folder
        self.rows: list[Row] = []
        self.wrong: list[str] = []

    def weights(self, name: str, make: Callable[[Path], None]) -> Path:
        """The cached file of that name, or a random one."""
        if self.cached:
            from rumiai import weights

            return weights.path(name)
        path = self.folder / name
        if not path.exists():
            make(path)
        return path

    def rate(self, work: Callable[[], object], units: float) -> float:
        """Units a second: once to warm up, then for the time given."""
        work()
        self.wait()
        began, turns = time.monotonic(), 0
        while turns == 0 or time.monotonic() - began < self.seconds:
            work()
            turns += 1
        self.wait()
        return units * turns / (time.monotonic() - began)

    def wait(self) -> None:
        """Until the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def add(self, what: str, batch: int, precision: str, rate: float) -> None:
        """One line of the table, with the most memory allocated so far."""
        memory = torch.cuda.max_memory_allocated() / 2**30 if self.device.type == "cuda" else None
        self.rows.append((what, str(batch), precision, rate, memory))
        print(f"  {what}, batch {batch}, {precision}: {rate:.1f}/s", flush=True)

    def check(self, what: str, network: torch.nn.Module, sample: torch.Tensor) -> None:
        """Compare a network on the device, in both precisions, with itself on the CPU."""
        # cuDNN would otherwise round float32 to TF32's ten bits.
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            expected = _first(network(sample)).float()
            for dtype in (torch.float32, torch.float16) if self.device.type == "cuda" else (torch.float32,):
                network.to(self.device, dtype)
                found = _first(network(sample.to(self.device, dtype))).float().cpu()
                error = float((found - expected).abs().max() / expected.abs().max())
                name = str(dtype).removeprefix("torch.")
                print(f"  {what}, {name}: worst error {error:.2e} of the largest output")
                if not error <= _TOLERANCE[name]:
                    self.wrong.append(f"{what} {name}: {error:.2e}, expected <= {_TOLERANCE[name]}")
                network.to("cpu", torch.float32)

    def graphs(self, what: str, network: torch.nn.Module, sample: torch.Tensor) -> None:
        """The network alone in float16, eager and replayed as a CUDA graph: what graphs could bring an engine."""
        if self.device.type != "cuda":
            return
        network = network.to(self.device, torch.float16).to(memory_format=torch.channels_last)
        for batch in self.batches:
            x = sample.to(self.device, torch.float16).expand(batch, -1, -1, -1)
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.inference_mode():
                self.add(f"{what} network, eager", batch, "float16", self.rate(partial(network, x), batch))
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph):
                    network(x)
                self.add(f"{what} network, CUDA graph", batch, "float16", self.rate(graph.replay, batch))


def _first(output: Any) -> torch.Tensor:
    while isinstance(output, tuple | list):
        output = output[0]
    result: torch.Tensor = output
    return result


def bench_yolo(bench: Bench) -> None:
    """Detection: ``fast`` (float16 on a GPU) and ``strict`` (float32)."""
    from ultralytics.nn.tasks import DetectionModel

    from rumiai_server.engines.yolo import YoloEngine, YoloParams
    from rumiai_server.engines.yolo_weights import load_yolo

    def make(path: Path) -> None:
        model: Any = DetectionModel("yolov8n.yaml", verbose=False)
        torch.save({"model": model.half(), "ema": None, "train_args": {"imgsz": 640, "task": "detect"}}, path)

    path = bench.weights("yolov8n.onnx" if bench.cached else "yolov8n.pt", make)
    sample = torch.rand(1, 3, 640, 384)
    bench.check("yolo", load_yolo(path).module, sample)
    bench.graphs("yolo", load_yolo(path).module, sample)
    engine = YoloEngine(path, device=str(bench.device))
    frames = _frames(max(bench.batches))
    for batch in bench.batches:
        for mode in _MODES:
            items = [(frames[:batch], YoloParams(mode=mode))]
            bench.add("yolo engine, frames", batch, mode, bench.rate(partial(engine.detect, items), batch))
    _say_graphs("yolo", YoloEngine)


def bench_ocr(bench: Bench) -> None:
    """EasyOCR's detector on whole frames and its recogniser on lines of text."""
    from easyocr.config import recognition_models
    from easyocr.craft import CRAFT
    from easyocr.model.vgg_model import Model

    from rumiai_server.engines.ocr import OcrEngine
    from rumiai_server.engines.ocr_detector import Canvas, CraftDetector
    from rumiai_server.engines.ocr_recognizer import Crop, TextRecognizer

    characters = recognition_models["gen2"]["english_g2"]["characters"]

    def craft(path: Path) -> None:
        torch.save(CRAFT().state_dict(), path)

    def reader(path: Path) -> None:
        torch.save(Model(1, 256, 256, len(characters) + 1).state_dict(), path)

    detector_path = bench.weights("craft_mlt_25k.pth", craft)
    reader_path = bench.weights("english_g2.pth", reader)
    network = CRAFT().eval().requires_grad_(False)
    sample = torch.rand(1, 3, 640, 384)
    bench.check("ocr detector", network, sample)
    bench.graphs("ocr detector", network, sample)
    detector = CraftDetector(detector_path, bench.device)
    frames = _frames(max(bench.batches))
    for batch in bench.batches:
        canvases = [Canvas(frame, 1.0) for frame in frames[:batch]]
        for mode in _MODES:

            def detect(canvases: list[Canvas] = canvases, mode: str = mode) -> object:
                return list(detector.score(canvases, exact=mode == "strict"))

            bench.add("ocr detector, frames", batch, mode, bench.rate(detect, batch))
    recognizer = TextRecognizer(reader_path, ("en",), bench.device, quantize=False)
    rng = np.random.default_rng(0)
    quad = np.zeros((4, 2), np.float32)
    for batch in bench.batches:
        crops = [Crop(quad, rng.integers(0, 256, (64, 320), np.uint8), 320, 0.0, 0.5) for _ in range(batch)]
        for mode in _MODES:
            read = partial(recognizer.read, crops, exact=mode == "strict")
            bench.add("ocr recogniser, lines", batch, mode, bench.rate(read, batch))
    _say_graphs("ocr", OcrEngine)


def bench_whisper(bench: Bench) -> None:
    """Speech: openai-whisper's engine (random weights), or faster-whisper's (cached)."""
    import av

    from rumiai_server.engines.whisper import WhisperEngine, WhisperParams, make_engine

    def make(path: Path) -> None:
        from whisper.model import ModelDimensions, Whisper

        model = Whisper(ModelDimensions(**_WHISPER_DIMS))
        torch.save({"dims": _WHISPER_DIMS, "model_state_dict": model.state_dict()}, path)

    path = bench.weights("whisper-base-ct2" if bench.cached else "base.pt", make)
    kind: Any = "ctranslate2" if bench.cached else "openai"
    engine: WhisperEngine = make_engine(kind, path, device=str(bench.device), batch_size=max(bench.batches))
    resampler = av.AudioResampler("flt", "mono", 16_000)
    with av.open(str(_ROOT / "tests/data/jfk.opus")) as source:
        pieces = [piece.to_ndarray()[0] for frame in source.decode(audio=0) for piece in resampler.resample(frame)]
    speech = np.concatenate(pieces)
    track = np.resize(speech, _TRACK_S * 16_000)
    for batch in bench.batches:
        items = [(track, WhisperParams(language="en", word_timestamps=bench.cached))] * batch
        rate = bench.rate(partial(engine.transcribe, items), batch * _TRACK_S)
        bench.add(f"whisper {kind}, s of sound", batch, "default", rate)
    _say_graphs("whisper", type(engine))


def bench_pipeline(bench: Bench) -> None:
    """The whole job against a server on the device, with decoding on the CPU and on the GPU."""
    import common

    if not bench.cached:
        print("pipeline: left out, it needs --weights cached")
        return
    if importlib.util.find_spec("pytriton") is None:
        print("pipeline: left out, nvidia-pytriton is not installed")
        return
    clip = common.make_clip("bench", bench.folder)
    count = 2 * len(os.sched_getaffinity(0))
    paths = [bench.folder / f"clip{number:03}.mp4" for number in range(count)]
    for path in paths:
        os.link(clip.path, path)
    with common.serving(bench.folder / "server.log", "--device", bench.device.type) as server:
        for hwaccel in ("", "cuda") if bench.device.type == "cuda" else ("",):
            settings = {"RUMIAI_HWACCEL": hwaccel} if hwaccel else {}
            ran = common.submit(paths, bench.folder / f"out-{hwaccel}", server, settings=settings)
            what = f"pipeline, videos of 30 s, decoding on {hwaccel or 'the CPU'}"
            bench.add(what, count, "fast", count / ran.usage.wall_s)
            print(f"  CPU use {ran.usage.cpu_use:.2f}; {ran.usage.to_dict()['cpu_by_program_s']}")


def _frames(count: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, *_FRAME), np.uint8)


def _say_graphs(name: str, engine: type) -> None:
    if "cuda_graphs" not in inspect.signature(engine.__init__).parameters:  # type: ignore[misc]
        print(f"  {name}: the engine itself has no switch for CUDA graphs")


def main() -> None:
    """Measure what can be measured here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", choices=("random", "cached"), default="random")
    parser.add_argument("--batches", default="1,8,32,64", help="batch sizes  [default: 1,8,32,64]")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure  [default: 2]")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu only tries this program")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device: torch sees none, so there is nothing to measure")
        sys.exit(_NO_DEVICE)
    print(torch.cuda.get_device_name(0) if args.device == "cuda" else "CPU", f"torch {torch.__version__}")
    with tempfile.TemporaryDirectory(prefix="rumiai-measure-") as temporary:
        bench = Bench(args, Path(temporary))
        parts: Sequence[Callable[[Bench], None]] = (bench_yolo, bench_ocr, bench_whisper, bench_pipeline)
        for part in parts:
            try:
                part(bench)
            except ImportError as exc:
                print(f"{part.__name__.removeprefix('bench_')}: left out, {exc}")
    _report(bench, args)
    sys.exit(1 if bench.wrong else 0)


def _report(bench: Bench, args: argparse.Namespace) -> None:
    columns = ("", "batch", "mode", "per second", "GiB")
    figures = {"weights": args.weights, "device": args.device, "columns": columns, "rows": bench.rows}
    try:
        import common
    except ImportError:  # no psutil: the plain figures
        print(*bench.rows, sep="\n")
    else:
        common.print_table("Engines", columns, bench.rows)
        common.write_result("gpu", {**figures, "wrong": bench.wrong})
    for line in bench.wrong:
        print(f"WRONG: {line}")


if __name__ == "__main__":
    main()
