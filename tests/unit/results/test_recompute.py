"""What ``recompute`` finds below a path, also in the checkout of an older version, and what it makes of it."""

from __future__ import annotations

import json

import pytest

from rumiai.errors import SourceError
from rumiai.results.recompute import find_stored, recompute
from rumiai.results.store import Store

FACES = {"emotions": [], "frames_analyzed": 20, "video_duration": 10.25, "metadata": {"processed": True}}
ENERGY = {
    "energy_level_windows": {"0-5s": 1.0, "5-9.5s": 0.5},
    "energy_variance": 0.1,
    "climax_timestamp": 1.0,
    "burst_pattern": "front_loaded",
    "duration": 9.5,
    "metadata": {"processed": True},
}
EMOTION_FILE = "emotion_detection_outputs/{id}/{id}_emotions.json"
ENERGY_FILE = "audio_energy_outputs/{id}/{id}_audio_energy.json"


def put(root, name, content):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def ids(root):
    return sorted((item.video_id or "analysis") for item in find_stored([str(root)]))


def test_files_of_a_checkout_do_not_hide_its_ml_outputs(tmp_path):
    put(tmp_path, "package.json", {"name": "a tool"})
    put(tmp_path, EMOTION_FILE.format(id="7"), FACES)
    assert ids(tmp_path) == ["7"]
    put(tmp_path, "unified_analysis/8.json", {"video_id": "8", "duration": 5})
    assert ids(tmp_path) == ["7", "analysis"]
    put(tmp_path, "unified_analysis/7.json", {"video_id": "7", "duration": 5})
    assert ids(tmp_path) == ["analysis", "analysis"]


def test_another_form_of_an_id_is_no_other_video(tmp_path):
    put(tmp_path, EMOTION_FILE.format(id="7"), FACES)
    put(tmp_path, ENERGY_FILE.format(id="user_7_1"), ENERGY)
    assert ids(tmp_path) == ["7"]


def test_a_folder_of_unified_analyses_is_read_as_one(tmp_path):
    put(tmp_path, "7.json", {"video_id": "7", "duration": 5})
    assert ids(tmp_path) == ["analysis"]
    with pytest.raises(SourceError, match="no unified analysis"):
        find_stored([str(tmp_path / "missing")])


@pytest.mark.parametrize(
    ("files", "duration_s"),
    [
        ({EMOTION_FILE: FACES}, 10.25),
        ({EMOTION_FILE: FACES, ENERGY_FILE: ENERGY}, 10.25),  # the sound ended before the picture
        ({ENERGY_FILE: ENERGY}, 9.5),
        ({ENERGY_FILE: {"data": ENERGY, "success": True}}, 9.5),
        (
            {
                "object_detection_outputs/{id}/{id}_yolo_detections.json": {
                    "objectAnnotations": [],
                    "total_frames": 300,
                    "fps": 25.0,
                }
            },
            12.0,
        ),
    ],
)
def test_the_duration_is_found_where_older_files_state_it(tmp_path, files, duration_s):
    for name, content in files.items():
        put(tmp_path, name.format(id="7"), content)
    (done,) = recompute(find_stored([str(tmp_path)]), Store(tmp_path / "out"), lambda _: None)
    assert done.error is None
    assert json.loads((tmp_path / "out/unified_analysis/7.json").read_text())["duration"] == duration_s


def test_the_end_of_the_speech_is_no_duration(tmp_path):
    said = {"text": "Hi.", "segments": [{"start": 0, "end": 2, "text": "Hi."}], "language": "en", "duration": 2.0}
    put(tmp_path, "speech_transcriptions/7_whisper.json", said)
    (done,) = recompute(find_stored([str(tmp_path)]), Store(tmp_path / "out"), lambda _: None)
    assert "no duration" in done.error


def test_labels_of_the_picture_are_kept_with_the_share_of_frames_that_show_them(tmp_path):
    put(tmp_path, EMOTION_FILE.format(id="7"), FACES)
    frames = [
        {"timestamp": 0.0, "labels": [{"label": "tutorial", "confidence": 0.5}, {"label": "food", "confidence": 0.9}]},
        {"timestamp": 1.0, "labels": [{"label": "tutorial", "confidence": 0.7}]},
    ]
    written = [{"description": "food", "confidence": 0.9}]
    put(
        tmp_path,
        "local_analysis_outputs/scene_labels/7_labels.json",
        {"frame_count": 2, "frame_labels": frames, "labels": written},
    )
    recompute(find_stored([str(tmp_path)]), Store(tmp_path / "out"), lambda _: None)
    stored = json.loads((tmp_path / "out/unified_analysis/7.json").read_text())
    assert stored["metadata"]["scene_labels"] == [
        {"description": "tutorial", "confidence": 0.6, "frame_count": 2, "coverage": 1.0},
        {"description": "food", "confidence": 0.45, "frame_count": 1, "coverage": 0.5},
    ]
