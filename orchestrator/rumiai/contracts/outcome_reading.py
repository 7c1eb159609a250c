"""Outcomes of videos read back from their JSON form: from records, reports, and another machine's service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rumiai.contracts.outcome import AnalysisOutcome, Failure, MemoryUse, ServiceOutcome, Summary, VideoOutcome
from rumiai.core.json_values import JsonObject
from rumiai.errors import ContractError, RumiAIError


def read_outcome(members: JsonObject) -> VideoOutcome:
    """Read what :meth:`VideoOutcome.to_dict` gave; the lines of its summary are not in it.

    Raises:
        ContractError: It is no outcome.
    """
    told: Mapping[str, Any] = members
    try:
        return VideoOutcome(
            video_id=told["video_id"],
            source=told["source"],
            status=told["status"],
            skipped=told["skipped"],
            seconds=told["seconds"],
            files=told["files"],
            error=_failure(told["error"]) if told["error"] else None,
            services={name: ServiceOutcome(**each) for name, each in told["services"].items()},
            stage_seconds=told["stage_seconds"],
            analyses={name: _analysis(each) for name, each in told["analyses"].items()},
            warnings=tuple(told["warnings"]),
            summary=Summary(told["summary"]),
            memory=MemoryUse(**told["memory"]) if told["memory"] else None,
            bytes=told.get("bytes"),
        )
    except (AttributeError, KeyError, TypeError) as exc:
        raise ContractError(
            f"not the outcome of a video: {exc}", hint="use one version of RumiAI on both ends"
        ) from exc


def _failure(told: JsonObject) -> Failure:
    kind = str(told["type"])
    return Failure(kind, str(told["message"]), str(told["stage"]), exit_code_of(kind))


def _analysis(told: Mapping[str, Any]) -> AnalysisOutcome:
    return AnalysisOutcome(**{**told, "errors": tuple(told["errors"])})


def exit_code_of(name: str) -> int:
    """Exit code of an error by the name of its class; 1 for one that is not ours."""
    return next((kind.exit_code for kind in _kinds(RumiAIError) if kind.__name__ == name), 1)


def _kinds(base: type[RumiAIError]) -> Iterator[type[RumiAIError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _kinds(kind)
