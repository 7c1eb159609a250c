"""What the scenes show: objects per scene, and shot types at the cuts.

Source: docs/analyses.md, scene_pacing, ``objectDensityPacing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.core.arrays import Floats, Ints
from rumiai.metrics.scene_pacing.blocks import Complexity

_OTHER_CLASSES: Final = 2  # more classes than this make a change of complexity


def mean_scene_load(scene_of_frame: Ints, boxes_per_frame: Ints, scenes: int) -> float | None:
    """Visual load: objects per sampled frame of each scene, averaged over the scenes.

    Scenes weigh the same whatever their length, and the value does not grow with the sampling rate.

    Args:
        scene_of_frame: ``(k,)`` scene index of each sampled frame.
        boxes_per_frame: ``(k,)`` number of objects on each.
        scenes: Number of scenes.

    Returns:
        Objects per frame, >= 0; scenes without a sampled frame do not count. None without a frame.
    """
    if not scene_of_frame.size:
        return None
    frames = np.bincount(scene_of_frame, minlength=scenes)
    boxes = np.bincount(scene_of_frame, weights=boxes_per_frame, minlength=scenes)
    return float((boxes[frames > 0] / frames[frames > 0]).mean())


def complexity_of(load: float) -> Complexity:
    """Word of a visual load.

    Source: docs/analyses.md, scenePacingInteractions, ``objectDensityPacing``.

    Args:
        load: Objects per sampled frame, at least 0 (:func:`mean_scene_load`).

    Returns:
        low below 2 objects per frame, moderate below 5, else high.
    """
    return "low" if load < 2 else "moderate" if load < 5 else "high"


def complexity_changes(scene_of_box: Ints, class_of_box: Ints, scenes: int) -> int:
    """Number of neighbouring scenes whose numbers of object classes differ by more than two.

    Args:
        scene_of_box: ``(n,)`` scene index of each object.
        class_of_box: ``(n,)`` class index of each object.
        scenes: Number of scenes.

    Returns:
        >= 0; 0 without objects.
    """
    pairs = np.unique(np.stack([scene_of_box, class_of_box], axis=1), axis=0)
    classes = np.bincount(pairs[:, 0], minlength=scenes)
    return int((np.abs(np.diff(classes)) > _OTHER_CLASSES).sum())


def shot_changes_at_cuts(cuts_s: Floats, times_s: Sequence[float], labels: Sequence[str], step_s: float) -> int:
    """Number of cuts at which the smoothed shot type changes.

    The sample after a cut is the first that lies no more than half a sampling step before it.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        times_s: ``(k,)`` instants of the samples in seconds, in order.
        labels: ``(k,)`` smoothed shot type of each sample.
        step_s: Sampling step in seconds.

    Returns:
        >= 0; cuts without a sample on either side do not count.
    """
    after = np.searchsorted(np.array(times_s), cuts_s - step_s / 2)
    after = after[(after > 0) & (after < len(labels))]
    shots = np.array(labels)
    return int((shots[after] != shots[after - 1]).sum())
