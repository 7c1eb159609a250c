"""CRAFT, EasyOCR's text detector, over batches of pictures of any shapes.

The network is EasyOCR's own class with EasyOCR's own weights. Pictures whose canvases have the same shape share a
forward pass, which is bounded in pixels so that memory does not grow with the request.
"""

from __future__ import annotations

import copy
import itertools
import pickle
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from easyocr.craft import CRAFT
from easyocr.detection import copyStateDict
from torch.nn.utils.fusion import fuse_conv_bn_eval

from rumiai.core.arrays import freeze_arrays
from rumiai.errors import WeightsError
from rumiai_server.engines.shared.cuda_graphs import CudaRecorder, Forward, GraphedForward
from rumiai_server.engines.shared.precision import reduced_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# ImageNet's mean and deviation per channel, as EasyOCR applies them to RGB of 0..255.
_MEAN = np.array([0.485 * 255.0, 0.456 * 255.0, 0.406 * 255.0], dtype=np.float32)
_DEVIATION = np.array([0.229 * 255.0, 0.224 * 255.0, 0.225 * 255.0], dtype=np.float32)
# CRAFT's input sides are multiples of this.
_SIDE_MULTIPLE_PX = 32
# A forward pass takes about 0.7 kB per pixel in float32. On a CPU larger batches gain nothing; a GPU needs them to be
# busy, and 24 frames of 1280 x 736 take about 16 GB in float32, half of it in float16.
_PIXELS_PER_FORWARD = {"cpu": 1 << 20, "cuda": 24 << 20}
# Each size as it is: a canvas is so much work that one more, computed for nothing, would cost more than the launches
# that are saved. Above eight, which is what the orchestrator sends at most, launches are nothing beside the work.
_GRAPHED_BATCHES = tuple(range(1, 9))


@dataclass(frozen=True)
class Canvas:
    """How one picture, or a part of it, goes into the detector.

    Attributes:
        picture: (h, w, 3) uint8 RGB.
        scale: Canvas pixels per picture pixel.
    """

    picture: NDArray[np.uint8]
    scale: float

    def __post_init__(self) -> None:
        freeze_arrays(self, picture=(np.uint8, "h", "w", 3))

    @property
    def content_shape(self) -> tuple[int, int]:
        """Height and width of the resized picture, in pixels; EasyOCR rounds down."""
        height, width = self.picture.shape[:2]
        return max(int(height * self.scale), 1), max(int(width * self.scale), 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the canvas, in pixels."""
        height, width = self.content_shape
        return _round_up(height), _round_up(width)

    def draw(self, out: NDArray[np.uint8]) -> None:
        """Resize the picture into the top left corner of ``out``, zeros elsewhere."""
        height, width = self.content_shape
        out[height:] = 0
        out[:, width:] = 0
        if (height, width) == self.picture.shape[:2]:
            out[:height, :width] = self.picture
        else:
            out[:height, :width] = cv2.resize(self.picture, (width, height), interpolation=cv2.INTER_LINEAR)


def canvas_scale(picture: NDArray[np.uint8], canvas_size: int, mag_ratio: float) -> float:
    """Canvas pixels per picture pixel under EasyOCR's rule: magnify, then bound the longest side."""
    longest = max(picture.shape[:2])
    return min(mag_ratio * longest, canvas_size) / longest


@dataclass(frozen=True)
class ScoreMaps:
    """CRAFT's answer for one canvas: (h / 2, w / 2) float32 maps of characters and of the links between them."""

    text: NDArray[np.float32]
    link: NDArray[np.float32]

    def __post_init__(self) -> None:
        freeze_arrays(self, text=(np.float32, "h", "w"), link=(np.float32, "h", "w"))


class CraftDetector:
    """The detector in both of its precisions.

    Args:
        path: EasyOCR's ``craft_mlt_25k.pth``.
        device: Where it runs.
        cuda_graphs: Replay the network in reduced precision as a CUDA graph; on a CPU it changes nothing.

    Raises:
        WeightsError: The file is missing, unreadable or not CRAFT's.
    """

    def __init__(self, path: Path, device: torch.device, *, cuda_graphs: bool = True) -> None:
        self.device = device
        exact = _load_craft(path).to(device)
        reduced, dtype = _reduce(copy.deepcopy(exact), device)
        self._exact: Forward = _Network(exact, torch.float32, torch.contiguous_format, device)
        self._reduced: Forward = _Network(reduced, dtype, torch.channels_last, device)
        self._graphs: GraphedForward | None = None
        if cuda_graphs and device.type == "cuda":
            self._reduced = self._graphs = GraphedForward(
                self._reduced, name="ocr detector", record=CudaRecorder(device), batch_sizes=_GRAPHED_BATCHES
            )

    @property
    def graphs(self) -> GraphedForward | None:
        """What replays the network in reduced precision; None where nothing does: on a CPU, or switched off."""
        return self._graphs

    def score(self, canvases: Sequence[Canvas], *, exact: bool) -> Iterator[tuple[int, ScoreMaps]]:
        """Run the network over all canvases.

        Args:
            canvases: Any shapes, any number.
            exact: In float32 with upstream's layer order; otherwise in the device's reduced precision.

        Yields:
            Index into ``canvases`` and its maps, each index once, in no particular order. On a GPU the next batch
            is already running while the caller works on this one.
        """
        pending: tuple[list[int], torch.Tensor, torch.cuda.Event | None] | None = None
        for chunk in self._chunks(canvases):
            started = chunk, *self._forward([canvases[index] for index in chunk], exact)
            if pending is not None:
                yield from _collect(*pending)
            pending = started
        if pending is not None:
            yield from _collect(*pending)

    def _chunks(self, canvases: Sequence[Canvas]) -> Iterator[list[int]]:
        by_shape: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for index, canvas in enumerate(canvases):
            by_shape[canvas.shape].append(index)
        budget = _PIXELS_PER_FORWARD[self.device.type]
        for (height, width), indices in by_shape.items():
            size = max(budget // (height * width), 1)
            for start in range(0, len(indices), size):
                yield indices[start : start + size]

    @torch.inference_mode()
    def _forward(self, canvases: Sequence[Canvas], exact: bool) -> tuple[torch.Tensor, torch.cuda.Event | None]:
        on_gpu = self.device.type == "cuda"
        pixels = torch.empty((len(canvases), *canvases[0].shape, 3), dtype=torch.uint8, pin_memory=on_gpu)
        for canvas, out in zip(canvases, pixels.numpy(), strict=True):
            canvas.draw(out)
        batch = pixels.to(self.device, non_blocking=True)
        if exact:
            # cuDNN would otherwise round float32 to TF32's ten bits; and flags() switches cuDNN off unless told not to.
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                (scores,) = self._exact(batch)
        else:
            (scores,) = self._reduced(batch)
        if not on_gpu:
            return scores, None
        # The next replay writes to where these scores lie, perhaps before they are collected. But it comes after this
        # copy on the same stream, and the copy has memory of its own.
        host = torch.empty(scores.shape, dtype=torch.float32, pin_memory=True)
        host.copy_(scores, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.device))
        return host, event


class _Network:
    """CRAFT in one precision, from pixels to scores: a function of one tensor, as a CUDA graph needs it."""

    def __init__(
        self, net: CRAFT, dtype: torch.dtype, memory_format: torch.memory_format, device: torch.device
    ) -> None:
        self._net = net
        self._dtype = dtype
        self._memory_format = memory_format
        # Here, because a copy from the host cannot be part of a graph.
        self._mean = torch.from_numpy(_MEAN).to(device)
        self._deviation = torch.from_numpy(_DEVIATION).to(device)

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor]:
        """From (n, h, w, 3) uint8 RGB to (n, h / 2, w / 2, 2) float32."""
        batch = pixels.to(torch.float32).flip(3)  # to the BGR that EasyOCR hands to the network, see ocr.py
        batch = batch.sub_(self._mean).div_(self._deviation).permute(0, 3, 1, 2)
        return (self._net(batch.to(self._dtype, memory_format=self._memory_format))[0].to(torch.float32),)


def _collect(
    indices: list[int], scores: torch.Tensor, event: torch.cuda.Event | None
) -> Iterator[tuple[int, ScoreMaps]]:
    if event is not None:
        event.synchronize()
    for index, maps in zip(indices, scores.numpy(), strict=True):
        yield index, ScoreMaps(np.ascontiguousarray(maps[:, :, 0]), np.ascontiguousarray(maps[:, :, 1]))


def _round_up(side_px: int) -> int:
    return -(-side_px // _SIDE_MULTIPLE_PX) * _SIDE_MULTIPLE_PX


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """Read one of EasyOCR's checkpoints without running code from it.

    Raises:
        WeightsError: The file is missing or is no checkpoint of plain tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as exc:
        raise WeightsError(
            f"{path}: not a readable checkpoint: {exc}", hint="run `rumiai-triton weights fetch`"
        ) from exc
    return dict(copyStateDict(state))


def _load_craft(path: Path) -> CRAFT:
    state = load_state(path)
    net = CRAFT()
    try:
        net.load_state_dict(state)
    except RuntimeError as exc:
        raise WeightsError(
            f"{path}: not the weights of CRAFT: {exc}", hint="run `rumiai-triton weights fetch`"
        ) from exc
    return net.eval().requires_grad_(False)


def _reduce(net: CRAFT, device: torch.device) -> tuple[CRAFT, torch.dtype]:
    """Fold the batch norms into the convolutions, and use the precision and layout that ``device`` is fastest in."""
    for module in list(net.modules()):
        if isinstance(module, torch.nn.Sequential):
            fold_batch_norms(module)
    dtype = reduced_dtype(device) or torch.float32
    return net.to(device=device, dtype=dtype, memory_format=torch.channels_last), dtype


def fold_batch_norms(layers: torch.nn.Sequential) -> None:
    """Replace each convolution that a batch norm follows by one that does the work of both."""
    names = list(layers._modules)
    for name, following in itertools.pairwise(names):
        first, second = layers._modules[name], layers._modules[following]
        if isinstance(first, torch.nn.Conv2d) and isinstance(second, torch.nn.BatchNorm2d):
            layers._modules[name] = fuse_conv_bn_eval(first, second)
            layers._modules[following] = torch.nn.Identity()
