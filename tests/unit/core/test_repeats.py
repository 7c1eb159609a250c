"""Runs of words, and whether the sound has them."""

from __future__ import annotations

import faster_whisper
import numpy as np
import pytest
import whisper
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from rumiai.core.repeats import (
    Uttered,
    compression_ratio,
    find_runs,
    is_spoken,
    repeats_heard,
    runs_of,
    spoken_runs,
)
from rumiai.demo.sound import SAMPLE_RATE_HZ, speech

RATE_HZ = 16_000
OTHER = "The second step is to let the dough rest for an hour while you clean up the kitchen and call your mother."


@given(st.lists(st.sampled_from("ab"), max_size=40), st.integers(1, 5))
def test_runs_are_runs(units: list[str], longest: int) -> None:
    end = 0
    for run in find_runs(units, longest):
        assert run.start >= end
        assert run.count >= 3
        assert run.size <= longest
        assert units[run.start : run.stop] == units[run.start : run.start + run.size] * run.count
        end = run.stop


def test_compression_ratio_is_both_libraries_own() -> None:
    for text in ("", "hello", "no " * 50, "ask not what your country can do for you", "哈" * 30):
        assert compression_ratio(text) == faster_whisper.transcribe.get_compression_ratio(text)
        assert compression_ratio(text) == whisper.utils.compression_ratio(text)


def voice(text: str, name: str, speed: int) -> tuple[np.ndarray, list[float]]:
    """Samples at 16 kHz with a little noise, and the starts of the words."""
    sound, words = speech(text, name, speed)
    samples = resample_poly(sound, RATE_HZ, SAMPLE_RATE_HZ)
    samples += 0.005 * np.random.default_rng(1).standard_normal(len(samples))
    return samples.astype(np.float32), [word.start_s for word in words]


@pytest.mark.parametrize("name", ["en-us", "en-us+f3", "en-gb-scotland", "de+m2"])
@pytest.mark.parametrize(("unit", "count"), [("no", 12), ("Go,", 8), ("thank you,", 6), ("really", 5)])
def test_what_is_spoken_again_sounds_again(name: str, unit: str, count: int) -> None:
    samples, starts = voice(f"{unit} " * count, name, 150)
    every = len(starts) // count
    # As a recogniser times words: a few hundredths of a second off.
    jitter = np.random.default_rng(count).normal(0, 0.03, count)
    heard = np.sort(np.maximum(np.array(starts[::every][:count]) + jitter, 0))
    assert is_spoken(heard.tolist(), len(samples) / RATE_HZ - 0.05, samples, RATE_HZ)


@pytest.mark.parametrize("name", ["en-us", "en-us+f3", "en-gb-scotland", "en-us+m2"])
@pytest.mark.parametrize("count", [4, 10, 24, 80])
def test_other_speech_does_not(name: str, count: int) -> None:
    samples, _ = voice(OTHER, name, 150)
    end_s = len(samples) / RATE_HZ - 0.1
    assert not is_spoken(np.linspace(0, end_s, count + 1)[:-1].tolist(), end_s, samples, RATE_HZ)


def test_silence_and_what_lies_outside_are_not_spoken() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    assert not is_spoken([0.0, 0.2, 0.4, 0.6], 0.8, silence, RATE_HZ)
    assert not is_spoken([5.0, 6.0, 7.0], 8.0, silence, RATE_HZ)
    assert not is_spoken([0.0, 0.3], 0.6, silence, RATE_HZ)


def test_spoken_runs_are_those_of_the_runs_that_sound_so() -> None:
    samples, starts = voice("no " * 12, "en-us", 150)
    ends = [*starts[1:], len(samples) / RATE_HZ - 0.05]
    said = [Uttered(" no,", a, b) for a, b in zip(starts, ends, strict=True)]
    assert spoken_runs(said, samples, RATE_HZ) == runs_of(said) != []
    other, _ = voice(OTHER, "en-us", 150)
    assert spoken_runs(said, other, RATE_HZ) == []


@pytest.mark.parametrize("name", ["en-us+f2", "en-us+m4", "it", "fr"])
@pytest.mark.parametrize(
    ("unit", "count"), [("no", 12), ("Go,", 9), ("thank you,", 6), ("yes!", 5), ("wait for it,", 4)]
)
def test_repeats_are_counted(name: str, unit: str, count: int) -> None:
    samples, _ = voice(f"{unit} " * count, name, 145)
    found = repeats_heard(np.pad(samples, RATE_HZ // 2), RATE_HZ)
    assert found is not None
    assert found.count == count
    assert found.start_s == pytest.approx(0.5, abs=0.1)
    assert found.end_s <= len(samples) / RATE_HZ + 0.55


def test_other_speech_silence_and_noise_repeat_nothing() -> None:
    for name in ("en-us", "en-us+f2", "en-gb-scotland"):
        assert repeats_heard(voice(OTHER, name, 145)[0], RATE_HZ) is None
    assert repeats_heard(np.zeros(RATE_HZ, np.float32), RATE_HZ) is None
    assert repeats_heard(np.zeros(0, np.float32), RATE_HZ) is None
    noise = np.random.default_rng(4).standard_normal(3 * RATE_HZ).astype(np.float32)
    assert repeats_heard(noise, RATE_HZ) is None
