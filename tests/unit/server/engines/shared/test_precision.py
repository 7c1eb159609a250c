"""Devices and precisions by name."""

from __future__ import annotations

import pytest
import torch

from rumiai.errors import ConfigurationError
from rumiai_server.engines.shared.precision import reduced_dtype, resolve_device


def test_auto_is_cuda_exactly_when_torch_sees_it():
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_cpu_is_the_cpu():
    assert resolve_device(" CPU ") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:", "cuda:x", "cpu:0", "cudax"])
def test_other_names_are_refused_with_the_ones_there_are(name):
    with pytest.raises(ConfigurationError, match="expected one of auto, cpu, cuda or cuda:<index>"):
        resolve_device(name)


def test_a_cuda_device_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match=r"sees \d+ CUDA devices"):
        resolve_device("cuda:999")


def test_reduced_precision_follows_the_hardware():
    assert reduced_dtype(torch.device("cuda", 0)) is torch.float16
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        flags = lines.read()
    expected = torch.bfloat16 if "avx512_bf16" in flags or "amx_bf16" in flags else None
    assert reduced_dtype(torch.device("cpu")) is expected
    assert reduced_dtype(torch.device("meta")) is None
