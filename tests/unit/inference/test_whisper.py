"""The request to the endpoint, and its answer as it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rumiai.contracts.transcript import Transcript
from rumiai.contracts.whisper import WhisperParams
from rumiai.errors import ContractError
from rumiai.inference.whisper import params_for

ANSWER: dict[str, Any] = {
    "language": None, "language_probability": None, "task": "transcribe", "duration_s": 12.0, "speech_s": 0.0,
    "segments": [], "reason": "no speech", "engine": "ctranslate2", "model": "whisper-base", "compute_type": "int8",
}  # fmt: skip


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"segments": []}', json.dumps(ANSWER).replace("12.0", "NaN").encode()])
def test_a_malformed_payload_is_a_broken_contract(raw: bytes) -> None:
    with pytest.raises(ContractError, match="TRANSCRIPT"):
        Transcript.from_json(raw)


def test_request_parameters() -> None:
    off = {"level": False, "fallback": False, "multilingual": False}
    assert WhisperParams().parameters() == {"task": "transcribe", "word_timestamps": True, **off}
    assert WhisperParams("pt", "translate", False, level=True).parameters() == {
        "language": "pt", "task": "translate", "word_timestamps": False, **off, "level": True
    }  # fmt: skip


def test_strict_mode_asks_for_what_the_libraries_do_and_a_language_goes_along() -> None:
    assert params_for("", "strict") == WhisperParams()
    assert params_for("pt", "fast") == WhisperParams("pt", level=True, fallback=True, multilingual=True)
