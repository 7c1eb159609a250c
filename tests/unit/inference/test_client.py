"""The client without a server: which addresses it takes."""

from __future__ import annotations

import pytest

from rumiai.errors import ConfigurationError
from rumiai.inference.client import TritonClient


@pytest.mark.parametrize("url", ["", "localhost", "localhost:", ":8001", "localhost:99999", "http://localhost:8000"])
def test_addresses_that_are_none_are_refused(url):
    with pytest.raises(ConfigurationError, match=r"server: got .*, expected"):
        TritonClient(url)
