"""API keys: made, listed, revoked, and found by what a caller sends.

A key is ``rumiai_<id>_<secret>``. The secret has 256 random bits, so its SHA-256 is stored and no slow hash: there is
nothing to guess, and a slow hash would let anybody keep the processor busy. The id finds the row; the hashes are
compared in constant time, also where there is no such id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from rumiai.core.clock import now_iso
from rumiai.errors import UsageError
from rumiai.records.connection import Connection

Scope = Literal["read", "submit"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "submit")

_FORM: Final = re.compile(r"rumiai_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_SECRET_BYTES: Final = 32
_NOBODY: Final = b"\0" * hashlib.sha256().digest_size


@dataclass(frozen=True)
class ApiKey:
    """One key, without its secret.

    Attributes:
        key_id: Also the beginning of the key.
        name: Whose it is.
        scopes: What it may do.
        created_at: When it was made.
        revoked_at: When it was revoked; None while it is good.
        webhook_secret: Signs the webhooks of its runs, as ``whsec_...``.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: str
    revoked_at: str | None
    webhook_secret: str = field(repr=False)


class Keys:
    """The keys of one service.

    Args:
        database: Of the service, see :mod:`rumiai.service.database`.
    """

    def __init__(self, database: Connection) -> None:
        self._db = database

    def add(self, name: str, scopes: Iterable[Scope]) -> tuple[ApiKey, str]:
        """Make a key.

        Returns:
            It, and its text, which is stored nowhere.
        """
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(_SECRET_BYTES)
        text = f"rumiai_{key_id}_{secret}"
        webhook = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        chosen = [scope for scope in SCOPES if scope in set(scopes)]
        self._db.write(
            "INSERT INTO keys (key_id, name, scopes, digest, webhook_secret, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            key_id,
            name,
            " ".join(chosen),
            _digest(text).hex(),
            webhook,
            now_iso(),
        )
        return self.get(key_id), text

    def get(self, key_id: str) -> ApiKey:
        """One key by its id.

        Raises:
            UsageError: There is none.
        """
        found = self._db.read("SELECT * FROM keys WHERE key_id = ?", key_id)
        if not found:
            raise UsageError(f"there is no key {key_id}", hint="rumiai-orch keys list shows them")
        return _key(found[0])

    def all(self) -> list[ApiKey]:
        """Every key, oldest first, revoked ones too."""
        return [_key(row) for row in self._db.read("SELECT * FROM keys ORDER BY created_at, key_id")]

    def revoke(self, key_id: str) -> ApiKey:
        """Let a key be good no longer, in a running service within a second; one that is revoked stays so.

        Raises:
            UsageError: There is none.
        """
        self._db.write("UPDATE keys SET revoked_at = COALESCE(revoked_at, ?) WHERE key_id = ?", now_iso(), key_id)
        return self.get(key_id)

    def find(self, text: str) -> ApiKey | None:
        """The key that a caller sent; None where it is none, or revoked."""
        match = _FORM.fullmatch(text)
        found = self._db.read("SELECT * FROM keys WHERE key_id = ?", match[1]) if match else []
        stored = bytes.fromhex(found[0]["digest"]) if found else _NOBODY
        is_equal = hmac.compare_digest(_digest(text), stored)
        return _key(found[0]) if found and is_equal and found[0]["revoked_at"] is None else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        name=row["name"],
        scopes=frozenset(scope for scope in SCOPES if scope in row["scopes"].split()),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        webhook_secret=row["webhook_secret"],
    )
