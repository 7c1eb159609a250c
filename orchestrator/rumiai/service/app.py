"""The application: its parts are made when it starts, and ended with it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import anyio
from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from rumiai import __version__
from rumiai.core.deadline import within
from rumiai.core.http import HttpClient
from rumiai.records import Records
from rumiai.run.submission import Submission
from rumiai.service import problems
from rumiai.service.accepting import uploads_folder
from rumiai.service.access import Gate
from rumiai.service.config import ServiceConfig
from rumiai.service.database import open_database
from rumiai.service.engine import Analyse, Engine
from rumiai.service.keys import Keys
from rumiai.service.metrics import Measured, Metrics
from rumiai.service.openapi import described
from rumiai.service.parts import Parts
from rumiai.service.reading import refuse_unknown_parameters
from rumiai.service.routes import events, health, runs, videos
from rumiai.service.storing import RunStore
from rumiai.service.uploads import sweep
from rumiai.service.warm_server import WarmServer, logged
from rumiai.service.webhooks import Post, Webhooks

# A receiver of webhooks answers within this time, or is asked again later.
_WEBHOOK_S: Final = 15.0
_ABOUT: Final = """\
Analyse short videos: runs of one or many, over the same code and records as `rumiai-orch submit`.

Errors are `application/problem+json` (RFC 9457). Every route but the health checks needs an API key.
"""

MakeServer = Callable[[ServiceConfig], WarmServer]


def create_app(
    config: ServiceConfig,
    *,
    make_server: MakeServer | None = None,
    post: Post | None = None,
    analyse: Analyse = Submission.run,
) -> FastAPI:
    """The application of a service.

    Args:
        config: How it was started.
        make_server: Makes its model server; for tests.
        post: Sends webhooks; for tests.
        analyse: Runs a submission; for tests.
    """
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with contextlib.ExitStack() as stack:
            server = (make_server or _warm_server)(config)
            app.state.service = await anyio.to_thread.run_sync(_started, stack, config, server, metrics, post, analyse)
            try:
                yield
            finally:
                app.state.service.closing.set()
                await anyio.to_thread.run_sync(stack.close)

    app: FastAPI = FastAPIOffline(
        title="RumiAI",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        redoc_url=None,
        dependencies=[Depends(refuse_unknown_parameters)],
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app)
    for router in (runs.router, videos.router, events.router, health.router):
        app.include_router(router)
    app.add_middleware(Measured, metrics=metrics)
    described(app)
    return app


def _warm_server(config: ServiceConfig) -> WarmServer:
    return WarmServer(config.settings, logged)


def _started(
    stack: contextlib.ExitStack,
    config: ServiceConfig,
    server: WarmServer,
    metrics: Metrics,
    post: Post | None,
    analyse: Analyse,
) -> Parts:
    """Make and start the parts; ``stack`` ends them."""
    out = config.settings.out
    out.mkdir(parents=True, exist_ok=True)
    sweep(uploads_folder(out))
    database = open_database(out)
    stack.callback(database.close)
    records = stack.enter_context(Records.open(out))
    keys = Keys(database)
    webhooks = Webhooks(database, keys, records, post or _sender(stack, config))
    engine = Engine(config, server, webhooks.ended, metrics.handle, analyse)
    runs = RunStore(records)
    for each in (webhooks, server, engine, runs):
        stack.callback(each.close)
        each.start()
    metrics.watch(
        {
            "rumiai_runs_waiting": ("Runs that wait for their turn.", lambda: engine.waiting),
            "rumiai_runs_running": ("Runs in work.", lambda: engine.running),
            "rumiai_model_server_up": ("Whether the model server is there.", lambda: float(server.lost() is None)),
        }
    )
    return Parts(config, records, runs, Gate(keys, config.limits), engine, server, metrics, anyio.CapacityLimiter(1))


def _sender(stack: contextlib.ExitStack, config: ServiceConfig) -> Post:
    client = stack.enter_context(HttpClient(config.addresses))

    def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        with within(_WEBHOOK_S):
            return client.post(url, body, headers)

    return post
