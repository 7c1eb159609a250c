"""One object that the detector names differently from frame to frame: its tracks vote.

The detector suppresses doubles within a class only, and the tracks are of one class each. A dog that is "person", "cow"
and "cat" in turn is therefore three tracks in one place. They are one object: the class with the greatest sum of scores
names it, and that sum's share of all is how far the votes agree (docs/design/people.md says which limit that has).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rumiai.core.boxes import iou
from rumiai.inference.object_tracks import DROP_AFTER_S, LinkedObject, Sighting

# Boxes of one instant with two names are one object when they coincide; a rider and a horse do not.
_SAME_NOW_IOU: Final = 0.8
# Boxes of neighbouring instants are one object when they overlap this far: between two samples it moves.
_SAME_SOON_IOU: Final = 0.5
# The share of a track's sightings that must lie on the other track.
_SAME_SHARE: Final = 0.5


class Vote(NamedTuple):
    """What the sightings of one object call it.

    Attributes:
        class_id: Index into ``COCO_NAMES``: the class with the greatest sum of scores.
        agreement: That sum over the sum of all scores, 0..1; 1.0 where all sightings agree.
    """

    class_id: int
    agreement: float


def votes_of(tracks: Sequence[LinkedObject], cuts_s: Sequence[float]) -> list[Vote]:
    """What each track's object is called, by that track and the others that are the same object.

    Args:
        tracks: Of one class each, by first sighting.
        cuts_s: Instants at which the shot changes; no object goes across them.

    Returns:
        One vote for each track, in order. Empty input gives none.
    """
    group = list(range(len(tracks)))
    for i, track in enumerate(tracks):
        for j in range(i + 1, len(tracks)):
            if not _starts_soon(track, tracks[j]):
                break
            if _root(group, i) != _root(group, j) and is_same_object(track, tracks[j], cuts_s):
                group[_root(group, j)] = _root(group, i)
    scores: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for i, track in enumerate(tracks):
        scores[_root(group, i)][track.class_id] += sum(sighting.score for sighting in track.sightings)
    return [_winner(scores[_root(group, i)]) for i in range(len(tracks))]


def _winner(scores: Mapping[int, float]) -> Vote:
    class_id = max(sorted(scores), key=scores.__getitem__)
    total = sum(scores.values())
    return Vote(class_id, scores[class_id] / total if total else 1.0)


def _starts_soon(track: LinkedObject, other: LinkedObject) -> bool:
    return other.sightings[0].timestamp_s <= track.last.timestamp_s + DROP_AFTER_S


def _root(group: list[int], i: int) -> int:
    while group[i] != i:
        i = group[i]
    return i


def is_same_object(a: LinkedObject, b: LinkedObject, cuts_s: Sequence[float]) -> bool:
    """Whether two tracks of different classes lie on one another wherever both are seen, or take turns in one place."""
    if a.class_id == b.class_id:
        return False
    at = {sighting.timestamp_s: sighting for sighting in a.sightings}
    both = [iou(at[s.timestamp_s].box, s.box) for s in b.sightings if s.timestamp_s in at]
    if both and sum(both) / len(both) < _SAME_NOW_IOU:
        return False
    fewer, more = sorted((a, b), key=lambda track: len(track.sightings))
    return sum(_lies_on(s, more, cuts_s) for s in fewer.sightings) >= _SAME_SHARE * len(fewer.sightings)


def _lies_on(sighting: Sighting, track: LinkedObject, cuts_s: Sequence[float]) -> bool:
    return any(iou(sighting.box, near.box) >= _SAME_SOON_IOU for near in _neighbours(sighting, track, cuts_s))


def _neighbours(sighting: Sighting, track: LinkedObject, cuts_s: Sequence[float]) -> Iterator[Sighting]:
    """The last sighting of a track up to an instant and the first one from it on, of the same shot."""
    t_s = sighting.timestamp_s
    before = [other for other in track.sightings if other.timestamp_s <= t_s][-1:]
    after = [other for other in track.sightings if other.timestamp_s >= t_s][:1]
    for other in (*before, *after):
        low_s, high_s = sorted((t_s, other.timestamp_s))
        if high_s - low_s <= DROP_AFTER_S and not any(low_s < cut_s <= high_s for cut_s in cuts_s):
            yield other
