"""Webhooks: signed after the Standard Webhooks scheme, kept on the disk until they are delivered, sent with back-off.

A delivery has an id that stays the same however often it is sent: a receiver that has seen it drops it.
"""

from __future__ import annotations

import json
import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from rumiai.errors import RumiAIError
from rumiai.records import Records, RunRecord
from rumiai.records.connection import Connection
from rumiai.service.accepting import AcceptedRun
from rumiai.service.config import KIND
from rumiai.service.keys import Keys
from rumiai.service.models import RunBody

LOG = logging.getLogger(__name__)

# When it is sent again, in seconds after the attempt before: a day and a half in all (Standard Webhooks, "Retries").
WAITS_S: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0)
_JITTER: Final = 0.2
_POLL_S: Final = 1.0
# One receiver that is slow must not keep the others waiting for long.
_AT_ONCE: Final = 8
_SAID_CHARS: Final = 200
# Runs that ended shortly before a kill may have no delivery yet.
_RECENT_RUNS: Final = 1000


# Sends a body to a URL with headers and gives the HTTP status; raises a RumiAIError where nobody answered.
Post = Callable[[str, Mapping[str, str], bytes], int]


def signed_headers(secret: str, delivery_id: str, moment: datetime, body: str) -> dict[str, str]:
    """The headers of a delivery.

    Args:
        secret: ``whsec_`` and base64.
        delivery_id: Stays the same for each attempt.
        moment: Of this attempt, in UTC.
        body: What is sent.
    """
    from standardwebhooks import Webhook

    return {
        "Content-Type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery_id, moment, body),
    }


class Webhooks:
    """Delivers what is due, in threads of its own.

    Args:
        database: Of the service.
        keys: Their webhook secrets sign.
        records: Which runs have ended.
        post: Sends a request.
        now_s: Seconds since the epoch.
    """

    def __init__(
        self,
        database: Connection,
        keys: Keys,
        records: Records,
        post: Post,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._db, self._keys, self._records, self._post, self._now_s = database, keys, records, post, now_s
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._deliver_on, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin, with what a kill kept from being delivered."""
        for run in self._records.runs(states=("done", "cancelled", "interrupted", "failed"), limit=_RECENT_RUNS):
            self._add(run)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is not delivered is kept."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def ended(self, run_id: str) -> None:
        """A run has ended: tell who asked to be told."""
        self._add(self._records.run(run_id))
        self._wake.set()

    def _add(self, run: RunRecord) -> None:
        accepted = AcceptedRun.of(run) if run.kind == KIND else None
        if accepted is None or accepted.webhook is None:
            return
        payload = {
            "type": "run.ended",
            "timestamp": run.ended_at,
            "data": RunBody.of(run).model_dump(mode="json"),
        }
        body = json.dumps(payload, ensure_ascii=True, separators=(",", ":"))
        self._db.write(
            "INSERT OR IGNORE INTO deliveries (delivery_id, run_id, key_id, url, body, due_s, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'waiting')",
            f"msg_{run.run_id}",
            run.run_id,
            accepted.key_id,
            accepted.webhook,
            body,
            self._now_s(),
        )

    def deliver_due(self) -> int:
        """Send what is due once; returns how much was.

        Raises:
            StoreError: What became of it cannot be written: it is due still.
        """
        due = self._db.read(
            "SELECT * FROM deliveries WHERE state = 'waiting' AND due_s <= ? ORDER BY due_s LIMIT ?",
            self._now_s(),
            _AT_ONCE,
        )
        with ThreadPoolExecutor(_AT_ONCE) as senders:
            return len(list(senders.map(self._attempt, due)))

    def _deliver_on(self) -> None:
        while not self._closing.is_set():
            try:
                if self.deliver_due():
                    continue
            except RumiAIError as exc:
                # What was sent may be due still; a disk that stays full must not send it again and again.
                LOG.error("webhooks: %s", exc)
                self._closing.wait(WAITS_S[0])
            self._wake.wait(_POLL_S)
            self._wake.clear()

    def _attempt(self, row: sqlite3.Row) -> None:
        told = self._sent(row)
        attempts = row["attempts"] + 1
        if told is None:
            state, due_s = "delivered", row["due_s"]
        elif attempts > len(WAITS_S):
            state, due_s = "given_up", row["due_s"]
            LOG.warning("webhook %s is given up after %d attempts: %s", row["delivery_id"], attempts, told)
        else:
            wait_s = WAITS_S[attempts - 1] * random.uniform(1.0, 1.0 + _JITTER)
            state, due_s = "waiting", self._now_s() + wait_s
            LOG.info("webhook %s: %s; once more in %.0f s", row["delivery_id"], told, wait_s)
        self._db.write(
            "UPDATE deliveries SET attempts = ?, state = ?, due_s = ?, last = ? WHERE delivery_id = ?",
            attempts,
            state,
            due_s,
            told,
            row["delivery_id"],
        )

    def _sent(self, row: sqlite3.Row) -> str | None:
        """Send one; None when it was taken, else why not."""
        try:
            secret = self._keys.get(row["key_id"]).webhook_secret
            moment = datetime.fromtimestamp(int(self._now_s()), UTC)
            headers = signed_headers(secret, row["delivery_id"], moment, row["body"])
            status = self._post(row["url"], headers, row["body"].encode())
        except RumiAIError as exc:
            return str(exc)[:_SAID_CHARS]
        return None if 200 <= status < 300 else f"HTTP {status}"
