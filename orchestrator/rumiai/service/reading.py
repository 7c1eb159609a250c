"""Bodies of requests, read with a limit, and what is wrong with them."""

from __future__ import annotations

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from rumiai.service.problems import ProblemError


def content_type(request: Request) -> str:
    """The media type of a request, lower case, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def json_body(request: Request, limit: int) -> bytes:
    """The body of a request.

    Raises:
        ProblemError: It has more bytes than the limit.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ProblemError(413, "too-large", f"the request has more than {limit} bytes")
    return bytes(body)


def invalid(exc: ValidationError) -> RequestValidationError:
    """What a body that is not what is expected is answered with."""
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**error, "loc": ("body", *error["loc"])} for error in errors])
