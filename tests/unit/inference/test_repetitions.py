"""Loops are taken out of a transcript, what is spoken again stays, and what stays keeps its spelling."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import resample_poly

from rumiai.contracts.services.whisper import Segment, Word
from rumiai.demo.sound import SAMPLE_RATE_HZ, speech
from rumiai.inference.repetitions import Sound, collapse_segments, collapse_words, recounted

RATE_HZ = 16_000


def segment(parts: list[str], blanks: frozenset[int], step_s: float = 0.2) -> Segment:
    words = tuple(Word(word=part, start_s=k * step_s, end_s=(k + 1) * step_s) for k, part in enumerate(parts))
    text = "".join((" " if k in blanks else "") + part for k, part in enumerate(parts))
    return Segment(start_s=0.0, end_s=len(parts) * step_s, text=text, words=words)


@pytest.mark.parametrize(
    ("parts", "blanks", "expected"),
    [
        (["今", "天", "天", "气", "很", "好", "OK", *["哈"] * 40], {6, 7}, "今天天气很好 OK 哈"),
        (["こん", "にち", "は", "皆", "さん", *["は", "い"] * 20], {3}, "こんにちは 皆さんはい"),
        (["สวัส", "ดี", "ครับ", "วัน", "นี้", *["ดี"] * 30, "555"], {3, 35}, "สวัสดีครับ วันนี้ดี 555"),
        (["So", *["thank", "you."] * 20, "Bye."], set(range(1, 42)), "So thank you. Bye."),
    ],
    ids=["chinese", "japanese", "thai", "english"],
)
def test_what_stays_keeps_its_spelling(parts: list[str], blanks: set[int], expected: str) -> None:
    found = collapse_words(segment(parts, frozenset(blanks)))
    assert found.segment.text == expected
    assert "".join(word.word for word in found.segment.words or ()) == expected.replace(" ", "")


def said(text: str) -> tuple[Sound, tuple[Word, ...]]:
    samples, words = speech(text)
    sound = Sound(resample_poly(samples, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32), RATE_HZ, offset_s=2.0)
    return sound, tuple(Word(word=w.text, start_s=w.start_s + 2.0, end_s=w.end_s + 2.0) for w in words)


def test_twelve_spoken_no_are_twelve_words() -> None:
    sound, words = said("no " * 12)
    heard = Segment(start_s=words[0].start_s, end_s=words[-1].end_s, text=" ".join(w.word for w in words), words=words)
    assert collapse_words(heard).segment.text == "no"
    found = collapse_words(heard, sound)
    assert (len(found.segment.words or ()), found.repetitions, found.lost) == (12, (), ())


def test_a_loop_over_other_words_is_none_that_is_spoken() -> None:
    sound, words = said("Every morning I walk along the river with my dog and look at the boats.")
    loop = tuple(word.model_copy(update={"word": "thank"}) for word in words)
    heard = Segment(start_s=words[0].start_s, end_s=words[-1].end_s, text=" ".join(w.word for w in loop), words=loop)
    found = collapse_words(heard, sound)
    assert found.segment.text == "thank"
    assert found.lost == ((words[1].start_s, words[-1].end_s),)
    assert found.repetitions[0].count == len(words)
    assert found.share == pytest.approx(1 / len(words))


def test_segments_that_are_spoken_again_stay() -> None:
    sound, words = said("I said no. " * 6)
    heard = [
        Segment(start_s=words[k].start_s, end_s=words[k + 2].end_s, text="I said no.") for k in range(0, len(words), 3)
    ]
    assert len(collapse_segments(heard)[0]) == 1
    kept, repetitions, lost = collapse_segments(heard, sound)
    assert (len(kept), repetitions, lost) == (6, [], [])


@pytest.mark.parametrize("written", [11, 12, 15, 224])
def test_a_word_that_is_all_that_is_said_is_written_as_often_as_it_is_said(written: int) -> None:
    sound, words = said("no " * 12)
    end_s = words[-1].end_s
    edges = np.linspace(2.0, end_s, written + 1).tolist()
    wrong = tuple(Word(word="No,", start_s=a, end_s=b) for a, b in pairwise(edges))
    heard = Segment(start_s=2.0, end_s=end_s, text=", ".join(["No"] * written) + ",", words=wrong)
    found = recounted(heard, (2.0, end_s), sound)
    assert found is not None
    assert found.text == ", ".join(["No"] * 12) + ","
    starts = [word.start_s for word in found.words or ()]
    # eSpeak draws the last one out, and the repeats are spread evenly.
    np.testing.assert_allclose(starts, [word.start_s for word in words], atol=0.35)


def test_other_speech_is_not_recounted() -> None:
    sound, words = said("Every morning I walk along the river with my dog and look at the boats.")
    loop = tuple(word.model_copy(update={"word": "no"}) for word in words)
    heard = Segment(start_s=2.0, end_s=words[-1].end_s, text=" ".join(["no"] * len(words)), words=loop)
    assert recounted(heard, (2.0, words[-1].end_s), sound) is None
    plain = Segment(start_s=2.0, end_s=words[-1].end_s, text=" ".join(w.word for w in words), words=words)
    assert recounted(plain, (2.0, words[-1].end_s), sound) is None
