"""Hands and gestures of one square view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rumiai.core.boxes import area
from rumiai.people.geometry import (
    SquareView,
    box_of_points,
    merge,
    same_thing,
    square_around,
)
from rumiai.people.observations import FloatArray, Hand
from rumiai.people.tasks import Tasks, image, run

# The recogniser's labels in RumiAI's vocabulary; "None" is no gesture.
GESTURES: Final = {
    "Closed_Fist": "closed_fist",
    "Open_Palm": "open_palm",
    "Pointing_Up": "pointing",
    "Thumb_Down": "thumbs_down",
    "Thumb_Up": "thumbs_up",
    "Victory": "victory",
    "ILoveYou": "love",
}
# A gesture with a lower score is more likely none.
_MIN_GESTURE_SCORE: Final = 0.5
_WRIST, _INDEX_TIP = 0, 8
# Tip and middle joint of the index finger, and of the three beyond it. A finger is stretched when its tip is further
# from the wrist than its middle joint by this factor, and bent when it is nearer by the other.
_INDEX: Final = (8, 6)
_OTHERS: Final = ((12, 10), (16, 14), (20, 18))
_STRETCHED: Final = 1.1
_BENT: Final = 0.9
# The classifier only knows pointing upwards. A hand that looks like pointing elsewhere is shown to it again, in a
# square of this many hand sizes, turned so that the finger points up.
_TURNED_SQUARE: Final = 3.5


def find_hands(tasks: Tasks, view: SquareView) -> list[Hand]:
    """The hands in a view, in frame coordinates."""
    result = run(tasks.gestures.recognize, image(view.pixels))
    hands = []
    for landmarks, handedness, gestures in zip(result.hand_landmarks, result.handedness, result.gestures, strict=True):
        in_view = np.array([(p.x, p.y) for p in landmarks], np.float64)
        kind, score = _gesture(gestures)
        if kind is None and _points_somewhere(in_view):
            kind, score = _pointing_aside(tasks, view, in_view)
        points = view.to_frame(in_view)
        hands.append(
            Hand(
                box=box_of_points(points),
                handedness="left" if handedness[0].category_name == "Left" else "right",
                handedness_score=float(handedness[0].score),
                landmarks=points,
                gesture=kind,
                gesture_score=score,
                direction=_direction(view, points) if kind == "pointing" else None,
            )
        )
    return hands


def _gesture(categories: Any) -> tuple[str | None, float]:
    """The gesture in RumiAI's vocabulary and its score; None and 0.0 for none."""
    if categories and categories[0].score > _MIN_GESTURE_SCORE:
        kind = GESTURES.get(categories[0].category_name)
        return kind, float(categories[0].score) if kind else 0.0
    return None, 0.0


def _points_somewhere(points: npt.NDArray[np.float64]) -> bool:
    """Whether the index finger alone is stretched, whichever way."""

    def stretch(finger: tuple[int, int]) -> float:
        tip, joint = (float(np.linalg.norm(points[i] - points[_WRIST])) for i in finger)
        return tip / max(joint, 1e-9)

    return stretch(_INDEX) > _STRETCHED and all(stretch(finger) < _BENT for finger in _OTHERS)


def _pointing_aside(tasks: Tasks, view: SquareView, points: npt.NDArray[np.float64]) -> tuple[str | None, float]:
    """What the classifier says of the hand when its finger is turned up by quarter turns: pointing, or nothing."""
    x, y = points[_INDEX_TIP] - points[_WRIST]
    quarters = (1 if x > 0 else 3) if abs(x) > abs(y) else (0 if y < 0 else 2)
    if quarters == 0:
        return None, 0.0
    corners = points * view.side_px
    low, high = corners.min(axis=0), corners.max(axis=0)
    centre, side = (low + high) / 2, float((high - low).max()) * _TURNED_SQUARE
    alone = square_around(view.pixels, centre[0], centre[1], side)
    result = run(tasks.gestures.recognize, image(np.ascontiguousarray(np.rot90(alone.pixels, quarters))))
    scores = [score for kind, score in map(_gesture, result.gestures) if kind == "pointing"]
    return ("pointing", max(scores)) if scores else (None, 0.0)


def _direction(view: SquareView, points: FloatArray) -> tuple[float, float] | None:
    """Unit vector in pixels from wrist to index tip; None when they fall together."""
    x, y = (points[_INDEX_TIP] - points[_WRIST]) * (view.frame_width_px, view.frame_height_px)
    length = float(np.hypot(x, y))
    return (float(x) / length, float(y) / length) if length > 0 else None


def merge_hands(hands: Sequence[Hand]) -> tuple[Hand, ...]:
    """Each hand once, largest first; of two sightings the one that is surer of left or right."""
    kept = merge(hands, rank=lambda hand: hand.handedness_score, same=lambda a, b: same_thing(a.box, b.box))
    return tuple(sorted(kept, key=lambda hand: area(hand.box), reverse=True))
