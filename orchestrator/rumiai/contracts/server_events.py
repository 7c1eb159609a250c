"""What ``rumiai-triton serve --json`` writes to its standard output: one JSON object a line, ``ready`` first."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rumiai.errors import ContractError


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ServerReady(_Event):
    """All models are loaded and have answered a trial request. Written once, as the first line.

    Attributes:
        grpc: ``host:port``.
        http: ``host:port``; None when the server speaks gRPC only.
        metrics: URL of the Prometheus metrics; None when the server speaks gRPC only.
        token: Opens what is guarded (shared memory, model control, ...).
        models: What is served.
        pid: Of the launcher.
        device: Where the models run, for people: ``cpu``, or the name of the GPU and its memory.
    """

    event: Literal["ready"] = "ready"
    grpc: str
    http: str | None
    metrics: str | None
    token: str = Field(repr=False)
    models: tuple[str, ...]
    pid: int
    device: str = ""


class ServerStateChange(_Event):
    """The server or one of its models went down or serves again. Address and token stay what they are.

    Attributes:
        event: ``model_down``, ``model_up``: the process of one model. ``server_down``: tritonserver has ended, and with
            it every model. ``server_up``: it was started again and every model has answered. ``gave_up``: it failed too
            often; the launcher ends with exit status 1.
        model: The model, of ``model_down`` and ``model_up``.
        reason: Why something is down.
        down_s: For how long it was down, of ``model_up`` and ``server_up``.
    """

    event: Literal["model_down", "model_up", "server_down", "server_up", "gave_up"]
    model: str | None = None
    reason: str | None = None
    down_s: float | None = None


ServerEvent = ServerReady | ServerStateChange

_ADAPTER: TypeAdapter[ServerEvent] = TypeAdapter(Annotated[ServerEvent, Field(discriminator="event")])


def read_event(line: str | bytes) -> ServerEvent:
    """Parse and validate one line.

    Raises:
        ContractError: It is no such event.
    """
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError as exc:
        first = exc.errors(include_input=False)[0]  # the input holds the token
        raise ContractError(
            f"not an event of the model server: {first['loc']} {first['msg']}",
            hint="run both programs from one version of RumiAI",
        ) from exc
