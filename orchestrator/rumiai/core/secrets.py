"""Which environment variables hold a secret, and an environment without them for processes that need none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Parts of names that stand for a key: CLAUDE_API_KEY, APIFY_TOKEN, AWS_SECRET_ACCESS_KEY, PGPASSWORD, DATABASE_URL.
_SECRET: Final = re.compile(
    r"(^|_)(API_?)?(KEY|TOKEN|SECRET|PASSWD|CREDENTIALS?|COOKIES?|DSN|AUTH)(_|\d|$)|PASSWORD|(^|_)(DATABASE|REDIS|AMQP)_URL$",
    re.IGNORECASE,
)


def holds_secret(name: str) -> bool:
    """Whether the variable of this name is taken for a secret."""
    return _SECRET.search(name) is not None


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of the environment without the variables that hold a secret."""
    return {name: value for name, value in environment.items() if not holds_secret(name)}
