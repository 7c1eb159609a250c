"""One of PaddleOCR's networks, by ONNX Runtime in float32 or by torch in the device's reduced precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as failures  # type: ignore[import-untyped]

from rumiai.errors import WeightsError
from rumiai_server.engines.ocr.ppocr.graph import TorchGraph
from rumiai_server.engines.shared.precision import reduced_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx
    from numpy.typing import NDArray


class Network(Protocol):
    """From float32 (n, 3, h, w) to its results in float32, row i of each from row i of the batch."""

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Run it."""


class OrtNetwork:
    """The network by ONNX Runtime in float32, on the thread that calls it and ``threads - 1`` others.

    Args:
        model: The network.
        outputs: Names of the results.
        threads: Of one run.

    Raises:
        WeightsError: ONNX Runtime cannot run it.
    """

    def __init__(self, model: onnx.ModelProto, outputs: Sequence[str], threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin between operations take the cores of the other models.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except (failures.Fail, failures.InvalidArgument, failures.InvalidGraph, failures.InvalidProtobuf) as exc:
            raise WeightsError(f"not a network that ONNX Runtime runs: {exc}") from exc
        self._outputs = list(outputs)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Run it."""
        return tuple(self._session.run(self._outputs, {self._input: batch}))


class TorchNetwork:
    """The network by torch, in the precision that the device is fastest in.

    Args:
        model: The network.
        outputs: Names of the results.
        device: Where it runs.

    Raises:
        WeightsError: It holds an unknown operation.
    """

    def __init__(self, model: onnx.ModelProto, outputs: Sequence[str], device: torch.device) -> None:
        self._graph = TorchGraph(model, device, reduced_dtype(device) or torch.float32, outputs)

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Run it."""
        return tuple(result.float().cpu().numpy() for result in self._graph(torch.from_numpy(batch)))


def fast_network(model: onnx.ModelProto, outputs: Sequence[str], device: torch.device, *, few_shapes: bool) -> Network:
    """What is fastest on ``device``, on the thread that calls it.

    That is torch where it has a reduced precision, unless inputs of many shapes come to a CPU: oneDNN prepares every
    operation anew for each shape, which costs more than it saves. ONNX Runtime takes all shapes alike.
    """
    if reduced_dtype(device) is None or (device.type == "cpu" and not few_shapes):
        return OrtNetwork(model, outputs, threads=1)
    return TorchNetwork(model, outputs, device)
