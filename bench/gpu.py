"""The engines on a CUDA device: right against the CPU, and how fast in which batch, precision, with and without graphs.

    python bench/gpu.py                    # random weights of the right architecture
    python bench/gpu.py --weights cached   # the real ones; adds detections, and the pipeline where the server runs
    python bench/gpu.py --device cpu --batches 1,2 --seconds 0.2   # tries this program itself

NOT YET RUN ON A GPU: it was only tried with ``--device cpu``. Without a CUDA device it ends with status 3, and with 1
when an answer was wrong, an engine failed, a CUDA graph could not be recorded or nothing could be measured.

Needs torch and, for each engine, the libraries that have its model: ultralytics and OpenCV; easyocr (and python-bidi);
openai-whisper, faster-whisper, ctranslate2 and PyAV. What cannot be imported is named and left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import torch
from gpu_engines import Bench, bench_ocr, bench_whisper, bench_yolo

_ROOT: Final = Path(__file__).resolve().parents[1]
if importlib.util.find_spec("rumiai") is None:  # a machine with torch alone: a checkout is enough
    sys.path += [str(_ROOT / "orchestrator"), str(_ROOT / "triton")]

_NO_DEVICE: Final = 3
_COLUMNS: Final = ("", "batch", "mode", "graphs", "per second", "by eager", "TFLOP/s", "peak GiB")
# Stages that one engine does on the device; the others run once in every worker, so they have all cores.
_ON_DEVICE: Final = ("yolo", "ocr", "whisper")
_DAY_H: Final = 24


def bench_pipeline(bench: Bench) -> None:
    """The whole job against a server on the device, with decoding on the CPU and on the GPU."""
    if not bench.cached:
        bench.leave_out("pipeline", "it needs --weights cached")
        return
    if importlib.util.find_spec("pytriton") is None:
        bench.leave_out("pipeline", "nvidia-pytriton is not installed")
        return
    import common
    import stages

    clip = common.make_clip("bench", bench.folder)
    watch = stages.Stopwatch()
    material = stages.open_material(clip.path)
    try:
        stages.measure_decoding(watch, material)
        stages.measure_gate(watch, material)
        stages.measure_engines(watch, material)
    finally:
        material.arena.close()
        if material.region is not None:
            material.region.close()
    cores = len(os.sched_getaffinity(0))
    alone = videos_per_second_alone({n: (s.bare_s, s.bare_cpu_s) for n, s in watch.stages.items()}, cores, bench.on_gpu)
    bench.alone = alone
    # Four for every worker, so that their start weighs little.
    paths = [bench.folder / f"clip{number:03}.mp4" for number in range(4 * cores)]
    for path in paths:
        os.link(clip.path, path)
    with common.serving(bench.folder / "server.log", "--device", bench.device.type) as server:
        for hwaccel in ("", "cuda") if bench.on_gpu else ("",):
            settings = {"RUMIAI_HWACCEL": hwaccel} if hwaccel else {}
            ran = common.submit(paths, bench.folder / f"out-{hwaccel}", server, settings=settings)
            # Decoding alone was measured on the CPU: nothing to compare a pipeline with that decodes elsewhere.
            figures = pipeline_figures(
                len(paths) / ran.usage.wall_s, material.info.duration_s, {} if hwaccel else alone
            )
            bench.pipeline.append({"decoding": hwaccel or "cpu", **figures, **ran.usage.to_dict()})
            print(f"  pipeline, decoding on {hwaccel or 'cpu'}: {json.dumps(figures)}", flush=True)


def videos_per_second_alone(bare_s: Mapping[str, tuple[float, float]], cores: int, on_gpu: bool) -> dict[str, float]:
    """How many videos a second each stage could do with nothing beside it.

    Args:
        bare_s: By stage, seconds and CPU seconds of one video.
        cores: How many there are.
        on_gpu: Whether the engines run on a device instead of the cores.

    Returns:
        The slowest stage first; without ``decode``, which is part of ``decode + scenes``.
    """
    rates = {
        name: 1 / wall_s if on_gpu and name in _ON_DEVICE else cores / cpu_s
        for name, (wall_s, cpu_s) in bare_s.items()
        if name != "decode"
    }
    return dict(sorted(rates.items(), key=lambda item: item[1]))


def pipeline_figures(videos_per_s: float, video_s: float, alone: Mapping[str, float]) -> dict[str, Any]:
    """Throughput as hours of video a day, and as a fraction of the speed of light: that of the slowest stage alone."""
    slowest = next(iter(alone), None)
    return {
        "videos_per_s": round(videos_per_s, 3),
        "video_hours_per_day_per_gpu": round(videos_per_s * video_s * _DAY_H, 1),
        "slowest_stage_alone": slowest,
        "its_videos_per_s": round(alone[slowest], 3) if slowest else None,
        "fraction_of_speed_of_light": round(videos_per_s / alone[slowest], 3) if slowest else None,
    }


def environment(device: torch.device) -> dict[str, Any]:
    """What the figures depend on; None of what is not there."""
    found: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": "CPU",
        "driver": None,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": None,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(0)
        found |= {
            "device": properties.name,
            "driver": _driver(),
            "cudnn": torch.backends.cudnn.version(),
            "compute_capability": f"{properties.major}.{properties.minor}",
            "multiprocessors": properties.multi_processor_count,
            "memory_gib": round(properties.total_memory / 2**30, 1),
        }
    return found


def _driver() -> str | None:
    """The driver's version; None where nvidia-smi does not tell."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return lines[0] if lines else None


def main() -> None:
    """Measure what can be measured here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", choices=("random", "cached"), default="random")
    parser.add_argument("--batches", default="1,8,32,64", help="batch sizes  [default: 1,8,32,64]")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure  [default: 2]")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu only tries this program")
    parser.add_argument("--out", type=Path, default=_ROOT / "bench/results", help="folder of the JSON file")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device: torch sees none, so there is nothing to measure")
        sys.exit(_NO_DEVICE)
    found = environment(torch.device(args.device))
    print(json.dumps(found))
    with tempfile.TemporaryDirectory(prefix="rumiai-measure-") as temporary:
        bench = Bench(args, Path(temporary))
        parts: Sequence[Callable[[Bench], None]] = (bench_yolo, bench_ocr, bench_whisper, bench_pipeline)
        try:
            for part in parts:
                name = part.__name__.removeprefix("bench_")
                print(name, flush=True)
                try:
                    part(bench)
                except ImportError as exc:
                    bench.leave_out(name, str(exc))
                except Exception as exc:  # noqa: BLE001 - the program's edge: the other parts may run, and it is told
                    traceback.print_exc()
                    bench.wrong.append(f"{name}: {type(exc).__name__}: {exc}")
            if not bench.rows:
                bench.wrong.append("nothing could be measured")
        finally:  # time on a device is dear: what was measured is written whatever happens
            _report(bench, args, found)
    sys.exit(1 if bench.wrong else 0)


def _report(bench: Bench, args: argparse.Namespace, found: Mapping[str, Any]) -> None:
    figures: dict[str, Any] = {
        "bench": "gpu", "environment": found, "weights": args.weights, "seconds": args.seconds, "columns": _COLUMNS,
        "rows": bench.rows, "videos_per_s_alone": bench.alone, "pipeline": bench.pipeline, "wrong": bench.wrong,
        "left_out": bench.left_out,
    }  # fmt: skip
    try:
        import common
        import provenance
    except ImportError as exc:  # psutil: the plain figures
        print(f"commit and versions: left out, {exc}", *bench.rows, sep="\n")
    else:
        common.print_table("Engines", _COLUMNS, bench.rows)
        figures |= {
            "commit": provenance.commit(),
            "machine": provenance.machine(),
            "versions": provenance.versions(),
        }
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"gpu-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written to {path}")
    for line in bench.wrong:
        print(f"WRONG: {line}")


if __name__ == "__main__":
    main()
