"""The cost limit of a run: money is set aside before a request is sent and settled when its answer is there.

With a ledger file several processes share one limit; what a killed process had set aside stays set aside.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rumiai.core.files import written_whole
from rumiai.errors import StoreError


class Budget:
    """What may be spent, what was spent, and what is in flight.

    Args:
        limit_usd: Never passed by spent and set-aside money together; None is no limit.
        ledger: File that the processes of one run share; None keeps the account in this process.
    """

    def __init__(self, limit_usd: float | None, ledger: Path | None = None) -> None:
        self.limit_usd = limit_usd
        self._ledger = ledger
        self._lock = threading.Lock()
        self._account: dict[str, Any] = {"spent": 0.0, "reserved": {}}

    @property
    def spent_usd(self) -> float:
        """What was settled so far, by all processes."""
        with self._open() as account:
            return float(account["spent"])

    @property
    def reserved_usd(self) -> float:
        """What is in flight."""
        with self._open() as account:
            return float(sum(account["reserved"].values()))

    def reserve(self, amount_usd: float) -> str | None:
        """Set money aside; the token to settle it with, or None when it would pass the limit."""
        with self._open() as account:
            taken = account["spent"] + sum(account["reserved"].values())
            if self.limit_usd is not None and taken + amount_usd > self.limit_usd:
                return None
            token = secrets.token_hex(8)
            account["reserved"][token] = amount_usd
            return token

    def settle(self, token: str, amount_usd: float) -> None:
        """Replace what was set aside by what was spent; a token counts once."""
        with self._open() as account:
            if account["reserved"].pop(token, None) is not None:
                account["spent"] += amount_usd

    def forfeit(self, token: str) -> float:
        """Count all that was set aside as spent: the answer was perhaps made and charged, and never seen."""
        with self._open() as account:
            amount = float(account["reserved"].pop(token, 0.0))
            account["spent"] += amount
            return amount

    @contextlib.contextmanager
    def _open(self) -> Iterator[dict[str, Any]]:
        with self._lock:
            if self._ledger is None:
                yield self._account
                return
            with self._locked_file(self._ledger) as account:
                yield account

    @contextlib.contextmanager
    def _locked_file(self, path: Path) -> Iterator[dict[str, Any]]:
        # The lock is on a file of its own: the ledger itself is replaced, never rewritten in place.
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.with_name(path.name + ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                text = path.read_text(encoding="utf-8") if path.exists() else ""
                account = json.loads(text) if text else {"spent": 0.0, "reserved": {}}
                if not isinstance(account, dict) or set(account) != {"spent", "reserved"}:
                    raise ValueError("it is no ledger")
                yield account
                changed = json.dumps(account)
                if changed != text:
                    with written_whole(path) as stream:
                        stream.write(changed.encode())
        except (OSError, ValueError) as exc:
            raise StoreError(
                f"the cost ledger {path} cannot be kept: {exc}", hint="no request is sent without"
            ) from exc
