"""Reading a YOLO detector from a file: ultralytics' ``.pt`` checkpoints and ultralytics' own ``.onnx`` exports.

Neither runs code from the file. A checkpoint is a pickle: it is opened with ``weights_only=True`` and ultralytics'
list of known classes. An export is a protobuf: its initializers are the fused convolutions under the model's own
names, so they go into a fused model of the same architecture, which unlike the exported graph takes any batch size and
any picture size.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from ultralytics.nn import tasks
from ultralytics.nn.modules.head import Detect

from rumiai.errors import WeightsError

# What ultralytics uses where a file does not say.
DEFAULT_IMAGE_SIZE_PX: Final = 640

# Channels of the first convolution -> scale of the v8 family: 64 times the width multiple of each.
_SCALE_OF_WIDTH: Final[Mapping[int, str]] = {16: "n", 32: "s", 48: "m", 64: "l", 80: "x"}


@dataclass(frozen=True)
class YoloModel:
    """A detector ready to run.

    Attributes:
        module: ultralytics' DetectionModel, convolutions fused with their norms, float32, in eval mode, on the CPU.
        names: Class names by index.
        image_size_px: The side, or the longer side, that pictures are fitted into.
        square: ultralytics pads pictures for this file to a square instead of to the next multiple of the stride: true
            of an export with a fixed input.
        stride_px: Sides of the input are multiples of this.
    """

    module: torch.nn.Module
    names: tuple[str, ...]
    image_size_px: int
    square: bool
    stride_px: int


def load_yolo(path: Path) -> YoloModel:
    """Read a detector.

    Args:
        path: An ultralytics ``.pt`` checkpoint with a detection model, or an ultralytics ``.onnx`` export of YOLOv8.

    Raises:
        WeightsError: The file is missing, unreadable, of another kind, or holds what is not a detector that needs
            non-maximum suppression.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file", hint="fetch it with `rumiai-triton weights fetch`")
    readers = {".pt": _load_checkpoint, ".onnx": _load_export}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise WeightsError(f"{path}: got a {path.suffix or 'nameless'} file, expected .pt or .onnx from ultralytics")
    return reader(path)


def _load_checkpoint(path: Path) -> YoloModel:
    if (
        not hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint")
        or "safe_only" not in inspect.signature(tasks.torch_safe_load).parameters
    ):
        # There ultralytics would fall back to unpickling whatever the file says.
        raise WeightsError(
            f"{path}: torch {torch.__version__} with this ultralytics cannot open a checkpoint without running it",
            hint="use torch >= 2.6 and ultralytics >= 8.4.190, or the .onnx export of the model",
        )
    try:
        checkpoint, _ = tasks.torch_safe_load(str(path), safe_only=True)
    except (TypeError, RuntimeError, ModuleNotFoundError, AttributeError, KeyError, ValueError, OSError) as exc:
        raise WeightsError(f"{path}: not a checkpoint that can be opened safely: {exc}") from exc
    model = checkpoint.get("ema") or checkpoint.get("model")
    if not isinstance(model, tasks.DetectionModel):
        raise WeightsError(f"{path}: got {type(model).__name__}, expected a DetectionModel")
    model = model.float().fuse(verbose=False).eval().requires_grad_(False)
    _require_plain_head(path, model)
    size = (checkpoint.get("train_args") or {}).get("imgsz", DEFAULT_IMAGE_SIZE_PX)
    return YoloModel(model, _ordered_names(path, model.names), int(size), False, int(model.stride.max()))


def _load_export(path: Path) -> YoloModel:
    tensors, metadata, input_dims = _read_onnx(path)
    first, last = tensors.get("model.0.conv.weight"), tensors.get("model.22.cv3.0.2.weight")
    scale = None if first is None else _SCALE_OF_WIDTH.get(first.shape[0])
    if scale is None or last is None:
        raise WeightsError(
            f"{path}: got initializers {sorted(tensors)[:3]}, expected those of a fused YOLOv8 detector under "
            "ultralytics' names (model.0.conv.weight ...)",
            hint="export with `yolo export format=onnx`, or give the .pt file",
        )
    model = tasks.DetectionModel(f"yolov8{scale}.yaml", nc=last.shape[0], verbose=False)
    model = model.fuse(verbose=False).eval().requires_grad_(False)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as exc:
        raise WeightsError(f"{path}: its tensors are not those of YOLOv8{scale}: {exc}") from exc
    names = _parse(path, metadata, "names", dict)
    model.names = names
    # An export has either four fixed dimensions or free height and width (0 here).
    fixed = all(input_dims[2:])
    size = max(input_dims[2:]) if fixed else max(_parse(path, metadata, "imgsz", list))
    return YoloModel(model, _ordered_names(path, names), size, fixed, int(model.stride.max()))


def _read_onnx(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str], list[int]]:
    import onnx  # only exports need it
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        # External data would let the file name other files to read.
        proto = onnx.load(str(path), load_external_data=False)
        tensors = {
            item.name: torch.from_numpy(numpy_helper.to_array(item).copy()).float()
            for item in proto.graph.initializer
            if item.name.startswith("model.")
        }
        dims = [dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim]
    except (DecodeError, ValueError, TypeError, IndexError) as exc:
        raise WeightsError(f"{path}: not an ONNX file that can be read: {exc}") from exc
    if len(dims) != 4:
        raise WeightsError(f"{path}: got an input of {len(dims)} dimensions, expected 4 (images)")
    return tensors, {item.key: item.value for item in proto.metadata_props}, dims


def _parse(path: Path, metadata: Mapping[str, str], key: str, kind: type) -> Any:
    try:
        value = ast.literal_eval(metadata[key])
    except (KeyError, ValueError, SyntaxError) as exc:
        raise WeightsError(f"{path}: its metadata has no readable {key!r}, as ultralytics' exports have") from exc
    if not isinstance(value, kind) or not value:
        raise WeightsError(f"{path}: metadata {key!r}: got {value!r}, expected a {kind.__name__} that is not empty")
    return value


def _require_plain_head(path: Path, model: Any) -> None:
    head = model.model[-1]
    if type(head) is not Detect or getattr(head, "end2end", False) or head.reg_max < 2:
        raise WeightsError(
            f"{path}: got a {type(head).__name__} head, expected one that needs non-maximum suppression (YOLOv8 or 11)"
        )


def _ordered_names(path: Path, names: Mapping[int, str] | list[str]) -> tuple[str, ...]:
    by_index = dict(enumerate(names)) if isinstance(names, list) else names
    if sorted(by_index) != list(range(len(by_index))):
        raise WeightsError(f"{path}: class indices: got {sorted(by_index)[:5]}..., expected 0 to n - 1")
    return tuple(str(by_index[i]) for i in range(len(by_index)))
