"""What comes back for a prompt, a video and a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rumiai.contracts.blocks import GENERIC_BLOCKS, AnalysisBlocks
from rumiai.contracts.outcome import AnalysisSource
from rumiai.metrics.registry import schema_of

# Members of a result that its JSON form has in another shape, or not at all.
_OWN_FORM: Final = frozenset({"blocks", "tokens", "truncated", "prompt_text"})


@dataclass(frozen=True)
class PromptResult:
    """One analysis of one video.

    Attributes:
        prompt_type: The analysis.
        blocks: The six blocks, always complete: a failure falls back to those by the rules.
        source: ``claude``: judged by a model; ``python``: no model was asked; ``python_fallback``: one was asked, or
            should have been, and there is no valid answer.
        reason: Why it is not ``claude``; None when it is.
        error: Sort of the failure behind a fallback.
        model: Id of the model that was asked or would have been; ``model_reason`` says why this one.
        response: Text of the last answer.
        repaired: The answer taken is that of the repair round.
        reused: No request was sent: every answer was stored already.
        template_version: Of the template; empty when no prompt was made.
        processing_time: Seconds, all attempts.
        tokens: By kind, of the answers of this run; ``stored_tokens`` of those that were stored.
        estimated_cost: USD of the answers of this run by the price list; None when the price is not known.
        stored_cost: USD that earlier runs or batches paid for the answers that were used.
        uncertain_cost: USD counted against the limit for attempts that may have been charged.
        retry_attempts: Requests sent beyond the first, repair round included.
        prompt_bytes: Of everything the model reads.
        truncated: Shrink steps of the data.
        validation: Of the last answer: errors, warnings, disagreements, dropped, taken, model_confidence.
        fingerprint: Under which the answers are stored.
        request_id: Of the last response.
        timestamp: ISO time at which this result was made.
        prompt_text: All that the model reads, for the ``prompt`` file; not in :meth:`to_dict`.
    """

    prompt_type: str
    blocks: AnalysisBlocks
    source: AnalysisSource
    reason: str | None = None
    error: str | None = None
    model: str | None = None
    model_reason: str | None = None
    response: str | None = None
    repaired: bool = False
    reused: bool = False
    template_version: str = ""
    processing_time: float = 0.0
    tokens: Mapping[str, int] = field(default_factory=dict)
    stored_tokens: Mapping[str, int] = field(default_factory=dict)
    estimated_cost: float | None = 0.0
    stored_cost: float | None = 0.0
    uncertain_cost: float = 0.0
    retry_attempts: int = 0
    prompt_bytes: int = 0
    truncated: tuple[str, ...] = ()
    validation: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
    request_id: str | None = None
    timestamp: str = ""
    prompt_text: str | None = field(default=None, repr=False)

    @property
    def model_success(self) -> bool:
        """A model's valid answer is in them."""
        return self.source == "claude"

    @property
    def tokens_used(self) -> int:
        """All tokens of this run."""
        return sum(self.tokens.values())

    def blocks_json(self) -> dict[str, dict[str, Any]]:
        """Generic block name -> key -> value, JSON types, aliases repeated."""
        return schema_of(self.prompt_type).to_json(self.blocks)

    def provenance(self) -> dict[str, dict[str, Any]]:
        """Where each block comes from: Python, or Python with judgements of a model, and of which fields."""
        taken: Mapping[str, list[str]] = self.validation.get("taken", {}) if self.model_success else {}
        out: dict[str, dict[str, Any]] = {}
        for name in GENERIC_BLOCKS:
            if taken.get(name):
                out[name] = {
                    "source": "claude", "model": self.model, "repaired": self.repaired, "judged": list(taken[name]),
                }  # fmt: skip
            else:
                out[name] = {"source": "python", "model": None, "repaired": False, "judged": []}
        return out

    def to_dict(self) -> dict[str, Any]:
        """JSON form; blocks by generic name under ``parsed_response`` and prefixed under ``result``.

        ``success`` says that there are complete blocks, whoever judged.
        """
        blocks = self.blocks_json()
        tokens = {"tokens_used": self.tokens_used, "input_tokens": self.tokens_used - self.tokens.get("output", 0)}
        plain = {name: value for name, value in vars(self).items() if name not in _OWN_FORM}
        return {
            **plain,
            "stored_tokens": dict(self.stored_tokens),
            "validation": dict(self.validation),
            "success": True,
            "model_success": self.model_success,
            **tokens,
            "output_tokens": self.tokens.get("output", 0),
            "token_details": dict(self.tokens),
            "truncated": list(self.truncated),
            "provenance": self.provenance(),
            "parsed_response": blocks,
            "result": schema_of(self.prompt_type).to_prefixed(blocks),
        }


@dataclass(frozen=True)
class VideoInsights:
    """All analyses of one video."""

    video_id: str
    results: Mapping[str, PromptResult]

    @property
    def partial(self) -> bool:
        """Whether a prompt fell back to the Python blocks; one that waits for its batch has not."""
        return bool(self._fallen)

    @property
    def pending(self) -> tuple[str, ...]:
        """Analyses whose batch has not brought an answer yet."""
        return tuple(name for name, result in self.results.items() if result.error == "not_collected")

    @property
    def to_submit(self) -> bool:
        """Whether something is left to be put into a batch; what is in one that has not ended is left out there."""
        return any(result.error in ("not_collected", "batch_failed") for result in self.results.values())

    @property
    def _fallen(self) -> list[PromptResult]:
        fallen = [result for result in self.results.values() if result.source == "python_fallback"]
        return [result for result in fallen if result.error != "not_collected"]

    @property
    def cost_usd(self) -> float | None:
        """Of this run; None when a price is not known."""
        costs = [result.estimated_cost for result in self.results.values()]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def tokens_used(self) -> int:
        """Of this run, all prompts and attempts."""
        return sum(result.tokens_used for result in self.results.values())

    @property
    def success_rate(self) -> float:
        """Share of the analyses that should have a model's answer and have one; 1 when none should."""
        asked = [result for result in self.results.values() if result.source != "python"]
        return sum(result.model_success for result in asked) / len(asked) if asked else 1.0

    @property
    def warnings(self) -> list[str]:
        """One line for each fallback."""
        return [f"{result.prompt_type}: Python blocks only ({result.reason})" for result in self._fallen]


@dataclass(frozen=True)
class Estimate:
    """What a run will ask and cost, before anything is sent.

    Attributes:
        prompts: To be sent.
        stored: Answered already.
        skipped: With nothing to judge.
        refused: ``analysis of video: why``, not to be sent.
        probable_usd: By usual answer lengths; None when a price is not known.
        most_usd: If every answer took all it may, repair rounds aside.
        models: Model id -> prompts.
    """

    prompts: int
    stored: int
    skipped: int
    refused: tuple[str, ...]
    probable_usd: float | None
    most_usd: float | None
    models: Mapping[str, int]

    def line(self, limit_usd: float | None, *, known: bool = True) -> str:
        """For a person; not ``known`` when the videos were not looked at yet."""
        models = ", ".join(f"{count} x {name}" for name, count in sorted(self.models.items())) or "none"
        probable = "unknown" if self.probable_usd is None else f"about {self.probable_usd:.3f} USD"
        most = "" if self.most_usd is None else f", at most {self.most_usd:.3f}"
        limit = "no limit" if limit_usd is None else f"limit {limit_usd:.2f}"
        if not known:
            return f"Claude: up to {models}; {probable}{most} ({limit})"
        return f"Claude: {models}; {probable}{most} ({limit}); {self.stored} answered already, {self.skipped} skipped"


@dataclass(frozen=True)
class Submission:
    """What was given to the Message Batches API."""

    batch_id: str | None
    submitted: tuple[str, ...]
    waiting: tuple[str, ...]
    not_sent: Mapping[str, str]


@dataclass(frozen=True)
class Collection:
    """What the batches of an output folder have brought.

    Attributes:
        stored: custom_ids whose answers were stored now.
        failed: custom_id -> why there is no answer.
        pending: Batches that have not ended.
        cost_usd: Of the answers stored now; None when a price is not known.
    """

    stored: tuple[str, ...]
    failed: Mapping[str, str]
    pending: tuple[str, ...]
    cost_usd: float | None
