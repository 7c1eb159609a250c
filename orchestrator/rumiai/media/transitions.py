"""Gradual transitions (fades and dissolves): stretches in which the picture is a growing mixture of two others.

PySceneDetect finds cuts; its threshold detector finds fades only after the screen was black, and none of its detectors
finds dissolves. The model here is how an editor makes a transition: x(t) = (1 - a(t)) A + a(t) B with ``a`` rising from
0 to 1. A cut has no frames in between, movement is not a mixture, and a change of exposure keeps the picture's
structure: none of these passes. Transitions are reported beside the cuts and never add or remove one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from rumiai.contracts.services.scenes import Transition

TransitionType = Literal["fade", "dissolve"]
_Thumb = npt.NDArray[np.float32]

# Grey thumbnails: coarse enough to forgive small movement, fine enough to tell pictures apart.
_SIDE_PX: Final = 24
# Denser thumbnails than 30 per second tell nothing more about stretches of 0.3 s and longer.
_SPACING_S: Final = 1 / 31
# Lengths of mixture looked for; shorter ones pass for cuts, longer ones are the union of overlapping windows.
_WINDOWS_S: Final = (0.3, 0.6, 1.2)
# No editor's preset is longer; so many pictures are kept.
_LONGEST_S: Final = 4.0
# How often windows are looked at: every second picture, or the end of a short fade falls between two looks.
_STRIDE_S: Final = 0.06
# A stretch is over when no window has ended in it for this long: a third of the shortest window.
_PATIENCE_S: Final = 0.1
# Fewer pictures than this do not show that the change is gradual.
_MIN_PICTURES: Final = 5
# Root mean square difference of the two ends in grey levels: PySceneDetect's min_content_val.
_MIN_CHANGE: Final = 15.0
# Share of the change that is not mixture; noise and slight movement stay below, a pan does not.
_MAX_RESIDUAL: Final = 0.2
# A change without detail, as of one gradient to another, hardly shows movement. A sine that moves so far that its ends
# are unlike (53 degrees) leaves the straight way of a mixture by 0.12 of the change, a dissolve by its noise alone.
_SMOOTH_RESIDUAL: Final = 0.08
# Share of a change that its local mean does not tell, below which it has no detail. That between two of the demo's
# photographs has 0.32 and more.
_DETAIL: Final = 0.2
_LOCAL_PX: Final = 5
# Largest part of the change in one step of a ramp of at least five pictures; a cut has 1.0.
_MAX_STEP: Final = 0.4
# A mixture fills its window when this much has changed after a quarter and is still to change after three quarters.
_MIN_QUARTER: Final = 0.08
# PySceneDetect's threshold for black, and the same distance from white.
_BLACK: Final = 12.0
_WHITE: Final = 255.0 - _BLACK
# A one-coloured picture: deviation in grey levels that coding noise reaches.
_PLAIN: Final = 6.0
# Above this correlation both ends show the same scene, lit differently.
_MAX_CORRELATION: Final = 0.6


@dataclass(frozen=True)
class GradualTransition:
    """A gradual transition.

    Attributes:
        start_s: Last moment of the old picture, to about ``0.1`` s.
        end_s: First moment of the new one.
        type: ``fade`` when one end is plain black or white, else ``dissolve``.
        direction: For fades, ``out`` to the plain picture or ``in`` from it.
    """

    start_s: float
    end_s: float
    type: TransitionType
    direction: Literal["in", "out"] | None = None

    def covers(self, time_s: float) -> bool:
        """Whether an instant lies within."""
        return self.start_s <= time_s <= self.end_s

    def told(self) -> Transition:
        """As the data of the service ``scene_detection`` has it."""
        transition = Transition(start_s=self.start_s, end_s=self.end_s, type=self.type)
        return transition if self.direction is None else transition.model_copy(update={"direction": self.direction})


class GradualTransitions:
    """Takes every frame in order; memory is that of ``_LONGEST_S`` of thumbnails."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, _Thumb]] = deque()
        self._open: tuple[float, float] | None = None
        self._found: list[GradualTransition] = []
        self._last_look_s = -_STRIDE_S

    def feed(self, image: npt.NDArray[np.uint8], time_s: float) -> None:
        """Take the next frame: (h, w, 3) uint8 BGR, presentation time in seconds."""
        if self._recent and time_s - self._recent[-1][0] < _SPACING_S:
            return
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        thumb = cv2.resize(grey, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        self._recent.append((time_s, thumb.ravel().astype(np.float32)))
        while time_s - self._recent[0][0] > _LONGEST_S + _WINDOWS_S[-1]:
            self._recent.popleft()
        if time_s - self._last_look_s >= _STRIDE_S:
            self._last_look_s = time_s
            self._look()

    def finish(self, cut_times_s: Sequence[float] = ()) -> list[GradualTransition]:
        """All gradual transitions, in order of time.

        Args:
            cut_times_s: Cuts; a stretch that holds several of them is fast cutting, no transition.
        """
        self._close()
        return [t for t in self._found if sum(t.covers(cut_s) for cut_s in cut_times_s) <= 1]

    def _look(self) -> None:
        """Look at the windows that end with the newest picture."""
        end_s, last = self._recent[-1]
        for length_s in _WINDOWS_S:
            begin = next(i for i, (time_s, _) in enumerate(self._recent) if time_s >= end_s - length_s - 1e-6)
            start_s, first = self._recent[begin]
            if end_s - start_s < length_s - 2 * _SPACING_S or not _is_changed(first, last):
                continue
            if _is_mixture(self._since(start_s)[1]):
                self._extend(start_s, end_s)
        if self._open is not None and end_s - self._open[1] > _PATIENCE_S:
            self._close()

    def _extend(self, start_s: float, end_s: float) -> None:
        if self._open is not None and start_s > self._open[1]:
            self._close()
        if self._open is not None:
            start_s = min(start_s, self._open[0])
        self._open = start_s, end_s

    def _close(self) -> None:
        """Judge the whole stretch: movement may pass for a mixture over a few frames, but not from end to end."""
        if self._open is None:
            return
        (start_s, end_s), self._open = self._open, None
        if end_s - start_s > _LONGEST_S:
            return
        times, pictures = self._since(start_s)
        pictures = pictures[: int(np.searchsorted(times, end_s + 1e-6))]
        if not _is_mixture(pictures, _allowed_residual(pictures[-1] - pictures[0])):
            return
        plain_first, plain_last = _is_plain(pictures[0]), _is_plain(pictures[-1])
        if plain_first != plain_last:
            self._found.append(GradualTransition(start_s, end_s, "fade", "in" if plain_first else "out"))
        elif not plain_first and _correlation(pictures[0], pictures[-1]) <= _MAX_CORRELATION:
            self._found.append(GradualTransition(start_s, end_s, "dissolve"))

    def _since(self, time_s: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        """Times (n,) and thumbnails (n, pixels) kept from an instant on."""
        kept = [item for item in self._recent if item[0] >= time_s - 1e-6]
        return np.array([kept_s for kept_s, _ in kept]), np.stack([thumb for _, thumb in kept])


def _is_changed(first: _Thumb, last: _Thumb) -> bool:
    change = last - first
    return float(change @ change) >= _MIN_CHANGE**2 * change.size


def _allowed_residual(change: _Thumb) -> float:
    """Share of a change that need not be mixture: movement in a picture with detail, noise in one without."""
    local = cv2.blur(change.reshape(_SIDE_PX, _SIDE_PX), (_LOCAL_PX, _LOCAL_PX)).ravel()
    has_detail = np.linalg.norm(change - local) >= _DETAIL * np.linalg.norm(change)
    return _MAX_RESIDUAL if has_detail else _SMOOTH_RESIDUAL


def _is_mixture(pictures: npt.NDArray[np.float32], residual: float = _MAX_RESIDUAL) -> bool:
    """Whether (n, pixels) pictures lead from the first to the last as growing mixtures of the two.

    ``residual`` is the share of the change that may be something else.
    """
    n = len(pictures)
    if n < _MIN_PICTURES or not _is_changed(pictures[0], pictures[-1]):
        return False
    change = pictures[-1] - pictures[0]
    squared = float(change @ change)
    # The middle first: most windows are movement, and it tells that from mixture at a fraction of the work.
    for chosen in (slice(n // 2, n // 2 + 1), slice(None)):
        offsets = pictures[chosen] - pictures[0]
        # Without BLAS, whose threads cost more than so small a product.
        shares = np.einsum("ij,j->i", offsets, change) / squared
        rest = offsets - shares[:, None] * change
        if np.einsum("ij,ij->i", rest, rest).max() > residual**2 * squared:
            return False
    steps = np.diff(shares)
    return bool(
        steps.min() >= -_MIN_QUARTER
        and steps.max() <= _MAX_STEP
        and shares[n // 4] >= _MIN_QUARTER
        and shares[-1 - n // 4] <= 1.0 - _MIN_QUARTER
    )


def _is_plain(picture: _Thumb) -> bool:
    mean = float(picture.mean())
    return not _BLACK <= mean <= _WHITE and float(picture.std()) < _PLAIN


def _correlation(first: _Thumb, second: _Thumb) -> float:
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 0.0 if norm == 0.0 else float(a @ b) / norm
