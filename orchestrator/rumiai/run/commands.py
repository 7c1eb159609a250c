"""``rumiai-orch status``, ``retry``, ``cancel``, ``delete`` and ``config``: parse, call, print."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from rumiai.terminal.flags import read_keys, read_settings
from rumiai.terminal.streams import write_line

_OUT = click.option("--out", help="Folder of the results.  [default: out]")


@click.command()
@click.argument("run", required=False)
@_OUT
@click.option("--all", "every_run", is_flag=True, help="All runs of the folder, a line each.")
@click.option("--videos", is_flag=True, help="All videos, not only those that need attention.")
@click.option("--errors", is_flag=True, help="The last lines of the log below each error.")
@click.option("--watch", is_flag=True, help="Until the run is over.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--rebuild", is_flag=True, help="Make the records again from the results in the folder.")
def status(
    run: str | None,
    every_run: bool,
    videos: bool,
    errors: bool,
    watch: bool,
    as_json: bool,
    rebuild: bool,
    **flags: Any,
) -> None:
    """What became of a RUN, the newest one where none is named: during it, after it, also when it was killed.

    RUN is the id that `submit` printed, or the beginning of it.
    """
    from datetime import UTC, datetime

    from rumiai.results.rebuilding import open_records
    from rumiai.results.rebuilding import rebuild as make_again
    from rumiai.results.store import Store
    from rumiai.terminal.status import RunView, newest, run_screen, runs_table, show
    from rumiai.terminal.status import watch as follow

    settings = read_settings(flags)
    store = Store(*settings.folders)
    if rebuild:
        open_records(store).close()
        write_line(f"{make_again(store)} videos are in the records again", sys.stderr)
    with open_records(store, create=False) as records:
        if every_run:
            runs = records.runs()
            if as_json:
                told = [RunView(each, [], [], datetime.now(UTC)).run_json() for each in runs]
                write_line(json.dumps({"runs": told}, ensure_ascii=False), sys.stdout)
            else:
                show(runs_table(runs, datetime.now(UTC)), colored=settings.colored_logs)
            return
        run_id = newest(records).run_id if run is None else run

        def draw(view: RunView) -> Any:
            return run_screen(view, every_video=videos, logs=errors, out=str(settings.out))

        view = RunView.of(records, run_id)
        if watch:
            view = follow(lambda: RunView.of(records, run_id), draw, colored=settings.colored_logs)
        if as_json:
            write_line(json.dumps(view.to_json(), ensure_ascii=False), sys.stdout)
        else:
            show(draw(view), colored=settings.colored_logs)


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_OUT
@click.option("--failed", is_flag=True, help="Those that failed and those that the run did not finish.")
@click.option("--run", metavar="RUN", help="Of this run.  [default: the newest]")
@click.option("--plugins", help="Plug-ins that the run had: code is not taken from its records.")
@click.option("--upload", help="Folder of an object store that the run had: hosts are not taken from its records.")
@click.option("--workers", help="Videos in flight.  [default: as the run had it]")
@click.option("--server", help="HOST:PORT of a running server (gRPC).  [default: start one for this run]")
@click.option("--force", is_flag=True, default=None, help="Do finished work again.")
@click.option("--claude", help="auto, off, on or batch.  [default: as the run had it]")
@click.option("--json", "as_json", is_flag=True, help="One JSON event a line on stdout; the last one is `done`.")
@click.option("--quiet", is_flag=True, help="No progress.")
def retry(ids: tuple[str, ...], failed: bool, run: str | None, as_json: bool, quiet: bool, **flags: Any) -> None:
    """Begin videos of a run again, with its settings: those of the IDs, or with --failed all that it lacks.

    It is a run of its own, with the exit status of `submit`. What was finished is kept.
    """
    from rumiai.results.rebuilding import open_records
    from rumiai.results.store import Store
    from rumiai.run.claude import claude_settings
    from rumiai.run.retry import plan_retry
    from rumiai.run.submit import submit_videos

    if failed == bool(ids):
        raise click.UsageError("name videos by their IDs, or give --failed")
    settings = read_settings(flags)
    given = [name for name, value in flags.items() if value is not None]
    with open_records(Store(*settings.folders), create=False) as records:
        plan = plan_retry(records, settings, given, run, ids)
    if not plan.videos:
        write_line(f"the run {plan.run.run_id} lacks nothing", sys.stderr)
        return
    plan.check_listing()
    secrets = read_keys()
    code = submit_videos(
        plan.texts,
        plan.settings,
        manifest=plan.manifest,
        metadata=plan.metadata,
        claude=claude_settings(plan.settings, secrets, insights=plan.insights),
        secrets=secrets,
        as_json=as_json,
        quiet=quiet,
        insights=plan.insights,
        kind="retry",
        only=plan.only,
    )
    sys.exit(code)


@click.command()
@click.argument("run")
@_OUT
@click.option("--now", is_flag=True, help="Give up the videos in flight too.")
def cancel(run: str, now: bool, **flags: Any) -> None:
    """End a RUN: the videos in flight are finished, no other is begun. Its `submit` then ends with exit status 1."""
    from rumiai.records import Records

    settings = read_settings(flags)
    with Records.open(settings.out, create=False) as records:
        before = records.run(run)
        after = records.request_cancel(before.run_id, "all" if now else "waiting")
    if after.state == "running":
        what = "gives up its videos and ends" if now else "finishes the videos in flight and ends"
        write_line(f"{after.run_id} {what}; `rumiai-orch status --watch` shows it", sys.stdout)
    elif before.state == after.state:
        write_line(f"{after.run_id} has ended already: {after.state}", sys.stdout)
    else:
        write_line(f"{after.run_id} is cancelled; nobody was running it", sys.stdout)


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_OUT
@click.option("--upload", help="Folder of an object store that has a copy, such as s3://bucket/runs.")
@click.option("--plugins", help="Modules or .py files that add services, comma separated.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON; needs --yes.")
def delete(ids: tuple[str, ...], yes: bool, as_json: bool, **flags: Any) -> None:
    """Delete every trace of videos: results, downloads, answers of Claude, records. Your own files stay.

    With --upload, or --out s3://..., the copies in the object store go too. A link is deleted, never what it leads to,
    and nothing that lies outside of the folder. Exit status 1: something had to be left, or copies may remain in an
    object store that a run had and that was not named.
    """
    from rumiai.results.store import Store
    from rumiai.run.access import open_access
    from rumiai.run.deletion import delete_videos, plan_deletion
    from rumiai.run.mirror import open_mirror

    if as_json and not yes:
        raise click.UsageError("--json needs --yes: there is nobody to ask")
    settings = read_settings(flags)
    store = Store(*settings.folders)
    with open_access(settings, read_keys()) as access, open_mirror(settings, access, store) as mirror:
        plan = plan_deletion(store, ids, mirror)
        if not yes:
            for found in plan:
                write_line("\n".join([found.line(), *found.remaining()]), sys.stdout)
            click.confirm("Delete them?", abort=True)
        done = delete_videos(store, plan, mirror)
    if as_json:
        write_line(json.dumps({"videos": [each.to_json(store) for each in done]}, ensure_ascii=False), sys.stdout)
    else:
        for each in done:
            write_line("\n".join(each.lines(store)), sys.stdout)
    sys.exit(not all(each.is_whole for each in done))


@click.command()
@_OUT
@click.option("--plugins", help="Modules or .py files that add services or sources, comma separated.")
@click.option("--changed", is_flag=True, help="Only those that are not the default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(changed: bool, as_json: bool, **flags: Any) -> None:
    """The settings in effect, and where each comes from: a flag, a variable, .env, or the default. Keys are masked."""
    from rumiai.terminal.flags import effective_settings
    from rumiai.terminal.settings_table import settings_table
    from rumiai.terminal.status import show

    read_settings(flags)
    found = [each for each in effective_settings(flags) if each.origin != "default" or not changed]
    if as_json:
        write_line(json.dumps({"settings": [each.to_json() for each in found]}, ensure_ascii=False), sys.stdout)
    else:
        show(settings_table(found))


COMMANDS = (status, retry, cancel, delete, config)
