"""``insights/<id>/report_<ts>.json``: how the run of one video went."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rumiai import __version__
from rumiai.contracts.outcome import AnalysisOutcome, VideoOutcome
from rumiai.contracts.outcome_reading import read_outcome
from rumiai.contracts.timeline import SCHEMA_VERSION
from rumiai.errors import ContractError
from rumiai.results.store import Store, read_json, write_json
from rumiai.settings import Settings

_PATTERN: Final = "report_*.json"
# Members that a report and an outcome both have.
_SHARED: Final = (
    "video_id", "source", "seconds", "files", "error", "services", "stage_seconds", "analyses", "warnings",
)  # fmt: skip


def write_report(store: Store, outcome: VideoOutcome, settings: Settings) -> None:
    """Write the report of a video in place of older ones; a run that found all work done keeps the older one.

    Raises:
        StoreError: It could not be written.
    """
    folder = store.insights_folder(outcome.video_id)
    older = list(folder.glob(_PATTERN))
    if outcome.skipped and older:
        return
    moment = datetime.now(UTC)
    path = folder / f"report_{moment:%Y%m%d_%H%M%S}_{moment.microsecond // 1000:03d}.json"
    write_json(path, report(store, outcome, settings, moment))
    for file in older:
        file.unlink(missing_ok=True)


def read_report(path: Path) -> VideoOutcome:
    """The outcome that a report tells of.

    Raises:
        StoreError: It cannot be read.
        ContractError: It is no report.
    """
    told: Any = read_json(path)
    try:
        status = "failed" if not told["success"] else "partial" if told["partial"] else "ok"
        members = {name: told[name] for name in _SHARED}
        return read_outcome(
            {
                **members,
                "status": status,
                "skipped": False,
                "summary": told["video_metrics"],
                "memory": told["memory_usage"],
                "bytes": told.get("bytes"),
            }
        )
    except (KeyError, TypeError) as exc:
        raise ContractError(f"{path} is no report of a video: {exc}") from exc


def latest_report(store: Store, video_id: str) -> Path | None:
    """The report of a video; None when it has none."""
    return max(store.insights_folder(video_id).glob(_PATTERN), default=None)


def report(store: Store, outcome: VideoOutcome, settings: Settings, moment: datetime) -> dict[str, Any]:
    """The report's JSON form."""
    told, services, analyses = outcome.to_dict(), outcome.services, outcome.analyses
    judged = {name: analysis for name, analysis in analyses.items() if analysis.source != "python"}
    costs = [analysis.cost_usd for analysis in analyses.values()]
    known_costs = [cost for cost in costs if cost is not None]
    return {
        "schema_version": SCHEMA_VERSION,
        "rumiai_version": __version__,
        "timestamp": moment.isoformat(timespec="milliseconds"),
        "video_id": outcome.video_id,
        "source": outcome.source,
        "success": outcome.status != "failed",
        "partial": outcome.status == "partial",
        "error": told["error"],
        "warnings": told["warnings"],
        "duration": outcome.summary.facts.get("duration_s"),
        "ml_analyses_complete": bool(services) and all(service.ok for service in services.values()),
        "ml_completion_details": {name: service.ok for name, service in services.items()},
        "ml_errors": {name: service.reason for name, service in services.items() if not service.ok},
        "services": told["services"],
        "temporal_markers_generated": store.markers_file(outcome.video_id).is_file(),
        "prompts_successful": sum(analysis.source == "claude" for analysis in judged.values()),
        "prompts_total": len(judged),
        "total_cost": sum(known_costs) if len(known_costs) == len(costs) else None,
        "total_tokens": sum(analysis.tokens for analysis in analyses.values()),
        "prompt_details": {name: _prompt(analysis) for name, analysis in judged.items()},
        "analyses": told["analyses"],
        "seconds": outcome.seconds,
        "stage_seconds": dict(outcome.stage_seconds),
        "memory_usage": told["memory"],
        "bytes": outcome.bytes,
        "feature_flags": {
            "ml_precompute": True,
            "python_only": settings.python_only,
            "claude_sonnet": settings.claude_sonnet,
            "output_format": settings.output_format,
        },
        "video_metrics": told["summary"],
        "files": told["files"],
    }


def _prompt(analysis: AnalysisOutcome) -> dict[str, Any]:
    return {
        "success": analysis.source == "claude",
        "tokens": analysis.tokens,
        "cost": analysis.cost_usd,
        "time": analysis.seconds,
    }
