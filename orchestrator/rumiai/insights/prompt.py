"""One prompt: system text, instruction and data, with the fingerprint under which its answer is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rumiai.insights.context import build_context
from rumiai.insights.data import PromptData
from rumiai.insights.models import Model, Usage, cost_usd
from rumiai.insights.shrinking import BYTES_PER_TOKEN, HARD_LIMIT_BYTES, fit
from rumiai.insights.templates import Template, Templates
from rumiai.insights.video import VideoInput

# Of the sha256 in hex: with the longest name of an analysis still within the 64 characters of a custom_id.
_FINGERPRINT_CHARS: Final = 32
# What the API adds around a request: roles, the output format's own instruction.
_OVERHEAD_TOKENS: Final = 1000
# After an answer that was cut off.
_MORE_TOKENS: Final = 1.5
_SHOWN_ANSWER_CHARS: Final = 4000
_SHOWN_ERRORS: Final = 40
# Answers are a third of what they may be at most; a guess that is told as one.
_TYPICAL_OUTPUT_SHARE: Final = 1 / 3
_KB_PER_TIMEOUT: Final = 50 * 1024

Message = dict[str, Any]


@dataclass(frozen=True)
class Prompt:
    """What is asked for one analysis of one video.

    Attributes:
        analysis: Which.
        model: Of whom.
        template_version: Of the template and the system text.
        system: Shared by all prompts.
        messages: The conversation; the parts before the data are marked for the prompt cache.
        schema: What the answer is bound to.
        max_tokens: Thinking included.
        timeout_s: Of one attempt.
        data: As the model sees it.
        fingerprint: Of all of this but the time limits.
        round: 1, or 2 for the repair of an invalid answer.
    """

    analysis: str
    model: Model
    template_version: str
    system: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    max_tokens: int
    timeout_s: float
    data: PromptData
    fingerprint: str
    round: int = 1

    @property
    def custom_id(self) -> str:
        """Analysis and fingerprint: at most 64 characters of [A-Za-z0-9_-]."""
        return f"{self.analysis}-{self.fingerprint}"

    @property
    def text(self) -> str:
        """System text, instruction and data, for people."""
        return "\n".join([self.system, *(part["text"] for part in self.messages[0]["content"])])

    @property
    def size_bytes(self) -> int:
        """UTF-8 bytes of everything the model reads."""
        parts = [json.dumps(self.messages, ensure_ascii=False), self.system, json.dumps(self.schema)]
        return sum(len(part.encode()) for part in parts)

    @property
    def estimated_input_tokens(self) -> int:
        """By the usual number of bytes per token."""
        return round(self.size_bytes / BYTES_PER_TOKEN)

    def estimated_cost_usd(self, *, batch: bool = False) -> float | None:
        """What the prompt will probably cost; None when the model's price is not known."""
        output = round(self.max_tokens * _TYPICAL_OUTPUT_SHARE)
        return cost_usd(self.model, Usage(self.estimated_input_tokens, output), batch=batch)

    def most_cost_usd(self, *, batch: bool = False) -> float | None:
        """What the prompt costs at most: a token for every byte, all of them written to the cache, max_tokens back."""
        prompt = self.size_bytes + _OVERHEAD_TOKENS
        return cost_usd(self.model, Usage(output=self.max_tokens, cache_write=prompt), batch=batch)

    def request(self) -> dict[str, Any]:
        """The parameters of the Messages API, apart from the output format's schema, which the client translates."""
        cached = {"cache_control": {"type": "ephemeral"}}
        request: dict[str, Any] = {
            "model": self.model.id,
            "max_tokens": self.max_tokens,
            "system": [{"type": "text", "text": self.system, **cached}],
            "messages": list(self.messages),
            "output_config": {"format": {"type": "json_schema", "schema": dict(self.schema)}},
        }
        if self.model.thinking is not None:
            request["thinking"] = {"type": self.model.thinking}
        return request

    def repair(self, answer: str, errors: Sequence[str], *, cut_off: bool) -> Prompt:
        """The same conversation with the invalid answer and what is wrong with it."""
        listed = "\n".join(f"- {error}" for error in errors[:_SHOWN_ERRORS])
        asked = f"That answer cannot be used:\n{listed}\nReturn the complete corrected JSON object only."
        messages = (
            *self.messages,
            {"role": "assistant", "content": answer.strip()[:_SHOWN_ANSWER_CHARS] or "(no text)"},
            {"role": "user", "content": asked},
        )
        most = round(self.max_tokens * _MORE_TOKENS) if cut_off else self.max_tokens
        return replace(self, messages=messages, max_tokens=most, round=self.round + 1)


def largest_prompt(template: Template, templates: Templates, model: Model) -> tuple[Usage, Usage]:
    """Tokens of a prompt whose data fills its template: by the usual lengths, and at most."""
    texts = (templates.system, template.text, json.dumps(template.schema))
    size = sum(len(text.encode()) for text in texts) + template.max_context_bytes
    output = template.max_output_tokens + model.thinking_tokens
    usual = Usage(round(size / BYTES_PER_TOKEN), round(output * _TYPICAL_OUTPUT_SHARE))
    return usual, Usage(output=output, cache_write=size + _OVERHEAD_TOKENS)


class PromptTooLargeError(ValueError):
    """The data is over the hard limit even after all shrinking; nothing is sent."""


def build_prompt(video: VideoInput, template: Template, templates: Templates, model: Model) -> Prompt:
    """The prompt of one analysis.

    Raises:
        PromptTooLargeError: It cannot be made small enough.
    """
    data = fit(template.analysis, build_context(video, template), template.max_context_bytes)
    size = len((templates.system + template.text + data.text).encode())
    if size > HARD_LIMIT_BYTES:
        raise PromptTooLargeError(f"the prompt has {size / 1024:.1f} KB, expected at most {HARD_LIMIT_BYTES // 1024}")
    cached = {"cache_control": {"type": "ephemeral"}}
    parts = [
        {"type": "text", "text": template.text, **cached},
        {"type": "text", "text": f"<data>\n{data.text}\n</data>"},
    ]
    asked = json.dumps([templates.system, parts, template.schema, model.id, model.thinking], sort_keys=True)
    return Prompt(
        analysis=template.analysis,
        model=model,
        template_version=template.version,
        system=templates.system,
        messages=({"role": "user", "content": parts},),
        schema=template.schema,
        max_tokens=template.max_output_tokens + model.thinking_tokens,
        timeout_s=template.timeout_s * max(1.0, size / _KB_PER_TIMEOUT),
        data=data,
        fingerprint=hashlib.sha256(asked.encode()).hexdigest()[:_FINGERPRINT_CHARS],
    )
