"""Moments of person_framing: changes of framing, highlights, and the stretches that are framed well (analyses, 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from rumiai.core.intervals import near
from rumiai.metrics.person_framing.people import STILL, Presence, Run
from rumiai.metrics.shared.bins import span

_ORDER: Final = {"none": 0, "wide": 1, "medium": 2, "close": 3}
_CUT_S: Final = 0.2
_OPTIMAL_S: Final = 3.0
_STEADY: Final = 0.8  # stability of an optimal period
_PROLONGED_S: Final = 5.0
_OPENING_S: Final = 3.0
_LONG_S, _SHORT_S = 5.0, 2.0  # lengths of highlights of high and of low impact


@dataclass(frozen=True)
class Transition:
    """A change of the smoothed shot type; ``kind`` is zoom_in, zoom_out, cut, return or exit."""

    time_s: float
    before: str
    after: str
    kind: str


@dataclass(frozen=True)
class Moments:
    """What happens to the framing of one video."""

    presence: Presence

    @cached_property
    def transitions(self) -> list[Transition]:
        """Every change of the smoothed shot type.

        It happened somewhere between two samples: a cut within 0.2 s of that stretch is what made it.
        """
        changes, shots = self.presence.shots.changes, self.presence.evidence.shots
        times = np.array([change.time_s for change in changes], dtype=np.float64)
        half = self.presence.grid.step_s / 2
        cut = near(times - half, shots.cuts_s if shots is not None else [], half + _CUT_S)
        return [
            Transition(c.time_s, c.before, c.after, "cut" if by_cut else _kind(c.before, c.after))
            for c, by_cut in zip(changes, cut, strict=True)
        ]

    def changes(self) -> list[dict[str, Any]]:
        """The changes as times and shot types."""
        return [{"timestamp": t.time_s, "from": t.before, "to": t.after} for t in self.transitions]

    @cached_property
    def close_ups(self) -> list[Run]:
        """Runs of close."""
        return [run for run in self.presence.shot_runs if run.label == "close"]

    @cached_property
    def groups(self) -> list[Run]:
        """Runs with two faces or more."""
        return self.presence.flagged(np.asarray(self.presence.faces >= 2))

    @cached_property
    def eye_contact_runs(self) -> list[Run]:
        """Runs of 3 s or more in which the main face looks into the camera."""
        looking = self.presence.looks & (self.presence.faces > 0)
        return [run for run in self.presence.flagged(looking) if run.duration_s >= _OPTIMAL_S]

    @cached_property
    def optimal(self) -> list[Run]:
        """Runs of 3 s or more with a face, eye contact, and a stability of 0.8 or more where it is known."""
        presence, positions = self.presence, self.presence.positions
        good = presence.looks & (presence.faces > 0)
        # The speed of the half second that a sample lies in.
        half_second = np.searchsorted(positions.times_s, presence.grid.times_s, side="right") - 1
        speeds = positions.speeds[np.clip(half_second, 0, None)] if positions.speeds.size else np.zeros(0)
        moving = np.nan_to_num(speeds) > (1 - _STEADY) * STILL
        return [run for run in presence.flagged(good & ~moving) if run.duration_s >= _OPTIMAL_S]

    @property
    def prolonged_absences(self) -> list[Run]:
        """Absences of more than 5 s."""
        return [run for run in self.presence.absences if run.duration_s > _PROLONGED_S]

    def highlights(self) -> list[dict[str, Any]]:
        """Close-ups, group shots, stretches of eye contact and returns, by time."""
        kinds = (("close_up", self.close_ups), ("group_shot", self.groups), ("eye_contact_run", self.eye_contact_runs))
        found = [
            (run.start_s, kind, span(run.start_s, run.end_s), _impact(run)) for kind, runs in kinds for run in runs
        ]
        seen = False
        for change in self.transitions:
            if change.before == "none" and seen:
                label = self.presence.evidence.bins.label_at(change.time_s)
                found.append((change.time_s, "return", label, "medium"))
            seen = True  # before the first change there is somebody, or there is after it
        return [{"timestamp": at, "type": kind, "impact": impact} for _, kind, at, impact in sorted(found)]

    def critical(self) -> list[dict[str, Any]]:
        """People who come and go, the first close-up, and zooms."""
        found = []
        for change in self.transitions:
            if "none" in (change.before, change.after):
                event = "person_enter" if change.before == "none" else "person_exit"
                found.append((change.time_s, event, change.after))
            elif change.kind != "cut":
                found.append((change.time_s, change.kind, change.after))
        if self.close_ups:
            found.append((self.close_ups[0].start_s, "first_close", "close"))
        return [{"timestamp": at, "event": event, "framing": shot} for at, event, shot in sorted(found)]

    def key_events(self) -> dict[str, Any]:
        """The fields of the KeyEvents block."""
        return {
            "framingHighlights": self.highlights(),
            "criticalFramingMoments": self.critical(),
            "optimalFramingPeriods": [
                {"start": run.start_s, "end": run.end_s, "reason": "face visible, eye contact, steady"}
                for run in self.optimal
            ],
            "closeUpMoments": [as_times(run) for run in self.close_ups],
            "groupShots": [as_times(run) for run in self.groups],
            "framingChanges": self.changes(),
        }


def _kind(before: str, after: str) -> str:
    if before == "none":
        return "return"
    if after == "none":
        return "exit"
    return "zoom_in" if _ORDER[after] > _ORDER[before] else "zoom_out"


def _impact(run: Run) -> str:
    """High when it opens the video or is long."""
    if run.start_s < _OPENING_S or run.duration_s >= _LONG_S:
        return "high"
    return "medium" if run.duration_s >= _SHORT_S else "low"


def as_times(run: Run) -> dict[str, float]:
    """Start, end and duration."""
    return {"start": run.start_s, "end": run.end_s, "duration": run.duration_s}
