"""What the benches of captions count, on values worked out by hand."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

from rumiai.demo import Caption, ClipSpec, Shot
from rumiai.demo.draw import CaptionPainter

BENCH = Path(__file__).parents[3] / "bench"
MODULES = ("caption_clips", "captions", "common", "naive", "quality")


@pytest.fixture(scope="module")
def bench():
    """Imports a bench as its command does, and forgets it afterwards."""
    environment = dict(os.environ)  # some of them set variables for the libraries that they use
    sys.path.insert(0, str(BENCH))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(BENCH))
        os.environ.clear()
        os.environ.update(environment)
        for name in MODULES:
            sys.modules.pop(name, None)


def test_a_clip_is_its_seeds_and_every_caption_fits(bench):
    clips = bench("caption_clips")
    for seed, kind in enumerate(clips.KINDS):
        spec = clips.clip_spec(seed)
        assert spec == clips.clip_spec(seed)
        assert {c.font for c in spec.captions} <= set(clips.pictures._FONTS)
        assert all(c.end_s <= spec.length_s for c in spec.captions)
        for line in [line for c in spec.captions for line in CaptionPainter(c, spec.width, spec.height).truth()]:
            assert line.box[0] > 0
            assert line.box[0] + line.box[2] < 1
        assert any(c.highlight is not None for c in spec.captions) == (kind == "karaoke")
        assert any(c.fade_s > 0 for c in spec.captions) == (kind == "fade")
        assert any(c.velocity != (0.0, 0.0) for c in spec.captions) == (kind == "scroll")
        assert (spec.shots[0].end is not None) == (kind == "moving")


def test_a_line_is_seen_from_half_to_half_opacity_and_karaoke_is_one(bench):
    clips = bench("caption_clips")
    captions = (
        Caption("one two", 0.0, 1.0, highlight=0),
        Caption("one two", 1.0, 2.0, highlight=1),
        Caption("one two", 3.0, 4.0),
        Caption("fading", 4.0, 6.0, fade_s=0.5),
    )
    spec = ClipSpec((Shot("solid", 6.0),), captions, silent=True)
    assert clips.lines_of(spec) == [
        clips.Line("one two", 0.0, 2.0),
        clips.Line("one two", 3.0, 4.0),
        clips.Line("fading", 4.25, 5.75),
    ]


def test_times_are_off_by_the_larger_of_start_and_end_of_all_its_pieces(bench):
    clips = bench("caption_clips")
    lines = [clips.Line("wait for it", 1.0, 3.0), clips.Line("never found", 0.0, 5.0)]
    found = [
        {"text": "wait for lt", "start": 1.25, "end": 1.75},
        {"text": "WAIT FOR IT", "start": 2.25, "end": 3.5},
        {"text": "wait for it", "start": 4.0, "end": 5.0},  # again, later: another line
        {"text": "something else", "start": 1.0, "end": 3.0},
    ]
    assert clips.times_off(lines, {"textAnnotations": found}) == [0.5]


@pytest.mark.parametrize(
    ("lost", "gained", "chance"), [(0, 0, 1.0), (1, 0, 0.5), (0, 1, 1.0), (2, 2, 11 / 16), (5, 0, 1 / 32)]
)
def test_the_sign_test(bench, lost, gained, chance):
    assert bench("captions").chance_of_losing_so_many(lost, gained) == pytest.approx(chance)
