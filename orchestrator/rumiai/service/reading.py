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


async def refuse_unknown_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a misspelt filter would be no filter.

    Raises:
        ProblemError: There is one.
    """
    if not request.query_params:
        return
    described = request.app.openapi()["paths"].get(request.scope["route"].path, {}).get(request.method.lower())
    if described is None:  # a page, not a call
        return
    known = {each["name"] for each in described.get("parameters", ()) if each["in"] == "query"}
    if unknown := sorted(set(request.query_params) - known):
        expected = ", ".join(sorted(known)) or "none"
        raise ProblemError(422, "unknown-parameter", f"got the parameter {unknown[0][:80]}, expected {expected}")


def invalid(exc: ValidationError) -> RequestValidationError:
    """What a body that is not what is expected is answered with."""
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**error, "loc": ("body", *error["loc"])} for error in errors])
