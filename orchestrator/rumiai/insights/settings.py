"""What the Claude half of a run is told; no environment is read in this package."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from rumiai.errors import ConfigurationError
from rumiai.metrics.registry import ANALYSES

Switch = Literal["auto", "off", "on", "batch"]
Mode = Literal["off", "on", "batch"]

DEFAULT_BASE_URL: Final = "https://api.anthropic.com"


class ApiKey:
    """A secret that shows itself only to those who call :meth:`reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value.strip()
        if not self._value or not self._value.isprintable() or not self._value.isascii():
            raise ConfigurationError("the Claude API key is empty or has characters that no key has")

    def reveal(self) -> str:
        """The key itself, for the authentication header."""
        return self._value

    def __repr__(self) -> str:
        return "ApiKey(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and other._value == self._value

    def __hash__(self) -> int:
        return hash((ApiKey, self._value))


@dataclass(frozen=True)
class ClaudeSettings:
    """How Claude is used in a run.

    Attributes:
        mode: ``off``: Python blocks only; ``on``: Messages API; ``batch``: Message Batches API.
        api_key: Needed unless ``off``.
        base_url: Of the API; the SDK's own variable is not consulted, so that nothing diverts the key.
        model: Model id or alias for all analyses (CLAUDE_MODEL); None leaves the choice to the rules.
        models: Model id or alias of single analyses.
        use_sonnet: ``sonnet`` instead of ``haiku`` where no model is named (USE_CLAUDE_SONNET).
        analyses: Those that may use Claude (PRECOMPUTE_<ANALYSIS>).
        max_cost_usd: Of the run, never passed; None lifts it.
        warn_cost_usd: Estimate of one prompt above which a warning is logged; above five times that it is refused.
        force_cost: Send prompts whose estimate is refused.
        max_concurrent: Prompts in flight in this process.
        min_spacing_s: Least time between the starts of two prompts.
        max_retries: Of the SDK, for one request.
        deadline_s: For one prompt, all its attempts and waits together; the repair round has its own.
        connect_timeout_s: For one connection.
        read_timeout_s: For one attempt; None takes the template's, scaled by the size of the prompt.
    """

    mode: Mode = "off"
    api_key: ApiKey | None = None
    base_url: str = DEFAULT_BASE_URL
    model: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    use_sonnet: bool = False
    analyses: tuple[str, ...] = ANALYSES
    max_cost_usd: float | None = 5.0
    warn_cost_usd: float = 0.10
    force_cost: bool = False
    max_concurrent: int = 3
    min_spacing_s: float = 0.0
    max_retries: int = 4
    deadline_s: float = 180.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float | None = None

    def __post_init__(self) -> None:
        unknown = sorted({*self.analyses, *self.models} - set(ANALYSES))
        if unknown:
            raise ConfigurationError(f"got analyses {', '.join(unknown)}, expected some of {', '.join(ANALYSES)}")
        if self.mode != "off" and self.api_key is None:
            raise ConfigurationError(
                f"--claude {self.mode} needs a key", hint="set CLAUDE_API_KEY, or use --claude off for Python blocks"
            )
        if self.max_cost_usd is not None and not (math.isfinite(self.max_cost_usd) and self.max_cost_usd >= 0):
            raise ConfigurationError(f"max cost: got {self.max_cost_usd}, expected USD >= 0 or none")
        for name, low in _LOWEST.items():
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= low):
                raise ConfigurationError(f"{name}: got {value}, expected a number >= {low}")

    def to_dict(self) -> dict[str, Any]:
        """For reports; never the key."""
        out = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "api_key"}
        return out | {"models": dict(self.models), "analyses": list(self.analyses)}


_LOWEST: Final[Mapping[str, float]] = {
    "warn_cost_usd": 0, "max_concurrent": 1, "min_spacing_s": 0, "max_retries": 0, "deadline_s": 0.01,
    "connect_timeout_s": 0.01, "read_timeout_s": 0.01,
}  # fmt: skip


def choose_mode(
    switch: Switch, *, claude_key: str = "", anthropic_key: str = "", python_only: bool = False
) -> tuple[Mode, ApiKey | None]:
    """What ``--claude`` means with these keys, and the key to use.

    Args:
        switch: As asked for; ``auto`` is on with CLAUDE_API_KEY and off without.
        claude_key: CLAUDE_API_KEY.
        anthropic_key: ANTHROPIC_API_KEY; counts only with an explicit ``on`` or ``batch``.
        python_only: USE_PYTHON_ONLY_PROCESSING.

    Raises:
        ConfigurationError: ``on`` or ``batch`` without a key, or beside ``python_only``.
    """
    if switch in ("on", "batch") and python_only:
        raise ConfigurationError(
            f"--claude {switch} contradicts USE_PYTHON_ONLY_PROCESSING=true", hint="leave one of them out"
        )
    if switch == "off" or python_only:
        return "off", None
    key = claude_key.strip() or ("" if switch == "auto" else anthropic_key.strip())
    if switch == "auto":
        return ("on", ApiKey(key)) if key else ("off", None)
    if not key:
        raise ConfigurationError(
            f"--claude {switch} needs a key", hint="set CLAUDE_API_KEY, or use --claude off for Python blocks"
        )
    return switch, ApiKey(key)
