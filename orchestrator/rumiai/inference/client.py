"""A client of the model server over gRPC: frames by reference where memory is shared, as bytes where it is not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import numpy as np
import numpy.typing as npt
import tritonclient.grpc as triton_grpc
from tritonclient.grpc import aio as triton_aio
from tritonclient.utils import InferenceServerException

from rumiai.contracts.tensors import ACCESS_TOKEN_HEADER, NUMPY_DTYPES, EndpointSpec, TensorSpec
from rumiai.errors import ConfigurationError, ContractError, MLError, RumiAIError, ServerError, ServerGoneError
from rumiai.inference.outages import ATTEMPTS, GONE, Outage, delay_s, is_mapped_already, outage_of
from rumiai.inference.server_file import is_local, read_server_file, split_address
from rumiai.inference.spans import SharedTensor

LOG = logging.getLogger(__name__)

# A request waits for those before it. The slowest one, an hour of speech on two cores, may take ten minutes.
DEFAULT_TIMEOUT_S: Final = 600.0
# Asking whether a server is there, or handing it a region, takes milliseconds.
_CONTROL_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.2
# Triton frees an answered request within milliseconds.
_RELEASE_POLL_S: Final = 0.02
_REGION_IN_USE: Final = "currently in use"
# tritonclient's own limit on messages is 2 GB, where gRPC's is 4 MB. A server that was started again is found within a
# second; by itself gRPC would look for it less and less often, up to every two minutes.
_CHANNEL: Final = (
    ("grpc.max_send_message_length", 2**31 - 1),
    ("grpc.max_receive_message_length", 2**31 - 1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
)

Parameter = str | bool | int | float
_T = TypeVar("_T")


class TritonClient:
    """One connection to a server; used with ``async with``, by the tasks of one event loop.

    Args:
        url: ``host:port`` of the server's gRPC, or ``grpcs://host:port`` for TLS.
        token: Access token that the server requires before it maps memory; see :meth:`connect`.
        headers: Sent with every call, for a gateway in front of the server.
        timeout_s: The longest that one request may take.
        patience_s: How long a request waits for a server or a model that is being restarted. It is then sent again, at
            most as often as :data:`rumiai.inference.outages.ATTEMPTS` says. When the server has not come back once,
            nothing waits for it any more. 0 sends everything once.

    Raises:
        ConfigurationError: ``url`` is not an address.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        patience_s: float = 0.0,
    ) -> None:
        scheme, _, address = url.rpartition("://")
        if scheme not in ("", "grpc", "grpcs"):
            raise ConfigurationError(f"server: got {url!r}, expected host:port, grpc://host:port or grpcs://host:port")
        try:
            split_address(address)
        except ValueError as exc:
            raise ConfigurationError(f"server: {exc}") from exc
        self.address = address
        self._tls = scheme == "grpcs"
        self._token = token
        self._headers = dict(headers or {})
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        # Region -> key and size, of those that the server was asked to map; and those that it has mapped.
        self._regions: dict[str, tuple[str, int]] = {}
        self._mapped: set[str] = set()
        self._warned = False
        self._client: Any = None

    @classmethod
    def connect(cls, url: str, token: str | None = None, **options: Any) -> Self:
        """Make a client; without ``token`` it takes the one that a server of this user left in its file."""
        client = cls(url, token, **options)
        if token is None and (found := read_server_file(client.address)):
            client._token = found.token
        return client

    async def __aenter__(self) -> Self:
        self._client = triton_aio.InferenceServerClient(self.address, ssl=self._tls, channel_args=list(_CHANNEL))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._client.close()
        self._client = None

    async def metadata(self) -> dict[str, Any]:
        """The server's ``name``, ``version`` and ``extensions``.

        Raises:
            ServerError: It does not answer.
        """
        try:
            answer = await self._client.get_server_metadata(**self._call())
        except InferenceServerException as exc:
            raise self._translated(exc, "server metadata") from exc
        return {"name": answer.name, "version": answer.version, "extensions": list(answer.extensions)}

    async def wait_ready(self, models: Iterable[str], timeout_s: float) -> None:
        """Wait until the server is up and every one of the models is loaded.

        Raises:
            ServerGoneError: Some are not ready after ``timeout_s``; the message names them.
        """
        wanted = list(models)
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            missing = await self._not_ready(wanted)
            if not missing:
                return
            if asyncio.get_running_loop().time() >= deadline:
                raise ServerGoneError(
                    f"{self.address}: {', '.join(missing)} not ready after {timeout_s:.0f} s",
                    hint="is `rumiai-triton serve` running there, with these models?",
                )
            await asyncio.sleep(_POLL_S)

    async def _not_ready(self, models: list[str]) -> list[str]:
        try:
            if not await self._client.is_server_ready(**self._call()):
                return ["server"]
            return [model for model in models if not await self._client.is_model_ready(model, **self._call())]
        except InferenceServerException as exc:
            if exc.status() in GONE or exc.status() == "StatusCode.DEADLINE_EXCEEDED":
                return ["server"]
            raise self._translated(exc, "readiness") from exc

    async def device_of(self, model: str) -> str | None:
        """Where the server runs a model: ``cuda`` or ``cpu``, None when its configuration does not say.

        Raises:
            ServerError: The server does not answer, or does not have the model.
        """
        answer = await self._patiently(
            model, f"configuration of {model}", lambda: self._client.get_model_config(model, **self._call())
        )
        name = triton_grpc.model_config_pb2.ModelInstanceGroup.Kind.Name
        kinds = {name(group.kind) for group in answer.config.instance_group}
        return {"KIND_GPU": "cuda", "KIND_CPU": "cpu"}.get(kinds.pop()) if len(kinds) == 1 else None

    async def register(self, region: str, key: str, size_bytes: int) -> bool:
        """Let the server map a region, so that requests may name spans of it.

        Args:
            region: Name for it, unique on the machine.
            key: POSIX name, with its leading slash.
            size_bytes: Its length.

        Returns:
            False when the server may not or cannot map it: it is on another machine, wants a token that we do not
            have, or does not share ``/dev/shm`` with us. Then frames travel as bytes, and the first time a warning
            says why.

        A server that was started again has forgotten its regions; requests that wait for it register them anew.

        Raises:
            ServerError: The server does not answer.
        """
        if not is_local(self.address):
            self._warn_of_bytes("it is on another machine")
            return False
        self._regions[region] = key, size_bytes
        try:
            await self._map(region)
        except InferenceServerException as exc:
            raise self._translated(exc, f"registering {region}") from exc
        return region in self._mapped

    async def _map(self, region: str) -> None:
        """Register a region; where the server refuses, its content travels as bytes.

        Raises:
            InferenceServerException: The server does not answer.
        """
        try:
            await self._client.register_system_shared_memory(region, *self._regions[region], **self._call(guarded=True))
        except InferenceServerException as exc:
            guarded = ACCESS_TOKEN_HEADER in str(exc)
            if (exc.status() in GONE and not guarded) or exc.status() == "StatusCode.DEADLINE_EXCEEDED":
                raise
            if not is_mapped_already(exc):
                self._mapped.discard(region)
                self._warn_of_bytes("it wants a token that we do not have" if guarded else str(exc.message()))
                return
        if region in self._regions:  # it may have been taken back meanwhile
            self._mapped.add(region)

    def maps(self, region: str) -> bool:
        """Whether the server has mapped a region for this client."""
        return region in self._mapped

    def forget(self, region: str) -> None:
        """Register a region no more; the server is not asked."""
        self._regions.pop(region, None)
        self._mapped.discard(region)

    async def unregister(self, region: str) -> None:
        """Take a region back, whichever client registered it; nothing is done when the server does not have it.

        Triton lets go of a request's memory a moment after it has answered, so this waits while the region is in use.

        Raises:
            ServerError: The server does not answer, or goes on using the region.
        """
        self.forget(region)
        deadline = asyncio.get_running_loop().time() + _CONTROL_TIMEOUT_S
        while True:
            try:
                await self._client.unregister_system_shared_memory(region, **self._call(guarded=True))
            except InferenceServerException as exc:
                if ACCESS_TOKEN_HEADER in str(exc):  # no token: then nobody of ours can have registered it
                    return
                if _REGION_IN_USE not in str(exc):
                    raise self._translated(exc, f"unregistering {region}") from exc
                if asyncio.get_running_loop().time() >= deadline:
                    raise ServerError(
                        f"{self.address}: {region} is still in use after {_CONTROL_TIMEOUT_S:.0f} s",
                        hint="a request on it was given up and still runs; unlink the memory, but do not truncate it",
                    ) from exc
            else:
                return
            await asyncio.sleep(_RELEASE_POLL_S)

    async def infer(
        self,
        spec: EndpointSpec,
        inputs: Mapping[str, npt.NDArray[Any] | SharedTensor],
        parameters: Mapping[str, Parameter] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> dict[str, npt.NDArray[Any]]:
        """Send one request.

        Args:
            spec: The endpoint.
            inputs: For each of its inputs an array (n, ...), or the same with its place in shared memory.
            parameters: Request parameters; the endpoint says which it knows.
            timeout_s: The longest to wait; None for the client's own. After it the server may still be reading shared
                memory: do not write it again.

        Returns:
            Each output of the endpoint, by name; BYTES as object arrays of ``bytes``. The arrays are read-only.

        Raises:
            ContractError: An input is missing, not asked for, or of the wrong dtype or shape; or an output is.
            MLError: The model refused the request or failed on it; its message is in ours.
            ServerGoneError: The server or the model has gone, and did not come back.
            ServerError: The server has lost the region, or took too long.
        """
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        tensors = _named(spec, inputs)
        outputs = [triton_grpc.InferRequestedOutput(output.name) for output in spec.outputs]

        async def send() -> Any:
            return await self._client.infer(
                spec.model,
                [self._input(tensor, tensors[tensor.name]) for tensor in spec.inputs],
                outputs=outputs,
                client_timeout=limit_s,
                headers=self._headers or None,
                parameters=dict(parameters or {}),
            )

        answer = await self._patiently(spec.model, f"{spec.model} (limit {limit_s:g} s)", send)
        return {output.name: _output(spec, output, answer) for output in spec.outputs}

    async def _patiently(self, model: str, what: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """What ``call`` gives; called again when the server or the model was restarted meanwhile."""
        attempt = 1
        while True:
            try:
                return await call()
            except InferenceServerException as exc:
                outage = outage_of(exc)
                if outage is None or attempt == ATTEMPTS or self._patience_s <= 0:
                    raise self._translated(exc, what) from exc
                await self._wait_back(model, outage, attempt, self._translated(exc, what))
            attempt += 1

    async def _wait_back(self, model: str, outage: Outage, attempt: int, error: RumiAIError) -> None:
        """Return when the model can be asked again, with all regions registered.

        Raises:
            ServerGoneError: It has not come back in time.
        """
        LOG.info("%s; waiting for it (attempt %d of %d)", error.message, attempt, ATTEMPTS)
        if outage != "memory":
            await asyncio.sleep(delay_s(attempt))
            try:
                await self.wait_ready([model], self._patience_s)
            except ServerGoneError as exc:
                self._patience_s = 0.0
                raise ServerGoneError(f"{error.message}; {exc.message}", hint=exc.hint) from exc
        for region in list(self._regions):
            # The next attempt tells when the server has gone once more.
            with contextlib.suppress(InferenceServerException):
                await self._map(region)

    def _input(self, spec: TensorSpec, tensor: SharedTensor) -> Any:
        wire = triton_grpc.InferInput(spec.name, list(tensor.array.shape), spec.dtype)
        span = tensor.span
        if span is not None and span.region in self._mapped:
            wire.set_shared_memory(span.region, tensor.array.nbytes, span.offset_bytes)
        else:
            wire.set_data_from_numpy(tensor.array)
        return wire

    def _call(self, *, guarded: bool = False) -> dict[str, Any]:
        headers = dict(self._headers)
        if guarded and self._token:
            headers[ACCESS_TOKEN_HEADER] = self._token
        return {"headers": headers or None, "client_timeout": _CONTROL_TIMEOUT_S}

    def _warn_of_bytes(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            LOG.warning(
                "server %s: no shared memory (%s), so frames travel as bytes, which is slower", self.address, reason
            )

    def _translated(self, exc: InferenceServerException, what: str) -> RumiAIError:
        status, message, outage = exc.status(), exc.message(), outage_of(exc)
        if status == "StatusCode.DEADLINE_EXCEEDED":
            return ServerError(
                f"{self.address}: {what}: no answer in time", hint="it may be overloaded: allow it longer"
            )
        if outage == "server":
            return ServerGoneError(
                f"{self.address}: {what}: the server is gone or not ready: {message}", hint="see the log of the server"
            )
        if outage is not None or status == "StatusCode.NOT_FOUND":
            return ServerError(
                f"{self.address}: {what}: {message}",
                hint="the server was restarted, serves other models, or a model of it has died",
            )
        if status in ("StatusCode.UNAUTHENTICATED", "StatusCode.PERMISSION_DENIED"):
            return ServerError(f"{self.address}: {what}: {message}", hint="the gateway wants other credentials")
        return MLError(f"{what}: {message}")


def _named(spec: EndpointSpec, inputs: Mapping[str, npt.NDArray[Any] | SharedTensor]) -> dict[str, SharedTensor]:
    expected = [tensor.name for tensor in spec.inputs]
    if sorted(inputs) != sorted(expected):
        raise ContractError(f"{spec.model}: got inputs {sorted(inputs)}, expected {expected}")
    named = {}
    for tensor in spec.inputs:
        value = inputs[tensor.name]
        held = value if isinstance(value, SharedTensor) else SharedTensor(np.ascontiguousarray(value))
        _check(spec, tensor, held.array, "got input")
        named[tensor.name] = held
    return named


def _output(spec: EndpointSpec, tensor: TensorSpec, answer: Any) -> npt.NDArray[Any]:
    try:
        array = answer.as_numpy(tensor.name)
    except ValueError as exc:
        raise ContractError(f"{spec.model} returned a malformed {tensor.name}: {exc}") from exc
    if array is None:
        raise ContractError(f"{spec.model} returned no {tensor.name}")
    _check(spec, tensor, array, "returned")
    found: npt.NDArray[Any] = array
    return found


def _check(spec: EndpointSpec, tensor: TensorSpec, array: npt.NDArray[Any], verb: str) -> None:
    fits = array.ndim == 1 + len(tensor.dims) and all(
        want in (-1, got) for want, got in zip(tensor.dims, array.shape[1:], strict=True)
    )
    if not fits or array.dtype != NUMPY_DTYPES[tensor.dtype]:
        dims = ", ".join("any" if dim == -1 else str(dim) for dim in tensor.dims)
        raise ContractError(
            f"{spec.model} {verb} {tensor.name} {array.dtype} {array.shape}, expected {tensor.dtype} (n, {dims})"
        )
