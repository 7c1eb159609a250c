"""Videos of a run: list, look at, their files and results, delete."""

from __future__ import annotations

import mimetypes
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.responses import FileResponse

from rumiai.errors import DownloadError, UsageError
from rumiai.records import VideoRecord
from rumiai.records.types import VideoState
from rumiai.results.store import Store
from rumiai.run.access import open_access
from rumiai.run.deletion import delete_videos, plan_deletion
from rumiai.run.mirror import open_mirror
from rumiai.service.access import Reader, Submitter
from rumiai.service.config import ServiceConfig
from rumiai.service.files import read_results, result_files
from rumiai.service.models import FileBody, FileList, Results, VideoBody, VideoList
from rumiai.service.parts import InService, Parts
from rumiai.service.problems import ProblemError, not_found
from rumiai.service.routes.runs import FoundRun

router = APIRouter(prefix="/v1/runs/{run_id}/videos", tags=["videos"])

VideoId = Annotated[str, Path(max_length=200, description="Of a video, as the run lists it.")]


@router.get("")
async def list_videos(
    key: Reader,
    run: FoundRun,
    service: InService,
    state: Annotated[list[VideoState] | None, Query(description="Those in these states alone.")] = None,
    after: Annotated[int, Query(ge=-1, le=2**31, description="`next` of the page before.")] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> VideoList:
    """List the videos of a run, in their order."""
    videos = await service.stored(
        service.records.videos, run.run_id, states=tuple(state or ()), after=after, limit=limit
    )
    last = videos[-1].position if len(videos) == limit else None
    return VideoList(videos=[VideoBody.of_record(video) for video in videos], next=last)


async def found_video(video_id: VideoId, run: FoundRun, service: InService) -> VideoRecord:
    """The video of the ids in the path.

    Raises:
        ProblemError: 404.
    """
    video = await service.stored(service.records.video, run.run_id, video_id)
    if video is None:
        raise not_found("video of this id in the run")
    return video


FoundVideo = Annotated[VideoRecord, Depends(found_video)]


@router.get("/{video_id}")
async def get_video(key: Reader, video: FoundVideo) -> VideoBody:
    """Look at a video of a run."""
    return VideoBody.of_record(video)


@router.get("/{video_id}/results")
async def get_results(key: Reader, video: FoundVideo, service: InService) -> Results:
    """Get the six blocks of each analysis, as the newest run of this video left them."""
    analyses = await service.stored(read_results, _store(service), video.video_id)
    return Results.model_validate({"video_id": video.video_id, "analyses": analyses})


@router.get("/{video_id}/files")
async def list_files(key: Reader, video: FoundVideo, service: InService) -> FileList:
    """List the result files of a video (docs/outputs.md), as the newest run of it left them."""
    files = await service.stored(result_files, _store(service), video.video_id)
    return FileList(files=[FileBody(path=name, bytes=path.stat().st_size) for name, path in files.items()])


@router.get(
    "/{video_id}/files/{path:path}",
    response_class=FileResponse,
    responses={200: {"content": {"application/json": {}, "text/plain": {}}}},
)
async def get_file(key: Reader, video: FoundVideo, path: str, service: InService) -> Response:
    """Get one result file of a video, by its path in the list."""
    files = await service.stored(result_files, _store(service), video.video_id)
    if path not in files:
        raise not_found("file of this path")
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return FileResponse(files[path], media_type=kind, headers={"X-Content-Type-Options": "nosniff"})


@router.delete("/{video_id}", status_code=204)
async def delete_video(key: Submitter, video: FoundVideo, service: InService) -> None:
    """Delete every trace of a video in the folder: results, copies, answers of Claude, its records in all runs."""
    await anyio.to_thread.run_sync(_deleted, service.config, video.video_id)


def _deleted(config: ServiceConfig, video_id: str) -> None:
    settings = config.settings
    store = Store(*settings.folders)
    try:
        with open_access(settings, config.secrets) as access, open_mirror(settings, access, store) as mirror:
            plan = plan_deletion(store, [video_id], mirror)
            delete_videos(store, plan, mirror)
    except DownloadError as exc:
        raise ProblemError(502, "object-store", exc.message, hint="send the request again") from exc
    except UsageError as exc:
        raise ProblemError(409, "in-work", exc.message, hint="cancel the run, or wait for its end") from exc


def _store(service: Parts) -> Store:
    return Store(*service.config.settings.folders)
