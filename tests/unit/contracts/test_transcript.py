"""The payload of the whisper endpoint: what is written reads back as it was."""

from __future__ import annotations

import json

import pytest

from rumiai.contracts.transcript import Transcript, TranscriptSegment, TranscriptWord
from rumiai.errors import ContractError

WORD = TranscriptWord(" caf\u00e9", 0.5, 0.75, 0.5)
SEGMENT = TranscriptSegment(0.5, 1.0, "caf\u00e9", -0.25, 0.125, 1.5, (WORD,), language="fr", chunk_s=(0.0, 2.0))
WHOLE = Transcript("fr", 0.5, "transcribe", 2.0, 0.5, (SEGMENT,), None, "ctranslate2", "whisper-base", "int8")


def test_what_is_written_reads_back_as_it_was() -> None:
    assert Transcript.from_json(WHOLE.to_json()) == WHOLE
    assert json.loads(WHOLE.to_json())["segments"][0]["words"] == [
        {"word": " caf\u00e9", "start_s": 0.5, "end_s": 0.75, "probability": 0.5}
    ]


def test_members_of_later_versions_are_passed_over_and_those_of_earlier_ones_have_defaults() -> None:
    raw = json.loads(WHOLE.to_json())
    raw["mood"] = raw["segments"][0]["mood"] = 1
    del raw["segments"][0]["chunk_s"]
    [segment] = Transcript.from_json(json.dumps(raw)).segments
    assert segment.chunk_s is None


@pytest.mark.parametrize(
    ("member", "value"), [("duration_s", "long"), ("duration_s", float("nan")), ("task", "sing"), ("segments", [{}])]
)
def test_what_breaks_it_is_told(member: str, value: object) -> None:
    raw = json.loads(WHOLE.to_json()) | {member: value}
    with pytest.raises(ContractError, match=rf"TRANSCRIPT: \d+ faults, first: \('{member}'"):
        Transcript.from_json(json.dumps(raw))
