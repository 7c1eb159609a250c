"""Words and tags of the cutting at the limits of their rules."""

from __future__ import annotations

from rumiai.metrics.scene_pacing import patterns as s


def test_pacing_styles():
    assert s.pacing_style(9, 1.4, 3) == "music_video"
    assert s.pacing_style(9, 1.5, 2) == "montage"
    assert s.pacing_style(3, 6.1, 1) == "documentary"
    assert s.pacing_style(3, 6.0, 1) == "narrative"
    assert s.pacing_style(2, 6.0, 1) is s.pacing_style(1, 1.4, 0) is None  # one cut is no style


def test_editing_rhythms():
    assert s.editing_rhythm(1, 0.0, "maintaining") is s.editing_rhythm(2, 0.0, None) is None
    assert s.editing_rhythm(5, 0.29, "accelerating") == "metronomic"
    assert s.editing_rhythm(5, 0.3, "accelerating") == "accelerando"
    assert s.editing_rhythm(5, 0.7, "maintaining") == "syncopated"
    assert s.editing_rhythm(5, 0.71, "decelerating") == "free_form"


def test_editing_styles():
    assert s.editing_style(3, 1.4, 0.1, 0.9) == "mtv_style"
    assert s.editing_style(3, 3.1, 0.1, 0.9) == "classic_narrative"
    assert s.editing_style(3, 3.0, 0.1, 0.9) == "rhythmic"
    assert s.editing_style(3, 3.0, 1.1, 0.48) == "experimental"
    assert s.editing_style(3, 3.0, 0.8, 0.56) == "standard"
    assert s.editing_style(1, 1.0, 0.0, None) is s.editing_style(2, 3.1, 0.1, 0.9) is None


def test_words_of_one_number():
    assert [s.visual_tempo(3, "rapid", 0.5), s.visual_tempo(3, "slow", 0.5), s.visual_tempo(3, "slow", 1.1)] == [
        "fast", "slow", "variable",
    ]  # fmt: skip
    assert [s.cut_motivation(3, value) for value in (None, 0.5, 0.51)] == ["unknown", "unknown", "beat_driven"]
    assert s.cut_motivation(0, None) is s.adaptation_curve(3, 0.0) is s.visual_tempo(3, None, 2.0) is None
    curves = [s.adaptation_curve(4, breaks) for breaks in (0.9, 1.0, 3.9, 4.0)]
    assert curves == ["smooth", "engaging", "engaging", "jarring"]


def test_technical_quality():
    assert s.technical_quality(4, "consistent", None) == "professional"
    assert s.technical_quality(3, "consistent", None) is None
    assert s.technical_quality(0, None, 0.6) == "professional"


def test_lists():
    assert s.techniques(
        montages=1, long_takes=1, pace="rapid", beat_matching=0.6, trend="accelerating", pattern="building"
    ) == ["montage", "long_take", "rapid_cutting", "beat_cutting", "accelerating_cutting"]

    def tags(mean_s, cv, rhythm, trend, montages, quick_cuts=1):
        return s.pacing_tags(mean_s=mean_s, cv=cv, rhythm=rhythm, trend=trend, montages=montages, quick_cuts=quick_cuts)

    assert tags(8.0, 0.5, "varied", "maintaining", 0) == tags(1.4, 0.0, None, None, 0, quick_cuts=0) == []
    assert tags(3.9, 0.5, "varied", "maintaining", 0, quick_cuts=0) == []  # no cut is quick
    assert tags(1.4, 1.1, "consistent", "decelerating", 1) == [
        "quick_cuts", "decelerating_pace", "rhythmic_editing", "has_montage_sections", "mtv_style",
        "experimental_pacing",
    ]  # fmt: skip
    assert s.further_tags("fast", "varied", "accelerating") == ["fast_paced", "variable_rhythm", "building_momentum"]
