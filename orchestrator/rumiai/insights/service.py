"""Insights of videos: plan, ask once, keep, check, repair once, fall back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from rumiai.core.clock import now_iso
from rumiai.errors import ConfigurationError
from rumiai.insights.answers import Answer, AnswerStore, CallFailure
from rumiai.insights.budget import Budget
from rumiai.insights.judging import Verdict, judge
from rumiai.insights.limiter import Limiter
from rumiai.insights.models import Choice, Usage, choose_model, cost_usd, model_of
from rumiai.insights.prompt import Prompt, PromptTooLargeError, build_prompt, largest_prompt
from rumiai.insights.results import Collection, Estimate, PromptResult, Submission, VideoInsights
from rumiai.insights.settings import ClaudeSettings
from rumiai.insights.shrinking import WARN_BYTES
from rumiai.insights.templates import Templates, load_templates
from rumiai.insights.video import VideoInput, nothing_to_judge

if TYPE_CHECKING:
    from rumiai.insights.batches import Batches
    from rumiai.insights.client import ClaudeClient

LOG = logging.getLogger("rumiai.insights")

# Above this many times the warning threshold a prompt is refused.
_REFUSED_FACTOR: Final = 5.0


@dataclass(frozen=True)
class _Plan:
    """What shall happen for one analysis: a prompt, or a reason why there is none; ``refused`` when it is a failure."""

    prompt: Prompt | None
    reason: str
    refused: bool = False


@dataclass
class _Account:
    """What the answers to one prompt took."""

    fresh: Usage = field(default_factory=Usage)
    stored: Usage = field(default_factory=Usage)
    fresh_usd: float | None = 0.0
    stored_usd: float | None = 0.0
    uncertain_usd: float = 0.0
    attempts: int = 0
    request_id: str | None = None

    def add(self, answer: Answer, *, stored: bool) -> None:
        """Count an answer."""
        cost = answer.cost_usd
        self.request_id = answer.request_id
        if stored:
            self.stored += answer.usage
            self.stored_usd = None if cost is None or self.stored_usd is None else self.stored_usd + cost
        else:
            self.fresh += answer.usage
            self.fresh_usd = None if cost is None or self.fresh_usd is None else self.fresh_usd + cost


class Insights:
    """The Claude half of a run; one for a process, used as ``async with Insights(...) as insights``.

    Args:
        settings: Of the run.
        answers: Where answers are kept; one folder for an output folder.
        budget: Of the run; give one with a ledger where several processes share the run.
        limiter: Of the process.
        templates: Loaded ones; by default those of the installation.

    Raises:
        ConfigurationError: A template is missing or broken.
    """

    def __init__(
        self,
        settings: ClaudeSettings,
        answers: AnswerStore,
        *,
        budget: Budget | None = None,
        limiter: Limiter | None = None,
        templates: Templates | None = None,
    ) -> None:
        self.settings = settings
        self.answers = answers
        self.budget = budget or Budget(settings.max_cost_usd)
        self.templates = templates or load_templates()
        self._limiter = limiter or Limiter(settings.max_concurrent, settings.min_spacing_s)
        self._client: ClaudeClient | None = None
        self._locks: dict[str, asyncio.Lock] = {}

    async def __aenter__(self) -> Insights:
        if self.settings.mode != "off":
            # The SDK takes a second to import; a run without Claude does not pay for it.
            from rumiai.insights.client import ClaudeClient

            self._client = ClaudeClient(self.settings, self._limiter, self.budget)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def check_key(self) -> str | None:
        """Ask for the model list, which costs nothing; returns a warning when the API could not be reached.

        Raises:
            APIError: The key was refused; nothing else should be begun.
        """
        return await self._need_client().check_key() if self.settings.mode != "off" else None

    def estimate(self, videos: Sequence[VideoInput]) -> Estimate:
        """What :meth:`analyse` or :meth:`submit` would send; nothing is sent."""
        batch = self.settings.mode == "batch"
        plans = [(video, analysis, self._plan(video, analysis)) for video in videos for analysis in video.measured]
        open_ = [p.prompt for _, _, p in plans if p.prompt is not None and self.answers.load(p.prompt) is None]
        probable = [prompt.estimated_cost_usd(batch=batch) for prompt in open_]
        most = [prompt.most_cost_usd(batch=batch) for prompt in open_]
        models: dict[str, int] = {}
        for prompt in open_:
            models[prompt.model.id] = models.get(prompt.model.id, 0) + 1
        return Estimate(
            prompts=len(open_),
            stored=sum(p.prompt is not None for _, _, p in plans) - len(open_),
            skipped=sum(p.prompt is None and not p.refused for _, _, p in plans),
            refused=tuple(f"{analysis} of {video.video_id}: {p.reason}" for video, analysis, p in plans if p.refused),
            probable_usd=_sum(probable),
            most_usd=_sum(most),
            models=models,
        )

    def ceiling(self, videos: int) -> Estimate:
        """What videos of unknown content can cost: every prompt as large as its template lets it."""
        batch = self.settings.mode == "batch"
        probable: list[float | None] = []
        most: list[float | None] = []
        models: dict[str, int] = {}
        for analysis in self.settings.analyses:
            model = choose_model(self.settings, analysis, 1.0, 1.0).model
            usual, highest = largest_prompt(self.templates.of[analysis], self.templates, model)
            probable += [cost_usd(model, usual, batch=batch)] * videos
            most += [cost_usd(model, highest, batch=batch)] * videos
            models[model.id] = models.get(model.id, 0) + videos
        return Estimate(sum(models.values()), 0, 0, (), _sum(probable), _sum(most), models)

    async def analyse(self, video: VideoInput) -> VideoInsights:
        """The insights of one video; whatever happens to a prompt, every analysis has its blocks.

        With mode ``batch`` only stored answers are used and invalid ones repaired: call :meth:`collect` first.

        Raises:
            StoreError: An answer could not be stored.
        """
        tasks = [self._analysis(video, analysis) for analysis in video.measured]
        # Those in flight are paid for: they end and are stored before an error goes up.
        results: dict[str, PromptResult] = {}
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
            results[result.prompt_type] = result
        return VideoInsights(video.video_id, results)

    async def submit(self, videos: Sequence[VideoInput]) -> Submission:
        """Give all open prompts of some videos to the Message Batches API.

        Raises:
            APIError: The API refused the batch or could not be reached.
        """
        prompts: list[Prompt] = []
        refused: dict[str, str] = {}
        for video in videos:
            for analysis in video.measured:
                plan = self._plan(video, analysis)
                if plan.refused:
                    refused[f"{video.video_id}:{analysis}"] = plan.reason
                elif plan.prompt is not None and self.answers.load(plan.prompt) is None:
                    self.answers.note(video.video_id, plan.prompt.custom_id)
                    prompts.append(plan.prompt)
        return await self._batches().submit(prompts, refused)

    async def collect(self) -> Collection:
        """Fetch and store the answers of all batches of this output folder that have ended.

        Raises:
            APIError: The API refused or could not be reached.
            StoreError: An answer could not be stored.
        """
        return await self._batches().collect()

    def _batches(self) -> Batches:
        from rumiai.insights.batches import Batches

        return Batches(self._need_client().sdk, self.answers, self.budget, self.settings.deadline_s)

    def _need_client(self) -> ClaudeClient:
        if self._client is None:
            raise ConfigurationError(
                "Claude is off, or Insights was not entered", hint="use `async with Insights(...)`"
            )
        return self._client

    def _plan(self, video: VideoInput, analysis: str) -> _Plan:
        measured = video.measured[analysis]
        if self.settings.mode == "off":
            return _Plan(None, "Claude is off")
        if analysis not in self.settings.analyses:
            return _Plan(None, "not among the analyses that use Claude")
        if reason := nothing_to_judge(analysis, measured.blocks):
            return _Plan(None, reason)
        if decided := video.decided.get(analysis):
            choice = Choice(model_of(decided), "as it was submitted")
        else:
            choice = choose_model(self.settings, analysis, measured.completeness, measured.confidence)
        try:
            prompt = build_prompt(video, self.templates.of[analysis], self.templates, choice.model)
        except PromptTooLargeError as exc:
            return _Plan(None, str(exc), refused=True)
        if prompt.size_bytes > WARN_BYTES:
            LOG.warning("%s: the prompt has %.1f KB", analysis, prompt.size_bytes / 1024)
        estimate = prompt.estimated_cost_usd(batch=self.settings.mode == "batch")
        threshold = self.settings.warn_cost_usd
        if estimate is not None and estimate > threshold:
            message = f"estimated at {estimate:.3f} USD, above the threshold of {threshold:g}"
            if estimate > _REFUSED_FACTOR * threshold and not (self.settings.force_cost or decided):
                return _Plan(None, f"{message} by more than {_REFUSED_FACTOR:g} times", refused=True)
            LOG.warning("%s: %s", analysis, message)
        return _Plan(prompt, choice.reason)

    async def _analysis(self, video: VideoInput, analysis: str) -> PromptResult:
        began = time.monotonic()
        plan = self._plan(video, analysis)
        blocks = video.measured[analysis].blocks
        if plan.prompt is None:
            source: Any = "python_fallback" if plan.refused else "python"
            error = "refused" if plan.refused else None
            return PromptResult(analysis, blocks, source, reason=plan.reason, error=error, timestamp=now_iso())
        self.answers.note(video.video_id, plan.prompt.custom_id)
        # The same video under two ids asks the same question once.
        async with self._locks.setdefault(plan.prompt.custom_id, asyncio.Lock()):
            account = _Account()
            verdict, answer, failure, repaired = await self._judged(plan.prompt, video, account)
        seconds = round(time.monotonic() - began, 3)
        common: dict[str, Any] = {"model_reason": plan.reason, "processing_time": seconds}
        common |= _common(plan.prompt, account, answer, verdict)
        if verdict is not None and verdict.valid:
            return PromptResult(analysis, verdict.blocks, "claude", repaired=repaired, **common)
        if failure is not None:
            reason, error = failure.message, failure.kind
        else:
            reason, error = "; ".join((verdict.errors if verdict else [])[:3]), "invalid_answer"
        LOG.warning("%s of %s: Python blocks only (%s)", analysis, video.video_id, error)
        return PromptResult(analysis, blocks, "python_fallback", reason=reason, error=error, **common)

    async def _judged(
        self, prompt: Prompt, video: VideoInput, account: _Account
    ) -> tuple[Verdict | None, Answer | None, CallFailure | None, bool]:
        """The verdict on the first answer, or on that of the one repair round."""
        verdict: Verdict | None = None
        answer: Answer | None = None
        for repaired in (False, True):
            found = await self._answer(prompt, account)
            if not isinstance(found, Answer):
                return verdict, answer, found, repaired
            answer = found
            blocks = video.measured[prompt.analysis].blocks
            verdict = judge(
                prompt.analysis, answer.text, answer.stop_reason, blocks, prompt.data, video.author
            )  # fmt: skip
            if verdict.valid or answer.stop_reason == "refusal":
                return verdict, answer, None, repaired
            LOG.info("%s: an answer with %d faults", prompt.analysis, len(verdict.errors))
            prompt = prompt.repair(answer.text, verdict.errors, cut_off=answer.stop_reason == "max_tokens")
        return verdict, answer, None, True

    async def _answer(self, prompt: Prompt, account: _Account) -> Answer | CallFailure:
        """The stored answer, else a new one, stored before anything else is done with it."""
        answer = self.answers.load(prompt)
        if answer is not None:
            account.add(answer, stored=True)
            return answer
        if self.settings.mode == "batch" and prompt.round == 1:
            if reason := self.answers.why_not(prompt.custom_id):
                return CallFailure("batch_failed", reason)
            return CallFailure("not_collected", "its batch has brought no answer yet")
        reply = await self._need_client().ask(prompt, partial(self.answers.save, prompt.custom_id, prompt.round))
        account.attempts += reply.attempts
        account.uncertain_usd += reply.uncertain_usd
        if reply.answer is None:
            failure = reply.failure or CallFailure("bad_response", "no answer")
            account.request_id = failure.request_id or account.request_id
            return failure
        account.add(reply.answer, stored=False)
        usage = reply.answer.usage
        LOG.info("%s: %d tokens in, %d out, %d attempts", prompt.analysis, usage.prompt, usage.output, reply.attempts)
        return reply.answer


def _common(prompt: Prompt, account: _Account, answer: Answer | None, verdict: Verdict | None) -> dict[str, Any]:
    """What a result says of its prompt, whether it succeeded or not."""
    return {
        "model": answer.model if answer else prompt.model.id,
        "response": answer.text if answer else None,
        "reused": account.attempts == 0 and answer is not None,
        "template_version": prompt.template_version,
        "tokens": account.fresh.to_dict(),
        "stored_tokens": account.stored.to_dict(),
        "estimated_cost": account.fresh_usd,
        "stored_cost": account.stored_usd,
        "uncertain_cost": account.uncertain_usd,
        "retry_attempts": max(0, account.attempts - 1),
        "prompt_bytes": prompt.size_bytes,
        "truncated": prompt.data.truncated,
        "validation": verdict.to_dict() if verdict else {},
        "fingerprint": prompt.fingerprint,
        "request_id": account.request_id,
        "timestamp": now_iso(),
        "prompt_text": prompt.text,
    }


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
