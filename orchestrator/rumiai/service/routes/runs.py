"""Runs: accept, list, look at, cancel."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import ValidationError

from rumiai.errors import UsageError
from rumiai.records import RunRecord
from rumiai.records.types import RunState
from rumiai.service.accepting import MAX_KEY_CHARS, check_same, uploads_folder, wanted_run
from rumiai.service.access import Reader, Submitter
from rumiai.service.keys import ApiKey
from rumiai.service.models import RunBody, RunList, RunRequest
from rumiai.service.parts import InService, Parts
from rumiai.service.problems import ProblemError, not_found
from rumiai.service.reading import content_type, invalid, json_body
from rumiai.service.uploads import incoming, keep, receive, remove_uploads, settled

router = APIRouter(prefix="/v1/runs", tags=["runs"])

_MIB: Final = 2**20
_ID: Final = re.compile(r"\d{8}-\d{6}-[0-9a-f]{9}")
RunId = Annotated[str, Path(description="Of a run.", examples=["20261128-101500-123a1b2c3"])]
_REQUEST: Final = RunRequest.model_json_schema(ref_template="#/components/schemas/{model}")
_SCHEMA: Final[dict[str, Any]] = {name: part for name, part in _REQUEST.items() if name != "$defs"}
_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "request": {"type": "string", "description": "The JSON of a request; sources may be left out."},
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1},
    },
    "required": ["file"],
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _SCHEMA}, "multipart/form-data": {"schema": _FORM}},
    }
}


@router.post("", status_code=202, openapi_extra=_BODY)
async def create_run(
    request: Request,
    response: Response,
    key: Submitter,
    service: InService,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=MAX_KEY_CHARS, description="The same key with the same request: the same run."),
    ] = None,
) -> RunBody:
    """Accept a run: JSON with sources, or a form with files and, in the field `request`, that JSON.

    What is answered with 202 is finished, also when the service is killed and started again.
    """
    if service.engine.waiting >= service.config.limits.waiting_runs:
        raise ProblemError(503, "busy", "too many runs wait already", headers={"Retry-After": "60"})
    kind = content_type(request)
    if kind == "application/json":
        asked = _parsed(await json_body(request, service.config.limits.body_bytes))
        wanted = wanted_run(service.config, key, asked, idempotency_key=idempotency_key)
        run, is_new = await service.runs.create(wanted)
        check_same(run, wanted)
    elif kind == "multipart/form-data":
        run, is_new = await _uploaded(request, service, key, idempotency_key)
    else:
        raise ProblemError(415, "unsupported-media-type", f"got {kind or 'no content type'}, expected JSON or a form")
    if is_new:
        service.metrics.accepted.inc()
        service.engine.submit(run.run_id)
    else:
        response.headers["Idempotent-Replayed"] = "true"
    response.headers["Location"] = f"/v1/runs/{run.run_id}"
    return RunBody.of(run)


async def _uploaded(
    request: Request, service: Parts, key: ApiKey, idempotency_key: str | None
) -> tuple[RunRecord, bool]:
    config = service.config
    with incoming(uploads_folder(config.settings.out)) as folder:
        reserve = round(config.settings.disk_reserve_mb * _MIB)
        form = await receive(request.headers["content-type"], request.stream(), folder, config.limits, reserve)
        asked = _parsed(form.fields.get("request", "{}").encode())
        if not form.files:
            raise ProblemError(422, "invalid-request", "the form has no part with a file name", hint="call it `file`")
        uploads = keep(folder, await settled(form))
        async with AsyncExitStack() as unneeded:
            unneeded.push_async_callback(service.stored, remove_uploads, uploads)
            wanted = wanted_run(config, key, asked, uploads, idempotency_key)
            run, is_new = await service.runs.create(wanted)
            check_same(run, wanted)
            if is_new:
                unneeded.pop_all()
        return run, is_new


def _parsed(body: bytes) -> RunRequest:
    try:
        return RunRequest.model_validate_json(body)
    except ValidationError as exc:
        raise invalid(exc) from exc


@router.get("")
async def list_runs(
    key: Reader,
    service: InService,
    state: Annotated[list[RunState] | None, Query(description="Those in these states alone.")] = None,
    before: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> RunList:
    """List runs, newest first."""
    runs = await service.stored(service.records.runs, states=tuple(state or ()), before=before, limit=limit)
    return RunList(runs=[RunBody.of(run) for run in runs], next=runs[-1].run_id if len(runs) == limit else None)


async def found_run(run_id: RunId, service: InService) -> RunRecord:
    """The run of the id in the path.

    Raises:
        ProblemError: 404.
    """
    if not _ID.fullmatch(run_id):
        raise not_found("run of this id")
    try:
        return await service.stored(service.records.run, run_id)
    except UsageError as exc:
        raise not_found("run of this id") from exc


FoundRun = Annotated[RunRecord, Depends(found_run)]


@router.get("/{run_id}")
async def get_run(key: Reader, run: FoundRun) -> RunBody:
    """Look at a run."""
    return RunBody.of(run)


@router.delete("/{run_id}", status_code=202)
async def cancel_run(key: Submitter, run: FoundRun, service: InService) -> RunBody:
    """Cancel a run: what waits is not begun, what is in work is given up. One that has ended stays as it is."""
    if run.ended_at is None:
        run = await service.stored(service.engine.cancel, run.run_id)
    return RunBody.of(run)
