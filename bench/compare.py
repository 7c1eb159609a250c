"""The naive flow, the strong flow and the pipeline: same machine, same clip, same sampling, one after the other.

    python bench/compare.py --clip bench                 # make bench
    python bench/compare.py --clip my.mp4 --runs 5
    python bench/compare.py --clip short --naive-seconds-limit 20

The naive flow is ``naive.py``, the strong flow ``strong.py``, both with the libraries' own thread settings; the strong
flow and the pipeline take turns, each time in a fresh process, and of each the middle run counts. The pipeline is
``rumiai-orch submit`` against a server that is up. Its ``analysis`` begins when a worker takes the video (it includes
loading MediaPipe's models, which the clocks of the other flows do not) and ends with the unified analysis; its
``command`` is all of ``rumiai-orch submit``, from start to exit. Services overlap inside the pipeline, so their seconds
do not add up; they include waiting for the frames and for the cores that others use.

Exit status: 0, or 1 when quality was lost against the naive flow (see ``quality.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import common
import provenance
import quality

# What of the pipeline does the work of which part of the naive flow.
_OURS: Final[Mapping[str, str]] = {
    "ocr": "ocr",
    "whisper": "whisper",
    "yolo": "yolo",
    "mediapipe": "mediapipe",
    "scenes": "scene_detection",
}


def run_naive(clip: common.BenchClip, args: argparse.Namespace, policy: str) -> dict[str, Any]:
    """The naive flow in a process of its own, or what was stored of it for this very clip."""
    limit: float | None = args.naive_seconds_limit
    kind = f"naive-{clip.sha256[:12]}-{policy}" + (f"-limit{limit:g}" if limit is not None else "")
    stored = common.RESULTS / f"{kind}.json"
    if args.skip_naive:
        if not stored.is_file():
            sys.exit(f"--skip-naive: {stored.relative_to(common.ROOT)} is not there; run once without it")
        print(f"naive flow: stored result {stored.relative_to(common.ROOT)}")
        result: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
        return result
    print(f"naive flow (OpenMP threads: {policy}) ...", flush=True)
    common.RESULTS.mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME")}
    if policy == "passive":
        environment["OMP_WAIT_POLICY"] = "PASSIVE"
    command = [sys.executable, str(Path(__file__).with_name("naive.py")), str(clip.path), "--out", str(stored)]
    if limit is not None:
        command += ["--seconds-limit", str(limit)]
    load = os.getloadavg()[0]
    process = subprocess.Popen(command, env=environment)
    with common.Meter(process.pid) as meter:
        if process.wait() != 0:
            sys.exit(f"the naive flow failed with exit status {process.returncode}")
    result = json.loads(stored.read_text(encoding="utf-8"))
    result |= {"usage": meter.usage.to_dict(), "machine": provenance.machine(), "load_before": round(load, 2)}
    stored.write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")
    return result


def run_strong(clip: common.BenchClip, folder: Path) -> dict[str, Any]:
    """The strong flow in a process of its own; what ``strong.py`` writes, and what it took of the machine."""
    out = folder / "strong.json"
    load = os.getloadavg()[0]
    command = [sys.executable, str(Path(__file__).with_name("strong.py")), str(clip.path), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with common.Meter(process.pid) as meter:
        if process.wait() != 0:
            sys.exit(f"the strong flow failed with exit status {process.returncode}")
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    print(f"  strong flow: {result['seconds']:.1f} s", flush=True)
    return {**result, "usage": meter.usage.to_dict(), "load_before": round(load, 2)}


def run_pipeline(clip: common.BenchClip, server: common.Server, out: Path) -> dict[str, Any]:
    """The main job once, into a new folder; what it took and where its files are."""
    load = os.getloadavg()[0]
    ran = common.submit([clip.path], out, server)
    (video,) = ran.videos
    print(f"  pipeline: analysis {video['seconds']:.1f} s, command {ran.usage.wall_s:.1f} s", flush=True)
    return {
        "analysis_s": video["seconds"],
        "command_s": round(ran.usage.wall_s, 3),
        "cpu_s": round(ran.usage.cpu_s, 3),
        "command_cpu_s": round(ran.command_cpu_s, 3),
        "load_before": round(load, 2),
        "services": {name: facts["seconds"] for name, facts in video["services"].items()},
        "stage_seconds": video["stage_seconds"],
        "usage": ran.usage.to_dict(),
        "status": video["status"],
        "files": video["files"],
    }


def print_times(
    naive: Mapping[str, Any], run: Mapping[str, Any], duration_s: float, start_s: float
) -> dict[str, float]:
    """Ratios first, then part by part; returns the ratios."""
    load_s = sum(part["load_s"] for part in naive["parts"].values())
    figures = {
        "naive_by_analysis": naive["seconds"] / run["analysis_s"],
        "naive_by_command": naive["seconds"] / run["command_s"],
        "cold_naive_by_cold_command": (naive["seconds"] + load_s) / (start_s + run["command_s"]),
        "naive_cpu_by_ours": sum(part["cpu_s"] for part in naive["parts"].values()) / run["cpu_s"],
        "real_time_factor": run["analysis_s"] / duration_s,
        "naive_real_time_factor": naive["seconds"] / duration_s,
    }
    mark = " (estimated from a part of the frames)" if naive["estimated"] else ""
    common.print_table(
        f"Ratios: naive flow by pipeline{mark}",
        ("", "naive", "ours", "ratio"),
        [
            ("analysis of the clip, s (server up)", naive["seconds"], run["analysis_s"], figures["naive_by_analysis"]),
            ("whole command, s (server up)", naive["seconds"], run["command_s"], figures["naive_by_command"]),
            (
                "from nothing, s (naive: with loading; ours: with server start)",
                naive["seconds"] + load_s,
                start_s + run["command_s"],
                figures["cold_naive_by_cold_command"],
            ),
            (
                "CPU seconds (ours: server, command, workers)",
                sum(part["cpu_s"] for part in naive["parts"].values()),
                run["cpu_s"],
                figures["naive_cpu_by_ours"],
            ),
            (
                "real-time factor (seconds per second of video)",
                figures["naive_real_time_factor"],
                figures["real_time_factor"],
                None,
            ),
        ],
    )
    rows: list[tuple[object, ...]] = []
    for name, part in naive["parts"].items():
        ours = run["services"].get(_OURS[name])
        rows.append((name, part["seconds"], part["cpu_s"], ours))
    rows.append(("decoding and scenes, one pass", None, None, run["stage_seconds"].get("decode_video")))
    rows.append(("sum (naive), wall (ours)", naive["seconds"], None, run["analysis_s"]))
    common.print_table("Seconds by part (ours overlap and include waiting)", ("", "naive", "naive CPU", "ours"), rows)
    return figures


def print_strong(strong: Mapping[str, Any], run: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, float]:
    """The strong flow beside the pipeline: time, CPU seconds by part, quality; returns the ratios."""
    cpu_s = sum(part["cpu_s"] for part in strong["parts"].values())
    figures = {
        "strong_by_analysis": strong["seconds"] / run["analysis_s"],
        "strong_cpu_by_ours": cpu_s / run["cpu_s"],
    }
    rows: list[tuple[object, ...]] = [
        ("analysis of the clip, s", strong["seconds"], run["analysis_s"], figures["strong_by_analysis"]),
        ("CPU seconds", cpu_s, run["cpu_s"], figures["strong_cpu_by_ours"]),
    ]
    rows += [(f"  {name}, CPU s", part["cpu_s"], None, None) for name, part in strong["parts"].items()]
    if (texts := report["texts"]) is not None:
        for rate in ("recall", "precision", "lines_found"):
            rows.append((f"texts: {rate}", texts["naive"][rate], texts["ours"][rate], None))
    if (errors := report["word_error_rate"]) is not None:
        rows.append(("word error rate", errors["naive"], errors["ours"], None))
    objects, cuts = report["objects"], report["cuts"]["pyscenedetect"]
    rows.append(("its objects matched", objects["of"], objects["matched"], objects["share"]))
    rows.append(("cuts; largest distance, s", cuts["expected"], cuts["found"], cuts["largest_distance_s"]))
    common.print_table("The strong flow", ("", "strong", "ours", "ratio, share or bound"), rows)
    return figures


def print_quality(report: Mapping[str, Any]) -> None:
    """Side by side."""
    rows: list[tuple[object, ...]] = []
    if (texts := report["texts"]) is not None:
        for name, key in (
            ("texts: recall", "recall"),
            ("texts: precision", "precision"),
            ("lines found", "lines_found"),
        ):
            rows.append(
                (name, texts["naive"][key], texts["ours"][key], texts["ours"]["lines"] if "lines" in key else None)
            )
    if (rates := report["word_error_rate"]) is not None:
        rows.append(
            ("word error rate (last: faster-whisper's own)", rates["naive"], rates["ours"], rates["faster_whisper"])
        )
    objects, cuts = report["objects"], report["cuts"]
    rows.append(("objects of the naive flow matched", objects["of"], objects["matched"], objects["share"]))
    scenes = cuts["pyscenedetect"]
    rows.append(("cuts; largest distance, s", scenes["expected"], scenes["found"], scenes["largest_distance_s"]))
    if "truth" in cuts:
        both = cuts["truth"]
        rows.append(("cuts of the truth", both["naive"]["found"], both["ours"]["found"], both["ours"]["expected"]))
    common.print_table("Quality", ("", "naive", "ours", "of all, share or bound"), rows)


def print_usage(runs: Sequence[Mapping[str, Any]], run: Mapping[str, Any], naive: Mapping[str, Any]) -> None:
    """What the middle run took of the machine, by program."""
    usage = run["usage"]
    rows: list[tuple[object, ...]] = [
        (name, seconds, usage["peak_rss_by_program_mib"].get(name))
        for name, seconds in usage["cpu_by_program_s"].items()
    ]
    rows.append(("sum; peak of all", usage["cpu_s"], usage["peak_rss_mib"]))
    if "usage" in naive:
        rows.append(("naive flow", naive["usage"]["cpu_s"], naive["usage"]["peak_rss_mib"]))
    common.print_table("CPU seconds and peak resident MiB of the middle run", ("", "CPU s", "MiB"), rows)
    times = ", ".join(f"{r['analysis_s']:.1f}" for r in runs)
    print(
        f"CPU use over the command: {usage['cpu_use']:.2f} of all cores; "
        f"shared memory at most {usage['peak_shm_mib']} MiB"
    )
    print(f"analysis seconds of all runs: {times} (median {statistics.median(r['analysis_s'] for r in runs):.2f})")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", default="bench", help="bench, demo, short, or a file  [default: bench]")
    parser.add_argument("--runs", type=int, default=3, help="runs of the pipeline and of the strong flow  [default: 3]")
    parser.add_argument("--naive-seconds-limit", type=float, help="stop each naive part then and scale its time up")
    parser.add_argument("--skip-naive", action="store_true", help="use the stored naive result of the same clip")
    parser.add_argument(
        "--naive-omp",
        choices=("default", "passive", "both"),
        default="default",
        help="whether the naive flow's idle OpenMP threads spin (the libraries' default) or sleep",
    )
    parser.add_argument("--device", default="auto", help="of the server  [default: auto]")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write, and judge."""
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="rumiai-measure-") as temporary:
        folder = Path(temporary)
        clip = common.make_clip(args.clip, folder)
        policies = ("default", "passive") if args.naive_omp == "both" else (args.naive_omp,)
        naives = {policy: run_naive(clip, args, policy) for policy in policies}
        naive = naives[policies[0]]
        with common.serving(folder / "server.log", "--device", args.device) as server:
            print(f"server ready after {server.start_s:.1f} s")
            turns = [
                (run_strong(clip, folder), run_pipeline(clip, server, folder / f"run{number}"))
                for number in range(args.runs)
            ]
        runs = [ours for _, ours in turns]
        run = common.middle(runs, lambda each: each["analysis_s"])
        strong = common.middle([theirs for theirs, _ in turns], lambda each: each["seconds"])
        facts = json.loads(Path(run["files"]["unified"]).read_text(encoding="utf-8"))["metadata"]

        def assessed_by(flow: Mapping[str, Any], each: Mapping[str, Any]) -> dict[str, Any]:
            return quality.assess(
                quality.seen_by_run(each["files"]),
                quality.seen_by_naive(flow),
                clip.truth,
                fps=facts["fps"],
                sample_fps=naive["sample_fps"],
                reference=naive["faster_whisper"],
            )

        assessed = [assessed_by(naive, each) for each in runs]
        beside_strong = assessed_by(strong, run)
    lost = sorted({loss for report in assessed for loss in quality.losses(report)})
    report = assessed[runs.index(run)]
    ratios = print_times(naive, run, facts["duration"], server.start_s)
    for policy in policies[1:]:
        print(f"naive flow with OpenMP threads {policy}: {naives[policy]['seconds']:.1f} s")
    print_quality(report)
    ratios |= print_strong(strong, run, beside_strong)
    print_usage(runs, run, naive)
    print(f"server start until ready: {server.start_s:.1f} s; load before the runs: {[r['load_before'] for r in runs]}")
    common.write_result(
        "compare",
        {
            "clip": {"name": clip.name, "sha256": clip.sha256, "duration_s": facts["duration"]},
            "ratios": ratios,
            "server_start_s": round(server.start_s, 2),
            "runs": [{k: v for k, v in each.items() if k != "files"} for each in runs],
            "naive": {policy: _without_data(result) for policy, result in naives.items()},
            "strong": [{**_without_data(theirs), "load_before": theirs["load_before"]} for theirs, _ in turns],
            "quality": report,
            "quality_beside_strong": beside_strong,
            "quality_lost": lost,
        },
    )
    print_warnings([naive.get("load_before", 0.0), *(each["load_before"] for each in runs)], lost)
    sys.exit(1 if lost else 0)


def print_warnings(loads: Sequence[float], lost: Sequence[str]) -> None:
    """Say when a busy machine makes the seconds worth little, and what quality was lost."""
    if max(loads) > len(os.sched_getaffinity(0)):
        print(f"THE MACHINE WAS BUSY (load {loads}): seconds mean little, the ratio of CPU seconds suffers least")
    for loss in lost:
        print(f"QUALITY LOST: {loss}")


def _without_data(naive: Mapping[str, Any]) -> dict[str, Any]:
    parts = {name: {k: v for k, v in part.items() if k != "data"} for name, part in naive["parts"].items()}
    return {**naive, "parts": parts}


if __name__ == "__main__":
    main()
