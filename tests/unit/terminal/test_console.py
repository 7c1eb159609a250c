"""What a person reads at the end of a run: the table of a video, from its unified analysis."""

from __future__ import annotations

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.outcome import VideoOutcome
from rumiai.results.summary import summarise
from rumiai.services import entries_of
from rumiai.terminal.console import print_outcomes
from rumiai.timeline.build import build

from ..timeline_samples import FACTS, canonical, results


def table(capsys, **replaced):
    """Name -> text of the rows of a table."""
    analysis = build("v1", VideoMetadata.local("v1").to_dict(), FACTS, results(**replaced), entries_of)
    print_outcomes([VideoOutcome("v1", "v1.mp4", "ok", summary=summarise(analysis))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "v1  ok"
    return {name: text.strip() for name, text in (line.split(maxsplit=1) for line in lines[1:])}


def test_what_was_found_is_told(capsys):
    rows = table(capsys)
    assert rows["duration"] == "12.0 s, 576x1024"
    assert rows["shots"] == "3 (cuts at 3.50, 3.75 s)"
    assert rows["speech"] == "8 words, en: Wait for it."
    assert rows["texts"] == "STOP SCROLLING (0.0-3.2 s)"
    assert rows["objects"] == "person 12%, cup 4% of frames"
    assert rows["people"] == "on 4% of frames, at most 1 faces, gestures pointing"


def test_what_is_left_out_is_counted(capsys):
    scenes, texts, objects = (canonical(service) for service in ("scene_detection", "ocr", "yolo"))
    cuts = [float(second) for second in range(1, 11)]
    edges = [0.0, *cuts, 12.0]
    shape = scenes["scenes"][0]
    scenes |= {
        "scenes": [
            {
                **shape, "scene_number": i + 1, "scene_index": i, "start_time": edges[i], "end_time": edges[i + 1],
                "duration": edges[i + 1] - edges[i], "start_frame": round(edges[i] * 30),
                "end_frame": round(edges[i + 1] * 30),
            }
            for i in range(11)
        ],
        "scene_changes": cuts, "scene_change_scores": [30.0] * 10, "transition_types": ["cut"] * 10,
        "total_scenes": 11,
    }  # fmt: skip
    texts["textAnnotations"] = [{**texts["textAnnotations"][0], "id": f"text_{i}", "text": f"T{i}"} for i in range(8)]
    names = ["person", "cup", "bus", "car", "dog", "cat", "tie", "bed", "cow"]
    first = objects["objectAnnotations"][0]
    objects["objectAnnotations"] = [{**first, "trackId": f"object_{n}", "className": n} for n in names]
    rows = table(capsys, scene_detection=scenes, ocr=texts, yolo=objects)
    assert rows["shots"] == "11 (cuts at 1.00, 2.00, 3.00, 4.00, 5.00, 6.00, 7.00, 8.00 s; 2 more)"
    assert rows["texts"].endswith("T5 (0.0-3.2 s); 2 more")
    assert rows["objects"] == "bed 12%, bus 12%, car 12%, cat 12%, cow 12%, cup 12% of frames; 3 more"
