"""Style words and tags of the cutting, by rule.

Source: docs/analyses.md, scenePacingPatterns, scenePacingInteractions (``viewerAdaptationCurve``) and
scenePacingQuality (``technicalQuality``).
"""

from __future__ import annotations

from typing import Final

from rumiai.metrics.scene_pacing.blocks import (
    AccelerationPattern,
    CutMotivation,
    EditingRhythm,
    EditingStyle,
    Pace,
    PacingMomentum,
    PacingStyle,
    RhythmClass,
    TechnicalQuality,
    ViewerAdaptationCurve,
    VisualTempo,
)
from rumiai.metrics.scene_pacing.durations import CONSISTENT, MONTAGE_SHOT_S, SEVERAL_SCENES

FEW_SCENES: Final = 4  # fewer scenes cannot break a rhythm
_CALM_BREAKS, _ENGAGING_BREAKS = 1.0, 4.0  # rhythm breaks per minute
_ON_BEAT: Final = 0.5  # beat matching above which the cuts follow the beat
_DOCUMENTARY_S: Final = 6.0
_CLASSIC_S: Final = 3.0
_QUICK_S: Final = 4.0


def pacing_style(scenes: int, mean_s: float, montages: int) -> PacingStyle | None:
    """By number and mean length of the scenes, and number of montages.

    Args:
        scenes: Number of scenes.
        mean_s: Their mean length, seconds.
        montages: Number of montages.

    Returns:
        Music video below 1.5 s, else montage with two montages or more, else documentary above 6 s, else narrative.
        None for fewer than three scenes: one cut is no style.
    """
    if scenes < SEVERAL_SCENES:
        return None
    if mean_s < MONTAGE_SHOT_S:
        return "music_video"
    if montages >= 2:
        return "montage"
    return "documentary" if mean_s > _DOCUMENTARY_S else "narrative"


def editing_rhythm(scenes: int, cv: float, trend: PacingMomentum | None) -> EditingRhythm | None:
    """Rhythm of the cutting, by the cv of the scene lengths and the trend of the cut rate.

    Source: docs/analyses.md, scenePacingPatterns, ``editingRhythm``.

    Args:
        scenes: Number of scenes.
        cv: Coefficient of variation of their lengths, at least 0.
        trend: Word of the acceleration; None for fewer than three scenes.

    Returns:
        metronomic below cv 0.3, else accelerando when the rate rises, else syncopated up to 0.7, else free form. None
        for fewer than three scenes.
    """
    if scenes < SEVERAL_SCENES:
        return None
    if cv < 0.3:
        return "metronomic"
    if trend == "accelerating":
        return "accelerando"
    return "syncopated" if cv <= 0.7 else "free_form"


def editing_style(scenes: int, mean_s: float, cv: float, rhythm_score: float | None) -> EditingStyle | None:
    """By mean scene length, and the spread of the lengths.

    Args:
        scenes: Number of scenes.
        mean_s: Mean scene length, seconds.
        cv: Coefficient of variation of the lengths.
        rhythm_score: Of the lengths; None for a single scene.

    Returns:
        MTV style below 1.5 s; with a consistent rhythm classic narrative above 3 s, else rhythmic; experimental above
        cv 1; else standard. None for fewer than three scenes.
    """
    if rhythm_score is None or scenes < SEVERAL_SCENES:
        return None
    if mean_s < MONTAGE_SHOT_S:
        return "mtv_style"
    if rhythm_score > CONSISTENT:
        return "classic_narrative" if mean_s > _CLASSIC_S else "rhythmic"
    return "experimental" if cv > 1 else "standard"


def visual_tempo(scenes: int, pace: Pace | None, cv: float) -> VisualTempo | None:
    """Tempo that a viewer sees: the pace, unless the lengths vary too much to have one.

    Source: docs/analyses.md, scenePacingPatterns, ``visualTempo``.

    Args:
        scenes: Number of scenes.
        pace: Pace word of the mean scene length; None where it is unknown.
        cv: Coefficient of variation of the lengths, at least 0.

    Returns:
        variable above cv 1 from three scenes on, else the pace, with rapid and fast as fast; None without a pace.
    """
    if pace is None:
        return None
    if cv > 1 and scenes >= SEVERAL_SCENES:
        return "variable"
    return "fast" if pace == "rapid" else pace


def cut_motivation(cuts: int, beat_matching: float | None) -> CutMotivation | None:
    """What the cuts follow, as far as it is measured: the beat.

    Source: docs/analyses.md, scenePacingPatterns, ``cutMotivation``, of which a rule can tell no other motivation.

    Args:
        cuts: Number of cuts.
        beat_matching: Cuts on beats above chance, 0..1; None where it is unknown.

    Returns:
        beat_driven above a beat matching of 0.5, else unknown; None without cuts.
    """
    if not cuts:
        return None
    return "beat_driven" if (beat_matching or 0.0) > _ON_BEAT else "unknown"


def adaptation_curve(scenes: int, breaks_per_minute: float) -> ViewerAdaptationCurve | None:
    """How a viewer can follow the rhythm.

    Args:
        scenes: Number of scenes; a rhythm that can break needs four.
        breaks_per_minute: Rhythm breaks per minute observed.

    Returns:
        Smooth below 1, engaging below 4 breaks per minute, else jarring; None for fewer than four scenes.
    """
    if scenes < FEW_SCENES:
        return None
    if breaks_per_minute < _CALM_BREAKS:
        return "smooth"
    return "engaging" if breaks_per_minute < _ENGAGING_BREAKS else "jarring"


def technical_quality(scenes: int, rhythm: RhythmClass | None, beat_matching: float | None) -> TechnicalQuality | None:
    """Professional where the cutting keeps a rhythm or the beat; nothing measures anything else.

    Source: docs/analyses.md, scenePacingQuality, ``technicalQuality``.

    Args:
        scenes: Number of scenes; a rhythm needs four.
        rhythm: Word of the rhythm score; None for fewer than three scenes.
        beat_matching: Cuts on beats above chance, 0..1; None where it is unknown.

    Returns:
        The word; None where the rule does not tell.
    """
    keeps_rhythm = scenes >= FEW_SCENES and rhythm == "consistent"
    return "professional" if keeps_rhythm or (beat_matching or 0.0) > _ON_BEAT else None


def techniques(
    *,
    montages: int,
    long_takes: int,
    pace: Pace | None,
    beat_matching: float | None,
    trend: PacingMomentum | None,
    pattern: AccelerationPattern | None,
) -> list[str]:
    """Editing techniques for which there is evidence.

    Source: docs/analyses.md, scenePacingPatterns, ``pacingTechniques``.

    Args:
        montages: Number of montages.
        long_takes: Number of scenes that are held long.
        pace: Pace word of the mean scene length; None where it is unknown.
        beat_matching: Cuts on beats above chance, 0..1; None where it is unknown.
        trend: Word of the acceleration; None for fewer than three scenes.
        pattern: Course of the cut rate; None for fewer than three scenes.

    Returns:
        Names of techniques; empty for none.
    """
    found = {
        "montage": montages > 0,
        "long_take": long_takes > 0,
        "rapid_cutting": pace == "rapid",
        "beat_cutting": (beat_matching or 0.0) > _ON_BEAT,
        "accelerating_cutting": trend == "accelerating" and pattern == "building",
    }
    return [name for name, there in found.items() if there]


def pacing_tags(
    *,
    mean_s: float,
    cv: float,
    rhythm: RhythmClass | None,
    trend: PacingMomentum | None,
    montages: int,
    quick_cuts: int,
) -> list[str]:
    """Tags by rule.

    Source: docs/analyses.md, scenePacingPatterns, ``pacingTags``.

    Args:
        mean_s: Mean scene length in seconds.
        cv: Coefficient of variation of the lengths.
        rhythm: Word of the rhythm score; None for fewer than three scenes.
        trend: Word of the acceleration; None for fewer than three scenes.
        montages: Number of montages.
        quick_cuts: Number of scenes below 1 s; without one no cut is quick.

    Returns:
        The tags; empty for none.
    """
    tags = {
        "quick_cuts": mean_s < _QUICK_S and quick_cuts > 0,
        "accelerating_pace": trend == "accelerating",
        "decelerating_pace": trend == "decelerating",
        "rhythmic_editing": rhythm == "consistent",
        "has_montage_sections": montages > 0,
        "mtv_style": rhythm is not None and mean_s < MONTAGE_SHOT_S,
        "experimental_pacing": rhythm is not None and cv > 1,
    }
    return [tag for tag, found in tags.items() if found]


def further_tags(pace: Pace | None, rhythm: RhythmClass | None, trend: PacingMomentum | None) -> list[str]:
    """Tags that only the older form of the results has.

    Args:
        pace: Pace word of the mean scene length; None where it is unknown.
        rhythm: Word of the rhythm score; None for fewer than three scenes.
        trend: Word of the acceleration; None for fewer than three scenes.

    Returns:
        fast_paced for a rapid or fast pace, variable_rhythm for a varied rhythm, building_momentum for a rate that
        rises; empty for none.
    """
    tags = {
        "fast_paced": pace in ("rapid", "fast"),
        "variable_rhythm": rhythm == "varied",
        "building_momentum": trend == "accelerating",
    }
    return [tag for tag, found in tags.items() if found]
