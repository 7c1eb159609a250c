"""``rumiai-triton``: serve the models, and look after their files."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import sys
import threading
from pathlib import Path

import click

from rumiai import __version__
from rumiai.contracts import tensors
from rumiai.contracts.server_events import ServerEvent, ServerReady
from rumiai.core.signals import stop_signals
from rumiai.errors import RumiAIError
from rumiai.weights.cli import weights_group
from rumiai_server.launch import running
from rumiai_server.serve_config import ServeConfig

_LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR")


@click.group()
@click.version_option(__version__, prog_name="rumiai-triton")
def main() -> None:
    """RumiAI's model server: YOLO, OCR and Whisper behind NVIDIA Triton."""


main.add_command(weights_group)


def _pairs(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    out = {}
    for value in values:
        key, sep, right = value.partition("=")
        if not sep or not key or not right:
            raise click.BadParameter(f"got {value!r}, expected NAME=VALUE")
        out[key] = right
    return out


@main.command()
@click.option("--models", default=",".join(tensors.ENDPOINTS), show_default=True, help="Which models, comma separated.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--insecure-bind", is_flag=True, help="Allow an address other than loopback; read docs/security.md first."
)
@click.option("--grpc-port", default=0, show_default="a free one", type=click.IntRange(0, 65535))
@click.option("--http-port", default=0, show_default="a free one", type=click.IntRange(0, 65535))
@click.option("--metrics-port", default=0, show_default="a free one", type=click.IntRange(0, 65535))
@click.option(
    "--http/--no-http", default=True, show_default=True, help="Also serve HTTP and metrics; without, gRPC alone."
)
@click.option("--instances", multiple=True, callback=_pairs, metavar="MODEL=N", help="Instances of a model per device.")
@click.option(
    "--mode",
    type=click.Choice(["fast", "strict"]),
    default="fast",
    show_default=True,
    help="Of requests that do not say which.",
)
@click.option("--yolo-weights", default="yolov8n.onnx", show_default=True, help="A name of `weights list`, or a path.")
@click.option(
    "--ocr-engine",
    type=click.Choice(["auto", "ppocr", "easyocr"]),
    default="auto",
    show_default=True,
    help="Of requests that do not say which; auto: ppocr in fast, easyocr in strict.",
)
@click.option("--ocr-langs", default="en", show_default=True, help="EasyOCR languages, comma separated.")
@click.option("--whisper-model", default="base", show_default=True, help="base, tiny.en, or a path.")
@click.option(
    "--whisper-engine", type=click.Choice(["ctranslate2", "openai"]), default="ctranslate2", show_default=True
)
@click.option(
    "--cuda-graphs/--no-cuda-graphs", default=True, show_default=True, help="On a GPU: replay networks as CUDA graphs."
)
@click.option("--log-level", type=click.Choice(_LOG_LEVELS, case_sensitive=False), default="INFO", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON event a line; `ready` has addresses and token.")
@click.option("--until-stdin-closes", is_flag=True, hidden=True, help="Stop when stdin ends: the parent has gone.")
def serve(**options: object) -> None:
    """Serve the models until SIGINT, SIGTERM or SIGHUP.

    A model whose process dies is loaded again, and a server that ends is started again on the same ports. Exit status
    1: it ended too often.
    """
    try:
        _serve(**options)  # type: ignore[arg-type]
    except RumiAIError as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(exc.exit_code)


def _config(
    *,
    models: str,
    device: str,
    address: str,
    insecure_bind: bool,
    grpc_port: int,
    http_port: int,
    metrics_port: int,
    http: bool,
    instances: dict[str, str],
    mode: str,
    yolo_weights: str,
    ocr_engine: str,
    ocr_langs: str,
    whisper_model: str,
    whisper_engine: str,
    cuda_graphs: bool,
    log_level: str,
) -> ServeConfig:
    try:
        counts = {model: int(count) for model, count in instances.items()}
    except ValueError as exc:
        raise click.BadParameter(f"--instances: expected MODEL=N, {exc}") from exc
    if any(count < 1 for count in counts.values()):
        raise click.BadParameter("--instances: expected at least 1 of each model")
    whisper = str(Path(whisper_model).resolve()) if "/" in whisper_model else f"whisper-{whisper_model}-ct2"
    yolo = str(Path(yolo_weights).resolve()) if "/" in yolo_weights else yolo_weights
    graphs = str(cuda_graphs).lower()
    return ServeConfig(
        models=tuple(filter(None, (name.strip() for name in models.split(",")))),
        device=device,  # type: ignore[arg-type]
        address=address,
        insecure_bind=insecure_bind,
        grpc_port=grpc_port,
        http_port=http_port,
        metrics_port=metrics_port,
        http=http,
        instances=counts,
        parameters={
            "yolo": {"weights": yolo, "mode": mode, "cuda_graphs": graphs},
            "ocr": {"engine": ocr_engine, "languages": ocr_langs, "mode": mode, "cuda_graphs": graphs},
            "whisper": {"model": whisper, "engine": whisper_engine},
        },
        log_level=log_level.upper(),
    )


def _serve(*, as_json: bool, until_stdin_closes: bool, **options: object) -> None:
    config = _config(**options)  # type: ignore[arg-type]
    level = "DEBUG" if config.log_level == "TRACE" else config.log_level
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()

    def request_stop(number: signal.Signals) -> None:
        logging.getLogger("rumiai_server").info("%s: stopping", number.name)
        stop.set()

    # Whatever this process and its children create is for this user alone.
    os.umask(0o077)
    with stop_signals(request_stop):
        if until_stdin_closes:
            threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
        with running(config, stop, _print_json if as_json else _print_ready) as server:
            server.wait()


def _watch_stdin(stop: threading.Event) -> None:
    """Set ``stop`` when stdin ends; what is written to it is ignored."""
    while not stop.is_set():
        readable, _, _ = select.select([sys.stdin], [], [], 1.0)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            stop.set()


def _print_json(event: ServerEvent) -> None:
    _write_line(event.model_dump_json(exclude_none=event.event != "ready"))


def _print_ready(event: ServerEvent) -> None:
    """Tell a person where the server listens; what happens later is in the log."""
    if not isinstance(event, ServerReady):
        return
    lines = [f"serving {', '.join(event.models)} on {event.device}", f"  gRPC     {event.grpc}"]
    if event.http is not None:
        lines += [f"  HTTP     http://{event.http}/v2/health/ready", f"  metrics  {event.metrics}"]
    lines += [f"  clients  rumiai-orch submit --server {event.grpc} VIDEO...", "  stop     Ctrl-C"]
    _write_line("\n".join(lines))


def _write_line(text: str) -> None:
    """Write past Python's buffer: what cannot be written would otherwise be tried again, and fail, at exit."""
    if sys.__stdout__ is not None:
        with contextlib.suppress(OSError):  # a reader that has gone; --until-stdin-closes notices a parent's end
            os.write(sys.__stdout__.fileno(), f"{text}\n".encode())
