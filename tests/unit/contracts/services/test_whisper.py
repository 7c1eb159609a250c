"""The transcript's contract."""

from __future__ import annotations

import pytest

from rumiai.contracts.services.whisper import WhisperData
from rumiai.errors import ContractError

EMPTY = {"text": "", "segments": [], "language": "unknown", "duration": 0.0, "metadata": {"processed": True}}


def test_speech_that_was_lost_has_its_stretches() -> None:
    lost = [{"start": 1.0, "end": 2.5, "reason": "decoding loops"}, {"start": 4.0, "end": 4.5, "reason": "x"}]
    data = WhisperData.from_json({**EMPTY, "speech_lost": lost})
    assert data.lost_s == 2.0
    assert data.to_json()["speech_lost"] == lost
    assert WhisperData.from_json(EMPTY).lost_s == 0.0


def test_a_lost_stretch_ends_after_its_start() -> None:
    with pytest.raises(ContractError):
        WhisperData.from_json({**EMPTY, "speech_lost": [{"start": 2.0, "end": 2.0, "reason": "decoding loops"}]})
