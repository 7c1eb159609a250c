"""A network from an ONNX file as operations of torch, so that it runs in the device's reduced precision.

It knows the operations that PaddleOCR's small models are made of, and no more. Three patterns that the export spelled
out become one operation each: GELU, layer norm, and a convolution with its bias. A processor with instructions for
bfloat16 is four times as fast this way as ONNX Runtime is in float32; a GPU runs the same code.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import onnx
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from google.protobuf.message import DecodeError

from rumiai.errors import WeightsError

if TYPE_CHECKING:
    from pathlib import Path

Tensor = torch.Tensor
Attributes = Mapping[str, Any]
Operation = Callable[[Sequence[Tensor], Attributes], Tensor]


@dataclass(frozen=True)
class _Node:
    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Attributes


@dataclass(frozen=True)
class _Step:
    """One operation, and the results that nobody needs after it."""

    operation: Operation
    inputs: tuple[str, ...]
    output: str
    attributes: Attributes
    done_with: tuple[str, ...]


class TorchGraph:
    """The network.

    Args:
        model: A network with one input (n, 3, h, w).
        device: Where it runs.
        dtype: In which precision.
        outputs: Names of the results.

    Raises:
        WeightsError: It holds an operation that is unknown here.
    """

    def __init__(
        self, model: onnx.ModelProto, device: torch.device, dtype: torch.dtype, outputs: Sequence[str]
    ) -> None:
        graph = model.graph
        self._device, self._dtype = device, dtype
        self._input = graph.input[0].name
        constants = {
            tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer
        }
        nodes, names = _without_identities(graph.node)
        self._outputs = tuple(names.get(name, name) for name in outputs)
        nodes = _with_bias(_with_layer_norm(_with_gelu(nodes, self._outputs), constants), constants)
        unknown = sorted({node.kind for node in nodes} - set(_OPERATIONS))
        if unknown:
            raise WeightsError(f"a network of {', '.join(unknown)}, operations that are not known here")
        self._steps = _steps(nodes, {self._input, *constants}, self._outputs)
        self._constants = {name: self._placed(tensor) for name, tensor in constants.items()}

    def _placed(self, tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor  # shapes and axes stay with the host
        moved = tensor.to(self._device, self._dtype)
        return moved.contiguous(memory_format=torch.channels_last) if moved.dim() == 4 else moved

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Run (n, 3, h, w) of any floating type; the results in the network's precision, on its device."""
        values = {self._input: batch.to(self._device, self._dtype, memory_format=torch.channels_last)}
        for step in self._steps:
            inputs = [values[name] if name in values else self._constants[name] for name in step.inputs]
            values[step.output] = step.operation(inputs, step.attributes)
            for name in step.done_with:
                values.pop(name, None)
        return tuple(values[name] for name in self._outputs)


def read_model(path: Path) -> onnx.ModelProto:
    """Read an ONNX file.

    Raises:
        WeightsError: It is missing or no network.
    """
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except (OSError, ValueError, DecodeError) as exc:
        raise _unreadable(path, exc) from exc
    if not model.graph.node:
        raise _unreadable(path, "it is empty")
    return model


def _unreadable(path: Path, reason: object) -> WeightsError:
    return WeightsError(f"{path}: not a readable network: {reason}", hint="run `rumiai-triton weights fetch`")


def _without_identities(nodes: Sequence[onnx.NodeProto]) -> tuple[list[_Node], dict[str, str]]:
    """The nodes that do something, and what the others rename."""
    names: dict[str, str] = {}
    kept = []
    for node in nodes:
        inputs = tuple(names.get(name, name) for name in node.input if name)
        if node.op_type == "Identity":
            names[node.output[0]] = inputs[0]
            continue
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        kept.append(_Node(node.op_type, inputs, node.output[0], attributes))
    return kept, names


def _steps(nodes: Sequence[_Node], keep: set[str], outputs: Sequence[str]) -> list[_Step]:
    last = {name: i for i, node in enumerate(nodes) for name in node.inputs}
    never = keep | set(outputs)
    return [
        _Step(
            _OPERATIONS[node.kind], node.inputs, node.output, node.attributes,
            tuple(name for name in set(node.inputs) if last[name] == i and name not in never),
        )
        for i, node in enumerate(nodes)
    ]  # fmt: skip


def _links(nodes: Sequence[_Node]) -> tuple[dict[str, _Node], dict[str, list[_Node]]]:
    """Who makes each value, and who uses it."""
    users: defaultdict[str, list[_Node]] = defaultdict(list)
    for node in nodes:
        for name in node.inputs:
            users[name].append(node)
    return {node.output: node for node in nodes}, users


def _replaced(nodes: Sequence[_Node], dropped: set[str], new: Mapping[str, _Node]) -> list[_Node]:
    """Without the nodes that make ``dropped``, and with others for those that make the keys of ``new``."""
    return [new.get(node.output, node) for node in nodes if node.output not in dropped]


def _with_gelu(nodes: Sequence[_Node], outputs: Sequence[str]) -> list[_Node]:
    """``x (1 + erf(x / sqrt(2))) / 2`` as one node."""
    made_by, users = _links(nodes)
    dropped: set[str] = set()
    new: dict[str, _Node] = {}
    for erf in (node for node in nodes if node.kind == "Erf"):
        scaled = made_by[erf.inputs[0]]
        [plus_one] = users[erf.output]
        [product] = users[plus_one.output]
        [half] = users[product.output]
        chain = (scaled, erf, plus_one, product)
        if [node.kind for node in (*chain, half)] == ["Div", "Erf", "Add", "Mul", "Mul"] and not (
            {node.output for node in chain} & set(outputs)
        ):
            dropped |= {node.output for node in chain}
            new[half.output] = _Node("Gelu", scaled.inputs[:1], half.output, {})
    return _replaced(nodes, dropped, new)


def _with_layer_norm(nodes: Sequence[_Node], constants: Mapping[str, Tensor]) -> list[_Node]:
    """``(x - mean) / sqrt(variance + epsilon) * weight + bias`` over the last axis as one node."""
    made_by, users = _links(nodes)
    dropped: set[str] = set()
    new: dict[str, _Node] = {}
    for root in (node for node in nodes if node.kind == "Sqrt"):
        plus = made_by[root.inputs[0]]
        variance = made_by[plus.inputs[0]]
        square = made_by[variance.inputs[0]]
        centred = made_by[square.inputs[0]]
        mean = made_by[centred.inputs[1]]
        [ratio] = users[root.output]
        [scaled] = users[ratio.output]
        [shifted] = users[scaled.output]
        chain = (mean, centred, square, variance, plus, root, ratio, scaled)
        kinds = ["ReduceMean", "Sub", "Pow", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "Add"]
        if [node.kind for node in (*chain, shifted)] == kinds:
            dropped |= {node.output for node in chain}
            attributes = {"epsilon": float(constants[plus.inputs[1]])}
            inputs = (mean.inputs[0], scaled.inputs[1], shifted.inputs[1])
            new[shifted.output] = _Node("LayerNorm", inputs, shifted.output, attributes)
    return _replaced(nodes, dropped, new)


# Which axis of a convolution's weights counts the channels of its result.
_CHANNELS_AXIS: Final = {"Conv": 0, "ConvTranspose": 1}


def _with_bias(nodes: Sequence[_Node], constants: dict[str, Tensor]) -> list[_Node]:
    """A constant that is added to each channel of a convolution as the convolution's own bias."""
    made_by, users = _links(nodes)
    dropped: set[str] = set()
    new: dict[str, _Node] = {}
    for add in (node for node in nodes if node.kind == "Add"):
        source, bias = add.inputs
        conv = made_by.get(source)
        if bias not in constants or conv is None or conv.kind not in _CHANNELS_AXIS or len(conv.inputs) != 2:
            continue
        channels = constants[conv.inputs[1]].shape[_CHANNELS_AXIS[conv.kind]]
        if constants[bias].numel() == channels and len(users[source]) == 1:
            constants[bias] = constants[bias].reshape(-1)
            dropped.add(source)
            new[add.output] = _Node(conv.kind, (*conv.inputs, bias), add.output, conv.attributes)
    return _replaced(nodes, dropped, new)


def _conv(inputs: Sequence[Tensor], a: Attributes) -> Tensor:
    x, weight, *bias = inputs
    padding = a.get("pads", [0, 0, 0, 0])
    if a.get("auto_pad") == b"SAME_UPPER":
        x, padding = _padded_to_same(x, a["kernel_shape"], 0.0), [0, 0, 0, 0]
    return F.conv2d(x, weight, bias[0] if bias else None, a["strides"], padding[:2], a["dilations"], a["group"])


def _padded_to_same(x: Tensor, kernel: Sequence[int], value: float) -> Tensor:
    """For a stride of 1: the odd pixel goes below and to the right."""
    high, wide = (side - 1 for side in kernel)
    return F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2), value=value)


def _max_pool(inputs: Sequence[Tensor], a: Attributes) -> Tensor:
    """A stride of 1: the largest of the shifted pictures, which is a tenth of the work of torch's own on a CPU."""
    padded = _padded_to_same(inputs[0], a["kernel_shape"], float("-inf"))
    for axis, size in enumerate(a["kernel_shape"], start=2):
        length = padded.shape[axis] - size + 1
        padded = functools.reduce(torch.maximum, (padded.narrow(axis, i, length) for i in range(size)))
    return padded


def _average_pool(inputs: Sequence[Tensor], a: Attributes) -> Tensor:
    return F.avg_pool2d(inputs[0], a["kernel_shape"], a["strides"])


def _channel_means(x: Tensor) -> Tensor:
    """(n, c, 1, 1) means of (n, c, h, w): on a CPU pooling takes an eighth of what ``mean`` takes."""
    return F.avg_pool2d(x, x.shape[2:])


def _mean(inputs: Sequence[Tensor], a: Attributes) -> Tensor:
    x, axes, keep = inputs[0], tuple(a["axes"]), bool(a.get("keepdims", 1))
    return _channel_means(x) if x.dim() == 4 and keep and axes == (2, 3) else x.mean(axes, keepdim=keep)


def _batch_norm(inputs: Sequence[Tensor], a: Attributes) -> Tensor:
    x, weight, bias, mean, variance = inputs
    return F.batch_norm(x, mean, variance, weight, bias, eps=a["epsilon"])


def _layer_norm(inputs: Sequence[Tensor], a: Attributes) -> Tensor:
    x, weight, bias = inputs
    return F.layer_norm(x, weight.shape, weight, bias, a["epsilon"])


def _slice(inputs: Sequence[Tensor], _: Attributes) -> Tensor:
    x, start, stop, *axes = inputs
    axis = int(axes[0]) if axes else 0
    index = [slice(None)] * x.dim()
    index[axis] = slice(int(start), int(stop))
    return x[tuple(index)]


def _reshape(inputs: Sequence[Tensor], _: Attributes) -> Tensor:
    x, shape = inputs
    sides = [x.shape[i] if side == 0 else side for i, side in enumerate(shape.tolist())]
    return x.reshape(sides)


def _squeeze(inputs: Sequence[Tensor], a: Attributes) -> Tensor:
    return inputs[0].squeeze(tuple(a["axes"]))


def _enlarge(inputs: Sequence[Tensor], _: Attributes) -> Tensor:
    factors = [float(factor) for factor in inputs[-1][2:]]
    return F.interpolate(inputs[0], scale_factor=factors, mode="nearest")


_OPERATIONS: Final[dict[str, Operation]] = {
    "Add": lambda i, _: i[0] + i[1],
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Concat": lambda i, a: torch.cat([x.reshape(-1) if x.dim() == 0 else x for x in i], a["axis"]),
    "Conv": _conv,
    "ConvTranspose": lambda i, a: F.conv_transpose2d(i[0], i[1], i[2] if len(i) > 2 else None, a["strides"]),
    "Div": lambda i, _: i[0] / i[1],
    "Gelu": lambda i, _: F.gelu(i[0]),
    "GlobalAveragePool": lambda i, _: _channel_means(i[0]),
    "HardSigmoid": lambda i, a: (i[0] * a["alpha"] + a["beta"]).clamp_(0.0, 1.0),
    "LayerNorm": _layer_norm,
    "MatMul": lambda i, _: i[0] @ i[1],
    "MaxPool": _max_pool,
    "Mul": lambda i, _: i[0] * i[1],
    "ReduceMean": _mean,
    "Relu": lambda i, _: F.relu(i[0]),
    "Reshape": _reshape,
    "Resize": _enlarge,
    "Shape": lambda i, _: torch.tensor(i[0].shape),
    "Sigmoid": lambda i, _: torch.sigmoid(i[0]),
    "Slice": _slice,
    "Softmax": lambda i, a: torch.softmax(i[0], a["axis"]),
    "Squeeze": _squeeze,
    "Transpose": lambda i, a: i[0].permute(a["perm"]),
    "Unsqueeze": lambda i, a: i[0].unsqueeze(a["axes"][0]),
}
