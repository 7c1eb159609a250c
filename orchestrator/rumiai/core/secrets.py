"""Which environment variables hold a secret, and an environment without them for processes that need none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping, Set
from contextlib import contextmanager
from typing import Final

# Parts of names that stand for a key: CLAUDE_API_KEY, APIFY_TOKEN, AWS_SECRET_ACCESS_KEY, PGPASSWORD, DATABASE_URL.
_SECRET: Final = re.compile(
    r"(^|_)(API_?)?(KEY|TOKEN|SECRET|PASSWD|CREDENTIALS?|COOKIES?|DSN|AUTH)(_|\d|$)|PASSWORD|(^|_)(DATABASE|REDIS|AMQP)_URL$",
    re.IGNORECASE,
)
CLAUDE_KEYS: Final = frozenset({"CLAUDE_API_KEY", "ANTHROPIC_API_KEY"})


def holds_secret(name: str) -> bool:
    """Whether the variable of this name is taken for a secret."""
    return _SECRET.search(name) is not None


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of the environment without the variables that hold a secret."""
    return {name: value for name, value in environment.items() if not holds_secret(name)}


@contextmanager
def secrets_hidden(environment: MutableMapping[str, str], names: Set[str]) -> Iterator[None]:
    """Take variables out of the environment for the length of a ``with`` block, so that no process inherits them.

    A process that deletes one itself comes too late: the kernel shows what it was started with.
    """
    hidden = {name: environment.pop(name) for name in names if name in environment}
    try:
        yield
    finally:
        environment.update(hidden)
