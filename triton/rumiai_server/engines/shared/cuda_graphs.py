"""CUDA graphs: record the kernel launches of a forward pass once for each input shape, and replay them as one launch.

A small network is hundreds of short kernels, and Python needs longer to launch them than the device to run them. A
replay costs one launch, whatever is in the graph. It reads and writes the memory that the recording used. Inputs are
therefore copied into a buffer that stays, and the next replay overwrites the outputs.

Only :class:`CudaRecorder` uses CUDA. The bookkeeping runs on any device with another :data:`Recorder`.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import torch

LOG = logging.getLogger("rumiai_server")

Outputs = tuple[torch.Tensor, ...]
Forward = Callable[[torch.Tensor], Outputs]

# A recording costs several forward passes and empties the allocator's cache. A shape that comes once (an odd picture, a
# video's last batch) is not worth it; one that came twice is expected again.
GRAPH_FROM_USE: Final = 2
# Nine batch sizes of the shape that most videos share, and seven of others. Each graph holds its inputs and outputs,
# 0.2 GB for YOLO's largest batch (64 of 640 x 384); intermediate results share one pool.
_MAX_GRAPHS: Final = 16
# Shapes that are counted but not recorded yet. Any client may send any shape, so their number is bounded.
_MAX_COUNTED: Final = 64
# As torch.cuda.make_graphed_callables does it.
_WARM_UP_RUNS: Final = 3
# torch allows one capture at a time in a process.
_CAPTURING: Final = threading.Lock()


class Recording(Protocol):
    """A recorded forward pass over one input buffer."""

    @property
    def outputs(self) -> Outputs:
        """The results of the last replay, always in the same memory."""

    def replay(self) -> None:
        """Run the pass on the present content of the input buffer."""


# Runs the given pass as often as it needs to, and records it.
Recorder = Callable[[Callable[[], Outputs]], Recording]


@dataclass(frozen=True)
class _CudaRecording:
    graph: torch.cuda.CUDAGraph
    outputs: Outputs

    def replay(self) -> None:
        self.graph.replay()  # on the device's current stream


class CudaRecorder:
    """Records on one CUDA device.

    Its recordings share a memory pool: one's intermediate results lie where another's intermediate results and outputs
    are. That is safe while they are replayed on one stream and nobody reads a recording's outputs after the replay of
    any other, which is what :class:`GraphedForward` asks of its callers.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # the default one cannot be captured
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], Outputs]) -> Recording:
        """Record.

        Raises:
            RuntimeError: ``run`` did what cannot be captured, such as waiting for the device, or memory ran out.
        """
        graph = torch.cuda.CUDAGraph()
        with _CAPTURING, torch.cuda.device(self._device):
            caller = torch.cuda.current_stream()
            self._stream.wait_stream(caller)  # which has yet to fill the inputs
            # This outer context puts the caller's stream back also where torch's own does not, when a capture fails.
            with torch.cuda.stream(self._stream):
                # Libraries set themselves up for a stream in their first runs on it, which cannot be captured.
                for _ in range(_WARM_UP_RUNS):
                    run()
                # Another thread may allocate meanwhile: only this one must not do what cannot be captured.
                with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
                    outputs = run()
            caller.wait_stream(self._stream)
        return _CudaRecording(graph, outputs)


@dataclass(frozen=True)
class _Graph:
    inputs: torch.Tensor
    recording: Recording

    def replay(self, x: torch.Tensor) -> Outputs:
        self.inputs[: len(x)].copy_(x, non_blocking=True)
        self.recording.replay()
        return tuple(output[: len(x)] for output in self.recording.outputs)


class GraphedForward:
    """A forward pass that is replayed for the shapes that come again, and called for all others.

    Not thread-safe, as the engines are not: one thread calls it, always with the same current stream.

    When a recording fails, there are no more: those made are dropped, so that their memory is free, and every call
    goes to ``forward``. The reason is logged once and stays in :attr:`failure`.

    Args:
        forward: From a batch to any number of tensors. Row i of each must depend on row i of the batch alone, it must
            not write to the batch, and launch the same kernels for every batch of one shape.
        name: Of the network, for the log.
        record: How to record.
        batch_sizes: Ascending. A batch is filled up to the next of them; one larger than the last is not recorded.
        memory_format: In which the batch is handed to ``forward``.
        max_graphs: More recordings than this are not kept; the least recently used goes.
    """

    def __init__(
        self,
        forward: Forward,
        *,
        name: str,
        record: Recorder,
        batch_sizes: tuple[int, ...],
        memory_format: torch.memory_format = torch.contiguous_format,
        max_graphs: int = _MAX_GRAPHS,
    ) -> None:
        self.forward: Final = forward
        self._name = name
        self._record = record
        self._batch_sizes = batch_sizes
        self._memory_format = memory_format
        self._max_graphs = max_graphs
        self._graphs: OrderedDict[tuple[object, ...], _Graph] = OrderedDict()  # the least recently used first
        self._uses: OrderedDict[tuple[object, ...], int] = OrderedDict()
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """Why nothing is recorded any more; None while all is well."""
        return self._failure

    @property
    def recorded(self) -> int:
        """How many recordings there are now."""
        return len(self._graphs)

    @torch.inference_mode()
    def __call__(self, x: torch.Tensor) -> Outputs:
        """Run the network.

        Args:
            x: (n, ...) on the device.

        Returns:
            What ``forward`` returns, n rows each. Valid until the next call: what is to be kept must be copied before,
            and a copy that was started on the current stream is early enough, since the replay comes after it there.
        """
        position = bisect_left(self._batch_sizes, len(x))
        if self._failure is not None or position == len(self._batch_sizes):
            return self.forward(x)
        size = self._batch_sizes[position]
        key = (size, *x.shape[1:], x.dtype)
        if key in self._graphs:
            self._graphs.move_to_end(key)
            return self._graphs[key].replay(x)
        if self._comes_again(key):
            outputs = self._record_and_replay(key, size, x)
            if outputs is not None:
                return outputs
        return self.forward(x)

    def _comes_again(self, key: tuple[object, ...]) -> bool:
        """Count this use; whether it is time to record."""
        self._uses[key] = uses = self._uses.pop(key, 0) + 1
        if uses >= GRAPH_FROM_USE:
            del self._uses[key]  # should its graph go, it must earn the next one
            return True
        if len(self._uses) > _MAX_COUNTED:
            self._uses.popitem(last=False)
        return False

    def _record_and_replay(self, key: tuple[object, ...], size: int, x: torch.Tensor) -> Outputs | None:
        """Record for batches of that size and answer this one; None when that failed."""
        try:
            shape = (size, *x.shape[1:])
            # Zeros: rows that nobody has filled yet are computed too.
            inputs = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=self._memory_format).zero_()
            graph = _Graph(inputs, self._record(partial(self.forward, inputs)))
            # Here, because a first replay takes memory as well.
            outputs = graph.replay(x)
        except RuntimeError as exc:  # torch's OutOfMemoryError and AcceleratorError are of this kind
            self._failure = f"{type(exc).__name__}: {exc}"
            LOG.warning("%s: no CUDA graphs from here on, recording %s failed: %s", self._name, key, self._failure)
            self._graphs.clear()
            return None
        self._graphs[key] = graph
        # After recording, never before: a pool that its last graph has left cannot be recorded into again.
        if len(self._graphs) > self._max_graphs:
            self._graphs.popitem(last=False)
        return outputs
