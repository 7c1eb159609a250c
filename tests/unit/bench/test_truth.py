"""How results are held against the truth of real clips, on values worked out by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from ..loading import loaded

_PATH = Path(__file__).parents[3] / "bench" / "truth.py"


@pytest.fixture(scope="module")
def truth():
    with loaded(_PATH) as module:
        yield module


@pytest.fixture
def known(truth, tmp_path):
    """Writes a truth file and reads it."""

    def read(until_s: float = 10.0, **members):
        path = tmp_path / "clip.mp4.truth.json"
        path.write_text(json.dumps(members), encoding="utf-8")
        return truth.read_truth(path, until_s)

    return read


def text(words: str, t0: float, t1: float, kind: str = "caption") -> dict[str, object]:
    return {"text": words, "t0": t0, "t1": t1, "kind": kind}


def test_what_is_not_told_is_not_judged(truth, known):
    nothing = known()
    assert (nothing.texts, nothing.cuts_s, nothing.speech, nothing.transcript) == (None, None, None, None)
    assert truth.score_texts(nothing, [truth.Span("hello", 0, 1)]).reported == 0
    assert truth.score_cuts(nothing, [1.0]) == truth.CutScore()
    assert known(texts=["a line of a still"]).texts is None
    unsure = known(audio={"speech": "unsure: a song", "language": "Hindi (unsure)"}, people={"max_visible": "a torso"})
    assert (unsure.speech, unsure.language, unsure.max_people) == (None, None, None)
    assert known(audio={"language": "en then de"}).language is None
    assert known(audio="none").speech is False


def test_texts_are_matched_one_for_one(truth, known):
    read = known(
        texts=[
            text("Wait for it", 0, 2),
            text("day 46 / my honest review", 3, 5, "lower third"),
            text("손님께서 보틀", 5, 8),
            text("EXIT", 0, 9, "scene"),
            text("@maker", 0, 9, "watermark, moves"),
            text("after the end", 11, 12),
        ]
    )
    overlays = [
        truth.Span("Wait for it", 0.05, 2.25),
        truth.Span("Wait for it", 6, 7),  # once more, when it is not there
        truth.Span("my honest review", 3, 5),  # a line of a text
        truth.Span("EXIT", 0, 9),
        truth.Span("@maker", 1, 2),
    ]
    score = truth.score_texts(read, overlays, unread=[(5.0, 7.0)])
    assert score.shown == Counter(latin=2, hangul=1)
    assert score.found == score.exact == Counter(latin=1)
    assert score.named_unread == Counter(hangul=1)
    assert (score.reported, score.pieces) == (4, 1)
    assert score.start_errors_s == (pytest.approx(0.05),)
    assert score.end_errors_s == (pytest.approx(0.25),)
    assert score.missed == ("day 46 / my honest review", "손님께서 보틀")
    assert score.wrong == ("Wait for it", "my honest review", "EXIT")
    assert (score + score).reported == 8


@pytest.mark.parametrize(
    ("shown", "read", "exact"),
    [
        ("Trying out\U0001f92a", "Trying  out", 1),
        ("Day 1 / part two", "Day 1\npart two", 1),
        ("Day 1", "day 1", 0),
        ("It's me!", "Its me!", 0),
    ],
)
def test_exact_means_letter_by_letter(truth, known, shown, read, exact):
    score = truth.score_texts(known(texts=[text(shown, 0, 1)]), [truth.Span(read, 0, 1)])
    assert sum(score.found.values()) == 1
    assert sum(score.exact.values()) == exact


def test_cuts(truth, known):
    read = known(cuts=[1.0, 3.0], uncertain_cuts=[{"t": 5.0}], soft_transitions=[{"t0": 7, "t1": 8}])
    score = truth.score_cuts(read, [1.08, 5.05, 7.5, 9.0])
    assert (score.right, score.invented, score.missed) == (1, (9.0,), (3.0,))
    assert score.f1 == pytest.approx(2 / 4)
    assert truth.CutScore().f1 is None


def test_words(truth, known):
    cues = [
        {"t0": 0, "t1": 1, "text": "Hello there,"},
        {"t0": 1, "t1": 2, "text": "General."},
        {"t0": 20, "t1": 21, "text": "x"},
    ]
    read = known(speech_cues=cues, audio={"language": "en"})
    assert read.transcript == "Hello there, General."
    assert truth.word_error_rate(read.transcript, "hello there", "en") == pytest.approx(1 / 3)


def test_errors(truth):
    assert truth.median_and_share([], 0.1) is None
    assert truth.median_and_share([-0.1, 0.05, 0.3], 0.1) == (pytest.approx(0.1), pytest.approx(2 / 3))
