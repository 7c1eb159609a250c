"""Hands and gestures of one square view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from rumiai.people.geometry import SquareView, area, box_of_points, iou, merge, overlap_of_smaller
from rumiai.people.observations import FloatArray, Hand
from rumiai.people.tasks import Tasks, image, run

# The recogniser's labels in RumiAI's vocabulary (ml_outputs 6.3); "None" is no gesture.
GESTURES: Final = {
    "Closed_Fist": "closed_fist",
    "Open_Palm": "open_palm",
    "Pointing_Up": "pointing",
    "Thumb_Down": "thumbs_down",
    "Thumb_Up": "thumbs_up",
    "Victory": "victory",
    "ILoveYou": "love",
}
# A gesture below this is as likely none.
_MIN_GESTURE_SCORE: Final = 0.5
# Two sightings are one hand when their boxes share this much.
_SAME_IOU: Final = 0.4
_SAME_OF_SMALLER: Final = 0.7
_WRIST, _INDEX_TIP = 0, 8


def find_hands(tasks: Tasks, view: SquareView) -> list[Hand]:
    """The hands in a view, in frame coordinates."""
    result = run(tasks.gestures.recognize, image(view.pixels))
    hands = []
    for landmarks, handedness, gestures in zip(result.hand_landmarks, result.handedness, result.gestures, strict=True):
        points = view.to_frame(np.array([(p.x, p.y) for p in landmarks], np.float64))
        hands.append(_hand(view, points, handedness[0], gestures[0] if gestures else None))
    return hands


def _hand(view: SquareView, points: FloatArray, handedness: Any, gesture: Any) -> Hand:
    kind = GESTURES.get(gesture.category_name) if gesture and gesture.score > _MIN_GESTURE_SCORE else None
    return Hand(
        box=box_of_points(points),
        handedness="left" if handedness.category_name == "Left" else "right",
        handedness_score=float(handedness.score),
        landmarks=points,
        gesture=kind,
        gesture_score=float(gesture.score) if kind else 0.0,
        direction=_direction(view, points) if kind == "pointing" else None,
    )


def _direction(view: SquareView, points: FloatArray) -> tuple[float, float] | None:
    """Unit vector in pixels from wrist to index tip; None when they fall together."""
    x, y = (points[_INDEX_TIP] - points[_WRIST]) * (view.frame_width_px, view.frame_height_px)
    length = float(np.hypot(x, y))
    return (float(x) / length, float(y) / length) if length > 0 else None


def merge_hands(hands: Sequence[Hand]) -> tuple[Hand, ...]:
    """Each hand once, largest first; of two sightings the one that is surer of left or right."""
    kept = merge(
        hands,
        rank=lambda hand: hand.handedness_score,
        same=lambda a, b: iou(a.box, b.box) >= _SAME_IOU or overlap_of_smaller(a.box, b.box) >= _SAME_OF_SMALLER,
    )
    return tuple(sorted(kept, key=lambda hand: area(hand.box), reverse=True))
