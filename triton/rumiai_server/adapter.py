"""Shared by the ``model.py`` adapters: turn Triton's requests into an engine's items and its results into responses.

The caller passes ``pb_utils``. This module imports nothing of Triton, so that it can be tested without a server.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rumiai import weights
from rumiai.contracts import tensors
from rumiai.contracts.tensors import EndpointSpec
from rumiai.core.processes import end_with_parent
from rumiai.errors import ConfigurationError, RumiAIError

LOG = logging.getLogger("rumiai_server")

Outputs = Mapping[str, npt.NDArray[Any]]

# Parameters that Triton and its clients add to a request by themselves.
_TRITONS_OWN: Final = ("triton_", "sequence_", "priority", "timeout")


class BadRequestError(ValueError):
    """A malformed request, refused before the engine is called; its message goes to the caller."""


@dataclass(frozen=True)
class ModelSettings:
    """The ``parameters`` of ``config.pbtxt`` and where Triton put the instance."""

    values: Mapping[str, str]
    device: str

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> ModelSettings:
        """Read the ``args`` of ``TritonPythonModel.initialize``."""
        config = json.loads(args["model_config"])
        values = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
        on_gpu = args["model_instance_kind"] == "GPU"
        return cls(values, f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu")

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    @property
    def threads(self) -> int | None:
        """Threads of one instance; None for all cores."""
        return int(self.values.get("threads", "0")) or None

    def flag(self, key: str) -> bool:
        """A switch.

        Raises:
            ConfigurationError: Neither ``true`` nor ``false``.
        """
        value = self.values[key].lower()
        if value not in ("true", "false"):
            raise ConfigurationError(f"{key} in config.pbtxt: got {self.values[key]!r}, expected true or false")
        return value == "true"

    def weights(self, key: str) -> Path:
        """A verified file of the catalogue, or, when the value is an absolute path, that path."""
        value = self.values[key]
        return Path(value) if value.startswith("/") else weights.path(value)


def guard_process() -> None:
    """Call first in ``initialize``: end this model process with its server, and keep its memory to its user.

    Triton creates the pool, which holds the requests, with mode 0644 whatever the umask. And a model process whose
    server is killed during a request would go on for ever, with a gigabyte of memory.
    """
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        path = line.split(maxsplit=5)[-1]
        if path.startswith("/dev/shm/"):
            with contextlib.suppress(OSError):  # unlinked already, or another user's
                Path(path).chmod(0o600)
    end_with_parent(os.getppid())


def read_parameters(raw: str, spec: EndpointSpec) -> dict[str, Any]:
    """A request's parameters.

    Args:
        raw: ``request.parameters()``: a JSON object.
        spec: The endpoint; its ``parameters`` are the names that it knows.

    Raises:
        BadRequestError: An unknown name.
    """
    found: dict[str, Any] = json.loads(raw) if raw else {}
    own = {key: value for key, value in found.items() if not key.startswith(_TRITONS_OWN)}
    unknown = sorted(set(own) - set(spec.parameters))
    if unknown:
        raise BadRequestError(
            f"{spec.model}: unknown request parameter {', '.join(unknown)}; known: {', '.join(spec.parameters)}"
        )
    return own


def as_number(parameters: Mapping[str, Any], name: str, default: float) -> float:
    """A numeric parameter; clients without a float type send it as a string.

    Raises:
        BadRequestError: It is not a finite number.
    """
    value = parameters.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError) as exc:
        raise BadRequestError(f"parameter {name}: got {value!r}, expected a number") from exc
    if isinstance(value, bool) or not np.isfinite(number):
        raise BadRequestError(f"parameter {name}: got {value!r}, expected a finite number")
    return number


def as_int(parameters: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number, in whatever type the client could send it.

    Raises:
        BadRequestError: It is not one.
    """
    number = as_number(parameters, name, default)
    if not number.is_integer():
        raise BadRequestError(f"parameter {name}: got {parameters[name]!r}, expected a whole number")
    return int(number)


def as_bool(parameters: Mapping[str, Any], name: str, default: bool) -> bool:
    """A boolean parameter; ``"true"``, ``"false"``, 1 and 0 are taken too.

    Raises:
        BadRequestError: It is none of them.
    """
    value = parameters.get(name, default)
    words = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise BadRequestError(f"parameter {name}: got {value!r}, expected true or false")
    return words[str(value).lower()]


def check_images(images: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Validate the pictures of a request.

    Args:
        images: What the request carries.

    Returns:
        The same, (n, height, width, 3) uint8.

    Raises:
        BadRequestError: Wrong dtype or shape, empty, too small or too large.
    """
    if images.dtype != np.uint8:
        raise BadRequestError(f"IMAGES: got dtype {images.dtype}, expected uint8 (RGB, 0..255)")
    if images.ndim != 4 or images.shape[3] != 3:
        raise BadRequestError(f"IMAGES: got shape {images.shape}, expected (n, height, width, 3)")
    n, height, width, _ = images.shape
    low, high = tensors.MIN_IMAGE_SIDE_PX, tensors.MAX_IMAGE_SIDE_PX
    if not (low <= height <= high and low <= width <= high):
        raise BadRequestError(f"IMAGES: got {width} x {height} px, expected each side within {low}..{high} px")
    if not 1 <= n <= tensors.MAX_IMAGES_PER_REQUEST or images.nbytes > tensors.MAX_REQUEST_BYTES:
        raise BadRequestError(
            f"IMAGES: got {n} pictures of {images.nbytes} bytes in all, expected 1..{tensors.MAX_IMAGES_PER_REQUEST} "
            f"pictures and at most {tensors.MAX_REQUEST_BYTES} bytes a request; send several requests"
        )
    return images


def check_audio(audio: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Validate the track of a request.

    Args:
        audio: What the request carries.

    Returns:
        (samples,) float32.

    Raises:
        BadRequestError: Wrong dtype or shape, empty, too long, or not finite.
    """
    longest = int(tensors.MAX_AUDIO_S * tensors.AUDIO_SAMPLE_RATE_HZ)
    if audio.dtype != np.float32:
        raise BadRequestError(f"AUDIO: got dtype {audio.dtype}, expected float32 (mono, 16 kHz, -1..1)")
    if audio.ndim != 2 or audio.shape[0] != 1:
        raise BadRequestError(f"AUDIO: got shape {audio.shape}, expected (1, samples): one track a request")
    if not 1 <= audio.shape[1] <= longest:
        raise BadRequestError(
            f"AUDIO: got {audio.shape[1]} samples, expected 1..{longest} ({tensors.MAX_AUDIO_S:.0f} s at 16 kHz)"
        )
    if not np.isfinite(audio).all():
        raise BadRequestError("AUDIO: got NaN or infinite samples, expected finite ones within -1..1")
    track: npt.NDArray[np.float32] = audio[0]
    return track


def pad_rows(rows: Sequence[npt.NDArray[Any]], fill: float) -> npt.NDArray[Any]:
    """Stack arrays of different length along a new axis 0, padded at their end with ``fill``."""
    longest = max(len(row) for row in rows)
    out = np.full((len(rows), longest, *rows[0].shape[1:]), fill, dtype=rows[0].dtype)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def pad_columns(groups: Sequence[Sequence[npt.NDArray[np.float32]]], fill: float) -> list[npt.NDArray[np.float32]]:
    """Stack each group of vectors to (rows, longest of all groups), padded at their end with ``fill``."""
    longest = max((len(row) for rows in groups for row in rows), default=0)
    padded = []
    for rows in groups:
        out = np.full((len(rows), longest), fill, dtype=np.float32)
        for i, row in enumerate(rows):
            out[i, : len(row)] = row
        padded.append(out)
    return padded


def encoded(texts: Sequence[str]) -> npt.NDArray[np.object_]:
    """(n,) object: each as UTF-8, as Triton takes it."""
    return np.array([text.encode() for text in texts], dtype=np.object_)


def counts(rows: Sequence[Sequence[Any]]) -> npt.NDArray[np.int32]:
    """(n, 1) int32: how many rows are real."""
    return np.array([[len(row)] for row in rows], dtype=np.int32)


def execute(
    pb_utils: Any,
    requests: Sequence[Any],
    spec: EndpointSpec,
    parse: Callable[[npt.NDArray[Any], dict[str, Any]], Any],
    infer: Callable[[Sequence[Any]], Sequence[Any]],
    pack: Callable[[Any], Outputs],
) -> list[Any]:
    """Run one batch of requests. A request that is malformed or fails gets an error response, the others an answer.

    Args:
        pb_utils: Triton's module of that name.
        requests: What ``TritonPythonModel.execute`` was given.
        spec: The endpoint.
        parse: (input array, parameters) -> one item for the engine; ValueError or RumiAIError when it is no good.
        infer: The engine: items -> one result each, in order.
        pack: One result -> the output arrays by name.

    Returns:
        One response a request, in order.
    """
    responses: list[Any] = [None] * len(requests)
    items, places = [], []
    for i, request in enumerate(requests):
        try:
            tensor = pb_utils.get_input_tensor_by_name(request, spec.inputs[0].name)
            items.append(parse(tensor.as_numpy(), read_parameters(request.parameters(), spec)))
            places.append(i)
        except (ValueError, RumiAIError) as exc:
            responses[i] = _error(pb_utils, str(exc), pb_utils.TritonError.INVALID_ARG)
    for i, result in zip(places, _infer_all(infer, items, spec), strict=True):
        if isinstance(result, Exception):
            responses[i] = _error(pb_utils, f"{spec.model}: {result}", pb_utils.TritonError.INTERNAL)
        else:
            arrays = pack(result)
            outputs = [pb_utils.Tensor(output.name, arrays[output.name]) for output in spec.outputs]
            responses[i] = pb_utils.InferenceResponse(output_tensors=outputs)
    return responses


def _infer_all(infer: Callable[[Sequence[Any]], Sequence[Any]], items: list[Any], spec: EndpointSpec) -> Sequence[Any]:
    """Run the engine over all items; when that fails, over each alone, so that only the guilty one fails."""
    if not items:
        return []
    try:
        return infer(items)
    except Exception as exc:
        # A process boundary: an exception that escaped would fail the requests of all callers in the batch.
        LOG.exception("%s failed on a batch of %d", spec.model, len(items))
        if len(items) == 1:
            return [exc]
        return [_infer_all(infer, [item], spec)[0] for item in items]


def _error(pb_utils: Any, message: str, code: Any) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
