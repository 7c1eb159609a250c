"""``weights list|fetch|verify``: the same group under both command lines."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from rumiai.errors import RumiAIError
from rumiai.weights.files import Group, WeightsFile, catalogue, resolve_names, state, weights_dir


@click.group("weights")
def weights_group() -> None:
    """Model files: what there is, fetch what is missing, verify what is there."""


def _row(item: WeightsFile, *, rehash: bool = False) -> dict[str, Any]:
    verdict, found = state(item, rehash=rehash)
    return {
        "name": item.name,
        "group": item.group,
        "about": item.about,
        "licence": item.licence,
        "size_bytes": item.size_bytes,
        "sha256": item.sha256,
        "state": verdict,
        "found_sha256": found,
        "path": str(weights_dir() / item.name),
        "sources": [str(source) for source in item.sources],
    }


def _print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"folder": str(weights_dir()), "files": rows}, indent=2))
        return
    click.echo(f"weights folder: {weights_dir()}")
    for row in rows:
        click.echo(
            f"  {row['state']:8} {row['name']:34} {row['size_bytes'] / 2**20:8.1f} MiB  {row['group']:8} {row['about']}"
        )


@weights_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List every model file with its state (ok, missing, wrong)."""
    _print_rows([_row(item) for item in catalogue().values()], as_json)


@weights_group.command("verify")
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_command(names: tuple[str, ...], as_json: bool) -> None:
    """Hash the files again (all that are there, or NAMES); exit 1 when one is missing or wrong."""
    rows = [_row(item, rehash=True) for item in resolve_names(names, groups=("default", "dev", "extra"))]
    if not names:  # what is optional and was never fetched is no fault
        rows = [row for row in rows if row["group"] == "default" or row["state"] != "missing"]
    _print_rows(rows, as_json)
    sys.exit(0 if all(row["state"] == "ok" for row in rows) else 1)


@weights_group.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--dev", is_flag=True, help="Also what the tests need.")
@click.option("--all", "everything", is_flag=True, help="Every file of the catalogue.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fetch_command(names: tuple[str, ...], dev: bool, everything: bool, as_json: bool) -> None:
    """Fetch what is missing: the files the main job needs, or NAMES (a file or a folder)."""
    from rumiai.weights.fetch import Fetcher

    groups: tuple[Group, ...] = (
        ("default", "dev", "extra") if everything else ("default", "dev") if dev else ("default",)
    )
    try:
        wanted = resolve_names(names, groups=groups)
        with _progress_display(wanted) as report:
            fetched = Fetcher(report).fetch(wanted)
    except RumiAIError as exc:
        if as_json:
            click.echo(json.dumps({"folder": str(weights_dir()), "error": str(exc)}))
        else:
            click.echo(f"error: {exc}", err=True)
        sys.exit(exc.exit_code)
    if as_json:
        _print_rows([_row(item) for item in wanted], as_json)
    else:
        click.echo(f"{len(wanted)} model files in {weights_dir()}, {len(fetched)} fetched now")


class _progress_display:  # noqa: N801 - used as a context manager, like a function
    """One progress bar a file that is being fetched, on stderr."""

    def __init__(self, files: list[WeightsFile]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        self._bars = Progress(
            TextColumn("{task.description:34}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[what]}"),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, Any] = {}
        self._files = files

    def __enter__(self) -> Any:
        self._bars.start()
        return self._report

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def _report(self, item: WeightsFile, done: int, what: str) -> None:
        if what == "there":
            return
        if item.name not in self._tasks:
            self._tasks[item.name] = self._bars.add_task(item.name, total=item.size_bytes, what=what)
        self._bars.update(self._tasks[item.name], completed=done, what=what)
