"""Which Claude models there are, what they cost, how they are asked, and which of them a prompt gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from rumiai.insights.settings import ClaudeSettings

Thinking = Literal["disabled", "between_tools"]

# The Message Batches API charges half of everything.
BATCH_DISCOUNT: Final = 0.5
# Room for thinking that cannot be switched off; it counts towards max_tokens.
_THINKING_TOKENS: Final = 4096
# Below these a better model would only word the gaps better.
_LEAST_COMPLETENESS: Final = 0.5
_LEAST_CONFIDENCE: Final = 0.4
# In the cache for five minutes, the time to live that we ask for.
_CACHE_WRITE_FACTOR: Final = 1.25
# Of a snapshot, which the API may name where an alias was asked.
_DATE: Final = re.compile(r"-20\d{6}$")


@dataclass(frozen=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float
    cache_read: float

    @property
    def cache_write(self) -> float:
        """Of input that goes into the five-minute cache."""
        return self.input * _CACHE_WRITE_FACTOR


@dataclass(frozen=True)
class Model:
    """One model.

    Attributes:
        id: As the API has it.
        price: None when it is not known.
        thinking: What switches thinking off; None when nothing does, or it does not think unasked.
        thinks: Whether it thinks although nobody asked.
        long_price: Of prompts longer than ``long_prompt_tokens``, for all their tokens.
    """

    id: str
    price: Price | None = None
    thinking: Thinking | None = None
    thinks: bool = False
    long_prompt_tokens: int | None = None
    long_price: Price | None = None

    @property
    def thinking_tokens(self) -> int:
        """What to add to max_tokens for thinking."""
        return _THINKING_TOKENS if self.thinks else 0

    def price_for(self, prompt_tokens: int) -> Price | None:
        """The price of a prompt of that length, cached parts included."""
        if self.long_prompt_tokens is not None and prompt_tokens > self.long_prompt_tokens:
            return self.long_price
        return self.price


def _known(*models: Model) -> dict[str, Model]:
    return {model.id: model for model in models}


# From the provider's public price list, November 2026; retired models at their last price, for old records.
MODELS: Final[Mapping[str, Model]] = _known(
    Model("claude-haiku-5-5", Price(0.10, 0.50, 0.01), "disabled", False, 100_000, Price(0.50, 2.50, 0.05)),
    Model("claude-sonnet-5-5", Price(2.0, 10.0, 0.10), "between_tools"),
    Model("claude-opus-5-5", Price(4.0, 20.0, 0.20), None, True),
    Model("claude-sonnet-5", Price(2.0, 10.0, 0.20), "disabled"),
    Model("claude-opus-5", Price(5.0, 25.0, 0.50), "disabled"),
    Model("claude-opus-4-8", Price(5.0, 25.0, 0.50)),
    Model("claude-opus-4-7", Price(5.0, 25.0, 0.50)),
    Model("claude-opus-4-6", Price(5.0, 25.0, 0.50)),
    Model("claude-sonnet-4-6", Price(3.0, 15.0, 0.30)),
    Model("claude-sonnet-4-5", Price(3.0, 15.0, 0.30)),
    Model("claude-haiku-4-5", Price(1.0, 5.0, 0.10)),
    Model("claude-3-5-sonnet-20241022", Price(3.0, 15.0, 0.30)),
    Model("claude-3-5-sonnet-20240620", Price(3.0, 15.0, 0.30)),
    Model("claude-3-haiku-20240307", Price(0.25, 1.25, 0.03)),
)

ALIASES: Final[Mapping[str, str]] = {"haiku": "claude-haiku-5-5", "sonnet": "claude-sonnet-5-5"}


def model_of(name: str) -> Model:
    """The model of an id or alias; one that is not known has no price and is given room to think."""
    model_id = ALIASES.get(name.strip().lower(), name.strip())
    known = MODELS.get(model_id) or MODELS.get(_DATE.sub("", model_id))
    return replace(known, id=model_id) if known else Model(model_id, thinks=True)


@dataclass(frozen=True)
class Choice:
    """The model of one prompt, and why it is that one."""

    model: Model
    reason: str


def choose_model(settings: ClaudeSettings, analysis: str, completeness: float, confidence: float) -> Choice:
    """Decide for one prompt: CLAUDE_MODEL, else the analysis' own, else sonnet if asked for, else haiku.

    Sonnet of any origin becomes haiku where the data is poor.

    Args:
        settings: Of the run.
        analysis: Which.
        completeness: Share of its services that ran, 0..1.
        confidence: Overall confidence of its data, 0..1.
    """
    if settings.model:
        name, reason = settings.model, "named for all analyses"
    elif analysis in settings.models:
        name, reason = settings.models[analysis], f"named for {analysis}"
    elif settings.use_sonnet:
        name, reason = "sonnet", "sonnet asked for"
    else:
        name, reason = "haiku", "default"
    model = model_of(name)
    poor = completeness < _LEAST_COMPLETENESS or confidence < _LEAST_CONFIDENCE
    if poor and "sonnet" in model.id:
        quality = f"completeness {completeness:g}, confidence {confidence:g}"
        return Choice(model_of("haiku"), f"{reason}, but the data is poor ({quality})")
    return Choice(model, reason)


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer, as the API counts them; ``input`` are those neither read from nor written to the cache."""

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0
    cache_write_1h: int = 0

    @property
    def prompt(self) -> int:
        """All tokens that went in."""
        return self.input + self.cache_write + self.cache_write_1h + self.cache_read

    @property
    def total(self) -> int:
        """All tokens."""
        return self.prompt + self.output

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def to_dict(self) -> dict[str, int]:
        """JSON form."""
        return dict(vars(self))


def cost_usd(model: Model, usage: Usage, *, batch: bool = False) -> float | None:
    """What an answer cost; None when the model's price is not known."""
    price = model.price_for(usage.prompt)
    if price is None:
        return None
    dollars = (
        usage.input * price.input
        + usage.cache_write * price.cache_write
        + usage.cache_write_1h * 2 * price.input
        + usage.cache_read * price.cache_read
        + usage.output * price.output
    ) / 1e6
    return dollars * (BATCH_DISCOUNT if batch else 1.0)
