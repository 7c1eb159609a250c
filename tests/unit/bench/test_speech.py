"""The measures of ``bench/speech.py``, by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench"))

import speech
import spoken

from rumiai.contracts.services.whisper import Segment, WhisperData, WhisperMetadata, Word

TRUTH = spoken.Spoken(
    name="two sentences",
    samples=np.zeros(64_000, np.float32),
    text="Wait for it. This is it.",
    language="en",
    words=(
        ("Wait", 0.5, 0.8),
        ("for", 0.8, 1.0),
        ("it.", 1.0, 1.2),
        ("This", 2.0, 2.3),
        ("is", 2.3, 2.5),
        ("it.", 2.5, 3.0),
    ),
    pauses_s=((1.2, 2.0),),
)


def heard(*words: tuple[str, float, float]) -> WhisperData:
    timed = tuple(Word(word=text, start_s=start_s, end_s=end_s) for text, start_s, end_s in words)
    text = " ".join(word.word for word in timed)
    segment = Segment(start_s=timed[0].start_s, end_s=timed[-1].end_s, text=text, words=timed)
    metadata = WhisperMetadata(processed=True)
    return WhisperData(text=text, segments=(segment,), language="en", duration_s=segment.end_s, metadata=metadata)


def test_onsets_are_those_of_the_words_that_were_heard_right() -> None:
    found = heard(
        ("Wait", 0.52, 0.8), ("four", 0.8, 1.0), ("it", 0.9, 1.2), ("This", 2.1, 2.3), ("is", 2.3, 2.5), ("it", 2.5, 3)
    )
    assert speech.onset_errors(TRUTH, found) == pytest.approx([0.02, -0.1, 0.1, 0.0, 0.0])


def test_a_pause_counts_when_most_of_it_is_free_of_words() -> None:
    right = heard(("Wait for it", 0.5, 1.3), ("This is it", 2.0, 3.0))
    swallowed = heard(("Wait for it", 0.5, 1.8), ("This is it", 1.9, 3.0))
    assert speech.pauses_found(TRUTH, right) == (1, 1)
    assert speech.pauses_found(TRUTH, swallowed) == (0, 1)


def test_a_transcript_is_judged() -> None:
    found = speech.judge(TRUTH, heard(("Wait for it", 0.5, 1.3), ("This was it", 2.0, 3.0)))
    assert found.error_rate == pytest.approx(1 / 6)
    assert (found.language_right, found.lost_s) == (True, 0.0)


def test_generated_voices_are_the_same_from_run_to_run_and_lie_where_they_say() -> None:
    one, again = spoken.spoken(3), spoken.spoken(3)
    np.testing.assert_array_equal(one.samples, again.samples)
    assert one.language != "en"
    first, last = one.words[0][1], one.words[-1][2]
    quiet = np.abs(one.samples[: int((first - 0.05) * spoken.RATE_HZ)]).max()
    loud = np.abs(one.samples[int(first * spoken.RATE_HZ) : int(last * spoken.RATE_HZ)]).max()
    assert quiet < loud / 30
    for start_s, end_s in one.pauses_s:
        assert end_s - start_s >= 0.5
