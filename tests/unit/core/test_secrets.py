"""Which variables are kept from processes that need none of them."""

from __future__ import annotations

import pytest

from rumiai.core.secrets import holds_secret, without_secrets
from rumiai.core.telemetry import VARIABLES


@pytest.mark.parametrize(
    "name",
    [
        "CLAUDE_API_KEY",
        "ANTHROPIC_API_KEY",
        "APIFY_TOKEN",
        "APIFY_API_TOKEN",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "PGPASSWORD",
        "DATABASE_URL",
        "SENTRY_DSN",
        "openai_api_key",
        "KEY",
        "RUMIAI_API_KEY_2",
    ],
)
def test_secrets(name: str) -> None:
    assert holds_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "LD_LIBRARY_PATH",
        "XDG_RUNTIME_DIR",
        "RUMIAI_WEIGHTS_DIR",
        "KEYBOARD",
        "TOKENIZERS_PARALLELISM",
        "CUDA_VISIBLE_DEVICES",
        "OMP_WAIT_POLICY",
        "MONKEY",
        *VARIABLES,
    ],
)
def test_other_variables(name: str) -> None:
    assert not holds_secret(name)


def test_an_environment_keeps_the_rest() -> None:
    given = {"PATH": "/bin", "CLAUDE_API_KEY": "sk", "LANG": "C"}
    assert without_secrets(given) == {"PATH": "/bin", "LANG": "C"}
    assert given["CLAUDE_API_KEY"] == "sk"
