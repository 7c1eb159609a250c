"""Compute markers and analyses of a unified analysis, write them, and read them back.

The analysis in memory equals what its file reads back as. So a run and a later ``recompute`` give the same ``ml``
bodies, and the run does not read the file again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import ValidationError

from rumiai import __version__
from rumiai.contracts.blocks import GENERIC_BLOCKS, AnalysisBlocks, Blocks, MeasuredAnalysis
from rumiai.contracts.outcome import AnalysisOutcome
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.clock import now_iso
from rumiai.core.code import analyses_code
from rumiai.errors import ContractError, StoreError
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import ANALYSES, family, schema_of
from rumiai.results.run_state import RunState
from rumiai.results.store import Store, read_json, write_json, write_text
from rumiai.timeline.markers import compute_markers

if TYPE_CHECKING:
    from rumiai.insights import PromptResult

OutputFormat = Literal["v1", "v2"]

_RESULT_VERSION: Final = "2.0"
_SOURCE: Final = "python"
# What an analysis says that no model was asked for.
_PYTHON: Final[Mapping[str, Any]] = {
    "source": _SOURCE,
    "provenance": {
        name: {"source": _SOURCE, "model": None, "repaired": False, "judged": []} for name in GENERIC_BLOCKS
    },
}


def with_markers(analysis: UnifiedAnalysis, generated_at: str | None = None) -> UnifiedAnalysis:
    """The analysis with its temporal markers; ``generated_at`` is now unless it is given."""
    return replace(analysis, temporal_markers=compute_markers(analysis, generated_at or now_iso()))


def save_unified(store: Store, analysis: UnifiedAnalysis) -> None:
    """Write the unified analysis, and the file of its markers if it has them.

    Raises:
        StoreError: A file could not be written.
    """
    if analysis.temporal_markers is not None:
        write_json(store.markers_file(analysis.video_id), analysis.temporal_markers)
    write_json(store.unified_file(analysis.video_id), analysis.to_dict())


def measure(analysis: UnifiedAnalysis) -> dict[str, MeasuredAnalysis]:
    """Compute all seven analyses.

    Args:
        analysis: Of the video.

    Returns:
        Analysis -> its blocks and metrics, in the runner's order.

    Raises:
        ContractError: A computed value breaks the schema: a bug, and no result to hand on.
    """
    evidence = read_evidence(analysis)
    return {name: family(name).compute(evidence) for name in ANALYSES}


def read_measured(store: Store, video_id: str) -> dict[str, MeasuredAnalysis] | None:
    """Read the analyses that this code computed from the video's present unified analysis.

    Returns:
        As of :func:`measure`; None when a file is missing, damaged, of other code or holds a model's
        judgements.
    """
    if not RunState(store.state_file(video_id)).kept("analyses"):
        return None
    out = {}
    for name in ANALYSES:
        try:
            _, complete = read_latest(store, video_id, name)
        except (StoreError, KeyError):
            return None
        if complete.get("source") != _SOURCE or complete.get("code") != analyses_code():
            return None
        try:
            out[name] = family(name).read(complete["parsed_response"], complete["precompute"])
        except (ContractError, KeyError):
            return None
    return out


def write_analyses(
    store: Store,
    video_id: str,
    measured: Mapping[str, MeasuredAnalysis],
    output_format: OutputFormat = "v2",
    judged: Mapping[str, PromptResult] | None = None,
) -> dict[str, AnalysisOutcome]:
    """Write analyses; files that say the same already are kept.

    Args:
        store: Where to.
        video_id: Of which video.
        measured: From :func:`measure`.
        output_format: ``v1`` puts the legacy form into the ``result`` file; the blocks are the same.
        judged: What Claude made of them; those that are not in it are Python's.

    Returns:
        Analysis -> what became of it.

    Raises:
        StoreError: A file could not be written.
    """
    moment = datetime.now(UTC)
    out = {}
    for name, result in measured.items():
        told = (judged or {}).get(name)
        kept = _same(store, video_id, name, told, output_format) if told is not None else None
        files = kept or _write(store, video_id, name, result, told, moment, output_format)
        summary = AnalysisOutcome(_SOURCE, result.confidence, files=files, written=kept is None)
        out[name] = summary if told is None else _summary(summary, told)
    return out


def _summary(summary: AnalysisOutcome, told: PromptResult) -> AnalysisOutcome:
    return replace(
        summary,
        source=told.source,
        model=told.model if told.model_success else None,
        cost_usd=told.estimated_cost,
        tokens=told.tokens_used,
        seconds=told.processing_time,
        errors=(told.reason or "",) if told.source == "python_fallback" else (),
    )


def read_analyses(store: Store, video_id: str) -> dict[str, AnalysisOutcome]:
    """The outcomes of the analyses that an earlier run wrote, read from their latest files.

    Raises:
        StoreError: A file is missing or damaged.
    """
    out = {}
    for name in ANALYSES:
        files, complete = read_latest(store, video_id, name)
        confidence = _stored_blocks(name, complete).quality.overall_confidence
        model = complete.get("model") if complete["source"] == "claude" else None
        out[name] = AnalysisOutcome(complete["source"], confidence, model, files=files, written=False)
    return out


def _stored_blocks(name: str, complete: Mapping[str, Any]) -> AnalysisBlocks:
    try:
        return schema_of(name).read(complete["parsed_response"])
    except (KeyError, TypeError, ValidationError) as exc:
        raise StoreError(f"the stored blocks of {name} are damaged: {str(exc)[:200]}") from exc


def read_latest(store: Store, video_id: str, name: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The files of one analysis, and the content of its ``complete``.

    Raises:
        StoreError: A file is missing or damaged.
    """
    folder = store.insights_folder(video_id) / name
    files = {kind: str(folder / file) for kind, file in read_json(folder / "latest.json").items()}
    complete = read_json(Path(files["complete"]))
    return files, complete


def _same(
    store: Store, video_id: str, name: str, told: PromptResult, output_format: OutputFormat
) -> dict[str, str] | None:
    """The files of an earlier run when they say what would be written now, from the same answer; else None."""
    try:
        files, complete = read_latest(store, video_id, name)
        result = read_json(Path(files["result"]))
    except (StoreError, KeyError):
        return None
    blocks = told.blocks_json()
    before = tuple(complete.get(key) for key in ("source", "fingerprint", "error", "reason", "parsed_response"))
    same = before == (told.source, told.fingerprint, told.error, told.reason, blocks)
    return files if same and result == _shown(name, blocks, output_format) else None


def _shown(name: str, blocks: Blocks, output_format: OutputFormat) -> Mapping[str, Any]:
    """The body of the ``result`` file."""
    if output_format == "v1":
        from rumiai.results.v1 import to_legacy

        return to_legacy(name, blocks)
    return schema_of(name).to_prefixed(blocks)


def _write(
    store: Store,
    video_id: str,
    name: str,
    result: MeasuredAnalysis,
    told: PromptResult | None,
    moment: datetime,
    output_format: OutputFormat,
) -> dict[str, str]:
    """The triple ``complete``, ``ml``, ``result``, the prompt if there was one, and the pointer to them."""
    folder = store.insights_folder(video_id) / name
    stamp = moment.strftime("%Y%m%d_%H%M%S_") + f"{moment.microsecond // 1000:03d}"
    blocks: Blocks = result.blocks_json() if told is None else told.blocks_json()
    envelope = {
        **(_PYTHON if told is None else told.to_dict()),
        "analysis_type": name,
        "success": True,
        "result": json.dumps(schema_of(name).to_prefixed(blocks), ensure_ascii=False, allow_nan=False),
        "parsed_response": blocks,
        "precompute": result.precompute_json(),
        "processing_mode": "python_only" if told is None or told.model is None else "precompute_claude",
        "version": _RESULT_VERSION,
        "rumiai_version": __version__,
        "code": analyses_code(),
        "timestamp": moment.isoformat(timespec="milliseconds"),
    }
    bodies = {"complete": envelope, "ml": blocks, "result": _shown(name, blocks, output_format)}
    files = {kind: folder / f"{name}_{kind}_{stamp}.json" for kind in bodies}
    for kind, path in files.items():
        write_json(path, bodies[kind])
    if told is not None and told.prompt_text is not None:
        files["prompt"] = folder / f"{name}_prompt_{stamp}.txt"
        write_text(files["prompt"], told.prompt_text)
    write_json(folder / "latest.json", {kind: path.name for kind, path in files.items()})
    _forget_older(folder, name, keep=stamp)
    return {kind: str(path) for kind, path in files.items()}


def _forget_older(folder: Path, name: str, *, keep: str) -> None:
    """Remove the files of earlier runs: they are made again in milliseconds, answers are kept elsewhere."""
    for kind in ("complete", "ml", "result", "prompt"):
        for path in folder.glob(f"{name}_{kind}_*"):
            if path.stem != f"{name}_{kind}_{keep}":
                path.unlink(missing_ok=True)
