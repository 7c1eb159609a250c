"""One shape for every error: ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from rumiai.core.json_values import JsonObject
from rumiai.errors import RumiAIError, StoreError, UsageError

LOG = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_PREFIX: Final = "urn:rumiai:problem:"
# What a list of mistakes is good for; a body can hold any number.
_MOST_MISTAKES: Final = 20


class Mistake(BaseModel):
    """One mistake in a request: where it is, as a JSON Pointer below body, query, path or header, and what it is."""

    model_config = ConfigDict(frozen=True)

    at: str
    message: str


class ProblemBody(BaseModel):
    """What an answer with an error holds.

    Attributes:
        type: A name for the kind of problem; it does not change.
        title: The HTTP status in words.
        status: The HTTP status.
        detail: What happened: got, expected.
        hint: What the caller can do.
        instance: Path of the request.
        errors: The mistakes in a request that could not be read.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None
    instance: str
    errors: tuple[Mistake, ...] | None = None


class ProblemError(Exception):
    """An answer with an error.

    Args:
        status: Of HTTP.
        kind: Name of the kind of problem.
        detail: What happened.
        hint: What the caller can do.
        headers: Of the answer.
    """

    def __init__(
        self, status: int, kind: str, detail: str, *, hint: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.hint, self.headers = status, kind, detail, hint, headers

    @classmethod
    def of(cls, error: RumiAIError) -> ProblemError:
        """The answer to an error of ours."""
        if isinstance(error, UsageError):
            return cls(422, "cannot-be-asked-for", error.message, hint=error.hint)
        if isinstance(error, StoreError):
            return cls(503, "storage", error.message, hint=error.hint, headers={"Retry-After": "10"})
        return cls(500, "failed", error.message, hint=error.hint)


def not_found(what: str) -> ProblemError:
    """The answer where something is not there."""
    return ProblemError(404, "not-found", f"there is no {what}")


def answer(request: Request, problem: ProblemError, errors: tuple[Mistake, ...] | None = None) -> JSONResponse:
    """The answer with a problem."""
    body = ProblemBody(
        type=_PREFIX + problem.kind,
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        hint=problem.hint,
        instance=request.url.path,
        errors=errors,
    )
    content: JsonObject = body.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status, problem.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of an app in this shape."""

    @app.exception_handler(ProblemError)
    async def told(request: Request, exc: ProblemError) -> Response:
        return answer(request, exc)

    @app.exception_handler(RumiAIError)
    async def ours(request: Request, exc: RumiAIError) -> Response:
        return answer(request, ProblemError.of(exc))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, exc: HTTPException) -> Response:
        status = HTTPStatus(exc.status_code)
        kind = status.phrase.lower().replace(" ", "-")
        return answer(request, ProblemError(status, kind, str(exc.detail), headers=exc.headers))

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, exc: RequestValidationError) -> Response:
        mistakes = tuple(_mistake(error) for error in exc.errors()[:_MOST_MISTAKES])
        return answer(request, ProblemError(422, "invalid-request", "the request is not what is expected"), mistakes)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, exc: Exception) -> Response:
        # Starlette raises it again for the server's log; the answer says nothing of our insides.
        return answer(request, ProblemError(500, "failed", "an unexpected error; the service's log has it"))


def _mistake(error: Mapping[str, object]) -> Mistake:
    place = error.get("loc")
    parts = place if isinstance(place, tuple) else ()
    at = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return Mistake(at=at, message=str(error["msg"]))
