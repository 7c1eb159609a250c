"""Facts of a file, as a unified analysis keeps them."""

from __future__ import annotations

import pytest

from rumiai.contracts.facts import MediaFacts


def test_the_facts_among_the_metadata() -> None:
    metadata = {"width": 576, "height": 1024.0, "fps": 29.97, "duration": 99.0, "username": "jane"}
    assert MediaFacts.from_metadata(metadata, 12.0) == MediaFacts(12.0, 29.97, 576, 1024)


@pytest.mark.parametrize("value", [None, 0, -30, True, "30", float("nan"), float("inf"), [30]])
def test_what_is_no_number_above_zero_is_unknown(value: object) -> None:
    metadata = {"width": value, "height": value, "fps": value}
    assert MediaFacts.from_metadata(metadata, 12.0) == MediaFacts(12.0)
