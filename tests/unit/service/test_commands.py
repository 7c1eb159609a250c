"""``rumiai-orch keys`` and the mistakes of ``rumiai-orch serve``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rumiai.cli import main
from rumiai.results.store import Store


def orch(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_key_is_made_listed_and_revoked(tmp_path: Path) -> None:
    made = json.loads(orch("keys", "add", "--out", tmp_path, "--name", "me", "--scope", "read", "--json").stdout)
    assert made["scopes"] == ["read"]
    assert made["key"].startswith(f"rumiai_{made['key_id']}_")
    assert made["webhook_secret"].startswith("whsec_")
    listed = orch("keys", "list", "--out", tmp_path, "--json").stdout
    assert made["key"] not in listed
    assert made["webhook_secret"] not in listed
    assert json.loads(listed)["revoked_at"] is None
    assert orch("keys", "revoke", made["key_id"], "--out", tmp_path).exit_code == 0
    assert "revoked" in orch("keys", "list", "--out", tmp_path).stdout


def test_a_key_that_is_not_there_is_not_revoked(tmp_path: Path) -> None:
    orch("keys", "add", "--out", tmp_path, "--name", "me")
    ran = orch("keys", "revoke", "00000000", "--out", tmp_path)
    assert (ran.exit_code, "there is no key 00000000" in ran.stderr) == (2, True)


def test_both_scopes_are_given_unless_one_is_asked_for(tmp_path: Path) -> None:
    made = json.loads(orch("keys", "add", "--out", tmp_path, "--name", "me", "--json").stdout)
    assert made["scopes"] == ["read", "submit"]
    shown = orch("keys", "add", "--out", tmp_path, "--name", "other").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["key", "webhook"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "is not loopback"),
        (["--allow-source", "none-here"], "--allow-source: none-here is no folder"),
        (["--allow-source", "s3://bucket"], "expected a prefix that ends with /"),
        (["--allow-webhook", "http://x"], "expected a host name"),
        (["--services", "nonsense"], "nonsense"),
        (["--claude", "perhaps"], "--claude: got 'perhaps'"),
    ],
)
def test_a_mistake_of_serve_exits_with_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    ran = orch("serve", "--out", tmp_path, *arguments)
    assert ran.exit_code == 2
    assert message in ran.stderr
    assert "Traceback" not in ran.output


def test_a_second_service_over_one_folder_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path).service_lock():
        ran = orch("serve", "--out", tmp_path, "--port", 0)
    assert (ran.exit_code, "serving this folder" in ran.stderr) == (1, True)


def test_keys_are_listed_of_a_service_alone_and_nothing_is_made(tmp_path: Path) -> None:
    ran = orch("keys", "list", "--out", tmp_path / "nowhere")
    assert (ran.exit_code, "there are no keys" in ran.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
