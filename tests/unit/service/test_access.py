"""Who may call: keys, scopes, rates, limits; and every refusal in one shape."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from rumiai.core.addresses import AddressRules
from rumiai.errors import ConfigurationError, UsageError
from rumiai.service.accepting import wanted_run
from rumiai.service.config import Address, Limits, ServiceConfig, source_places
from rumiai.service.database import open_database
from rumiai.service.keys import Keys
from rumiai.service.models import RunRequest, WebhookRequest
from rumiai.service.warm_server import refuse_unserved
from rumiai.settings import Secrets, Settings

from .conftest import Service, StartService


@pytest.fixture
def keys(tmp_path: Path):
    database = open_database(tmp_path)
    yield Keys(database)
    database.close()


def test_a_key_is_found_by_its_text_and_stored_as_its_hash(keys: Keys, tmp_path: Path) -> None:
    key, text = keys.add("me", ["submit", "read"])
    assert keys.find(text) == key
    assert len(text) == len("rumiai_") + 8 + 1 + 43  # 256 bits in base64
    stored = sqlite3.connect(tmp_path / "service.sqlite").execute("SELECT * FROM keys").fetchone()
    assert hashlib.sha256(text.encode()).hexdigest() in stored
    assert not any(text in str(value) or text[16:] in str(value) for value in stored)
    assert (tmp_path / "service.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "x", "rumiai_00000000_" + "A" * 43, "Ä" * 60])
def test_what_is_no_key_is_not_found(keys: Keys, text: str) -> None:
    keys.add("me", ["read"])
    assert keys.find(text) is None


def test_the_id_of_a_key_with_another_secret_is_not_found(keys: Keys) -> None:
    key, _ = keys.add("me", ["read"])
    assert keys.find(f"rumiai_{key.key_id}_{'A' * 43}") is None


def test_a_revoked_key_is_not_found(keys: Keys) -> None:
    key, text = keys.add("me", ["read"])
    revoked = keys.revoke(key.key_id)
    assert revoked.revoked_at is not None
    assert keys.find(text) is None
    assert keys.revoke(key.key_id) == revoked


CALLS = (
    ("GET", "/v1/runs"),
    ("POST", "/v1/runs"),
    ("GET", "/v1/runs/20261128-101500-a1b2c3"),
    ("DELETE", "/v1/runs/20261128-101500-a1b2c3"),
    ("GET", "/v1/runs/20261128-101500-a1b2c3/events"),
    ("GET", "/v1/runs/20261128-101500-a1b2c3/videos"),
    ("GET", "/v1/runs/20261128-101500-a1b2c3/videos/x/files/y"),
    ("GET", "/metrics"),
)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_key_nothing_is_answered(service: Service, method: str, path: str) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
        answer = service.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["type"] == "urn:rumiai:problem:unauthorized"


def test_a_key_does_what_its_scopes_say(service: Service, videos: Path) -> None:
    reader, submitter = service.add_key("read"), service.add_key("submit")
    body = {"sources": [str(videos)]}
    assert service.client.post("/v1/runs", json=body, headers=reader).status_code == 403
    assert service.client.get("/v1/runs", headers=submitter).status_code == 403
    assert service.client.post("/v1/runs", json=body, headers=submitter).status_code == 202
    assert service.client.get("/v1/runs", headers=reader).status_code == 200


def test_more_requests_than_the_limit_are_told_when_to_come_again(start: StartService) -> None:
    with start(limits=Limits(requests_a_minute=3)) as service:
        answers = [service.client.get("/v1/runs") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        other = service.client.get("/v1/runs", headers=service.add_key("read"))
        assert other.status_code == 200


def test_failures_are_limited_by_address(start: StartService) -> None:
    with start(limits=Limits(failures_a_minute=2)) as service:
        codes = [service.client.get("/v1/runs", headers={"Authorization": "Bearer x"}).status_code for _ in range(4)]
        assert codes == [401, 401, 429, 429]
        assert service.client.get("/v1/runs").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/v1/runs", 405),
        ("GET", "/v1/runs?limit=0", 422),
        ("GET", "/v1/runs?limit=x", 422),
        ("GET", "/v1/runs?stat=done", 422),
        ("GET", "/healthz?x", 422),
    ],
)
def test_every_error_is_a_problem(service: Service, method: str, path: str, status: int) -> None:
    answer = service.client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert body.keys() >= {"type", "title", "status", "detail", "instance"}
    assert (body["status"], body["instance"]) == (status, path.partition("?")[0])


def test_a_bug_is_a_problem_that_says_nothing_of_our_insides(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret insides")

    monkeypatch.setattr("rumiai.records.database.Records.runs", broken)
    answer = service.client.get("/v1/runs")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "insides" not in answer.text


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"sources": "x"}, "body/sources"),
        ({"sources": ["x"], "out": "/etc"}, "body/out"),
        ({"sources": ["x"], "settings": {"plugins": ["x.py"]}}, "body/settings/plugins"),
        ({"sources": ["x"], "settings": {"claude_key": "x"}}, "body/settings/claude_key"),
        ({"sources": ["x"], "settings": {"sample_fps": "fast"}}, "body/settings/sample_fps"),
        ({"sources": ["x"], "webhook": {"url": ""}}, "body/webhook/url"),
    ],
)
def test_a_member_that_may_not_be_there_is_named(service: Service, body: object, at: str) -> None:
    answer = service.client.post("/v1/runs", json=body)
    assert answer.status_code == 422
    assert [mistake["at"] for mistake in answer.json()["errors"]] == [at]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"sources": []}, "no video was named"),
        ({"sources": ["http://x.test/"], "webhook": {"url": "ftp://x.test/"}}, "neither by http nor by https"),
        ({"sources": ["http://x.test/"], "webhook": {"url": "http://u:p@x.test/"}}, "user name or password"),
        ({"sources": ["http://x.test/"], "webhook": {"url": "http://127.0.0.1:9/x"}}, "is not a public address"),
        ({"sources": ["http://x.test/"], "webhook": {"url": "http://localhost/x"}}, "is not a public address"),
        ({"sources": ["http://x.test/"], "webhook": {"url": "http://[::1]/x"}}, "is not a public address"),
        ({"sources": ["http://x.test/"], "webhook": {"url": "http://2130706433/x"}}, "is not a public address"),
        ({"sources": ["https://www.tiktok.com/@a/video/7454000000000000001"]}, "takes no links to TikTok"),
        ({"videos": [{"source": "https://vm.tiktok.com/ZMabcdef"}]}, "takes no links to TikTok"),
        ({"sources": ["-"]}, "no source that the service takes"),
        ({"sources": ["clip.mp4"]}, "no source that the service takes"),
        ({"sources": ["file:///etc/passwd"]}, "no source that the service takes"),
        ({"sources": ["s3://bucket/x.mp4"]}, "no source that the service takes"),
        ({"sources": ["/etc/passwd"]}, "below no folder that the service allows"),
        ({"sources": ["http://x.test/v.mp4"], "settings": {"sample_fps": 1000}}, "sample_fps: got 1000.0"),
        ({"sources": ["http://x.test/v.mp4"], "settings": {"max_video_duration_s": 301}}, "at most 300"),
        ({"sources": ["http://x.test/v.mp4"], "settings": {"max_cost_usd": 6}}, "at most 5"),
        ({"sources": ["http://x.test/v.mp4"], "settings": {"claude": "on"}}, "it is off in this service"),
        ({"sources": ["http://x.test/v.mp4"], "settings": {"services": ["nonsense"]}}, "nonsense"),
        (
            {"sources": ["http://x.test/v.mp4"], "settings": {"services": ["whisper"]}},
            "got whisper, and this service",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_it_is_accepted(service: Service, body: object, what: str) -> None:
    answer = service.client.post("/v1/runs", json=body)
    assert answer.status_code == 422
    assert what in answer.json()["detail"]
    assert service.client.get("/v1/runs").json()["runs"] == []


def test_profiles_are_taken_where_the_operator_set_a_limit(start: StartService, tmp_path: Path) -> None:
    body = {"sources": ["https://www.tiktok.com/@a"]}
    settings = Settings(out=tmp_path / "out", services=("none",), claude="off")
    secrets = Secrets(apify_token="x")
    with start(settings=settings, secrets=secrets) as service:
        answer = service.client.post("/v1/runs", json=body)
        assert (answer.status_code, "takes single posts alone" in answer.json()["detail"]) == (422, True)
    config = ServiceConfig(settings=settings.changed(limit=3), secrets=secrets)
    assert wanted_run(config, service.key, RunRequest(**body)).sources == ("https://www.tiktok.com/@a",)


def test_a_webhook_may_go_where_the_operator_allows(service: Service) -> None:
    request = RunRequest(sources=("http://x.test/",), webhook=WebhookRequest(url="http://127.0.0.1:9/x"))
    config = replace(service.config, addresses=AddressRules.parse(["127.0.0.1"]))
    assert wanted_run(config, service.key, request).request["webhook"] == "http://127.0.0.1:9/x"


@pytest.mark.parametrize(
    ("members", "chosen", "refused"),
    [
        ({"services": ("audio_energy",)}, ("whisper",), True),
        ({"services": ("audio_energy",)}, ("scene_detection", "audio_energy"), False),
        ({"services": ("whisper",)}, ("whisper", "audio_energy"), False),
        ({}, ("whisper", "yolo"), False),
        ({"services": ("audio_energy",), "server": "127.0.0.1:8001"}, ("whisper",), False),
    ],
)
def test_a_run_may_ask_for_the_models_that_the_service_has(
    members: dict[str, object], chosen: tuple[str, ...], refused: bool
) -> None:
    base = Settings(**members)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="got whisper") if refused else nullcontext():
        refuse_unserved(base, base.changed(services=chosen))


def test_a_body_beyond_the_limit_is_refused(start: StartService) -> None:
    with start(limits=Limits(body_bytes=1000)) as service:
        answer = service.client.post("/v1/runs", json={"sources": ["x" * 2000]})
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:rumiai:problem:too-large")


def test_another_content_type_is_refused(service: Service) -> None:
    answer = service.client.post("/v1/runs", content=b"<run/>", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("address", "insecure", "fine"),
    [
        (Address("127.0.0.1"), False, True),
        (Address("localhost"), False, True),
        (Address("::1"), False, True),
        (Address("0.0.0.0"), False, False),
        (Address("0.0.0.0"), True, True),
        (Address("10.1.2.3", certificate=Path("cert.pem")), False, True),
        (Address("127.0.0.1", private_key=Path("key.pem")), False, False),
    ],
)
def test_keys_cross_no_network_in_the_clear(address: Address, insecure: bool, fine: bool) -> None:
    if fine:
        address.check(insecure_bind=insecure)
    else:
        with pytest.raises(ConfigurationError):
            address.check(insecure_bind=insecure)


def test_places_are_folders_or_prefixes(tmp_path: Path) -> None:
    assert source_places((str(tmp_path), "s3://b/")) == ((tmp_path.resolve(),), ("s3://b/",))
    for wrong in ("s3://b", str(tmp_path / "none")):
        with pytest.raises(ConfigurationError):
            source_places((wrong,))
