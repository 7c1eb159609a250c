"""Webhooks: signed as the Standard Webhooks library verifies, kept until they are taken, never lost by a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient
from rumiai.errors import AddressError, DownloadError
from rumiai.records import Records, RunEnding
from rumiai.records.connection import Connection, UnusableRecordsError, Value
from rumiai.service.accepting import wanted_run
from rumiai.service.config import ServiceConfig
from rumiai.service.database import open_database
from rumiai.service.keys import Keys
from rumiai.service.models import RunRequest, WebhookRequest
from rumiai.service.webhooks import WAITS_S, Webhooks
from rumiai.settings import Settings

from .conftest import Service
from .doubles import Receiver

URL = "https://hooks.test/x"


def test_the_end_of_a_run_is_told_and_signed(service: Service, videos: Path) -> None:
    body = {"sources": [str(videos)], "webhook": {"url": URL}}
    run_id = service.client.post("/v1/runs", json=body).json()["id"]
    service.ended(run_id)
    for _ in range(300):
        if service.receiver.got:
            break
        time.sleep(0.01)
    ((url, headers, sent),) = service.receiver.got
    assert url == URL
    told = Webhook(service.key.webhook_secret).verify(sent, dict(headers))
    assert (told["type"], told["data"]["id"], told["data"]["exit_code"]) == ("run.ended", run_id, 0)
    assert headers["webhook-id"] == f"msg_{run_id}"


def test_a_run_that_another_process_cancelled_while_it_waited_is_told(service: Service, videos: Path) -> None:
    service.analyst.go.clear()
    body = {"sources": [str(videos)]}
    first = service.client.post("/v1/runs", json=body).json()["id"]
    second = service.client.post("/v1/runs", json={**body, "webhook": {"url": URL}}).json()["id"]
    with Records.open(service.config.settings.out) as records:
        assert records.request_cancel(second).state == "cancelled"
    service.analyst.go.set()
    service.ended(first)
    for _ in range(300):
        if service.receiver.got:
            break
        time.sleep(0.01)
    assert [json.loads(sent)["data"]["state"] for _, _, sent in service.receiver.got] == ["cancelled"]


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Connection]:
    found = open_database(tmp_path)
    yield found
    found.close()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(tmp_path) as found:
        yield found


def ended_run(records: Records, keys: Keys, tmp_path: Path) -> str:
    config = ServiceConfig(Settings(out=tmp_path, claude="off"))
    key, _ = keys.add("me", ["submit"])
    request = RunRequest(sources=("https://x.test/v.mp4",), webhook=WebhookRequest(url=URL))
    run, _ = records.create_run(wanted_run(config, key, request))
    records.claim(run.run_id)
    records.finish_run(run.run_id, RunEnding("done", 0))
    return run.run_id


def test_it_is_sent_again_with_the_same_id_until_it_is_taken(
    database: Connection, records: Records, tmp_path: Path
) -> None:
    keys, clock, receiver = Keys(database), Clock(), Receiver([500, 302, 200])
    webhooks = Webhooks(database, keys, records, receiver, clock)
    webhooks.ended(ended_run(records, keys, tmp_path))
    assert webhooks.deliver_due() == 1
    assert webhooks.deliver_due() == 0
    clock.now_s += WAITS_S[0] - 0.1
    assert webhooks.deliver_due() == 0
    clock.now_s += WAITS_S[0]
    assert webhooks.deliver_due() == 1
    clock.now_s += 2 * WAITS_S[1]
    assert webhooks.deliver_due() == 1
    clock.now_s += 1e6
    assert webhooks.deliver_due() == 0
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in receiver.got}) == 3
    assert len({body for _, _, body in receiver.got}) == 1


def test_a_disk_that_is_full_does_not_send_it_again_and_again(
    database: Connection, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, receiver = Keys(database), Receiver()
    ended_run(records, keys, tmp_path)
    webhooks = Webhooks(database, keys, records, receiver)
    write = database.write

    def full(sql: str, *values: Value) -> int:
        if sql.startswith("UPDATE"):
            raise UnusableRecordsError("database or disk is full")
        return write(sql, *values)

    monkeypatch.setattr(database, "write", full)
    webhooks.start()
    for _ in range(300):
        if receiver.got:
            break
        time.sleep(0.01)
    time.sleep(0.3)
    webhooks.close()
    assert len(receiver.got) == 1


def test_it_is_given_up_after_the_last_wait(database: Connection, records: Records, tmp_path: Path) -> None:
    keys, clock, receiver = Keys(database), Clock(), Receiver([500])
    webhooks = Webhooks(database, keys, records, receiver, clock)
    webhooks.ended(ended_run(records, keys, tmp_path))
    while webhooks.deliver_due():
        clock.now_s += 2 * max(WAITS_S)
    assert len(receiver.got) == 1 + len(WAITS_S)
    (row,) = database.read("SELECT state, last FROM deliveries")
    assert tuple(row) == ("given_up", "HTTP 500")


def test_a_run_that_ended_just_before_a_kill_is_told_by_the_next_service(
    database: Connection, records: Records, tmp_path: Path
) -> None:
    keys, receiver = Keys(database), Receiver()
    run_id = ended_run(records, keys, tmp_path)
    for _ in range(2):  # the second one finds it delivered
        webhooks = Webhooks(database, keys, records, receiver)
        webhooks.start()
        for _ in range(300):
            if receiver.got:
                break
            time.sleep(0.01)
        webhooks.close()
    assert [json.loads(body)["data"]["id"] for _, _, body in receiver.got] == [run_id]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "http://localhost/x", "http://169.254.169.254/x", "ftp://x/", "http://u:p@x.test/"]
)
def test_private_addresses_are_not_connected_to(url: str) -> None:
    with HttpClient(AddressRules()) as client, pytest.raises((AddressError, DownloadError)):
        client.post(url, b"{}", {})
