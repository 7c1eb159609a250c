"""YOLO object detection: batches of pictures in, boxes out. No Triton in here.

Two modes. ``strict`` is ultralytics' own way from picture to boxes, in float32, and equals
``ultralytics.YOLO(weights).predict``. ``fast`` pads to the next multiple of the stride only (a 9:16 picture becomes
640 x 384 instead of 640 x 640), computes in the device's reduced precision, and decodes nothing but the anchors above
the confidence threshold, in float32.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as torch_f
import torchvision
from ultralytics.data.augment import LetterBox
from ultralytics.utils import nms, ops

from rumiai.contracts import tensors
from rumiai.errors import ContractError
from rumiai_server.engines.shared.cpu_pool import CpuPool
from rumiai_server.engines.shared.cuda_graphs import GRAPH_FROM_USE, CudaRecorder, Forward, GraphedForward
from rumiai_server.engines.shared.precision import reduced_dtype, resolve_device
from rumiai_server.engines.yolo.types import Detections, YoloParams
from rumiai_server.engines.yolo.weights import load_yolo

__all__ = [
    "Detections",
    "Letterbox",
    "YoloEngine",
    "YoloParams",
    "letterbox_on_cpu",
    "letterbox_on_device",
    "network_outputs",
    "strongest",
]

# CPU: time per picture is flat from 8 on, memory is not. CUDA: a small network needs many pictures to fill a device.
_BATCH_SIZE: Final = {"cpu": 8, "cuda": 64}
# Pictures that one thread of the pool takes at once: with two the time per picture is that of four, with one it is a
# tenth more.
_PICTURES_PER_THREAD: Final = 2
# The orchestrator sends eight frames a request, so large batches are mostly multiples of eight. A batch is filled up to
# the next of these sizes: up to eight the device is idle anyway, above it the filling is smaller than the batch.
_GRAPHED_BATCHES: Final = (1, 2, 4, 8, 16, 24, 32, 48, 64)
# Bytes of pixels of a batch; as float16 on a device they take up twice that, whatever the size of the pictures.
_MAX_BATCH_BYTES: Final = 256 * 2**20
# The grey that ultralytics trains and pads with.
_PADDING: Final = 114
# Upstream's predictor leaves max_nms at this many candidates a picture.
_MAX_CANDIDATES: Final = 30_000

Images = npt.NDArray[np.uint8]


class Letterbox(NamedTuple):
    """Where a picture of height x width lies inside the network's input; all in pixels.

    The picture is scaled to inner_height x inner_width and padded to input_height x input_width, ``top`` and ``left``
    being the padding before it.
    """

    height: int
    width: int
    inner_height: int
    inner_width: int
    top: int
    left: int
    input_height: int
    input_width: int

    @classmethod
    def of(cls, height: int, width: int, size_px: int, stride_px: int) -> Letterbox:
        """Longer side scaled to ``size_px``, both padded to the next multiple of the stride, picture in the middle."""
        gain = min(size_px / height, size_px / width)
        inner_h, inner_w = max(round(height * gain), 1), max(round(width * gain), 1)
        pad_h, pad_w = (size_px - inner_h) % stride_px, (size_px - inner_w) % stride_px
        top, left = round(pad_h / 2 - 0.1), round(pad_w / 2 - 0.1)  # as LetterBox rounds
        return cls(height, width, inner_h, inner_w, top, left, inner_h + pad_h, inner_w + pad_w)


class _Job(NamedTuple):
    request: int
    frame: int
    image: Images


class YoloEngine:
    """A detector on one device.

    Not thread-safe: one thread calls one engine.

    Args:
        weights: ultralytics ``.pt`` or ``.onnx``; see ``load_yolo``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.
        threads: Threads of the process for torch on the CPU; None leaves torch's own choice.
        cuda_graphs: Replay the network of ``fast`` mode as a CUDA graph; on a CPU it changes nothing.

    Raises:
        ConfigurationError: The device is not there.
        WeightsError: The file is not a detector that can be read.
    """

    def __init__(
        self, weights: Path, *, device: str = "auto", threads: int | None = None, cuda_graphs: bool = True
    ) -> None:
        self._device = resolve_device(device)
        if threads is not None:
            torch.set_num_threads(threads)
        self._model = load_yolo(weights)
        self._dtype = reduced_dtype(self._device) or torch.float32
        module: Any = self._model.module
        self._strict = module.to(self._device)
        # A copy in the reduced precision; channels last is what oneDNN's and cuDNN's convolutions want (1.4x on CPU).
        fast = copy.deepcopy(self._strict).to(self._dtype)
        fast = fast.to(memory_format=torch.channels_last)
        head = self._strict.model[-1]
        self._reg_max: int = head.reg_max
        self._strides = tuple(int(stride) for stride in head.stride.tolist())
        self._forward: Forward = partial(network_outputs, fast)
        self._graphs: GraphedForward | None = None
        if cuda_graphs and self._device.type == "cuda":
            self._forward = self._graphs = GraphedForward(
                self._forward,
                name="yolo",
                record=CudaRecorder(self._device),
                batch_sizes=_GRAPHED_BATCHES,
                memory_format=torch.channels_last,
            )
        self._pool = CpuPool(torch.get_num_threads()) if self._device.type == "cpu" else None

    @property
    def names(self) -> tuple[str, ...]:
        """Class names by index."""
        return self._model.names

    @property
    def device(self) -> torch.device:
        """Where the engine computes."""
        return self._device

    @property
    def graphs(self) -> GraphedForward | None:
        """What replays the network of ``fast`` mode; None where nothing does: on a CPU, or switched off."""
        return self._graphs

    def warm_up(self, shapes: Sequence[tuple[int, int, int]]) -> None:
        """Run (n, height, width) pictures, so that no request pays for the choice of kernels or a graph's recording."""
        for n, height, width in shapes:
            for _ in range(GRAPH_FROM_USE if self._graphs else 1):
                self.detect([(np.zeros((n, height, width, 3), np.uint8), YoloParams())])

    def detect(self, items: Sequence[tuple[Images, YoloParams]]) -> list[list[Detections]]:
        """Find objects.

        Args:
            items: Requests, each (n, height, width, 3) uint8 RGB with its parameters. Pictures of equal size and
                parameters share batches whatever request they come from.

        Returns:
            For each request, in order, one ``Detections`` for each of its pictures, in order.

        Raises:
            ContractError: A request is not an array of that dtype and shape, or its pictures are too small or large.
        """
        answers: list[list[Detections | None]] = []
        groups: dict[tuple[int, int, YoloParams], list[_Job]] = {}
        for index, (images, params) in enumerate(items):
            _check(images)
            answers.append([None] * len(images))
            for frame, image in enumerate(images):
                groups.setdefault((images.shape[1], images.shape[2], params), []).append(_Job(index, frame, image))
        for (_, _, params), jobs in groups.items():
            for job, detections in zip(jobs, self._run([job.image for job in jobs], params), strict=True):
                answers[job.request][job.frame] = detections
        return [[d for d in answer if d is not None] for answer in answers]

    def _run(self, images: list[Images], params: YoloParams) -> Iterator[Detections]:
        """Pictures of one shape, in batches: on a CPU those of ``fast`` side by side."""
        fast = params.mode == "fast"
        pool = self._pool if fast else None
        most = _PICTURES_PER_THREAD if pool else _BATCH_SIZE[self._device.type]
        size = max(1, min(most, _MAX_BATCH_BYTES // images[0].nbytes))
        batches = [images[start : start + size] for start in range(0, len(images), size)]
        run = partial(self._run_fast if fast else self._run_strict, params=params)
        return chain.from_iterable(pool.map(run, batches) if pool else map(run, batches))

    @torch.inference_mode()
    def _run_strict(self, images: list[Images], params: YoloParams) -> list[Detections]:
        size = self._model.image_size_px
        letterbox = LetterBox((size, size), auto=not self._model.square, stride=self._model.stride_px)
        batch = torch.from_numpy(np.stack([letterbox(image=image) for image in images])).to(self._device)
        x = batch.permute(0, 3, 1, 2).contiguous().float().div_(255)
        # Upstream skips the pictures left after a time limit, which a busy machine soon reaches.
        found = nms.non_max_suppression(
            self._strict(x), params.conf, params.iou, max_det=params.max_det, max_time_img=float("inf")
        )
        out = []
        for rows in found:
            ops.scale_boxes(x.shape[2:], rows[:, :4], images[0].shape)
            out.append(_detections(rows.cpu().numpy()))
        return out

    @torch.inference_mode()
    def _run_fast(self, images: list[Images], params: YoloParams) -> list[Detections]:
        height, width = images[0].shape[:2]
        box = Letterbox.of(height, width, self._model.image_size_px, self._model.stride_px)
        if self._device.type == "cpu":
            x = torch.from_numpy(letterbox_on_cpu(images, box)).permute(0, 3, 1, 2)
        else:
            host = torch.empty((len(images), height, width, 3), dtype=torch.uint8, pin_memory=True)
            np.stack(images, out=host.numpy())
            x = letterbox_on_device(host.to(self._device, non_blocking=True), box)
        # Bytes are exact in either reduced precision, so dividing there rounds once, as dividing before would.
        x = x.to(self._dtype, memory_format=torch.channels_last).div_(255)
        rows = self._decode(self._forward(x), _anchors(*x.shape[2:], self._strides, self._device), params)
        rows[:, 0:4:2].sub_(box.left).mul_(width / box.inner_width).clamp_(0, width)
        rows[:, 1:4:2].sub_(box.top).mul_(height / box.inner_height).clamp_(0, height)
        table = rows.cpu().numpy()
        of_image = [table[table[:, 6] == i] for i in range(len(images))]
        return [_detections(found[: params.max_det]) for found in of_image]

    def _decode(self, outputs: tuple[torch.Tensor, ...], anchors: torch.Tensor, params: YoloParams) -> torch.Tensor:
        """Decode the anchors above the threshold.

        Their number depends on the pictures, so that this part cannot be recorded as a CUDA graph.

        Args:
            outputs: Of :func:`network_outputs`; not needed any more afterwards.
            anchors: Of :func:`_anchors`.
            params: What the request chose.

        Returns:
            (m, 7) float32: x1, y1, x2, y2 in pixels of the input, score, class, index of the picture; after
            suppression, scores descending.
        """
        best, logits, sides = outputs
        threshold = torch.logit(torch.tensor(params.conf)).item()  # -inf at 0, inf at 1
        picture, anchor = (best.float() > threshold).nonzero(as_tuple=True)
        score, class_id = logits[picture, anchor].float().sigmoid().max(-1)
        # Each side's distance from the anchor is the mean of a distribution over 0 .. reg_max - 1 strides.
        bins = torch.arange(self._reg_max, device=best.device, dtype=torch.float32)
        distance = sides[picture, anchor].float().view(-1, 4, self._reg_max).softmax(-1) @ bins
        centre, stride = torch.split(anchors[anchor], [2, 1], 1)
        corners = torch.cat((centre - distance[:, :2], centre + distance[:, 2:]), 1) * stride
        rows = torch.cat((corners, torch.stack((score, class_id, picture), 1)), 1)
        if len(rows) > _MAX_CANDIDATES * len(best):
            rows = rows[rows[:, 4].topk(_MAX_CANDIDATES * len(best)).indices]
        return rows[strongest(rows, len(self.names), params.iou)]


def strongest(rows: torch.Tensor, classes: int, iou: float) -> torch.Tensor:
    """Non-maximum suppression among the objects of one class on one picture.

    Args:
        rows: (m, 7) x1, y1, x2, y2, score, class, picture.
        classes: How many classes there are.
        iou: Of two boxes that overlap by more than this, the weaker is dropped.

    Returns:
        (k,) int64, the rows that stay, the highest score first.
    """
    kind = (rows[:, 6] * classes + rows[:, 5]).long()
    # torchvision shifts the boxes of each class and picture apart, in a large batch by millions of pixels. There
    # float32 would round them to a quarter of a pixel.
    kept: torch.Tensor = torchvision.ops.batched_nms(rows[:, :4].double(), rows[:, 4].double(), kind, iou)
    return kept


def _check(images: Images) -> None:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        got = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise ContractError(f"images: got {got}, expected uint8 (n, height, width, 3) RGB")
    sides = images.shape[1:3]
    if min(sides) < tensors.MIN_IMAGE_SIDE_PX or max(sides) > tensors.MAX_IMAGE_SIDE_PX:
        raise ContractError(
            f"images: got {sides[1]} x {sides[0]} px, expected sides from {tensors.MIN_IMAGE_SIDE_PX} to "
            f"{tensors.MAX_IMAGE_SIDE_PX} px"
        )


def letterbox_on_cpu(images: Sequence[Images], box: Letterbox) -> Images:
    """Scale and pad with OpenCV, whose bilinear filter on bytes is the fastest there is, and upstream's own.

    Args:
        images: Each (height, width, 3) uint8.
        box: Of pictures of that size.

    Returns:
        (n, input_height, input_width, 3) uint8.
    """
    canvas = np.full((len(images), box.input_height, box.input_width, 3), _PADDING, np.uint8)
    size = (box.inner_width, box.inner_height)
    for row, image in zip(canvas, images, strict=True):
        inner = row[box.top : box.top + box.inner_height, box.left : box.left + box.inner_width]
        inner[:] = image if image.shape[1::-1] == size else cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return canvas


def letterbox_on_device(pixels: torch.Tensor, box: Letterbox) -> torch.Tensor:
    """Scale and pad where the pixels are.

    Args:
        pixels: (n, height, width, 3) uint8, on any device.
        box: Of pictures of that size.

    Returns:
        (n, 3, input_height, input_width), 0..255: float16 on CUDA, float32 elsewhere.
    """
    x = pixels.permute(0, 3, 1, 2).to(torch.float16 if pixels.is_cuda else torch.float32)
    if (box.inner_height, box.inner_width) != (box.height, box.width):
        x = torch_f.interpolate(x, size=(box.inner_height, box.inner_width), mode="bilinear", align_corners=False)
    right = box.input_width - box.inner_width - box.left
    bottom = box.input_height - box.inner_height - box.top
    return torch_f.pad(x, (box.left, right, box.top, bottom), value=_PADDING)


def network_outputs(model: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Run the network up to the raw outputs of its head, whose shapes do not depend on the picture.

    Upstream's own forward goes on to decode every anchor.

    Args:
        model: ultralytics' DetectionModel.
        x: (n, 3, h, w), channels last.

    Returns:
        For every anchor (level by level, row by row) its best logit (n, a), the logits of all classes (n, a, classes)
        and the distributions of its four sides (n, a, 4 * reg_max).
    """
    head = model.model[-1]
    logits: list[torch.Tensor] = []
    sides: list[torch.Tensor] = []
    for level, features in enumerate(_features(model, x)):
        for part, kept in ((head.cv3, logits), (head.cv2, sides)):
            kept.append(part[level](features).permute(0, 2, 3, 1).flatten(1, 2))  # no copy in channels last
    scores = torch.cat(logits, 1)
    return scores.amax(-1), scores, torch.cat(sides, 1)


@lru_cache(maxsize=32)  # one entry for each input shape and device
def _anchors(height: int, width: int, strides: tuple[int, ...], device: torch.device) -> torch.Tensor:
    """(a, 3) float32, in :func:`network_outputs`' order: x and y of the centre in strides, the stride in pixels."""
    levels = []
    for stride in strides:
        rows, columns = height // stride, width // stride
        y, x = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
        levels.append(torch.stack((x, y, torch.full_like(x, stride)), -1).view(-1, 3))
    return torch.cat(levels).to(device)


def _features(model: Any, x: torch.Tensor) -> Iterator[torch.Tensor]:
    """The feature maps that the detection head reads."""
    kept: list[Any] = []
    *body, head = model.model
    for layer in body:
        if layer.f != -1:
            sources = [layer.f] if isinstance(layer.f, int) else layer.f
            inputs = [x if source == -1 else kept[source] for source in sources]
            x = layer(inputs[0] if isinstance(layer.f, int) else inputs)
        else:
            x = layer(x)
        kept.append(x if layer.i in model.save else None)
    for source in head.f:
        yield x if source == -1 else kept[source]


def _detections(rows: npt.NDArray[np.float32]) -> Detections:
    """From rows of x1, y1, x2, y2, score, class and what may follow."""
    return Detections(
        boxes=np.ascontiguousarray(rows[:, :4], np.float32),
        scores=np.ascontiguousarray(rows[:, 4], np.float32),
        class_ids=rows[:, 5].astype(np.int32),
    )
