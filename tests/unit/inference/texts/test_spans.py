"""Start and end to the frame, on drawn captions whose times fall on no sampling instant."""

from __future__ import annotations

import pytest

from rumiai.demo import Caption, Shot, View

from .drawn import PAN, STILL, Drawn, spans

ZOOM = Shot("bus", 10.0, View(0.4, 0.5, 1.0), View(0.6, 0.4, 1.5), grain=3.0)


@pytest.mark.parametrize("shot", [STILL, PAN, ZOOM], ids=["still", "pan", "zoom and grain"])
@pytest.mark.parametrize("look", [{}, {"outline": None, "box": (20, 30, 70)}], ids=["outlined", "boxed"])
@pytest.mark.parametrize(("begin", "end"), [(4, 38), (22, 61), (31, 47)])
def test_hard_appearances_are_right_to_the_frame(shot: Shot, look: dict[str, object], begin: int, end: int) -> None:
    caption = Caption("look at that", begin / 30, end / 30, (0.5, 0.4), 0.045, **look)  # type: ignore[arg-type]
    ((_, first, after),) = spans(Drawn((caption,), 3.0, shot).summary())
    assert abs(first - begin) <= 1
    assert abs(after - end) <= 1


def test_a_fade_begins_and_ends_half_way() -> None:
    caption = Caption("look at that", 13 / 30, 73 / 30, (0.5, 0.4), 0.045, fade_s=0.4)
    ((_, first, after),) = spans(Drawn((caption,), 3.0).summary())
    assert (abs(first - 19) <= 3, abs(after - 67) <= 3) == (True, True)


def test_a_line_that_moves_is_followed() -> None:
    caption = Caption("look at that", 4 / 30, 71 / 30, (0.5, 0.7), 0.045, velocity=(0.0, -0.1))
    assert spans(Drawn((caption,), 3.0).summary()) == [("look at that", 4, 71)]


def test_what_stays_to_the_end_ends_with_the_video() -> None:
    assert spans(Drawn((Caption("look at that", 0.0, 9.0, (0.5, 0.4), 0.045),), 2.9).summary()) == [
        ("look at that", 0, 87)
    ]


def test_two_lines_are_one_caption_and_a_line_grows_by_words() -> None:
    video = Drawn(
        (
            Caption("My morning\nroutine", 0.3, 1.2, (0.5, 0.3), 0.045),
            Caption("it", 1.3, 1.7, (0.5, 0.7), 0.045),
            Caption("it was", 1.7, 2.1, (0.5, 0.7), 0.045),
            Caption("it was easy", 2.1, 3.5, (0.5, 0.7), 0.045),
        ),
        4.0,
    )
    caption, grown = video.summary().annotations
    assert (caption.text, [line.text for line in caption.lines or ()]) == (
        "My morning routine",
        ["My morning", "routine"],
    )
    assert (caption.start_s, caption.end_s) == pytest.approx((0.3, 1.2), abs=0.034)
    assert (grown.text, grown.start_s, grown.end_s) == ("it was easy", pytest.approx(1.3), pytest.approx(3.5))
    assert [(w.text, w.start_s) for w in grown.words or ()] == [
        ("it", pytest.approx(1.3)),
        ("was", pytest.approx(1.7)),
        ("easy", pytest.approx(2.1)),
    ]
