"""From a saved unified analysis to its markers and its seven analyses on disk. No model, no network.

Everything is computed on what a reader of the file gets, ``load(save(x))``, so that a run and a later ``recompute``
give the same ``ml`` bodies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from rumiai import __version__
from rumiai.contracts.blocks import ANALYSES, to_prefixed, validate_blocks
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import ContractError
from rumiai.metrics.families import FamilyResult, family
from rumiai.metrics.reading import read_evidence
from rumiai.store import Store, read_json, write_json
from rumiai.timeline.markers import compute_markers

OutputFormat = Literal["v1", "v2"]

_RESULT_VERSION: Final = "2.0"
_SOURCE: Final = "python"


@dataclass(frozen=True)
class AnalysisSummary:
    """One analysis of one video: where its blocks came from, how sure they are, what is wrong with them."""

    source: str
    confidence: float | None
    errors: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "source": self.source,
            "confidence": self.confidence,
            "errors": list(self.errors),
            "files": dict(self.files),
        }


def add_markers(store: Store, video_id: str, *, generated_at: str | None = None) -> UnifiedAnalysis:
    """Compute the markers of a saved unified analysis; write them beside it and into it.

    Returns:
        The analysis with its markers, as it reads back from its file.
    """
    path = store.unified_file(video_id)
    analysis = UnifiedAnalysis.from_dict(read_json(path))
    markers = compute_markers(analysis, generated_at or now())
    write_json(store.markers_file(video_id), markers)
    write_json(path, replace(analysis, temporal_markers=markers).to_dict())
    return UnifiedAnalysis.from_dict(read_json(path))


def write_analyses(
    store: Store, analysis: UnifiedAnalysis, output_format: OutputFormat = "v2"
) -> dict[str, AnalysisSummary]:
    """Compute and write all seven analyses.

    Args:
        store: Where to.
        analysis: As it was read from its file.
        output_format: ``v1`` puts the legacy form into the ``result`` file; the blocks are the same.

    Returns:
        Analysis -> what became of it, in the runner's order.

    Raises:
        ContractError: Computed blocks break their own schema: a bug, and no result to hand on.
    """
    evidence = read_evidence(analysis)
    moment = datetime.now(UTC)
    out = {}
    for name in ANALYSES:
        result = family(name)(evidence)
        problems = validate_blocks(name, result.blocks, duration_s=analysis.duration_s)
        if problems:
            shown = "; ".join(f"{p.path}: {p.code}, got {p.got}, expected {p.expected}" for p in problems[:3])
            raise ContractError(f"{analysis.video_id}: {name} breaks its schema: {shown}")
        files = _write(store, analysis.video_id, name, result, moment, output_format)
        confidence = result.blocks["Quality"].get("overallConfidence")
        out[name] = AnalysisSummary(_SOURCE, confidence, files=files)
    return out


def read_analyses(store: Store, video_id: str) -> dict[str, AnalysisSummary]:
    """What an earlier run wrote, by the pointers to its latest files.

    Raises:
        StoreError: A file is missing or damaged.
    """
    out = {}
    for name in ANALYSES:
        folder = store.insights_folder(video_id) / name
        files = {kind: str(folder / file) for kind, file in read_json(folder / "latest.json").items()}
        complete = read_json(Path(files["complete"]))
        confidence = complete["parsed_response"]["Quality"].get("overallConfidence")
        out[name] = AnalysisSummary(complete["source"], confidence, files=files)
    return out


def _write(
    store: Store, video_id: str, name: str, result: FamilyResult, moment: datetime, output_format: OutputFormat
) -> dict[str, str]:
    """The triple ``complete``, ``ml``, ``result`` and the pointer to the latest of them."""
    folder = store.insights_folder(video_id) / name
    stamp = moment.strftime("%Y%m%d_%H%M%S_") + f"{moment.microsecond // 1000:03d}"
    prefixed: Mapping[str, Any] = to_prefixed(name, result.blocks)
    shown: Mapping[str, Any] = prefixed
    if output_format == "v1":
        from rumiai.metrics.legacy import to_legacy

        shown = to_legacy(name, result.blocks)
    bodies: dict[str, Any] = {
        "complete": {
            "analysis_type": name,
            "success": True,
            "result": json.dumps(prefixed, ensure_ascii=False, allow_nan=False),
            "parsed_response": result.blocks,
            "precompute": result.precompute,
            "source": _SOURCE,
            "block_sources": dict.fromkeys(result.blocks, _SOURCE),
            "processing_mode": "python_only",
            "version": _RESULT_VERSION,
            "rumiai_version": __version__,
            "timestamp": moment.isoformat(timespec="milliseconds"),
        },
        "ml": result.blocks,
        "result": shown,
    }
    files = {kind: folder / f"{name}_{kind}_{stamp}.json" for kind in bodies}
    for kind, path in files.items():
        write_json(path, bodies[kind])
    write_json(folder / "latest.json", {kind: path.name for kind, path in files.items()})
    _forget_older(folder, name, keep=stamp)
    return {kind: str(path) for kind, path in files.items()}


def _forget_older(folder: Path, name: str, *, keep: str) -> None:
    """Remove the triples of earlier runs: they are recomputed in milliseconds, and folders must not grow for ever."""
    for kind in ("complete", "ml", "result"):
        for path in folder.glob(f"{name}_{kind}_*.json"):
            if path.stem != f"{name}_{kind}_{keep}":
                path.unlink(missing_ok=True)


def now() -> str:
    """The present instant, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
