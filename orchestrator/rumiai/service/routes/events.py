"""Events of a run, as they come: server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from rumiai.core.json_values import JsonObject
from rumiai.records import EventRecord, RunRecord, VideoRecord
from rumiai.service.access import Reader
from rumiai.service.models import RunBody
from rumiai.service.parts import InService, Parts
from rumiai.service.problems import ProblemError
from rumiai.service.routes.runs import FoundRun

router = APIRouter(prefix="/v1/runs/{run_id}/events", tags=["runs"])

# The records have progress twice a second.
_POLL_S: Final = 0.5
_PAGE: Final = 200
# Each looks into the records at this pace.
_MAX_STREAMS: Final = 100


async def free_place(service: InService) -> None:
    """Refuse a caller beyond those that can be served.

    Raises:
        ProblemError: 503.
    """
    if service.streams.count >= _MAX_STREAMS:
        raise ProblemError(503, "busy", "too many callers follow runs", headers={"Retry-After": "10"})


@router.get("", response_class=EventSourceResponse)
async def follow_run(
    key: Reader,
    run: FoundRun,
    service: InService,
    place: Annotated[None, Depends(free_place)],
    last_event_id: Annotated[int, Header(ge=0, le=2**62, description="Go on behind the event of this id.")] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a run: its events from the first on (docs/outputs.md), then live; `done` is the last.

    The event name is that of the event, the data its JSON. `progress` has no id: it is told as it is now, not again.
    """
    with service.streams.one():
        async for event in _followed(service, run, last_event_id):
            yield event


async def _followed(service: Parts, run: RunRecord, after: int) -> AsyncIterator[ServerSentEvent]:
    told: dict[str, JsonObject] = {}
    while not service.closing.is_set():
        now, running, events = await service.stored(_step, service, run.run_id, after)
        for event in events:
            after = event.seq
            yield _sse(event.members, event.seq)
        ended = {str(event.members.get("video_id")) for event in events if event.kind == "video"}
        for video in running:
            progress = _progress(video)
            if video.video_id not in ended and told.get(video.video_id) != progress:
                told[video.video_id] = progress
                yield _sse(progress)
        if now.ended_at is not None and len(events) < _PAGE:
            yield _sse({"event": "done", **RunBody.of(now).model_dump(mode="json")})
            return
        if len(events) < _PAGE:
            await asyncio.sleep(_POLL_S)


def _step(service: Parts, run_id: str, after: int) -> tuple[RunRecord, list[VideoRecord], list[EventRecord]]:
    """How a run is now. Its state is read first: one that has ended gets no further events."""
    run = service.records.run(run_id)
    running = service.records.videos(run_id, states=("running",)) if run.ended_at is None else []
    return run, running, service.records.events(run_id, after=after, limit=_PAGE)


def _progress(video: VideoRecord) -> JsonObject:
    counts: JsonObject = {} if video.done is None else {"done": video.done, "of": video.of}
    return {"event": "progress", "video_id": video.video_id, "stage": video.stage, **counts}


def _sse(members: JsonObject, seq: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(data=members, event=str(members["event"]), id=None if seq is None else str(seq))
