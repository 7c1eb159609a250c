"""Whether two lines at one place are one: the picture decides, on drawn captions."""

from __future__ import annotations

import pytest

from rumiai.demo import Caption, Shot

from .drawn import PAN, STILL, Drawn, spans

BOX = {"outline": None, "box": (0, 0, 0)}


@pytest.mark.parametrize(
    "texts",
    [
        ("Option A", "Option B", "Option C", "Option D"),
        ("I can do this", "I can't do this"),
        ("I LOVE CATS", "I LOVE RATS"),
        ("Never eat this", "Never heat this"),
        ("TEAM A WINS", "TEAM B WINS"),
        ("$9.99", "$9.49"),
        ("10:59", "10:58"),
        ("Part I", "Part II", "Part III"),
    ],
    ids=lambda texts: texts[0],
)
@pytest.mark.parametrize(("shot", "look"), [(STILL, BOX), (PAN, {})], ids=["boxed", "outlined, moving camera"])
def test_captions_that_differ_by_a_letter_are_two(texts: tuple[str, ...], shot: Shot, look: dict[str, object]) -> None:
    captions = [Caption(text, 1.0 * i, 1.0 * (i + 1), (0.5, 0.65), 0.05, **look) for i, text in enumerate(texts)]  # type: ignore[arg-type]
    found = Drawn(tuple(captions), float(len(texts)), shot).summary()
    assert spans(found) == [(text, 30 * i, 30 * (i + 1)) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "wrong"), [("Option A", "Option R"), ("TEAM A WINS", "TEAM A WlN5"), ("$9.99", "$9.49")]
)
@pytest.mark.parametrize("shot", [STILL, PAN], ids=["still", "moving camera"])
def test_one_caption_that_is_misread_is_one(text: str, wrong: str, shot: Shot) -> None:
    video = Drawn((Caption(text, 0.5, 3.5, (0.5, 0.65), 0.05, **BOX),), 4.0, shot, {(text, 3): wrong})  # type: ignore[arg-type]
    assert spans(video.summary()) == [(text, 15, 105)]


def test_a_word_that_lights_up_changes_nothing() -> None:
    words = [Caption("one cup of coffee", 0.5 * i, 0.5 * (i + 1), (0.5, 0.6), 0.045, highlight=i) for i in range(4)]
    assert spans(Drawn(tuple(words), 3.0).summary()) == [("one cup of coffee", 0, 60)]


def test_shown_again_is_another() -> None:
    blinks = [Caption("SALE TODAY", t, t + 0.5, (0.5, 0.6), 0.05) for t in (0.0, 1.0, 2.0)]
    assert spans(Drawn(tuple(blinks), 3.0).summary()) == [("SALE TODAY", t, t + 15) for t in (0, 30, 60)]
