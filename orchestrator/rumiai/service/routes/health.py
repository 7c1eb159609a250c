"""Whether the process answers, whether the models do, and figures."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from rumiai import __version__
from rumiai.errors import ServerError
from rumiai.service.access import Reader
from rumiai.service.models import Health, Readiness
from rumiai.service.parts import InService
from rumiai.service.problems import ProblemError

router = APIRouter(tags=["health"])

_ASK_S: Final = 3.0


@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process answers; needs no key."""
    return Health(version=__version__)


@router.get("/readyz")
async def readyz(service: InService) -> Readiness:
    """Whether runs are worked on: the model server is asked now; needs no key."""
    try:
        models = await service.server.check(_ASK_S)
    except ServerError as exc:
        raise ProblemError(503, "not-ready", exc.message, headers={"Retry-After": "5"}) from exc
    return Readiness(models=models, waiting=service.engine.waiting, running=service.engine.running)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(key: Reader, service: InService) -> Response:
    """Figures in Prometheus' text format."""
    return Response(await service.stored(service.metrics.text), media_type=CONTENT_TYPE_LATEST)
