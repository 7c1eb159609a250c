"""What ``bench/gpu.py`` measures of the engines: answers against the CPU, rates by batch, precision and CUDA graphs.

Random weights are of the right architecture and made to look at their input. Throughput of the networks does not depend
on weights, except Whisper's: random weights never end a sentence, so its figure is that of the longest possible text.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch

if TYPE_CHECKING:
    from rumiai_server.engines.shared.cuda_graphs import Forward, GraphedForward

_ROOT: Final = Path(__file__).resolve().parents[1]
# A phone's frame, and a short one's track.
_FRAME: Final = (1280, 720, 3)
_TRACK_S: Final = 30
# Worst error of a network's output, by the largest value of the CPU's float32 output. A replay is held to float16's:
# for a batch that was filled up cuDNN may choose other kernels.
_TOLERANCE: Final = {"float32": 1e-3, "float16": 5e-2}
# Objects that a busy picture shows; random weights are moved until they see as many.
_OBJECTS: Final = 20
# Batches that are filled up, that are not, and that come again between others.
_REPLAYED: Final = (8, 3, 8, 1, 5, 3, 8, 1, 5, 8)
# A device takes a thousand replays before it makes the caller wait; so many would outlast the time for the figure.
_QUEUED: Final = 32
# Whisper base.
_WHISPER_DIMS: Final = {
    "n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 512, "n_audio_head": 8, "n_audio_layer": 6,
    "n_vocab": 51865, "n_text_ctx": 448, "n_text_state": 512, "n_text_head": 8, "n_text_layer": 6,
}  # fmt: skip

Mode = Literal["fast", "strict"]
_PRECISION: Final[Mapping[Mode, str]] = {"fast": "float16", "strict": "float32"}


class Bench:
    """What all measurements share: the device, the batch sizes, how long to measure, where weights are, the results."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.device = torch.device(args.device)
        self.on_gpu = self.device.type == "cuda"
        # On a CPU the engines' switch changes nothing.
        self.switches = (False, True) if self.on_gpu else (False,)
        self.batches = [int(n) for n in args.batches.split(",")]
        self.seconds: float = args.seconds
        self.cached: bool = args.weights == "cached"
        self.folder = folder
        self.rows: list[tuple[Any, ...]] = []
        self.wrong: list[str] = []
        self.left_out: dict[str, str] = {}
        self.alone: dict[str, float] = {}
        self.pipeline: list[dict[str, object]] = []

    def weights(self, name: str, make: Callable[[Path], None]) -> Path:
        """The cached file of that name, or a random one."""
        if self.cached:
            from rumiai import weights

            return weights.path(name)
        path = self.folder / name
        if not path.exists():
            make(path)
        return path

    def measure(
        self, what: str, batch: int, mode: str, work: Callable[[], object], units: float, *,
        graphs: bool | None = None, gflop: float | None = None,
    ) -> None:  # fmt: skip
        """One line of the table: units a second, after as many turns as make a graph be recorded and replayed."""
        for _ in range(3 if self.on_gpu else 1):
            work()
        self.wait()
        if self.on_gpu:
            torch.cuda.reset_peak_memory_stats()
        began, turns = time.monotonic(), 0
        while turns == 0 or time.monotonic() - began < self.seconds:
            work()
            turns += 1
            if turns % _QUEUED == 0:
                self.wait()
        self.wait()
        rate = units * turns / (time.monotonic() - began)
        memory = torch.cuda.max_memory_allocated() / 2**30 if self.on_gpu else None
        switch = None if graphs is None or mode == "strict" or not self.on_gpu else ("on" if graphs else "off")
        eager = [row[4] for row in self.rows if row[:4] == (what, batch, mode, "off")] if switch == "on" else []
        ratio = rate / eager[-1] if eager else None
        self.rows.append((what, batch, mode, switch, rate, ratio, gflop and rate * gflop / 1e3, memory))
        print(f"  {what}, batch {batch}, {mode}, graphs {switch or '-'}: {rate:.1f}/s", flush=True)

    def variants(self) -> Iterator[tuple[Mode, bool]]:
        """Mode and switch of the graphs, which are there in ``fast`` mode only."""
        yield from (("fast", on) for on in self.switches)
        yield "strict", False

    def wait(self) -> None:
        """Until the device is done."""
        if self.on_gpu:
            torch.cuda.synchronize()

    def compare(self, what: str, found: Sequence[Any], expected: Sequence[Any], tolerance: float) -> None:
        """Tensors or arrays against each other: the worst error by the largest value expected."""
        pairs = [[torch.as_tensor(x).float().cpu() for x in pair] for pair in zip(found, expected, strict=True)]
        error = float(np.max([float((a - b).abs().max() / b.abs().max()) for a, b in pairs]))  # NaN stays NaN
        print(f"  {what}: worst error {error:.2e} of the largest value")
        self.expect(error <= tolerance, f"{what}: got an error of {error:.2e}, expected <= {tolerance}")

    def leave_out(self, what: str, reason: str) -> None:
        """Say what is not measured."""
        self.left_out[what] = reason
        print(f"  left out: {reason}", flush=True)

    def expect(self, right: bool, complaint: str) -> None:
        """Remember what is wrong; the program ends with status 1 then."""
        if not right:
            self.wrong.append(complaint)

    def check(self, what: str, network: torch.nn.Module, outputs: Callable[..., Any], sample: torch.Tensor) -> None:
        """Compare a network on the device, in both precisions, with itself on the CPU."""
        # cuDNN would otherwise round float32 to TF32's ten bits; and flags() switches it off unless told not to.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            expected = outputs(network, sample)
            for dtype in (torch.float32, torch.float16) if self.on_gpu else (torch.float32,):
                network.to(self.device, dtype)
                name = str(dtype).removeprefix("torch.")
                found = outputs(network, sample.to(self.device, dtype))
                self.compare(f"{what} network, {name}", found, expected, _TOLERANCE[name])
                network.to("cpu", torch.float32)

    def check_replays(self, what: str, graphed: GraphedForward | None, sample: torch.Tensor, gflop: float) -> None:
        """Replayed against eager, in sizes that are filled up and take turns; then both alone, without the engine."""
        if graphed is None:
            return
        for turn, n in enumerate(_REPLAYED):
            x = sample.roll(turn, 0)[:n]
            with torch.inference_mode():
                self.compare(f"{what} replayed, batch {n}", graphed(x), graphed.forward(x), _TOLERANCE["float16"])
        networks: Mapping[bool, Forward] = {False: graphed.forward, True: graphed}
        for batch in self.batches:
            x = torch.cat([sample] * -(-batch // len(sample)))[:batch]
            for switch, network in networks.items():
                with torch.inference_mode():
                    work = partial(network, x)
                    self.measure(f"{what} network", batch, "fast", work, batch, graphs=switch, gflop=gflop)

    def check_recording(self, what: str, graphed: GraphedForward | None) -> None:
        """Whether graphs were used at all."""
        if graphed is not None:
            print(f"  {what}: {graphed.recorded} CUDA graphs")
            self.expect(graphed.failure is None, f"{what}: no CUDA graphs: {graphed.failure}")
            self.expect(graphed.recorded > 0, f"{what}: no CUDA graph was recorded")


def work_of(what: str, network: torch.nn.Module, outputs: Callable[..., Any], sample: torch.Tensor) -> float:
    """GFLOP of one picture; prints them with the number of operations, each of which is a launch at least."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import FlopCounterMode

    class Launches(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.count += not func.is_view
            return func(*args, **(kwargs or {}))

    network, x = network.to("meta"), sample[:1].to("meta")
    with torch.inference_mode(), FlopCounterMode(display=False) as flop, Launches() as launches:
        outputs(network, x)
    gflop = flop.get_total_flops() / 1e9
    height, width = sample.shape[2:]
    print(f"  {what}, {height} x {width}: {gflop:.1f} GFLOP in {launches.count} operations")
    return gflop


def bench_yolo(bench: Bench) -> None:
    """Detection: ``fast`` (float16 on a GPU) and ``strict`` (float32)."""
    from ultralytics.nn.tasks import DetectionModel

    from rumiai_server.engines.yolo.engine import Letterbox, YoloEngine, YoloParams, letterbox_on_cpu, network_outputs
    from rumiai_server.engines.yolo.weights import load_yolo

    frames = _frames(max(8, *bench.batches))
    box = Letterbox.of(*_FRAME[:2], 640, 32)
    sample = torch.from_numpy(letterbox_on_cpu(list(frames[:8]), box)).permute(0, 3, 1, 2).float() / 255

    def make(path: Path) -> None:
        torch.manual_seed(0)
        model: Any = DetectionModel("yolov8n.yaml", verbose=False)
        _adapt(model, network_outputs, sample)
        torch.save({"model": model.half(), "ema": None, "train_args": {"imgsz": 640, "task": "detect"}}, path)

    path = bench.weights("yolov8n.onnx" if bench.cached else "yolov8n.pt", make)
    bench.check("yolo", load_yolo(path).module, network_outputs, sample[:2])
    gflop = work_of("yolo", load_yolo(path).module, network_outputs, sample)
    engines = {on: YoloEngine(path, device=str(bench.device), cuda_graphs=on) for on in bench.switches}
    for engine in engines.values():
        on_device = sample.to(bench.device, torch.float16 if bench.on_gpu else torch.float32)
        bench.check_replays("yolo", engine.graphs, on_device, gflop)
    if bench.cached:
        _check_objects(bench, YoloEngine(path, device="cpu"), engines)
    for batch in bench.batches:
        for mode, on in bench.variants():
            work = partial(engines[on].detect, [(frames[:batch], YoloParams(mode=mode))])
            bench.measure(
                "yolo engine, frames", batch, mode, work, batch, graphs=on, gflop=gflop if mode == "fast" else None
            )
    for engine in engines.values():
        bench.check_recording("yolo", engine.graphs)


def _adapt(model: Any, outputs: Callable[..., Any], sample: torch.Tensor) -> None:
    """Make a random network look at its input, and see a few objects in it.

    As it is made, its signals die away on their way, and it answers with its last biases whatever it is shown.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # the norms of this batch alone
    head = model.model[-1]
    with torch.no_grad():
        model.train()(sample)
        for last in (branch[-1] for branch in (*head.cv2, *head.cv3)):
            last.bias.zero_()
        best = outputs(model.eval(), sample)[0]
        strongest = best.flatten().topk(_OBJECTS * len(sample)).values[-1]
        for branch in head.cv3:
            branch[-1].bias.add_(torch.logit(torch.tensor(0.25)) - strongest)


def _check_objects(bench: Bench, reference: Any, engines: Mapping[bool, Any]) -> None:
    """Fast on the device finds what strict on the CPU is sure of; and the same with graphs as without."""
    import cv2
    import ultralytics

    from rumiai_server.engines.yolo.engine import YoloParams

    picture = cv2.imread(str(Path(ultralytics.__file__).parent / "assets/bus.jpg"))[..., ::-1]
    images = np.stack([cv2.resize(picture, (720, 1280))] * 3)  # a batch that is filled up
    [[expected, *_]] = reference.detect([(images, YoloParams(mode="strict"))])
    for _ in range(3):  # eager, recorded, replayed
        found = {on: engine.detect([(images, YoloParams())])[0] for on, engine in engines.items()}
        for on, frames in found.items():
            for one, eager in zip(frames, found[False], strict=True):
                share = _matched(expected, one, 0.5)
                bench.expect(share >= 0.98, f"yolo engine, graphs {on}: found {share:.2f} of the CPU's objects")
                same = min(_matched(eager, one, 0.9), _matched(one, eager, 0.9))
                bench.expect(same == 1.0, f"yolo engine: graphs {on} and off share {same:.2f} of their objects")
    print(f"  yolo engine: compared on {int((expected.scores >= 0.4).sum())} objects")


def _matched(wanted: Any, found: Any, iou: float) -> float:
    """Of the objects wanted with a score from 0.4, how many are among those found, of the same class."""
    from torchvision.ops import box_iou

    overlap = box_iou(torch.from_numpy(wanted.boxes), torch.from_numpy(found.boxes)).numpy()
    hit = ((overlap >= iou) & (wanted.class_ids[:, None] == found.class_ids[None])).any(1)
    return float(hit[wanted.scores >= 0.4].mean())


def bench_ocr(bench: Bench) -> None:
    """EasyOCR's detector on whole frames and its recogniser on lines of text."""
    from easyocr.config import recognition_models
    from easyocr.craft import CRAFT
    from easyocr.model.vgg_model import Model

    from rumiai_server.engines.ocr.detector import Canvas, CraftDetector
    from rumiai_server.engines.ocr.recognizer import Crop, TextRecognizer

    characters = recognition_models["gen2"]["english_g2"]["characters"]

    def craft(path: Path) -> None:
        torch.save(CRAFT().state_dict(), path)

    def reader(path: Path) -> None:
        torch.save(Model(1, 256, 256, len(characters) + 1).state_dict(), path)

    detector_path = bench.weights("craft_mlt_25k.pth", craft)
    reader_path = bench.weights("english_g2.pth", reader)
    height, width = (-(-side // 32) * 32 for side in _FRAME[:2])
    gflop = work_of("ocr detector", CRAFT().eval(), lambda net, x: net(x), torch.empty(1, 3, height, width))
    detectors = {on: CraftDetector(detector_path, bench.device, cuda_graphs=on) for on in bench.switches}
    small = [Canvas(np.ascontiguousarray(frame[:640, :384]), 1.0) for frame in _frames(8)]
    _check_maps(bench, CraftDetector(detector_path, torch.device("cpu")), detectors, small[:2])
    pixels = torch.from_numpy(np.stack([canvas.picture for canvas in small])).to(bench.device)
    for detector in detectors.values():
        bench.check_replays("ocr detector 640 x 384", detector.graphs, pixels, gflop * 640 * 384 / (height * width))
    frames = _frames(max(bench.batches))
    for batch in bench.batches:
        canvases = [Canvas(frame, 1.0) for frame in frames[:batch]]
        for mode, on in bench.variants():
            work = partial(_score, detectors[on], canvases, mode)
            bench.measure("ocr detector, frames", batch, mode, work, batch, graphs=on, gflop=gflop)
    for detector in detectors.values():
        bench.check_recording("ocr detector", detector.graphs)
    recognizer = TextRecognizer(reader_path, ("en",), bench.device, quantize=False)
    rng = np.random.default_rng(0)
    quad = np.zeros((4, 2), np.float32)
    for batch in bench.batches:
        crops = [Crop(quad, rng.integers(0, 256, (64, 320), np.uint8), 320, 0.0, 0.5) for _ in range(batch)]
        for mode in _PRECISION:
            read = partial(recognizer.read, crops, exact=mode == "strict")
            bench.measure("ocr recogniser, lines", batch, mode, read, batch)


def _score(detector: Any, canvases: Any, mode: Mode) -> list[Any]:
    return [maps for _, maps in sorted(detector.score(canvases, exact=mode == "strict"), key=lambda item: item[0])]


def _check_maps(bench: Bench, reference: Any, detectors: Mapping[bool, Any], canvases: Any) -> None:
    """The detector's maps on the device against those of strict on the CPU; graphs are recorded on the way."""

    def maps(detector: Any, mode: Mode) -> list[Any]:
        return [np.stack([(one.text, one.link) for one in _score(detector, canvases, mode)])]

    expected = maps(reference, "strict")
    for mode, on in bench.variants():
        for _ in range(3 if on else 1):  # eager, recorded, replayed
            name = f"ocr detector, {mode}" + ", graphs" * on
            bench.compare(name, maps(detectors[on], mode), expected, _TOLERANCE[_PRECISION[mode]])


def bench_whisper(bench: Bench) -> None:
    """Speech: openai-whisper's engine (random weights), or faster-whisper's (cached)."""
    import av

    from rumiai.contracts.whisper import WhisperParams
    from rumiai_server.engines.whisper.factory import make_engine
    from rumiai_server.engines.whisper.types import WhisperEngine

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
    track = np.resize(np.concatenate(pieces), _TRACK_S * 16_000)
    for batch in bench.batches:
        items = [(track, WhisperParams(language="en", word_timestamps=bench.cached))] * batch
        work = partial(engine.transcribe, items)
        bench.measure(f"whisper {kind}, s of sound", batch, "default", work, batch * _TRACK_S)


def _frames(count: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, *_FRAME), np.uint8)
