"""What evidence tells of itself."""

from __future__ import annotations

import pytest

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.shared.bins import Bins

from ...metrics_videos import analysis


def test_audio_energy_per_bin():
    curve = read_evidence(analysis(2.0, audio={"rms_curve": [0.2] * 10 + [0.4] * 10})).audio
    assert curve.per_bin(Bins(2.0)).tolist() == pytest.approx([0.2, 0.4])
    windows = read_evidence(analysis(7.0, audio={"energy_level_windows": {"0-5s": 0.5, "5-7s": 1.0}})).audio
    assert windows.per_bin(Bins(7.0)).tolist() == [0.5] * 5 + [1.0] * 2
    silent = {"metadata": {"processed": True, "has_audio": False}, "burst_pattern": "none", "climax_timestamp": None}
    assert read_evidence(analysis(audio=silent)).audio is None
