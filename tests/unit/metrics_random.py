"""Random videos with people, words and sound of all kinds."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from .metrics_videos import expression, gesture, segment, text

RANDOM = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
SAYINGS = (
    "Hey, did you know? I love this amazing secret!", "follow me and save this now", "so sad. I hate it, um, like, no",
    "First mix it, then go to the shop", "coffee bean coffee bean", "\u4eca\u5929\u5929\u6c14\u5f88\u597d", "...", "a",
    "I went home and I saw it. I laughed", "LOUD LOUD LOUD",
)  # fmt: skip
unit = st.floats(0, 1)
# Boxes that reach the frame's borders and beyond them by rounding.
boxes = st.tuples(unit, unit, unit, unit).map(
    lambda b: [0.9 * b[0], 0.9 * b[1], max(0.01, b[2] * (1 - 0.9 * b[0])), max(0.01, b[3] * (1 - 0.9 * b[1]))]
)


@st.composite
def videos(draw, durations=(0.2, 0.6, 1.0, 2.9, 5.5, 12.0, 31.2)):
    """Arguments of ``analysis`` with people, words and sound of all kinds, some of them past the ends."""
    duration = draw(st.sampled_from(durations))
    sample = st.sampled_from([k / 2 for k in range(max(1, int(duration * 2)))])
    moment = st.floats(0, duration).map(lambda x: round(x, 2))
    span = st.tuples(moment, moment).map(lambda p: (min(p), max(p) if max(p) > min(p) else min(p) + 0.001))

    def at(t, **more):
        return {"timestamp": t, "frame_number": 0, "confidence": 0.8, **more}

    landmarks = st.integers(0, 33).map(lambda n: [{"i": i, "x": 0.5, "y": 0.5, "z": 0, "v": i / 32} for i in range(n)])
    said = []
    for words, (a, b), timed, sure in draw(
        st.lists(st.tuples(st.sampled_from(SAYINGS), span, st.booleans(), st.none() | unit), max_size=5)
    ):
        more = {"confidence": sure} if timed else {"confidence": sure, "words": []}
        said.append(segment(words, a, b, **more))
    curve = draw(st.none() | st.lists(unit, max_size=40))
    return {
        "duration_s": duration,
        "texts": [text(w, a, b) for w, (a, b) in draw(st.lists(st.tuples(st.sampled_from(SAYINGS), span), max_size=2))],
        "detections": [
            {"className": "person", "confidence": 0.8, "frames": [at(t, bbox=box)]}
            for t, box in draw(st.lists(st.tuples(sample, boxes), max_size=12))
        ],
        "faces": [at(t, count=1, bbox=box) for t, box in draw(st.lists(st.tuples(sample, boxes), max_size=20))],
        "poses": [
            at(t, bbox=box, landmarks=points)
            for t, box, points in draw(st.lists(st.tuples(sample, boxes, landmarks), max_size=4))
        ],
        "gaze": [
            at(t, eye_contact=score, gaze_direction=way)
            for t, score, way in draw(
                st.lists(
                    st.tuples(sample, unit, st.sampled_from(["camera", "left", None])),
                    max_size=12,
                    unique_by=lambda item: item[0],
                )
            )
        ],
        "expressions": [
            expression(t, label, c)
            for t, label, c in draw(
                st.lists(st.tuples(sample, st.sampled_from(["joy", "neutral", "anger", "fear", "surprise"]), unit))
            )
        ],
        "gestures": [
            gesture(t, kind, bbox=box)
            for t, kind, box in draw(
                st.lists(
                    st.tuples(sample, st.sampled_from(["pointing", "victory", "closed_fist"]), st.none() | boxes),
                    max_size=6,
                    unique_by=lambda item: item[0],
                )
            )
        ],
        "segments": said,
        "cuts": sorted(draw(st.sets(moment.filter(lambda x: 0.05 < x < duration - 0.05), max_size=5))),
        "audio": {
            "beats": sorted(draw(st.lists(moment, max_size=5))),
            "onsets": sorted(draw(st.lists(moment, max_size=5))),
            "energy_level_windows": {"0-5s": draw(unit)},
            **({} if curve is None else {"rms_curve": curve}),
        },
        "missing": draw(
            st.sets(
                st.sampled_from(["yolo", "whisper", "ocr", "mediapipe", "scene_detection", "audio_energy"]), max_size=2
            )
        )
        | {"emotion_detection"},
    }
