"""Many clips, and long ones: CPU seconds per clip, use of the cores, and memory.

    python bench/scaling.py                        # 1, 5 and 20 short clips; memory for 30 s and 180 s
    python bench/scaling.py --clip bench --counts 1,5,20 --no-memory
    python bench/scaling.py --counts 1 --memory-services yolo,scene_detection

CPU seconds are those of the command, its workers and the server. ``use`` is their share of what all cores offered over
the whole command, ``use, middle`` without its first and last tenth. Memory is measured against a fresh server each
time, on the bench clip and on the same clip repeated without re-encoding.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import common


def copies(clip: Path, count: int, folder: Path) -> list[Path]:
    """The clip under ``count`` names, so that it counts as so many videos."""
    folder.mkdir()
    paths = [folder / f"{clip.stem}{number:03}{clip.suffix}" for number in range(count)]
    for path in paths:
        os.link(clip, path)
    return paths


def repeated(clip: Path, times: int, target: Path) -> Path:
    """The clip ``times`` times in a row, its packets copied."""
    with av.open(str(target), "w") as out:
        streams: dict[int, Any] = {}
        for turn in range(times):
            with av.open(str(clip)) as source:
                video = source.streams.video[0]
                length_s = float(video.duration * video.time_base)
                for stream in source.streams if turn == 0 else ():
                    streams[stream.index] = out.add_stream_from_template(stream)
                for packet in source.demux():
                    if packet.dts is None:
                        continue
                    # Audio frames that begin before or end after the picture would overlap those of the next turn.
                    audio = packet.stream.type == "audio"
                    end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    if audio and ((turn and packet.pts < 0) or end_s > length_s):
                        continue
                    shift = round(turn * length_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
    return target


def measure_counts(clip: common.BenchClip, counts: Sequence[int], folder: Path, workers: str) -> list[dict[str, Any]]:
    """CPU and time for each number of clips, against one server."""
    found: list[dict[str, Any]] = []
    options = ("--workers", workers) if workers else ()
    with common.serving(folder / "server.log") as server:
        for count in counts:
            paths = copies(clip.path, count, folder / f"in{count}")
            ran = common.submit(paths, folder / f"out{count}", server, *options)
            usage = ran.usage
            found.append(
                {
                    "clips": count,
                    "wall_s": usage.wall_s,
                    "cpu_s_per_clip": usage.cpu_s / count,
                    "cpu_use": usage.cpu_use,
                    "cpu_use_middle": usage.cpu_use_within(0.1, 0.9),
                    "load": os.getloadavg()[0],
                    "usage": usage.to_dict(),
                }
            )
            print(f"  {count} clips: {usage.wall_s:.1f} s", flush=True)
    return found


def measure_memory(seconds: Sequence[int], services: str, folder: Path) -> list[dict[str, Any]]:
    """Peaks for each length of video, in seconds (multiples of the bench clip's 30 s)."""
    clip = common.make_clip("bench", folder)
    found = []
    options = () if services == "all" else ("--services", services)
    for length_s in seconds:
        path = repeated(clip.path, max(1, length_s // 30), folder / f"bench{length_s}.mp4")
        with common.serving(folder / "server.log") as server:
            ran = common.submit([path], folder / f"memory{length_s}", server, *options)
        found.append({"seconds": ran.videos[0]["summary"]["duration_s"], "usage": ran.usage.to_dict()})
        print(f"  {length_s} s of video: {ran.usage.wall_s:.1f} s", flush=True)
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", default="short", help="bench, demo, short, or a file  [default: short]")
    parser.add_argument("--counts", default="1,5,20", help="how many clips  [default: 1,5,20]")
    parser.add_argument("--workers", default="", help="videos in flight  [default: the program's choice]")
    parser.add_argument("--no-memory", action="store_true", help="leave the long videos out")
    parser.add_argument("--memory-seconds", default="30,180", help="lengths to compare  [default: 30,180]")
    parser.add_argument("--memory-services", default="all", help="services for these, or all  [default: all]")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rumiai-measure-") as temporary:
        folder = Path(temporary)
        clip = common.make_clip(args.clip, folder)
        counts = measure_counts(clip, [int(n) for n in args.counts.split(",")], folder, args.workers)
        lengths = [int(n) for n in args.memory_seconds.split(",")]
        memory = [] if args.no_memory else measure_memory(lengths, args.memory_services, folder)
    single = counts[0]["cpu_s_per_clip"] * 1.0
    common.print_table(
        f"Clips of {args.clip}",
        ("clips", "wall s", "s per clip", "CPU s per clip", "by the first row", "CPU use", "use, middle", "load"),
        [
            (
                str(row["clips"]),
                row["wall_s"],
                row["wall_s"] / row["clips"],
                row["cpu_s_per_clip"],
                row["cpu_s_per_clip"] / single,
                row["cpu_use"],
                row["cpu_use_middle"],
                row["load"],
            )
            for row in counts
        ],
    )
    if memory:
        kinds = ("peak_rss_mib", "peak_private_mib", "peak_shm_mib")
        common.print_table(
            f"Peak memory in MiB, services: {args.memory_services}",
            ("seconds of video", "resident", "private", "shared memory", "wall s"),
            [(f"{m['seconds']:.0f}", *(m["usage"][k] for k in kinds), m["usage"]["wall_s"]) for m in memory],
        )
        first, last = memory[0]["usage"], memory[-1]["usage"]
        ratios = ", ".join(f"{kind.split('_')[1]} {last[kind] / first[kind]:.2f}" for kind in kinds if first[kind])
        print(f"longest by shortest: {ratios}")
    common.write_result("scaling", {"clip": clip.name, "counts": counts, "memory": memory})


if __name__ == "__main__":
    main()
