"""Audio energy against signals whose onsets, tempo, loudness and pattern are known by construction."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.frames import AudioTrack
from rumiai.contracts.services.audio import AudioData
from rumiai.errors import ContractError
from rumiai.media.audio_energy import analyze_audio_energy

SR = 16_000


def track(samples, rate=SR, offset_s=0.0):
    return AudioTrack(np.asarray(samples, dtype=np.float32), rate, offset_s=offset_s)


def blips(times, duration_s, noise=0.0, rate=SR, seed=0):
    """A decaying 1 kHz tone at each instant."""
    samples = np.random.default_rng(seed).normal(0, 1, round(duration_s * rate)) * noise
    n = round(0.06 * rate)
    k = np.arange(n)
    tone = 0.6 * np.sin(2 * np.pi * 1000 * k / rate) * np.exp(-k / (0.015 * rate))
    for start in (round(t * rate) for t in times):
        samples[start : start + n] += tone[: len(samples) - start]
    return samples


def measured(sound):
    return analyze_audio_energy(sound).to_json()


def noise(levels_db, seconds_each, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0, 10 ** (db / 20), round(seconds_each * SR)) for db in levels_db])


@pytest.mark.parametrize("bpm", [60, 90, 100, 128, 140])
@pytest.mark.parametrize("background", [0.0, 0.02])
def test_a_metronomes_tempo_onsets_and_beats(bpm, background):
    truth = np.arange(0.25, 19.8, 60 / bpm)
    data = measured(track(blips(truth, 20, background)))
    assert data["tempo_bpm"] == pytest.approx(bpm, rel=0.003)
    assert len(data["beats"]) == len(truth)
    assert np.abs(np.array(data["beats"]) - truth).max() <= 0.011
    assert len(truth) <= len(data["onsets"]) <= len(truth) + 1
    assert max(np.abs(np.array(data["onsets"]) - t).min() for t in truth) <= 0.011


def test_irregular_sounds_have_onsets_but_no_beat():
    truth = np.cumsum(np.random.default_rng(0).uniform(0.15, 1.2, 28))
    data = measured(track(blips(truth, truth[-1] + 1)))
    assert len(data["onsets"]) == len(truth)
    assert np.abs(np.array(data["onsets"]) - truth).max() <= 0.011
    assert data["tempo_bpm"] is None
    assert data["beats"] is None
    assert "pulse" in data["metadata"]["tempo_reason"]


@pytest.mark.parametrize(
    "samples",
    [
        np.random.default_rng(0).normal(0, 0.1, 20 * SR),
        0.5 * np.sin(2 * np.pi * 440 * np.arange(20 * SR) / SR),
        np.zeros(5 * SR),
        blips([0.5, 1.0, 1.5], 2.0),
    ],
    ids=["noise", "sine", "silence", "too short"],
)
def test_nothing_that_is_no_rhythm_has_a_tempo(samples):
    data = measured(track(samples))
    assert data["tempo_bpm"] is None
    assert data["beats"] is None
    assert data["metadata"]["tempo_reason"]


def test_windows_are_exact_and_relative_to_the_median():
    # 5 s each at -20, -30 and -40 dBFS, then 2.4 s at -30: the median block is at -30.
    samples = np.concatenate([noise([-20, -30, -40], 5), noise([-30], 2.4, seed=1)])
    data = measured(track(samples))
    levels = data["energy_level_windows"]
    assert list(levels) == ["0-5s", "5-10s", "10-15s", "15-17.4s"]
    assert list(levels.values()) == pytest.approx([0.75, 0.5, 0.25, 0.5], abs=0.01)
    assert data["energy_variance"] == pytest.approx(np.var(list(levels.values())), abs=1e-6)
    assert data["duration"] == 17.4
    assert len(data["rms_curve"]) == 174
    assert data["rms_curve"][0] == pytest.approx(0.1, rel=0.1)


def test_loudness_and_rhythm_do_not_depend_on_the_volume():
    samples = blips(np.arange(0.25, 11.8, 0.5), 12, 0.01)
    loud, quiet = (measured(track(samples * gain)) for gain in (1.0, 0.5))
    for key in ("energy_level_windows", "energy_variance", "climax_timestamp", "burst_pattern", "onsets", "beats"):
        assert loud[key] == quiet[key], key


@pytest.mark.parametrize(
    ("levels", "pattern"),
    [
        ([-10, -30, -30], "front_loaded"),
        ([-30, -10, -30], "middle_peak"),
        ([-30, -30, -10], "back_loaded"),
        ([-20, -20, -20], "steady"),
        ([-20, -26, -20], "front_loaded"),  # steady ends do not hide a quiet middle
        ([-20, -20.9, -20], "steady"),
    ],
)
def test_burst_pattern(levels, pattern):
    found = measured(track(noise(levels, 6)))["burst_pattern"]
    if levels[0] == levels[2] and pattern == "front_loaded":
        assert found in ("front_loaded", "back_loaded")
    else:
        assert found == pattern


def test_the_climax_is_the_loudest_half_second_and_no_click_at_the_ends():
    samples = noise([-40], 12)
    samples[round(7 * SR) : round(7.5 * SR)] *= 30
    samples[:100] = samples[-100:] = 1.0
    assert measured(track(samples))["climax_timestamp"] == pytest.approx(7.25, abs=0.03)


def test_silence_and_noise_floor():
    # Half of it 40 dB quieter, a quarter silent.
    samples = np.concatenate([noise([-10, -50.5], 4), np.zeros(4 * SR)])
    data = measured(track(samples))
    assert data["silence_ratio"] == pytest.approx(2 / 3, abs=0.02)
    half = measured(track(noise([-10, -40], 5)))
    assert half["snr_db"] == pytest.approx(30, abs=1.0)
    assert half["silence_ratio"] == 0.0


@pytest.mark.parametrize("nothing", [None, track([])])
def test_no_audio_is_a_valid_result(nothing):
    data = measured(nothing)
    assert data["metadata"]["processed"]
    assert data["metadata"]["has_audio"] is False
    assert data["energy_level_windows"] == {}
    assert (data["onsets"], data["beats"], data["burst_pattern"]) == ([], None, "none")
    assert (data["tempo_bpm"], data["climax_timestamp"], data["snr_db"]) == (None, None, None)
    assert AudioData.problems(data) == []


def test_silence_is_a_track_without_a_climax():
    data = measured(track(np.zeros(7 * SR)))
    assert data["metadata"]["has_audio"]
    assert data["energy_level_windows"] == {"0-5s": 0.0, "5-7s": 0.0}
    assert (data["silence_ratio"], data["climax_timestamp"], data["snr_db"]) == (1.0, None, None)
    assert data["burst_pattern"] == "none"
    assert AudioData.problems(data) == []


def test_late_audio_is_told_on_the_videos_clock():
    samples = blips([1.0, 2.0], 4)
    here, late = measured(track(samples)), measured(track(samples, offset_s=2.5))
    assert late["onsets"] == [t + 2.5 for t in here["onsets"]]
    assert list(late["energy_level_windows"]) == ["2.5-6.5s"]


def test_corrupt_samples_are_an_error():
    samples = np.zeros(SR)
    samples[5] = np.nan
    with pytest.raises(ContractError, match="NaN"):
        measured(track(samples))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60_000), st.sampled_from([8000, 16_000, 22_050, 44_100]), st.integers(0, 5), st.floats(1e-6, 1.0))
def test_any_track_keeps_the_contract_and_is_json(length, rate, seed, gain):
    samples = np.random.default_rng(seed).uniform(-gain, gain, length)
    data = measured(track(samples, rate))
    assert AudioData.problems(data) == []
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert AudioData.from_json(data).to_json() == data
    ends = [key.removesuffix("s").split("-")[1] for key in data["energy_level_windows"]]
    assert float(ends[-1]) == pytest.approx(length / rate, abs=1e-3)


def test_three_minutes_take_less_than_a_second():
    samples = track(blips(np.arange(0.25, 179.5, 0.5), 180, 0.02))
    begin = time.process_time()
    data = measured(samples)
    assert time.process_time() - begin < 1.0
    assert data["tempo_bpm"] == 120.0
