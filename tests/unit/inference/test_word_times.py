"""Words begin and end with the sound."""

from __future__ import annotations

import numpy as np

from rumiai.contracts.services.whisper import Word
from rumiai.inference.repetitions import Sound
from rumiai.inference.word_times import by_sound, level_db

RATE_HZ = 16_000


def tone(*spans_s: tuple[float, float], length_s: float = 4.0, noise: float = 0.0) -> Sound:
    time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    heard = sum(((time_s >= a) & (time_s < b)).astype(float) for a, b in spans_s)
    samples = 0.3 * np.sin(2 * np.pi * 200 * time_s) * heard
    samples += noise * np.random.default_rng(0).standard_normal(len(time_s))
    return Sound(samples.astype(np.float32), RATE_HZ)


def word(text: str, start_s: float, end_s: float) -> Word:
    return Word(word=text, start_s=start_s, end_s=end_s)


def times(words: tuple[Word, ...]) -> list[tuple[float, float]]:
    return [(one.start_s, one.end_s) for one in words]


def near(found: list[tuple[float, float]], expected: list[tuple[float, float]]) -> None:
    np.testing.assert_allclose(found, expected, atol=0.021)


def test_the_first_word_begins_with_the_sound_and_the_last_ends_with_it() -> None:
    found = by_sound((word("one", 0.2, 0.8), word("two", 0.8, 1.9)), tone((0.5, 1.4)))
    near(times(found), [(0.5, 0.8), (0.8, 1.4)])
    assert [one.word for one in found] == ["one", "two"]


def test_a_word_does_not_swallow_a_pause() -> None:
    # The second word was stretched over the pause after it; the third begins before anything is heard.
    heard = (word("one", 0.5, 0.8), word("two", 0.8, 1.9), word("three", 1.9, 2.4))
    near(times(by_sound(heard, tone((0.5, 1.2), (2.0, 2.6)))), [(0.5, 0.8), (0.8, 1.2), (2.0, 2.6)])


def test_times_are_on_the_clock_of_the_video() -> None:
    sound = tone((0.5, 1.4))
    late = Sound(sound.samples, RATE_HZ, offset_s=10.0)
    near(times(by_sound((word("one", 10.2, 11.6),), late)), [(10.5, 11.4)])


def test_the_closure_of_a_consonant_is_no_pause() -> None:
    near(times(by_sound((word("stop", 0.4, 1.2),), tone((0.5, 0.8), (0.9, 1.1)))), [(0.5, 1.1)])


def test_words_stay_where_noise_hides_the_pauses_or_nothing_is_heard() -> None:
    heard = (word("one", 0.2, 0.8), word("two", 0.8, 1.9))
    assert by_sound(heard, tone((0.5, 1.4), noise=0.2)) == heard
    assert by_sound(heard, tone()) == heard
    assert by_sound((word("far", 3.5, 3.9),), tone((0.5, 1.4))) == (word("far", 3.5, 3.9),)
    assert by_sound((), tone((0.5, 1.4))) == ()


def test_a_level_is_that_of_the_sound_around_it() -> None:
    level = level_db(tone((1.0, 2.0), length_s=3.0).samples, RATE_HZ)
    assert level.shape == (300,)
    assert level[150] == level[160]
    np.testing.assert_allclose(level[110:190], 20 * np.log10(0.3 / np.sqrt(2)), atol=0.2)
    np.testing.assert_allclose(level[:90], -90)
