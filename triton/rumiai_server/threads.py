"""Who gets which share of the processor: one plan, for 2 cores as for 64."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

# On a GPU an engine's CPU side is decoding, box grouping and Python: more threads only contend.
_GPU_HOST_THREADS: Final = 4


def usable_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0))


def threads_per_model(
    device: Literal["cpu", "cuda"], models: tuple[str, ...], instances: Mapping[str, int]
) -> dict[str, int]:
    """Threads of one instance of each model.

    On a CPU every model may use all cores that its own instances leave it: the models of one video do not all work at
    once (speech is read while frames are still being decoded), and a model that was held to a fixed share would leave
    cores idle. The threads of waiting models sleep (``OMP_WAIT_POLICY=PASSIVE``).
    """
    cores = usable_cores()
    if device == "cuda":
        return {model: min(cores, _GPU_HOST_THREADS) for model in models}
    return {model: max(1, cores // instances.get(model, 1)) for model in models}
