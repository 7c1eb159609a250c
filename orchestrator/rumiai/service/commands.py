"""``rumiai-orch serve`` and ``rumiai-orch keys``: parse and call."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rumiai.terminal.flags import read_keys, read_settings
from rumiai.terminal.streams import write_line

if TYPE_CHECKING:
    from rumiai.service.config import ServiceConfig
    from rumiai.service.keys import ApiKey, Keys

_MIB = 1 << 20


@click.command()
@click.option("--out", help="Folder for results, records and uploads.  [default: out]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate, PEM.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its key, PEM.")
@click.option("--insecure-bind", is_flag=True, help="Other addresses than loopback without TLS; read docs/service.md.")
@click.option("--allow-source", multiple=True, metavar="PLACE", help="Folder, or prefix such as s3://b/, to read from.")
@click.option("--allow-webhook", multiple=True, metavar="HOST", help="Private host or network that webhooks may go to.")
@click.option("--runs-at-once", type=click.IntRange(1, 64), default=1, show_default=True, help="Runs side by side.")
@click.option("--max-upload-mb", type=click.IntRange(1, 1 << 20), default=2048, show_default=True, help="Of a request.")
@click.option(
    "--rate", type=click.IntRange(1, 1_000_000), default=1200, show_default=True, help="Requests a minute of a key."
)
@click.option("--keep-uploads", is_flag=True, help="Keep uploaded files of runs that ended well.")
@click.option("--services", help="Of runs that choose none; only their models start.  [default: all]")
@click.option("--plugins", help="Modules or .py files that add services or sources, comma separated.")
@click.option("--workers", help="Videos in flight in a run.  [default: by the number of cores]")
@click.option("--server", help="HOST:PORT of a running model server (gRPC).  [default: start one]")
@click.option("--device", help="auto, cuda or cpu, for the server that is started.  [default: auto]")
@click.option("--mode", help="fast or strict, of runs that choose none.  [default: fast]")
@click.option("--max-video-duration", "max_video_duration_s", help="Longest video taken, in seconds.  [default: 300]")
@click.option("--claude", help="auto, off, on or batch, of runs that choose none; off is for all.  [default: auto]")
@click.option("--max-cost", "max_cost_usd", metavar="USD", help="Most that a run may spend; or none.  [default: 5]")
@click.option("--log-level", help="debug, info, warning or error.  [default: info]")
@click.option("--log-format", help="Of the log on stderr: text, or json, one object a line.  [default: text]")
def serve(**flags: Any) -> None:
    """Serve runs over HTTP until SIGINT or SIGTERM: submit, follow, fetch results.

    Needs `rumiai[service]`, and a key of `rumiai-orch keys add` to call it. What was accepted when the service ends,
    however it ends, is finished by the next one. docs/service.md has the calls.
    """
    from rumiai.service.config import Address
    from rumiai.service.serving import serve as run

    own = ("host", "port", "tls_cert", "tls_key", "insecure_bind")
    host, port, certificate, private_key, insecure = (flags.pop(name) for name in own)
    address = Address(host, port, certificate, private_key)
    address.check(insecure_bind=insecure)
    run(_config(flags), address)


def _config(flags: dict[str, Any]) -> ServiceConfig:
    from rumiai.core.addresses import AddressRules
    from rumiai.service.config import Limits, ServiceConfig, source_places

    roots, prefixes = source_places(flags.pop("allow_source"))
    limits = Limits(upload_bytes=flags.pop("max_upload_mb") * _MIB, requests_a_minute=flags.pop("rate"))
    webhooks, at_once, keep = (flags.pop(name) for name in ("allow_webhook", "runs_at_once", "keep_uploads"))
    settings = read_settings(flags)
    return ServiceConfig(
        settings=settings,
        secrets=read_keys(),
        roots=roots,
        prefixes=prefixes,
        addresses=AddressRules.parse((*settings.allow_addresses, *webhooks)),
        runs_at_once=at_once,
        keep_uploads=keep,
        limits=limits,
    )


@click.group("keys")
def keys_group() -> None:
    """API keys of the service: make, list, revoke."""


_OUT = click.option("--out", help="Folder of the service.  [default: out]")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@keys_group.command("add")
@_OUT
@click.option("--name", required=True, help="Whose key it is.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(["read", "submit"]), help="[default: both]")
@_JSON
def add_key(name: str, scopes: tuple[Any, ...], as_json: bool, **flags: Any) -> None:
    """Make a key and print it with its webhook secret; the key is shown this once.

    `read` looks at runs and results, `submit` submits, cancels and deletes.
    """
    from rumiai.service.keys import SCOPES

    with _keys(flags) as keys:
        key, text = keys.add(name, scopes or SCOPES)
    if as_json:
        write_line(json.dumps({**_members(key), "key": text, "webhook_secret": key.webhook_secret}), sys.stdout)
    else:
        write_line(f"key             {text}\nwebhook secret  {key.webhook_secret}", sys.stdout)


@keys_group.command("list")
@_OUT
@_JSON
def list_keys(as_json: bool, **flags: Any) -> None:
    """List keys, without their secrets."""
    with _keys(flags, create=False) as keys:
        found = keys.all()
    for key in found:
        if as_json:
            write_line(json.dumps(_members(key)), sys.stdout)
        else:
            state = f"revoked {key.revoked_at}" if key.revoked_at else "good"
            scopes = ",".join(sorted(key.scopes))
            write_line(f"{key.key_id}  {key.created_at}  {scopes:11}  {state}  {key.name}", sys.stdout)


@keys_group.command("revoke")
@_OUT
@click.argument("key_id")
def revoke_key(key_id: str, **flags: Any) -> None:
    """Revoke the key of this id: a running service refuses it within a second."""
    with _keys(flags, create=False) as keys:
        key = keys.revoke(key_id)
    write_line(f"{key.key_id} ({key.name}) is revoked", sys.stdout)


def _members(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


@contextlib.contextmanager
def _keys(flags: dict[str, Any], *, create: bool = True) -> Iterator[Keys]:
    from rumiai.service.database import open_database
    from rumiai.service.keys import Keys

    database = open_database(read_settings(flags).out, create=create)
    try:
        yield Keys(database)
    finally:
        database.close()
