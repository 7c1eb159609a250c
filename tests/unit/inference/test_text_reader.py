"""What the text service asks of the endpoint."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from rumiai.contracts.frames import Sampling
from rumiai.inference import text_reader


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("fast", {"engine": "auto", "mode": "fast", "slope_ths": 0.2, "height_ths": 1.0, "width_ths": 0.8}),
        ("strict", {"engine": "auto", "mode": "strict"}),
    ],
)
def test_strict_asks_for_easyocrs_own_settings_and_fast_for_whole_lines(monkeypatch, mode, expected):
    asked = []

    async def read_texts(client, batch, params, indices):
        asked.append((client, indices, params.to_request()))
        return [SimpleNamespace(frame_number=7, boxes=np.array([[0.1, 0.1, 0.5, 0.2]], np.float32))]

    monkeypatch.setattr(text_reader, "read_texts", read_texts)
    service = text_reader.TextReader("the client", Sampling(64, 64, 30.0, 1.0, 2.0, 2), strict=mode == "strict")
    batch = SimpleNamespace(images=np.zeros((1, 64, 64, 3), np.uint8), frame_numbers=np.array([7]))
    asyncio.run(service.read_some(batch, [0]))
    assert asked == [("the client", [0], expected)]
    assert service.looks[7].boxes.shape == (1, 4)
