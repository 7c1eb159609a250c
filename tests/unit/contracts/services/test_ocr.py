"""Which texts count as laid over the picture."""

from __future__ import annotations

import pytest

from rumiai.contracts.services.ocr import OcrData
from rumiai.errors import ContractError

BOX = [0.1, 0.1, 0.2, 0.05]


def data(*texts, **metadata):
    made = [
        {"text": f"t{i}", "start": 0.0, "end": 1.0, "confidence": 0.9, "bbox": BOX, **t} for i, t in enumerate(texts)
    ]
    return OcrData.from_json({"textAnnotations": made, "stickers": [], "metadata": {"processed": True, **metadata}})


def test_each_text_counts_in_one_kind_and_a_watermark_in_none():
    found = data(
        {"kind": "overlay"}, {"kind": "scene"}, {"kind": "unknown"}, {}, {"kind": "overlay", "category": "watermark"}
    )
    assert [text.is_overlay for text in found.texts] == [True, False, False, True, False]
    assert [text.is_scene for text in found.texts] == [False, True, False, False, False]
    assert [text.is_unknown for text in found.texts] == [False, False, True, False, False]
    assert [text.text for text in found.overlays] == ["t0", "t3"]


def test_what_is_not_known_of_the_kinds_is_told():
    assert data({"kind": "overlay"}, {"kind": "scene"}).kind_remarks == ()
    assert data().kind_remarks == ()
    assert data({"kind": "unknown"}, {}, {}).kind_remarks == (
        "text_kind_unknown: 1 of 3 texts count in neither kind",
        "text_kind_not_told: 2 of 3 texts count as overlays",
    )


def test_the_evidence_of_a_kind_is_kept_as_written():
    cue = {"name": "moves_along", "value": 0.9, "log_odds": -2.1}
    [text] = data({"kind": "scene", "kind_probability": 0.97, "kind_evidence": [cue]}).to_json()["textAnnotations"]
    assert (text["kind"], text["kind_probability"], text["kind_evidence"]) == ("scene", 0.97, [cue])


def test_another_kind_is_refused():
    with pytest.raises(
        ContractError, match=r"textAnnotations\[0\].kind: got 'caption', expected overlay, scene or unknown"
    ):
        data({"kind": "caption"})
