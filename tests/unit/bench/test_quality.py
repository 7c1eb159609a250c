"""What the benchmark calls equal quality, on values worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rumiai.demo import Truth, TruthLine, Word

from ..loading import loaded

_PATH = Path(__file__).parents[3] / "bench" / "quality.py"


@pytest.fixture(scope="module")
def quality():
    with loaded(_PATH) as module:
        yield module


def test_texts_are_counted_at_every_instant(quality):
    shown = {0: ["WAIT FOR IT"], 1: ["WAIT FOR IT", "Step 1"], 2: [], 3: ["Step 2"]}
    read = {0: ["wait for it"], 1: ["WAIT F0R IT", "TAXI"], 2: ["TAXI"], 7: ["not an instant that was looked at"]}
    score = quality.text_score(shown, read, {})
    assert (score.shown, score.read, score.right) == (4, 4, 2)
    assert score.recall == 0.5
    assert score.precision == 0.5
    assert (score.lines, score.lines_found) == (3, 1)
    assert score.missed == ("Step 1", "Step 2")


def test_one_reading_stands_for_one_line(quality):
    score = quality.text_score({0: ["again", "again"]}, {0: ["again"]}, {})
    assert (score.shown, score.read, score.right) == (2, 1, 1)
    # "habit" is as like to both, and "habits" must keep its own.
    assert quality.text_score({0: ["habits", "habit1"]}, {0: ["habits", "habit"]}, {}).right == 2


def test_what_both_flows_read_and_nobody_drew_is_left_out(quality):
    shown = {0: ["STEP"], 1: []}
    ours, naive = {0: ["STEP", "TAXIS", "xx"], 1: ["TAXIS"]}, {0: ["STEP", "TAX1S", "yy", "zz"], 1: []}
    score = quality.text_score(shown, ours, naive)
    assert (score.read, score.right) == (3, 1)  # not the TAXIS at 0, but the one at 1
    assert quality.text_score(shown, naive, ours).precision == pytest.approx(1 / 3)


def test_a_line_that_the_other_flow_read_excuses_nothing(quality):
    # The second reading of a line is wrong, though the other flow has read that line as well.
    assert quality.text_score({0: ["STEP"]}, {0: ["STEP", "STEP"]}, {0: ["STEP"]}).precision == 0.5


def test_rates_of_nothing_are_unknown(quality):
    score = quality.text_score({0: []}, {}, {})
    assert score.recall is None
    assert score.precision is None


def test_objects_need_class_overlap_and_a_partner_of_their_own(quality):
    def thing(name, confidence, *box):
        return quality.Object(name, confidence, box)

    reference = {
        0: [thing("cat", 0.9, 0, 0, 1, 1), thing("cat", 0.8, 0, 0, 1, 0.9), thing("dog", 0.39, 0, 0, 1, 1)],
        1: [thing("bus", 0.4, 0, 0, 1, 1)],
        2: [thing("car", 0.7, 0, 0, 0.5, 0.5)],
    }
    found = {
        0: [thing("cat", 0.3, 0, 0, 1, 1)],
        1: [thing("truck", 0.9, 0, 0, 1, 1), thing("bus", 0.2, 0, 0, 1, 0.5)],
        3: [thing("car", 0.7, 0, 0, 0.5, 0.5)],
    }
    matched, total, missed = quality.object_score(reference, found)
    assert (matched, total) == (2, 4)
    assert missed == ["0: cat 0.80", "2: car 0.70"]


def test_word_error_rate(quality):
    assert quality.word_error_rate("Feed the cat.", "feed, the CAT!") == 0.0
    assert quality.word_error_rate("one two three four", "one too three") == 0.5
    assert quality.word_error_rate("it's me", "it\u2019s me") == 0.0
    assert quality.word_error_rate("a", "b c d") == 3.0
    with pytest.raises(ValueError, match="without words"):
        quality.word_error_rate("...", "anything")


def test_cuts(quality):
    assert quality.cut_score([1.0, 2.0], [2.03, 1.0]) == {"expected": 2, "found": 2, "largest_distance_s": 0.03}
    assert quality.cut_score([1.0], []) == {"expected": 1, "found": 0, "largest_distance_s": None}
    assert quality.cut_score([], []) == {"expected": 0, "found": 0, "largest_distance_s": None}


def write(folder: Path, name: str, data: object) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(data))
    return str(path)


@pytest.fixture
def files(tmp_path):
    facts = {"sample_fps": 2.0, "fps": 30.0, "frames_analyzed": 3}
    sightings = [{"timestamp": t} for t in (0.0, 0.5, 0.7)]  # the last is the first frame of a shot
    frame = {"timestamp": 0.5, "confidence": 0.9, "bbox": [0.1, 0.1, 0.2, 0.2]}
    return {
        "ocr": write(
            tmp_path, "ocr", {"textAnnotations": [{"text": "HELLO", "sightings": sightings}], "metadata": facts}
        ),
        "yolo": write(
            tmp_path, "yolo", {"objectAnnotations": [{"className": "cat", "frames": [frame]}], "metadata": facts}
        ),
        "whisper": write(tmp_path, "whisper", {"text": "hello there"}),
        "scene_detection": write(tmp_path, "scenes", {"scene_changes": [0.7]}),
    }


@pytest.fixture
def naive():
    texts = [
        {"instant": 0, "texts": [{"text": "HELLO", "confidence": 0.9}, {"text": "noise", "confidence": 0.2}]},
        {"instant": 1, "texts": []},
    ]
    objects = [{"instant": 1, "objects": [{"name": "cat", "confidence": 0.8, "box": [0.1, 0.1, 0.2, 0.2]}]}]
    return {
        "parts": {
            "ocr": {"data": texts},
            "yolo": {"data": objects},
            "whisper": {"data": {"text": "hello their"}},
            "scenes": {"data": {"cuts_s": [0.7]}},
        }
    }


def truth() -> Truth:
    lines = (TruthLine("HELLO", 0.0, 0.7, (0, 0, 1, 1)),)
    words = (Word("hello", 0.0, 0.3), Word("there", 0.3, 0.6))
    return Truth(Path("clip.mp4"), 1.5, cuts_s=(0.7,), lines=lines, words=words)


def test_a_run_beside_the_naive_flow(quality, files, naive):
    ours, other = quality.seen_by_run(files), quality.seen_by_naive(naive)
    assert ours.texts == {0: ["HELLO"], 1: ["HELLO"]}
    assert ours.frames == {0, 1, 2}
    assert other.texts == {0: ["HELLO"], 1: []}
    report = quality.assess(ours, other, truth(), fps=30.0, sample_fps=2.0, reference="hello there")
    assert report["texts"]["ours"]["recall"] == 1.0
    assert report["texts"]["naive"]["recall"] == 0.5
    assert report["word_error_rate"] == {"ours": 0.0, "naive": 0.5, "faster_whisper": 0.0}
    assert report["objects"]["share"] == 1.0
    assert report["cuts"]["truth"]["ours"]["largest_distance_s"] == 0.0
    assert quality.losses(report) == []


def test_what_needs_a_truth_is_unknown_without_one(quality, files, naive):
    report = quality.assess(
        quality.seen_by_run(files), quality.seen_by_naive(naive), None, fps=30.0, sample_fps=2.0, reference=None
    )
    assert report["texts"] is None
    assert report["word_error_rate"] is None
    assert "truth" not in report["cuts"]
    assert quality.losses(report) == []


def test_losses_are_named(quality, files, naive):
    del files["yolo"], files["ocr"]
    Path(files["whisper"]).write_text(json.dumps({"text": "yellow hare"}))
    Path(files["scene_detection"]).write_text(json.dumps({"scene_changes": [0.8]}))
    report = quality.assess(
        quality.seen_by_run(files), quality.seen_by_naive(naive), truth(), fps=30.0, sample_fps=2.0, reference="hello"
    )
    assert [loss.split(":")[0] for loss in quality.losses(report)] == [
        "texts",
        "texts",
        "objects",
        "transcript",
        "cuts",
    ]
