"""Which device an engine runs on, and in which reduced precision its fast mode may compute there."""

from __future__ import annotations

from functools import lru_cache

import torch

from rumiai.errors import ConfigurationError

DEVICE_NAMES = ("auto", "cpu", "cuda")


def resolve_device(name: str) -> torch.device:
    """Turn a setting into a device.

    Args:
        name: ``auto`` (CUDA when torch sees a device, else the CPU), ``cpu``, ``cuda`` or ``cuda:<index>``.

    Raises:
        ConfigurationError: The name is none of these, or names a CUDA device that torch does not see.
    """
    text = name.strip().lower()
    visible = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if text == "auto":
        return torch.device("cuda", 0) if visible else torch.device("cpu")
    if text == "cpu":
        return torch.device("cpu")
    kind, _, index = text.partition(":")
    if kind != "cuda" or (":" in text and not index.isdecimal()):
        raise ConfigurationError(f"device: got {name!r}, expected one of {', '.join(DEVICE_NAMES)} or cuda:<index>")
    ordinal = int(index or 0)
    if ordinal >= visible:
        raise ConfigurationError(
            f"device: got {name!r}, but torch {torch.__version__} sees {visible} CUDA devices",
            hint="choose device 'auto' or 'cpu', or install a driver and a CUDA build of torch",
        )
    return torch.device("cuda", ordinal)


@lru_cache(maxsize=1)
def _cpu_flags() -> frozenset[str]:
    # torch tells whether bf16 runs, not whether it runs in hardware; emulated it is slower than fp32.
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith("flags"):
                    return frozenset(line.partition(":")[2].split())
    except OSError:
        pass
    return frozenset()


def reduced_dtype(device: torch.device) -> torch.dtype | None:
    """The reduced precision that is faster than float32 on ``device``; None when there is none.

    fp16 on CUDA; bf16 on CPUs whose instruction set multiplies it (avx512_bf16 or amx_bf16).
    """
    if device.type == "cuda":
        return torch.float16
    if device.type == "cpu" and _cpu_flags() & {"avx512_bf16", "amx_bf16"}:
        return torch.bfloat16
    return None
