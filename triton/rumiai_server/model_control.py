"""Load and unload models of a running Triton, and try them out."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from rumiai.contracts.tensors import ACCESS_TOKEN_HEADER, ENDPOINTS, MIN_IMAGE_SIDE_PX
from rumiai.errors import ServerError
from rumiai_server.address import ServerAddress

# A trial request: for each kind of input the smallest shape that an engine runs on, with zeros in it.
_TRIAL_SHAPES: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {"IMAGES": (1, 4 * MIN_IMAGE_SIDE_PX, 4 * MIN_IMAGE_SIDE_PX, 3), "AUDIO": (1, 1600)}
)
# Requests of others wait before it.
_TRIAL_S: Final = 300.0
# One that nobody waits for; others may wait before it for as long as they like.
_LONGEST_TRIAL_S: Final = 3600.0
# Whisper takes ten seconds on two free cores; a busy machine takes a multiple.
_LOAD_S: Final = 900.0
_ASK_S: Final = 10.0


@dataclass
class SentTrial:
    """A trial request; ``answered`` once there is an answer, an error too."""

    answered: bool = False

    def take(self, result: object, error: object) -> None:
        """Take the answer; called from a thread of gRPC's."""
        self.answered = True


def _trial_inputs(model: str) -> list[Any]:
    inputs = []
    for spec in ENDPOINTS[model].inputs:
        array = np.zeros(_TRIAL_SHAPES[spec.name], triton_to_np_dtype(spec.dtype))
        tensor = triton_grpc.InferInput(spec.name, list(array.shape), spec.dtype)
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    return inputs


class ModelControl:
    """A connection to one tritonserver; used with ``with``, by one thread."""

    def __init__(self, address: ServerAddress) -> None:
        self._client: Any = triton_grpc.InferenceServerClient(address.grpc)
        self._headers = {ACCESS_TOKEN_HEADER: address.token}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def is_live(self) -> bool:
        """Whether the server answers within seconds; it does as soon as it has loaded what it can."""
        try:
            return bool(self._client.is_server_live(client_timeout=_ASK_S))
        except InferenceServerException:
            return False

    def not_loaded(self) -> dict[str, str]:
        """The models that Triton could not load, each with the reason.

        Raises:
            ServerError: The server does not answer.
        """
        index = self._ask(self._client.get_model_repository_index, headers=self._headers, client_timeout=_ASK_S)
        return {
            model.name: model.reason.splitlines()[0] if model.reason else model.state
            for model in index.models
            if model.state != "READY"
        }

    def instances(self, model: str) -> int:
        """How many processes the model has when all is well.

        Raises:
            ServerError: The server does not answer, or the model is not loaded.
        """
        answer = self._ask(self._client.get_model_config, model, client_timeout=_ASK_S)
        return sum(group.count * max(1, len(group.gpus)) for group in answer.config.instance_group)

    def unload(self, model: str) -> None:
        """Have Triton call the model not ready and forget it; requests to it are refused from here on.

        Raises:
            ServerError: The server does not answer.
        """
        self._ask(self._client.unload_model, model, headers=self._headers, client_timeout=_ASK_S)

    def load(self, model: str) -> None:
        """Have the model loaded, and wait for it. A model that is loaded already stays as it is.

        Raises:
            ServerError: It could not be loaded, or the server does not answer.
        """
        self._ask(self._client.load_model, model, headers=self._headers, client_timeout=_LOAD_S)

    def try_out(self, model: str) -> None:
        """Send the model a request.

        Raises:
            ServerError: It did not answer, or with an error.
        """
        self._ask(self._client.infer, model, _trial_inputs(model), client_timeout=_TRIAL_S)

    def send_trial(self, model: str) -> SentTrial:
        """Send the model a request, without waiting for the answer."""
        trial = SentTrial()
        with contextlib.suppress(InferenceServerException):
            self._client.async_infer(model, _trial_inputs(model), trial.take, client_timeout=_LONGEST_TRIAL_S)
            return trial
        trial.answered = True
        return trial

    def _ask(self, call: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except InferenceServerException as exc:
            raise ServerError(str(exc.message()).splitlines()[0]) from exc
