"""``insights/<id>/report_<ts>.json``: one file that says how the run of one video went (clients.md 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rumiai import __version__
from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.timeline import SCHEMA_VERSION
from rumiai.results.store import Store, write_json
from rumiai.settings import Settings

_PATTERN: Final = "report_*.json"


def write_report(store: Store, outcome: VideoOutcome, settings: Settings) -> None:
    """Write the report of a video, in place of an older one; that of the run that did the work is kept.

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


def report(store: Store, outcome: VideoOutcome, settings: Settings, moment: datetime) -> dict[str, Any]:
    """The report's JSON form."""
    judged = {name: facts for name, facts in outcome.analyses.items() if facts["source"] != "python"}
    costs = [facts["cost_usd"] for facts in outcome.analyses.values()]
    return {
        "schema_version": SCHEMA_VERSION,
        "rumiai_version": __version__,
        "timestamp": moment.isoformat(timespec="milliseconds"),
        "video_id": outcome.video_id,
        "source": outcome.source,
        "success": outcome.status != "failed",
        "partial": outcome.status == "partial",
        "error": outcome.error.to_dict() if outcome.error else None,
        "warnings": list(outcome.warnings),
        "duration": outcome.summary.get("duration_s"),
        "ml_analyses_complete": bool(outcome.services) and all(facts["ok"] for facts in outcome.services.values()),
        "ml_completion_details": {name: facts["ok"] for name, facts in outcome.services.items()},
        "ml_errors": {name: facts["reason"] for name, facts in outcome.services.items() if not facts["ok"]},
        "services": {name: dict(facts) for name, facts in outcome.services.items()},
        "temporal_markers_generated": store.markers_file(outcome.video_id).is_file(),
        "prompts_successful": sum(facts["source"] == "claude" for facts in judged.values()),
        "prompts_total": len(judged),
        "total_cost": None if None in costs else sum(costs),
        "total_tokens": sum(facts["tokens"] for facts in outcome.analyses.values()),
        "prompt_details": {name: _prompt(facts) for name, facts in judged.items()},
        "analyses": {name: dict(facts) for name, facts in outcome.analyses.items()},
        "seconds": outcome.seconds,
        "stage_seconds": dict(outcome.stage_seconds),
        "memory_usage": dict(outcome.memory),
        "feature_flags": {
            "ml_precompute": True,
            "python_only": settings.python_only,
            "claude_sonnet": settings.claude_sonnet,
            "output_format": settings.output_format,
        },
        "video_metrics": dict(outcome.summary),
        "files": dict(outcome.files),
    }


def _prompt(facts: Mapping[str, Any]) -> dict[str, Any]:
    success = facts["source"] == "claude"
    return {"success": success, "tokens": facts["tokens"], "cost": facts["cost_usd"], "time": facts["seconds"]}
