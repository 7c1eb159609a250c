"""``rumiai-orch``: parse, call, print. What takes long to import is imported by the command that needs it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from click.core import ParameterSource

from rumiai import __version__
from rumiai.errors import RumiAIError
from rumiai.run.commands import COMMANDS as RUN_COMMANDS
from rumiai.service.commands import keys_group, serve
from rumiai.services import all_services
from rumiai.terminal.flags import flag_names, read_keys, read_settings, refuse_objects, refuse_upload
from rumiai.terminal.streams import prepare_streams, write_line
from rumiai.weights.cli import weights_group

_SERVICES = ", ".join(service.name for service in all_services())


# Where a caller of the runner may name the video: the file, the id.
_VIDEO_VARIABLES: Final = ("VIDEO_PATH", "VIDEO_ID")
# Commands whose ``--json`` is a stream of events, with what their ``done`` event says where nothing could start.
_DONE: Final[dict[str, Any]] = {"event": "done", "videos": [], "claude": None}
_EVENT_COMMANDS: Final[dict[str, dict[str, Any]]] = {
    "submit": _DONE,
    "retry": _DONE,
    "runner": _DONE,
    "collect": {**_DONE, "stored": 0, "failed": {}, "running": [], "batch_cost_usd": 0.0},
    "recompute": {**_DONE, "failed": 0},
}


class _Group(click.Group):
    """Ends with the exit code of the error, and with a line of text instead of a traceback.

    With ``--json`` a command that gives events ends with its ``done`` event too, whatever the reason.
    """

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command and end the process."""
        prepare_streams()
        words = list(args[0] if args and args[0] is not None else extra.get("args") or sys.argv[1:])
        try:
            result = super().main(*args, **{**extra, "standalone_mode": False})
        except click.ClickException as exc:
            exc.show()
            # Click has a class for each kind of mistake in a call; to a program they are one.
            kind = "UsageError" if isinstance(exc, click.UsageError) else type(exc).__name__
            _end(words, kind, exc.format_message(), exc.exit_code)
        except click.Abort:
            _end(words, "Interrupted", "the run was interrupted", 1)
        except RumiAIError as exc:
            _say(exc.message, exc.hint)
            _end(words, type(exc).__name__, str(exc), exc.exit_code)
        except OSError as exc:  # of the machine, at a place where nobody expected it
            message = ": ".join(str(part) for part in (exc.strerror or exc, exc.filename) if part)
            _say(message, None)
            _end(words, type(exc).__name__, message, 1)
        except Exception as exc:  # noqa: BLE001 - a mistake of ours: its traceback is told, and the protocol is kept
            from rumiai.terminal.logs import LOG

            LOG.exception("a fault of RumiAI")
            _end(words, type(exc).__name__, f"a fault of RumiAI: {exc}", 1)
        sys.exit(result if isinstance(result, int) else 0)


def _say(message: str, hint: str | None) -> None:
    from rumiai.terminal.logs import LOG, is_json

    if is_json():
        LOG.error("%s", message, extra={"hint": hint} if hint else None)
        return
    write_line(f"error: {message}", sys.stderr)
    if hint:
        write_line(f"  {hint}", sys.stderr)


def _end(words: list[str], kind: str, message: str, exit_code: int) -> NoReturn:
    """End with this exit code; events end with ``done``."""
    facts = _EVENT_COMMANDS.get(words[0]) if words else None
    if facts is not None and "--json" in words:
        write_line(json.dumps({**facts, "error": {"type": kind, "message": message}}), sys.stdout)
    elif words[:1] == ["runner"]:
        from rumiai.run.runner import end_early

        sys.exit(end_early(words, kind, message, exit_code))
    sys.exit(exit_code)


@click.group(cls=_Group)
@click.version_option(__version__, prog_name="rumiai-orch")
def main() -> None:
    """RumiAI: from short videos to their timeline, shots, words, on-screen texts, objects and people.

    \b
    rumiai-orch submit clip.mp4 folder/ "more/*.mp4" --out results
    """  # noqa: D301 - click's mark for a paragraph that is not rewrapped


main.add_command(weights_group)
main.add_command(serve)
main.add_command(keys_group)
for _command in RUN_COMMANDS:
    main.add_command(_command)


@main.command()
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option(
    "--manifest", metavar="FILE", default="", help="List of videos with what is known of each: JSON lines or CSV."
)
@click.option(
    "--metadata", metavar="FILE", default="", help="JSON or CSV with what is known of the videos, by their ids."
)
@click.option("--out", help="Folder for the results.  [default: out]")
@click.option("--upload", help="Folder of an object store that gets the results, such as s3://bucket/runs.")
@click.option("--limit", help="Most videos of one profile, hashtag or bucket.  [default: all]")
@click.option("--via", help="Helper that brings web addresses, such as ytdlp.  [default: none]")
@click.option("--services", help=f"Which services run, comma separated, or none.  [default: all: {_SERVICES}]")
@click.option("--plugins", help="Modules or .py files that add services or sources, comma separated.")
@click.option("--sample-fps", help="Sampled frames a second.  [default: 2]")
@click.option("--workers", help="Videos in flight.  [default: by the number of cores]")
@click.option("--server", help="HOST:PORT of a running server (gRPC).  [default: start one for this run]")
@click.option("--device", help="auto, cuda or cpu, for the server that is started.  [default: auto]")
@click.option("--mode", help="fast, or strict: equal to the upstream libraries.  [default: fast]")
@click.option("--language", help="Language that is spoken, such as pt.  [default: detected, part by part]")
@click.option(
    "--ocr-engine", help="Who reads texts: ppocr, easyocr, or auto: ppocr, in strict mode easyocr.  [default: auto]"
)
@click.option("--max-video-duration", "max_video_duration_s", help="Longest video taken, in seconds.  [default: 300]")
@click.option("--force", is_flag=True, default=None, help="Do finished work again.")
@click.option("--strict", is_flag=True, default=None, help="A failed service fails its video.")
@click.option("--claude", help="auto (on with CLAUDE_API_KEY), off, on, or batch (half the price).  [default: auto]")
@click.option("--no-claude", "claude", flag_value="off", help="The same as --claude off.")
@click.option("--claude-model", help="haiku, sonnet or a model id, for all analyses.")
@click.option("--max-cost", "max_cost_usd", metavar="USD", help="Most that the run may spend; or none.  [default: 5]")
@click.option("--force-cost", is_flag=True, default=None, help="Send prompts whose estimated cost is refused.")
@click.option("--no-insights", is_flag=True, help="Stop after the unified analysis.")
@click.option("--json", "as_json", is_flag=True, help="One JSON event a line on stdout; the last one is `done`.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--to", metavar="URL", help="Service to submit to (docs/service.md); its key is in RUMIAI_API_KEY.")
@click.option("--log-level", help="debug, info, warning or error.  [default: info]")
@click.option("--verbose", "log_level", flag_value="debug", help="The same as --log-level debug.")
@click.option("--log-format", help="Of the log on stderr: text, or json, one object a line.  [default: text]")
def submit(
    sources: tuple[str, ...],
    manifest: str,
    metadata: str,
    no_insights: bool,
    as_json: bool,
    quiet: bool,
    to: str | None,
    **flags: Any,
) -> None:
    """Analyse videos: files, folders, patterns, web addresses, links to TikTok, objects (s3), or - for a list of these.

    Finished work is kept: running the same command again does what is missing.

    \b
    Exit status: 0 all videos ok or partial, 1 failed or interrupted, 2 bad arguments or settings, 3 Claude refused the
    key, Apify or a download failed, 4 the models failed, 5 a file is damaged, no video, or beyond the limits.
    """  # noqa: D301
    from rumiai.run.claude import claude_settings
    from rumiai.run.submit import submit_videos

    settings = read_settings(flags)
    secrets = read_keys()
    if to is not None:
        from rumiai.service.remote.submit import Remote, refuse_operators_flags, submit_to
        from rumiai.sources import Named

        refuse_operators_flags(flags, flag_names())
        remote = Remote(to, secrets.service_key)
        named = Named(sources, manifest, metadata)
        sys.exit(submit_to(remote, named, settings, as_json=as_json, quiet=quiet, insights=not no_insights))
    claude = claude_settings(settings, secrets, insights=not no_insights)
    code = submit_videos(
        list(sources),
        settings,
        manifest=manifest,
        metadata=metadata,
        claude=claude,
        secrets=secrets,
        as_json=as_json,
        quiet=quiet,
        insights=not no_insights,
    )
    sys.exit(code)


@main.command()
@click.argument("video_input", required=False, default="")
@click.option("--video-url", default="", help="Address of the video.")
@click.option("--video-id", default="", help="Id of an earlier run; with a file, the id that it gets.")
@click.option("--video-path", default="", help="A file.")
@click.option("--metadata", metavar="FILE", default="", help="JSON or CSV with what is known of the video.")
@click.option("--config-dir", hidden=True, help="Taken for older callers; has no effect.")
@click.option(
    "--output-format", "answer_format", type=click.Choice(["json", "text"]), default="json", show_default=True
)
@click.option("--pretty", is_flag=True, help="The JSON result on several lines.")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read one JSON request from standard input.")
@click.option("--out", help="Folder for the results.  [default: out]")
@click.option("--via", help="Helper that brings web addresses, such as ytdlp.  [default: none]")
@click.option("--analyses", help="Those that Claude may be asked for and that the result tells.  [default: all]")
@click.option("--services", help=f"Which services run, comma separated, or none.  [default: all: {_SERVICES}]")
@click.option("--plugins", help="Modules or .py files that add services or sources, comma separated.")
@click.option("--server", help="HOST:PORT of a running server (gRPC).  [default: start one for this run]")
@click.option("--device", help="auto, cuda or cpu, for the server that is started.  [default: auto]")
@click.option("--language", help="Language that is spoken, such as pt.  [default: detected, part by part]")
@click.option("--max-video-duration", "max_video_duration_s", help="Longest video taken, in seconds.  [default: 300]")
@click.option("--resume", is_flag=True, help="Taken for clearness: every run goes on where an earlier one ended.")
@click.option("--force", is_flag=True, default=None, help="Do finished work again.")
@click.option("--strict", is_flag=True, default=None, help="A failed service fails the video.")
@click.option("--claude", help="auto (on with CLAUDE_API_KEY), off, on, or batch (half the price).  [default: auto]")
@click.option("--no-claude", "claude", flag_value="off", help="The same as --claude off.")
@click.option("--claude-model", help="haiku, sonnet or a model id, for all analyses.")
@click.option("--max-cost", "max_cost_usd", metavar="USD", help="Most that the run may spend; or none.  [default: 5]")
@click.option("--json", "as_json", is_flag=True, help="The events of submit in place of steps and result.")
@click.option("--quiet", is_flag=True, help="No steps.")
@click.option("--log-level", help="debug, info, warning or error.  [default: info]")
@click.option("--verbose", "log_level", flag_value="debug", help="The same as --log-level debug.")
@click.option("--log-format", help="Of the log on stderr: text, or json, one object a line.  [default: text]")
@click.pass_context
def runner(context: click.Context, /, **given: Any) -> None:
    """Analyse one video for a program: steps on stdout, the result as JSON in the last line.

    VIDEO_INPUT is a URL, a file, or the id of an earlier run. docs/runner.md states the protocol.

    \b
    Exit status: 0 success, also in part, 1 failed or interrupted, 2 bad arguments or settings, 3 Claude or Apify
    failed, 4 the models failed.
    """  # noqa: D301
    from rumiai.run.claude import claude_settings
    from rumiai.run.runner import Answer, Wanted, chosen_analyses, run_video

    if given.pop("from_stdin"):
        given |= _request(context)
    for name in ("from_stdin", "config_dir", "resume"):
        given.pop(name, None)
    metadata = given.pop("metadata")
    named = [given.pop(name) for name in ("video_input", "video_url", "video_path", "video_id")]
    shown = {name: given.pop(name) for name in ("answer_format", "pretty", "quiet", "as_json")}
    analyses = chosen_analyses(names := given.pop("analyses"))
    settings = read_settings({**given, "judged_analyses": analyses if names else None}, taken=_VIDEO_VARIABLES)
    if not any(named):
        named = ["", "", *(os.environ.get(name, "") for name in _VIDEO_VARIABLES)]
    secrets = read_keys()
    claude = claude_settings(settings, secrets)
    wanted = replace(Wanted.of(*named), metadata=metadata)
    sys.exit(run_video(wanted, settings, secrets, claude, Answer(**shown, analyses=analyses)))


def _request(context: click.Context) -> dict[str, Any]:
    """What the request on standard input says, as parameters of the command."""
    from rumiai.run.runner_request import MAX_BYTES, read_request

    request = read_request(sys.stdin.buffer.read(MAX_BYTES + 1))
    asked = context.command.make_context(context.info_name, request.arguments(), parent=context.parent)
    said = [name for name in asked.params if asked.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    return {name: asked.params[name] for name in said}


@main.command()
@click.option("--out", help="Folder of the run that submitted.  [default: out]")
@click.option("--wait", is_flag=True, help="Wait until all batches have ended, a day at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON event a line on stdout; the last one is `done`.")
def collect(wait: bool, as_json: bool, **flags: Any) -> None:
    """Fetch the answers of `submit --claude batch` and put them into the analyses.

    Videos are not looked at again. What has not ended yet is left for a later call.
    """
    from rumiai.run.collect import collect_answers

    settings = read_settings(flags)
    refuse_upload(settings, "collect")
    collect_answers(settings, read_keys(), wait=wait, as_json=as_json)


@main.command()
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path), default="demo.mp4")
def demo(output: Path) -> None:
    """Build the demo clip: pictures that the dependencies ship, drawn captions, synthetic speech."""
    from rumiai.demo import demo_spec, render

    if not output.name:
        raise click.UsageError("OUTPUT: got an empty name, expected that of the file to write")
    truth = render(demo_spec(), output)
    click.echo(f"{output}: {truth.duration_s:.1f} s, {len(truth.cuts_s)} cuts")


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--out", required=True, metavar="PATH", help="Folder for the rebuilt files.")
@click.option("--workers", type=click.IntRange(0, 256), default=0, help="Processes.  [default: one for each core]")
@click.option("--plugins", help="Modules or .py files that add services, comma separated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON event a line on stdout; the last one is `done`.")
def recompute(paths: tuple[str, ...], out: str, workers: int, plugins: str | None, as_json: bool) -> None:
    """Rebuild timeline, markers and analyses from stored results, without running a model.

    PATH is an --out folder of an earlier run, a unified analysis, or a folder with ML outputs, of any version.
    """
    from rumiai.contracts.run_events import DoneEvent, VideoEvent
    from rumiai.results.recompute import Recomputed, find_stored
    from rumiai.results.recompute import recompute as rebuild
    from rumiai.results.store import Store

    done = 0
    settings = read_settings({"plugins": plugins, "out": out})
    refuse_objects(paths, "recompute")
    refuse_upload(settings, "recompute")
    stored = find_stored(paths)

    def tell(item: Recomputed) -> None:
        nonlocal done
        done += 1
        if as_json:
            write_line(json.dumps(VideoEvent(item.outcome()).to_json(), ensure_ascii=False), sys.stdout)
        else:
            write_line(f"[{done}/{len(stored)}] {item.video_id or item.path}: {item.error or 'ok'}", sys.stderr)

    store = Store(*settings.folders)
    results = rebuild(stored, store, tell, settings.output_format, workers, settings.plugins)
    failed = sum(item.error is not None for item in results)
    if as_json:
        ended = DoneEvent([item.outcome() for item in results], None, None).to_json()
        write_line(json.dumps({**ended, "failed": failed}, ensure_ascii=False), sys.stdout)
    else:
        click.echo(f"{len(results) - failed} of {len(results)} rebuilt in {out}")
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("analysis", required=False)
@click.option("--markdown", is_flag=True, help="A table instead of the JSON Schema.")
def schema(analysis: str | None, markdown: bool) -> None:
    """Print the JSON Schema of an ANALYSIS' six blocks; without one, the names of the seven."""
    from rumiai.metrics.registry import ANALYSES, schema_of

    if analysis is None:
        click.echo("\n".join(ANALYSES))
    else:
        found = schema_of(analysis)
        click.echo(found.markdown() if markdown else json.dumps(found.json_schema(), indent=1))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--server", help="HOST:PORT of a server to look at too.")
def doctor(as_json: bool, server: str | None) -> None:
    """Say what is there, what is missing and how to mend it; exit 1 when the main job cannot run."""
    from rumiai.terminal.doctor import examine, print_findings

    findings = examine(read_settings({"server": server}))
    print_findings(findings, as_json=as_json)
    sys.exit(0 if all(finding.state != "missing" for finding in findings) else 1)
