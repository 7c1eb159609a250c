"""Lines of single frames become captions, without pictures between the samples: expected values by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rumiai.contracts.frames import FrameTexts, Sampling
from rumiai.inference.creative import assemble
from rumiai.inference.ocr_gate import GatedTexts
from rumiai.inference.sampled_times import interval
from rumiai.inference.stickers import StickerFinder
from rumiai.inference.texts.categories import category_of
from rumiai.inference.texts.records import link_texts

BOX = (0.21, 0.35, 0.58, 0.06)


def sampling(n):
    return Sampling(720, 1280, 30.0, n / 2, 2.0, n)


def frame(k, *lines, t_s=None, origin="read"):
    """Frame k of a 2 fps grid; a line is (text, confidence) or (text, confidence, box)."""
    boxes = [line[2] if len(line) > 2 else BOX for line in lines]
    return FrameTexts(
        k / 2 if t_s is None else t_s,
        15 * k if t_s is None else round(t_s * 30),
        tuple(line[0] for line in lines),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([line[1] for line in lines], np.float32),
        np.full(len(lines), 0.8, np.float32),
        origin,
    )


def link(frames, after=(), cuts=()):
    return link_texts(frames, after, cuts, sampling(len(frames)))


def spans(summary):
    return [(item.text, item.start_s, item.end_s) for item in summary.annotations]


def test_the_records_of_a_text():
    frames = [frame(0, ("STOP SCROLLlNG", 0.6)), frame(1, ("STOP SCROLLING", 0.9)), frame(2), frame(3)]
    (item,) = link(frames).annotations
    assert item.to_json() == {
        "id": "text_1",
        "text": "STOP SCROLLING",
        "start": 0.0,
        "end": 0.75,
        "timestamp": 0.0,
        "confidence": pytest.approx(0.9),
        "bbox": pytest.approx(BOX),
        "position": "center",
        "size": "L",
        "category": "overlay_text",
        "lines": [{"text": "STOP SCROLLING", "bbox": pytest.approx(BOX)}],
        "sightings": [
            {
                "timestamp": k / 2,
                "frame_number": 15 * k,
                "confidence": pytest.approx(sure),
                "bbox": pytest.approx(BOX),
                "contrast": pytest.approx(0.8),
            }
            for k, sure in ((0, 0.6), (1, 0.9))
        ],
    }


def test_shown_again_later_is_a_new_text():
    hello = ("hello", 0.9)
    frames = [frame(0), frame(1, hello), frame(2), frame(3), frame(4, hello), frame(5, hello), frame(6)]
    assert spans(link(frames)) == [("hello", 0.25, 0.75), ("hello", 1.75, 2.75)]
    assert link(frames).unique_texts == 1


def test_times_are_clipped_at_cuts_and_at_the_ends():
    hello = ("hello", 0.9)
    frames = [frame(0, hello), frame(1), frame(2, hello), frame(3, hello), frame(4), frame(5, hello)]
    assert spans(link(frames, cuts=(0.9, 1.6, 2.4))) == [
        ("hello", 0.0, 0.25),
        ("hello", 0.9, 1.6),
        ("hello", 2.4, 2.75),
    ]
    # The video ends before half a step is over.
    short = Sampling(720, 1280, 30.0, 2.6, 2.0, 6)
    assert link_texts(frames, (), (), short).annotations[-1].end_s == 2.6
    assert interval(1.0, 1.0, (1.0,), short) == (1.0, 1.25)


def test_text_that_outlives_a_cut_is_one():
    frames = [frame(k, ("hello", 0.9)) for k in range(4)]
    assert spans(link(frames, cuts=(0.7,))) == [("hello", 0.0, 1.75)]


def test_frames_after_cuts_add_sightings_and_interrupt_nothing():
    hello = ("hello", 0.9)
    frames = [frame(0), frame(1, hello), frame(2, hello), frame(3)]
    missed = link(frames, after=[frame(0, t_s=0.7)], cuts=(0.7,))
    assert spans(missed) == [("hello", 0.25, 1.25)]
    early = link(frames, after=[frame(0, hello, t_s=0.3)], cuts=(0.3,))
    assert spans(early) == [("hello", 0.3, 1.25)]
    assert [seen.timestamp_s for seen in early.annotations[0].sightings] == [0.3, 0.5, 1.0]


def test_unsure_readings_continue_a_text_but_make_none():
    frames = [frame(0, ("hello there", 0.9)), frame(1, ("hell0 there", 0.3)), frame(2, ("hello there", 0.8))]
    assert spans(link(frames)) == [("hello there", 0.0, 1.25)]
    assert link([frame(0, ("hello", 0.5)), frame(1, ("hello", 0.5))]).annotations == ()


def test_short_texts_need_more_confidence():
    summary = link([frame(0, ("$5", 0.75)), frame(1), frame(2, ("1", 0.65)), frame(3), frame(4, ("abc", 0.55))])
    assert [item.text for item in summary.annotations] == ["$5", "abc"]


def test_lines_of_one_caption_are_one_record():
    above, below = (0.3, 0.40, 0.4, 0.04), (0.3, 0.445, 0.4, 0.04)
    frames = [frame(k, ("so good", 0.9, above), ("so good", 0.6, below)) for k in range(3)]
    (item,) = link(frames).annotations
    assert (item.text, item.confidence) == ("so good so good", pytest.approx(0.75))
    assert [line.text for line in item.lines] == ["so good", "so good"]
    assert item.bbox == pytest.approx((0.3, 0.40, 0.4, 0.085))
    assert (item.line_height, item.size) == (pytest.approx(0.04), "M")
    assert [len(item.sightings), item.sightings[0].bbox] == [3, pytest.approx((0.3, 0.40, 0.4, 0.085))]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ((0.3, 0.60, 0.4, 0.04), "too far below"),
        ((0.05, 0.445, 0.2, 0.04), "not aligned"),
        ((0.3, 0.46, 0.4, 0.10), "of another size"),
    ],
)
def test_lines_that_do_not_stand_together_are_two(other, why):
    frames = [frame(k, ("so good", 0.9, (0.3, 0.40, 0.4, 0.04)), ("try this", 0.9, other)) for k in range(3)]
    assert len(link(frames).annotations) == 2, why


def test_a_title_and_what_comes_a_second_later_in_another_size_are_two():
    title, more = ("Step 1", 0.9, (0.3, 0.40, 0.4, 0.06)), ("Wake up at six", 0.9, (0.3, 0.47, 0.4, 0.04))
    assert len(link([frame(0, title), frame(1, title), *(frame(k, title, more) for k in range(2, 8))]).annotations) == 2


def test_a_held_frame_is_one_sighting_that_lasts():
    held = [replace(frame(0, ("hello", 0.9)), timestamp_s=k / 2) for k in range(12)]
    (item,) = link(held).annotations
    assert (item.start_s, item.end_s) == (0.0, 5.75)
    assert [seen.timestamp_s for seen in item.sightings] == [0.0]


def test_the_readings_vote():
    # Each letter by itself, weighed by how sure the reading is.
    readings = [("BEST DAY", 0.6), ("BEST DAT", 0.55), ("BEST OAY", 0.5), ("BESI DAY", 0.9)]
    (item,) = link([frame(k, reading) for k, reading in enumerate(readings)]).annotations
    assert (item.text, item.confidence) == ("BEST DAY", pytest.approx(0.6))


def test_a_line_revealed_word_by_word_is_one_that_grows():
    stages = ["never", "never do", "never do this"]
    boxes = [(0.2, 0.4, 0.2, 0.05), (0.2, 0.4, 0.3, 0.05), (0.2, 0.4, 0.5, 0.05)]
    frames = [frame(0)] + [
        frame(k + 1, (text, 0.9, box)) for k, (text, box) in enumerate(zip(stages, boxes, strict=True))
    ]
    (item,) = link([*frames, frame(4)]).annotations
    assert (item.text, item.start_s, item.end_s) == ("never do this", 0.25, 1.75)
    assert [(word.text, word.start_s) for word in item.words] == [("never", 0.25), ("do", 0.75), ("this", 1.25)]


def test_same_words_elsewhere_are_another_text():
    frames = [frame(0, ("hello", 0.9, (0.1, 0.1, 0.2, 0.05))), frame(1, ("hello", 0.9, (0.1, 0.7, 0.2, 0.05)))]
    assert len(link(frames).annotations) == 2


def test_scrolling_text_is_followed():
    frames = [frame(k, ("credits", 0.9, (0.3, 0.8 - 0.04 * k, 0.4, 0.05))) for k in range(6)]
    assert [len(item.sightings) for item in link(frames).annotations] == [6]


@pytest.mark.parametrize(
    ("text", "y", "category"),
    [
        ("Follow me", 0.5, "call_to_action"),
        ("LIKE AND FOLLOW", 0.1, "call_to_action"),
        ("like this video", 0.5, "call_to_action"),
        ("I like it", 0.5, "overlay_text"),
        ("looks like rain", 0.9, "caption"),
        ("swipe up", 0.9, "call_to_action"),
        ("shareholders", 0.5, "overlay_text"),
        ("a title", 0.19, "header_text"),
        ("a caption", 0.81, "caption"),
        ("@someone", 0.5, "username"),
        ("@someone", 0.1, "header_text"),
        ("#fyp", 0.5, "hashtag"),
    ],
)
def test_category(text, y, category):
    assert category_of(text, (0.2, y, 0.5, 0.05)) == category


@pytest.mark.parametrize(
    ("y", "h", "position", "size"), [(0.1, 0.02, "top", "S"), (0.31, 0.049, "center", "M"), (0.7, 0.05, "bottom", "L")]
)
def test_position_and_size(y, h, position, size):
    (item,) = link([frame(0, ("hello", 0.9, (0.4, y, 0.2, h)))]).annotations
    assert (item.position, item.size) == (position, size)


def test_watermarks():
    corner = (0.75, 0.03, 0.2, 0.02)
    frames = [frame(k, ("@maker", 0.9, corner), ("hello", 0.9)) for k in range(10)]
    # Misread twice in the middle: two pieces, which are one watermark.
    frames[4], frames[5] = frame(4, ("hello", 0.9)), frame(5, ("hello", 0.9))
    summary = link(frames)
    assert [(item.text, item.category) for item in summary.annotations] == [
        ("@maker", "watermark"),
        ("hello", "overlay_text"),
    ]
    assert summary.unique_texts == 1


def test_a_handle_that_jumps_from_corner_to_corner_is_a_watermark():
    corners = [(0.02, 0.03, 0.3, 0.03), (0.68, 0.9, 0.3, 0.03)]
    (item,) = link([frame(k, ("@anna.cooks", 0.9, corners[k // 3 % 2])) for k in range(12)]).annotations
    assert (item.text, item.category, item.start_s, item.end_s) == ("@anna.cooks", "watermark", 0.0, 5.75)
    assert len(item.sightings) == 12
    # A handle that is shown twice, briefly, is a text.
    brief = [frame(k, ("@anna.cooks", 0.9, corners[k // 5])) if k in (1, 8) else frame(k) for k in range(10)]
    assert not any(text.is_watermark for text in link(brief).annotations)


def test_corner_text_that_is_there_for_a_part_only_is_none():
    corner = (0.75, 0.03, 0.2, 0.02)
    frames = [frame(k, ("part one", 0.9, corner)) if k < 6 else frame(k) for k in range(10)]
    assert [item.category for item in link(frames).annotations] == ["header_text"]


def test_platform_logo_and_its_handle_are_watermarks_wherever_they_jump():
    frames = [
        frame(0, ("TikTok", 0.9, (0.05, 0.1, 0.15, 0.03)), ("@maker.of.it", 0.9, (0.05, 0.14, 0.2, 0.02))),
        frame(1, ("TikTok", 0.9, (0.8, 0.8, 0.15, 0.03)), ("@maker.of.it", 0.9, (0.75, 0.84, 0.2, 0.02))),
        frame(2, ("TikTok made me buy it", 0.9)),
    ]
    assert [item.category for item in link(frames).annotations] == ["watermark"] * 2 + ["overlay_text"]


def test_summary_counts_what_was_read():
    summary = link([frame(0, ("qzx", 0.05), ("hello", 0.9)), frame(1, ("hello", 0.9), origin="carried"), frame(2)])
    assert (summary.regions_detected, summary.best_confidence) == (2, pytest.approx(0.9))
    assert link([frame(0)]).best_confidence is None


def test_canonical_data():
    frames = (frame(0, ("hello", 0.9)), frame(1, ("hello", 0.9), origin="carried"), frame(2, origin="gated"))
    texts = GatedTexts(frames, (), 1, 1, 1, 0)
    data = assemble(texts, StickerFinder(sampling(3)), [], [], sampling(3)).to_json()
    assert [item["end"] for item in data["textAnnotations"]] == [0.75]
    assert data["stickers"] == []
    assert data["metadata"] == {
        "engine": "easyocr-1.7",
        "languages": ["en"],
        "processed": True,
        "frames_analyzed": 3,
        "frames_expected": 3,
        "sample_fps": 2.0,
        "width": 720,
        "height": 1280,
        "fps": 30.0,
        "duration": 1.5,
        "frames_read": 1,
        "frames_carried": 1,
        "frames_gated": 1,
        "frames_extra": 0,
        "regions_detected": 1,
        "unread_detected": 0,
        "best_confidence": pytest.approx(0.9),
        "unique_texts": 1,
        "stickers_detected": 0,
    }


def test_texts_end_where_the_picture_breaks_off():
    frames = (frame(0, ("hello", 0.9)), frame(1, ("hello", 0.9)))
    texts = GatedTexts(frames, (), 2, 0, 0, 0)
    found = [
        assemble(texts, StickerFinder(sampling(12)), [], [], sampling(12), shown_until_s=until)
        for until in (None, 0.6, 9.0)
    ]
    assert [data.texts[0].end_s for data in found] == [0.75, 0.6, 0.75]
    assert {data.metadata.duration_s for data in found} == {6.0}  # the video's, not the picture's
