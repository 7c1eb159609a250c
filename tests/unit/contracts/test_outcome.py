"""The exit status of a run of several videos."""

from __future__ import annotations

import pytest

from rumiai.contracts.outcome import Failure, VideoOutcome, exit_code


def outcome(result: int | str) -> VideoOutcome:
    if result in ("ok", "partial"):
        return VideoOutcome("v", "v.mp4", "ok" if result == "ok" else "partial")
    return VideoOutcome("v", "v.mp4", "failed", error=Failure("X", "x", "x", int(result)))


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], 0),
        (["ok", "partial"], 0),
        ([2, 2], 2),  # nothing was begun
        (["ok", 2], 1),
        (["partial", 2, 2], 1),
        (["ok", 5], 5),
        ([3, "ok", 3], 3),
        ([2, 5], 1),
        (["ok", 2, 5], 1),
    ],
)
def test_the_exit_code(results: list[int | str], code: int) -> None:
    assert exit_code([outcome(result) for result in results]) == code
