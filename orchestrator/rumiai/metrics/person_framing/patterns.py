"""What the framing is for, by rule, and how well it serves that; words and tags.

Source: docs/analyses.md, personFramingPatterns and personFramingInteractions (``framingPurposeAlignment``). Rates and
shares are 0..1; volatility is changes of the shot type per minute / 30, at most 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.contracts.blocks.types import Level
from rumiai.metrics.evidence.types import Action
from rumiai.metrics.person_framing.blocks import (
    FramingArchetype,
    FramingStrategy,
    PrimarySubject,
    Shot,
    TechnicalExecution,
    VideoIntent,
    VisualNarrative,
)

_MANY_ACTIONS: Final = 3
FEW_FACES: Final = 0.3  # share of the samples with a face below which a creator hardly shows
_SEVERAL: Final = 1.5  # mean number of people from which there are several
_FINE, _POOR = 0.75, 0.5  # overall framing quality
_EMPHASIS: Final = 2  # gestures that make a technique


@dataclass(frozen=True)
class FramingRates:
    """What the rules read.

    Attributes:
        face: Samples with a face / samples; 0 without samples.
        person: Samples with anybody / samples; 0 without samples.
        close: Share of close shots.
        wide: Share of wide shots.
        volatility: Changes of the shot type, 0..1.
        intro_shot: Most frequent shot type of the first 3 s; None without a sample of known type.
        full_body: Samples on which somebody is seen down to the feet / samples; 0 without samples.
    """

    face: float
    person: float
    close: float
    wide: float
    volatility: float
    intro_shot: Shot | None
    full_body: float

    @property
    def anybody(self) -> bool:
        """Whether anybody is ever seen."""
        return self.person > 0


def actions_by_time(actions: Sequence[Action]) -> list[str]:
    """Kinds of actions by the time that they take in sum.

    Args:
        actions: Of the video, in any order; simultaneous ones of a kind both count.

    Returns:
        Each kind once, the longest first, then by name; empty for none.
    """
    lengths: dict[str, float] = {}
    for action in actions:
        lengths[action.kind] = lengths.get(action.kind, 0.0) + action.end_s - action.start_s
    return sorted(lengths, key=lambda kind: (-lengths[kind], kind))


def video_intent(rates: FramingRates, actions: Sequence[str]) -> VideoIntent | None:
    """What the video seems to be for, the first rule that fits; the rules are those of the older form of the results.

    Args:
        rates: Shares of people and shot types.
        actions: Kinds of actions, each once.

    Returns:
        Personal message or performance by a close or wide intro with people; by many faces personal message or
        educational; product showcase without people; by more than three actions dance or demonstration. None where no
        rule fits.
    """
    if rates.intro_shot == "close" and rates.face > 0.5:
        return "personal_message"
    if rates.intro_shot == "wide" and rates.person > 0.5:
        return "performance"
    if rates.face > 0.6:
        return "personal_message" if rates.close > 0.5 else "educational"
    if rates.person < 0.3:
        return "product_showcase"
    if len(actions) > _MANY_ACTIONS:
        return "entertainment_dance" if "dancing" in actions else "tutorial_demonstration"
    return None


def intent_risk(intent: VideoIntent | None, rates: FramingRates) -> float | None:
    """How far the framing works against the intent: the sum of the weights of the broken rules.

    Rules and weights are those of the older form of the results; docs/analyses.md, personFramingInteractions,
    ``framingPurposeAlignment``, is 1 - this risk.

    Args:
        intent: What the video seems to be for; None where no rule tells.
        rates: Shares of people and shot types.

    Returns:
        In 0..0.8; None when nobody is seen and for an intent without rules.
    """
    volatile = rates.volatility
    rules: Mapping[VideoIntent, Sequence[tuple[float, bool]]] = {
        "personal_message": ((0.3, volatile > 0.5), (0.3, rates.close < 0.5), (0.2, volatile >= 0.2)),
        # A video in which few samples show anybody cannot have faces on half of them: the other rule never holds.
        "product_showcase": ((0.2, volatile < 0.3),),
        "tutorial_demonstration": ((0.4, volatile > 0.7), (0.2, rates.wide > 0.5)),
        "entertainment_dance": ((0.3, volatile < 0.3), (0.2, volatile <= 0.6)),
    }
    if intent is None or intent not in rules or not rates.anybody:
        return None
    return sum(weight for weight, broken in rules[intent] if broken)


def risk_level(risk: float | None) -> Level | None:
    """Word of an intent risk.

    Args:
        risk: Of :func:`intent_risk`, 0..0.8; None where no rule tells.

    Returns:
        Low below 0.3, medium below 0.6, else high; None for None.
    """
    if risk is None:
        return None
    return "low" if risk < 0.3 else "medium" if risk < 0.6 else "high"


def framing_archetype(rates: FramingRates, actions: int, *, things: bool) -> FramingArchetype | None:
    """Kind of framing over the whole video, the first rule that fits.

    Source: docs/analyses.md, personFramingPatterns, ``framingArchetype``.

    Args:
        rates: Shares of people and shot types.
        actions: Number of different actions.
        things: Whether an object that is no person was seen.

    Returns:
        Talking head for many faces and few changes; dynamic demo for three actions and many changes; product-focused
        with people below 0.3 and things to be seen, balanced presence from there to 0.7, creator-centered above with
        faces from 0.3 on. None where no rule fits, and when nobody is seen.
    """
    if not rates.anybody:
        return None
    if rates.face > 0.7 and rates.volatility < 0.3:
        return "talking_head"
    if actions >= _MANY_ACTIONS and rates.volatility > 0.5:
        return "dynamic_demo"
    if rates.person < 0.3:
        return "product_focused" if things else None
    if rates.person <= 0.7:
        return "balanced_presence"
    return "creator_centered" if rates.face >= FEW_FACES else None


def framing_strategy(rates: FramingRates) -> FramingStrategy | None:
    """How people are framed on the whole, the first rule that fits.

    Source: docs/analyses.md, personFramingPatterns, ``framingStrategy``.

    Args:
        rates: Shares of people and shot types.

    Returns:
        Intimate with half close shots; dynamic above a volatility of 0.5; observational with half wide shots; else
        staged. None when nobody is seen.
    """
    if not rates.anybody:
        return None
    if rates.close >= 0.5:
        return "intimate"
    if rates.volatility > 0.5:
        return "dynamic"
    return "observational" if rates.wide >= 0.5 else "staged"


def visual_narrative(presence_rate: float | None, subjects: int | None, people: float | None) -> VisualNarrative | None:
    """By presence and number of people.

    Args:
        presence_rate: Samples with anybody / samples.
        subjects: 90th percentile of the faces per sample.
        people: Mean number of people on the samples with anybody.

    Returns:
        Environment-aware below a presence of 0.3; multi-person with two faces or 1.5 people; else single focus. None
        without a sample, and when nobody is seen.
    """
    if not presence_rate:
        return None
    if presence_rate < 0.3:
        return "environment_aware"
    return "multi_person" if (subjects or 0) >= 2 or (people or 0.0) >= _SEVERAL else "single_focus"


def primary_subject(subjects: int | None) -> PrimarySubject | None:
    """Whether one face is in the middle of things, or several are.

    Source: docs/analyses.md, personFramingCoreMetrics, ``primarySubject``.

    Args:
        subjects: 90th percentile of the faces per sample; None without a sample.

    Returns:
        "none" for 0, single for 1, else multiple; None for None.
    """
    if subjects is None:
        return None
    return "none" if subjects == 0 else "single" if subjects == 1 else "multiple"


def technical_execution(quality: float | None, volatility: float, stability: float | None) -> TechnicalExecution | None:
    """By the framing quality.

    Args:
        quality: Overall framing quality, 0..1; None where presence, stability or headroom is unknown.
        volatility: Changes of the shot type, 0..1.
        stability: Position stability, 0..1; None where it is unknown.

    Returns:
        Professional from 0.75; experimental for a volatility above 0.5 with a stability below 0.5; else casual. None
        without a quality.
    """
    if quality is None:
        return None
    if quality >= _FINE:
        return "professional"
    return "experimental" if volatility > 0.5 and (stability or 0.0) < 0.5 else "casual"


def production_value(quality: float | None) -> Level | None:
    """Impression of the effort, by the framing quality alone; a model may judge it anew.

    Source: docs/analyses.md, personFramingPatterns, ``productionValue``.

    Args:
        quality: Overall framing quality, 0..1; None where it is unknown or few samples tell it.

    Returns:
        High from 0.75, medium from 0.5, else low; None for None.
    """
    if quality is None:
        return None
    return "high" if quality >= _FINE else "medium" if quality >= _POOR else "low"


def engagement_techniques(rates: FramingRates, *, eye_contact: float | None, gestures: int, groups: int) -> list[str]:
    """Techniques for which there is evidence.

    Args:
        rates: Shares of people and shot types.
        eye_contact: Samples with eye contact / samples with a face.
        gestures: Number of gestures.
        groups: Number of group shots.

    Returns:
        Names of techniques; empty for none.
    """
    found = {
        "direct_eye_contact": (eye_contact or 0.0) >= 0.5,
        "gesture_emphasis": gestures >= _EMPHASIS,
        "close_up_intro": rates.intro_shot == "close",
        "group_shots": groups > 0,
        "changing_shot_sizes": rates.volatility > 0.5,
    }
    return [name for name, there in found.items() if there]


def pattern_tags(rates: FramingRates, absences: int) -> list[str]:
    """Tags by rule; those of a steady framing need somebody who is framed.

    Source: docs/analyses.md, personFramingPatterns, ``patternTags``.

    Args:
        rates: Shares of people and shot types.
        absences: Number of stretches of 1 s or more without anybody.

    Returns:
        The tags; empty for none.
    """
    tags = {
        "strong_creator_presence": rates.face > 0.7,
        "minimal_creator_presence": rates.face < FEW_FACES,
        "cutaway_heavy": absences > 5,
        "continuous_presence": rates.anybody and absences == 0,
        "stable_framing": rates.anybody and rates.volatility < 0.2,
        "dynamic_framing": rates.volatility > 0.6,
        "talking_head_style": rates.face > 0.6 and rates.close > rates.wide,
        "full_body_content": rates.full_body > 0.5,
    }
    return [tag for tag, found in tags.items() if found]


def further_tags(rates: FramingRates, *, prolonged_absences: int, actions: int) -> list[str]:
    """Tags of the older form of the results.

    Args:
        rates: Shares of people and shot types.
        prolonged_absences: Number of absences of more than 5 s.
        actions: Number of different actions.

    Returns:
        The tags; empty for none.
    """
    tags = {
        "high_face_time": rates.face > 0.6,
        "low_volatility": rates.anybody and rates.volatility < 0.2,
        "close_shot_intro": rates.intro_shot == "close",
        "person_dominant": rates.person > 0.8,
        "has_prolonged_absences": prolonged_absences > 0,
        "high_action_diversity": actions > _MANY_ACTIONS,
    }
    return [tag for tag, found in tags.items() if found]
