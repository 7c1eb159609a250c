"""What the framing is for, by rule, and how well it serves that; tags and archetype (docs: analyses, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rumiai.metrics.person_framing.moments import Moments
from rumiai.metrics.person_framing.people import Presence

_INTRO_S: Final = 3.0
_TUTORIALS: Final = ("tutorial_cooking", "tutorial_demonstration")
_MANY_ACTIONS: Final = 3


@dataclass(frozen=True)
class Framing:
    """The shares that the rules read; ``far`` of the references is wide."""

    presence: Presence
    moments: Moments

    @cached_property
    def face(self) -> float:
        """Samples with a face / samples."""
        return self.presence.face_rate or 0.0

    @cached_property
    def person(self) -> float:
        """Samples with anybody / samples."""
        return self.presence.presence_rate or 0.0

    @cached_property
    def shares(self) -> dict[str, float]:
        """Shares of the shot types."""
        return self.presence.distribution() or dict.fromkeys(("close", "medium", "wide", "none"), 0.0)

    @cached_property
    def volatility(self) -> float:
        """Changes of the shot type, 0..1."""
        return self.presence.volatility

    @property
    def intro_shot(self) -> str | None:
        """Shot type with most time in the first 3 s, "none" when that is nobody; None without a sample."""
        shares = self.presence.distribution(self.presence.grid.nominal_s < _INTRO_S)
        return None if shares is None else max(shares, key=lambda shot: shares[shot])

    @cached_property
    def actions(self) -> list[str] | None:
        """Actions by the time they take, longest first; None when none were looked for."""
        found = self.presence.people.actions
        if found is None:
            return None
        lengths: dict[str, float] = {}
        for action in found:
            lengths[action.kind] = lengths.get(action.kind, 0.0) + action.end_s - action.start_s
        return sorted(lengths, key=lambda kind: (-lengths[kind], kind))

    @property
    def diversity(self) -> int:
        """Number of different actions."""
        return len(self.actions or ())

    @property
    def intent(self) -> str:
        """What the video seems to be for."""
        if self.intro_shot == "close" and self.face > 0.5:
            return "personal_message"
        if self.intro_shot == "wide" and self.person > 0.5:
            return "performance"
        if self.face > 0.6:
            return "personal_message" if self.shares["close"] > 0.5 else "educational"
        if self.person < 0.3:
            return "product_showcase"
        if self.diversity > _MANY_ACTIONS:
            return "entertainment_dance" if "dancing" in (self.actions or ()) else "tutorial_demonstration"
        return "general_content"

    @property
    def risk(self) -> float | None:
        """How far the framing works against the intent; None without people or a rule for the intent."""
        stable, dynamic = self.volatility < 0.2, self.volatility > 0.6
        rules = {
            "personal_message": (
                (0.3, self.volatility > 0.5),
                (0.3, self.shares["close"] < 0.5),
                (0.2, not stable),
            ),
            "product_showcase": ((0.3, self.face > 0.5), (0.2, self.volatility < 0.3)),
            "tutorial": ((0.4, self.volatility > 0.7), (0.2, self.shares["wide"] > 0.5)),
            "entertainment_dance": ((0.3, self.volatility < 0.3), (0.2, not dynamic)),
        }
        rule = rules.get("tutorial" if self.intent in _TUTORIALS else self.intent)
        if rule is None or not self.presence.anybody:
            return None
        return sum(weight for weight, broken in rule if broken)

    @property
    def risk_level(self) -> str | None:
        """The risk in words."""
        if self.risk is None:
            return None
        return "low" if self.risk < 0.3 else "medium" if self.risk < 0.6 else "high"

    @property
    def archetype(self) -> str:
        """Kind of framing over the whole video."""
        if self.face > 0.7 and self.volatility < 0.3:
            return "talking_head"
        if self.diversity >= _MANY_ACTIONS and self.volatility > 0.5:
            return "dynamic_demo"
        if self.person < 0.3:
            return "product_focused"
        return "balanced_presence" if self.person <= 0.7 else "creator_centered"

    @property
    def strategy(self) -> str | None:
        """By the shares of the shot types and their changes; None when nobody is seen."""
        if not self.presence.anybody:
            return None
        if self.shares["close"] >= 0.5:
            return "intimate"
        if self.volatility > 0.5:
            return "dynamic"
        return "observational" if self.shares["wide"] >= 0.5 else "staged"

    def pattern_tags(self) -> list[str]:
        """Tags by rule; how steady the framing is means nothing when nobody is seen."""
        anybody, absences = self.presence.anybody, len(self.presence.absences)
        tags = {
            "strong_creator_presence": self.face > 0.7,
            "minimal_creator_presence": self.face < 0.3,
            "cutaway_heavy": absences > 5,
            "continuous_presence": anybody and absences == 0,
            "stable_framing": anybody and self.volatility < 0.2,
            "dynamic_framing": self.volatility > 0.6,
            "talking_head_style": self.face > 0.6 and self.shares["close"] > self.shares["wide"],
            "full_body_content": self.person > 0.7 and self.shares["wide"] > self.shares["close"],
        }
        return [tag for tag, found in tags.items() if found]

    def ml_tags(self) -> list[str]:
        """Machine tags."""
        tags = {
            "high_face_time": self.face > 0.6,
            "low_volatility": self.presence.anybody and self.volatility < 0.2,
            "close_shot_intro": self.intro_shot == "close",
            "person_dominant": self.person > 0.8,
            "has_prolonged_absences": bool(self.moments.prolonged_absences),
            "high_action_diversity": self.diversity > _MANY_ACTIONS,
        }
        return [tag for tag, found in tags.items() if found]
