#!/usr/bin/env python3
"""Markers and the seven metric families: milliseconds for a video of 60 s, and how they grow to three hours.

``python bench/metrics.py``. The videos are the recorded one of ``tests/golden/``, repeated until they are long enough.
Target: all seven families in at most 50 ms for 60 s, and linear growth (performance of the code, not of a model).
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import common

from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import ANALYSES, family
from rumiai.results.recompute import find_stored, recompute
from rumiai.results.store import Store, write_json
from rumiai.services import entries_of
from rumiai.timeline.build import build
from rumiai.timeline.markers import compute_markers

GOLDEN: Final = common.ROOT / "tests" / "golden" / "unified.json.gz"
LENGTHS_S: Final = (60.0, 600.0, 3600.0, 10_800.0)
LIMIT_MS: Final = 50.0
# Time a video for this long, at least three times: the middle of a few is steady enough for a ratio.
_REPEATS: Final = 5
_MANY: Final = 200
_MOMENTS: Final = frozenset({"timestamp", "start", "end", "first_seen", "last_seen", "start_time", "end_time"})
_INSTANTS: Final = frozenset({"scene_changes", "onsets", "beats"})
_FRAME_NUMBERS: Final = frozenset({"frame_number", "start_frame", "end_frame"})


def shifted(value: Any, by_s: float, fps: float, key: str = "") -> Any:
    """The same data ``by_s`` later."""
    if isinstance(value, Mapping):
        return {name: shifted(item, by_s, fps, name) for name, item in value.items()}
    if isinstance(value, list):
        if key in _INSTANTS:
            return [item + by_s for item in value]
        return [shifted(item, by_s, fps) for item in value]
    if key in _MOMENTS and isinstance(value, int | float):
        return value + by_s
    if key in _FRAME_NUMBERS:
        return value + round(by_s * fps)
    return value


def repeated(data: Mapping[str, Any], times: int, length_s: float, fps: float) -> dict[str, Any]:
    """A service's data, ``times`` in a row; what describes the whole is scaled where the metrics read it."""
    copies = [shifted(data, i * length_s, fps) for i in range(times)]
    out: dict[str, Any] = {}
    for name, value in data.items():
        joined = isinstance(value, list)
        out[name] = [item for copy in copies for item in copy[name]] if joined else value
    for items in out.values():
        _number(items)
    out["metadata"] = dict(data["metadata"])
    for name in ("frames_analyzed", "frames_expected", "frames_read", "frames_carried", "frames_gated"):
        if name in out["metadata"]:
            out["metadata"][name] *= times
    out["metadata"]["duration"] = length_s * times
    for name in ("duration", "audio_duration"):
        if name in out:
            out[name] = length_s * times
    return out


def _number(items: Any) -> None:
    """Give the members of a list ids of their own again."""
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            for key in ("trackId", "id"):
                if isinstance(item.get(key), str):
                    item[key] = f"{item[key].rpartition('_')[0]}_{i + 1}"
                elif isinstance(item.get(key), int):
                    item[key] = i


def scenes(data: Mapping[str, Any], times: int, length_s: float, fps: float) -> dict[str, Any]:
    """Scenes numbered on, with a cut where one copy follows another."""
    out = repeated(data, times, length_s, fps)
    for i, scene in enumerate(out["scenes"]):
        scene.update(scene_number=i + 1, scene_index=i)
    out["scene_changes"] = [scene["start_time"] for scene in out["scenes"][1:]]
    out["scene_change_scores"] = [(data["scene_change_scores"] or [9.0])[0]] * len(out["scene_changes"])
    out["transition_types"] = ["cut"] * len(out["scene_changes"])
    out["transitions"] = []
    out["total_scenes"] = len(out["scenes"])
    return out


def energy(data: Mapping[str, Any], times: int, length_s: float, fps: float) -> dict[str, Any]:
    """Sound energy with its windows cut anew."""
    out = repeated(data, times, length_s, fps)
    levels = list(data["energy_level_windows"].values())
    total = length_s * times
    starts = range(0, int(-(-total // 5)) * 5, 5)
    ends = [min(start + 5, total) for start in starts]
    out["energy_level_windows"] = {
        f"{start}-{end:g}s": levels[i % len(levels)] for i, (start, end) in enumerate(zip(starts, ends, strict=True))
    }
    return out


def video(recorded: UnifiedAnalysis, length_s: float) -> UnifiedAnalysis:
    """The recorded video, repeated until it lasts about this long."""
    told = recorded.facts
    one_s, fps = recorded.duration_s, told.fps
    times = max(1, round(length_s / one_s))
    makers: dict[str, Callable[..., dict[str, Any]]] = {"scene_detection": scenes, "audio_energy": energy}
    results = {}
    for service, data in recorded.ml_data.items():
        made = makers.get(service, repeated)(data.to_json(), times, one_s, fps)
        results[service] = ServiceResult.read(service, "repeated", made)  # type: ignore[arg-type]
    facts = replace(told, duration_s=one_s * times)
    analysis = build("repeated", AnalysisMetadata(), facts, results, entries_of)  # type: ignore[arg-type]
    broken = {name: reason for name, reason in analysis.errors().items()}
    if broken:
        raise SystemExit(f"the repeated video does not hold its contracts: {broken}")
    return UnifiedAnalysis.from_dict(json.loads(json.dumps(analysis.to_dict())))


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time, the middle of some runs, after one that pays for imports and caches.

    The families run in one thread: on an idle machine this is their wall-clock time too.
    """
    work()
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return sorted(seconds)[len(seconds) // 2] * 1000


def measure(analysis: UnifiedAnalysis) -> dict[str, float]:
    """Milliseconds of each part."""
    repeats = _REPEATS if analysis.duration_s < 1000 else 1
    evidence = read_evidence(analysis)
    out = {"evidence": milliseconds(lambda: read_evidence(analysis), repeats)}
    for name in ANALYSES:
        compute = family(name).compute
        out[name] = milliseconds(lambda compute=compute: compute(evidence), repeats)  # type: ignore[misc]
    out["seven families"] = sum(out.values())
    out["markers"] = milliseconds(lambda: compute_markers(analysis), repeats)
    return out


def recomputed_a_second(unified: dict[str, Any]) -> dict[str, float]:
    """How many stored videos ``recompute`` rebuilds a second, files written and all."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(_MANY):
            write_json(Path(folder) / "in" / "unified_analysis" / f"v{i}.json", {**unified, "video_id": f"v{i}"})
        began = time.perf_counter()
        results = recompute(find_stored([f"{folder}/in"]), Store(Path(folder) / "out"), lambda _item: None)
        seconds = time.perf_counter() - began
    if failed := [item.error for item in results if item.error]:
        raise SystemExit(f"recompute failed: {failed[0]}")
    return {"videos": _MANY, "seconds": seconds, "videos_per_s": _MANY / seconds}


def main() -> None:
    """Measure, print, store; exit status 1 when the target is missed."""
    unified = json.loads(gzip.decompress(GOLDEN.read_bytes()))
    recorded = UnifiedAnalysis.from_dict(unified)
    videos = [video(recorded, length_s) for length_s in LENGTHS_S]
    figures = {f"{analysis.duration_s:.0f} s": measure(analysis) for analysis in videos}
    entries = {f"{analysis.duration_s:.0f} s": len(analysis.timeline.entries) for analysis in videos}
    rows = [[part, *(f"{figures[column][part]:.1f}" for column in figures)] for part in next(iter(figures.values()))]
    rows.append(["timeline entries", *(str(entries[column]) for column in figures)])
    common.print_table("milliseconds of processor time, after a first run", ["part", *figures], rows)
    first, last = videos[0].duration_s, videos[-1].duration_s
    per_s = {column: values["seven families"] / float(column.split()[0]) for column, values in figures.items()}
    growth = per_s[f"{last:.0f} s"] / per_s[f"{first:.0f} s"]
    print(f"cost per second of video, {last:.0f} s against {first:.0f} s: {growth:.2f} (1 is linear)")
    many = recomputed_a_second(unified)
    print(f"recompute: {many['videos']:.0f} videos in {many['seconds']:.1f} s")
    within = figures[f"{first:.0f} s"]["seven families"] <= LIMIT_MS
    common.write_result("metrics", {"milliseconds": figures, "entries": entries, "growth": growth, "recompute": many})
    if not within:
        print(f"missed: the seven families take more than {LIMIT_MS:.0f} ms for {first:.0f} s")
    sys.exit(0 if within else 1)


if __name__ == "__main__":
    main()
