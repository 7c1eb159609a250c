"""The JSON with which the runner protocol ends, and its exit codes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from rumiai.contracts.outcome import VideoOutcome
from rumiai.core.json_values import JsonObject, JsonValue
from rumiai.errors import MediaError, RumiAIError
from rumiai.metrics.registry import ANALYSES
from rumiai.results.report import report
from rumiai.results.store import Store
from rumiai.settings import Settings

_MIB: Final = 2**20
# The protocol has the codes 0 to 4. A file that cannot be analysed is a general failure there; `error_type` says more.
_CODES: Final[Mapping[int, int]] = {MediaError.exit_code: RumiAIError.exit_code}


def runner_code(exit_code: int) -> int:
    """What the runner exits with where another command would exit with this."""
    return _CODES.get(exit_code, exit_code)


def metrics(outcome: VideoOutcome | None = None) -> JsonObject:
    """How this process and the video fared.

    Args:
        outcome: Of the video; None when nothing could start.

    Returns:
        ``uptime_seconds`` of this process; ``counters`` and ``gauges`` of the run; ``timers``: the seconds of each
        stage; ``active_timers``: none is left; ``memory`` of this process in MiB and percent; ``cpu_percent``: of one
        core, by this process since it began.
    """
    process = psutil.Process()
    used, began = process.memory_info(), process.create_time()
    uptime_s = max(time.time() - began, 1e-3)
    spent = process.cpu_times()
    judged = [a for a in outcome.analyses.values() if a.source != "python"] if outcome else []
    costs = [analysis.cost_usd for analysis in judged]
    counters: JsonObject = {
        "videos_processed": int(outcome is not None and outcome.status != "failed"),
        "prompts_successful": sum(analysis.source == "claude" for analysis in judged),
        "prompts_total": len(judged),
    }
    gauges: JsonObject = {"total_cost_usd": None if None in costs else sum(c for c in costs if c is not None)}
    timers: JsonObject = dict(outcome.stage_seconds) if outcome else {}
    memory: JsonObject = {
        "rss_mb": round(used.rss / _MIB, 1),
        "vms_mb": round(used.vms / _MIB, 1),
        "percent": round(process.memory_percent(), 2),
    }
    return {
        "uptime_seconds": round(uptime_s, 3),
        "counters": counters,
        "gauges": gauges,
        "timers": timers,
        "active_timers": [],
        "memory": memory,
        "cpu_percent": round(100 * (spent.user + spent.system) / uptime_s, 1),
    }


def failure(kind: str, message: str) -> JsonObject:
    """The result when there is no outcome of a video."""
    return {"success": False, "error": message, "error_type": kind, "metrics": metrics()}


def result(
    outcome: VideoOutcome, store: Store, settings: Settings, video: str, *, analyses: tuple[str, ...] = ANALYSES
) -> JsonObject:
    """The result of one video.

    Args:
        outcome: What became of it.
        store: Where its files are.
        settings: Of the run.
        video: Path of the video; empty where only its results are there.
        analyses: Those that were asked for; others are left out of the report.
    """
    told = _report(outcome, store, settings, analyses)
    found: JsonObject = {"video_id": outcome.video_id, "report": told, "metrics": told["processing_metrics"]}
    if outcome.status == "failed":
        error = outcome.error
        kind, message = (error.type, error.message) if error else ("RumiAIError", "unknown reason")
        stage = error.stage if error else None
        return {"success": False, "error": message, "error_type": kind, "stage": stage, **found}
    outputs: JsonObject = {
        "video": str(Path(video).absolute()) if video else None,
        "unified": str(store.unified_file(outcome.video_id).absolute()),
        "temporal": str(store.markers_file(outcome.video_id).absolute()),
        "insights": str(store.insights_folder(outcome.video_id).absolute()),
    }
    return {"success": True, "partial": outcome.status == "partial", "outputs": outputs, **found}


def _report(outcome: VideoOutcome, store: Store, settings: Settings, analyses: tuple[str, ...]) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = report(store, outcome, settings, datetime.now(UTC))
    for member in ("analyses", "prompt_details"):
        entries = told[member]
        assert isinstance(entries, Mapping)
        told[member] = {name: entry for name, entry in entries.items() if name in analyses}
    return {**told, "processing_metrics": metrics(outcome)}
