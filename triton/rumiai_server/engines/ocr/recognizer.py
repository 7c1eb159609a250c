"""EasyOCR's recogniser over crops of many pictures at once.

The network, the crop, the contrast stretch and the decoder are EasyOCR's own. Crops share a forward pass only when
EasyOCR would pad them to the same width: padding further changes what is read.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections import defaultdict
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from bidi import get_display  # type: ignore[import-untyped]
from easyocr.config import BASE_PATH, imgH, recognition_models
from easyocr.recognition import adjust_contrast_grey, custom_mean
from easyocr.utils import CTCLabelConverter, get_image_list
from PIL import Image

from rumiai.core.arrays import freeze_arrays
from rumiai.errors import ConfigurationError, WeightsError
from rumiai_server.engines.ocr.detector import fold_batch_norms, load_state
from rumiai_server.engines.shared.precision import reduced_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.boxes import FreeBox, HorizontalBox

# The network's module and sizes by generation, as easyocr.Reader chooses them.
_NETWORKS = {
    "gen1": ("easyocr.model.model", {"input_channel": 1, "output_channel": 512, "hidden_size": 512}),
    "gen2": ("easyocr.model.vgg_model", {"input_channel": 1, "output_channel": 256, "hidden_size": 256}),
}
# What the models without a symbol list of their own read beside letters; easyocr.Reader's default.
_DEFAULT_SYMBOLS = "0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "
# A crop takes about 0.5 kB per pixel in the first layers; this is 16 crops of 1024 x 64, or 256 on a GPU.
_PIXELS_PER_FORWARD = {"cpu": 1 << 20, "cuda": 16 << 20}


@dataclass(frozen=True)
class Crop:
    """One text line, upright and 64 px high unless the line is vertical.

    Attributes:
        quad: (4, 2) float32 corners in the picture, clockwise from the top left.
        image: (h, w) uint8 grey.
        width: Width in pixels to which EasyOCR pads it, a multiple of 64.
        contrast_ths: Confidence below which it is read again.
        adjust_contrast: Contrast below which that reading stretches it.
    """

    quad: NDArray[np.float32]
    image: NDArray[np.uint8]
    width: int
    contrast_ths: float
    adjust_contrast: float

    def __post_init__(self) -> None:
        freeze_arrays(self, quad=(np.float32, 4, 2), image=(np.uint8, "h", "w"))


@dataclass(frozen=True)
class Reading:
    """What the recogniser read in one crop, with its confidence 0..1."""

    text: str
    score: float


def cut_crops(
    grey: NDArray[np.uint8],
    horizontal: Sequence[HorizontalBox],
    free: Sequence[FreeBox],
    *,
    contrast_ths: float,
    adjust_contrast: float,
) -> list[Crop]:
    """Cut the boxes of one (h, w) picture, horizontal ones first; boxes wholly outside of it are dropped."""
    height, width = grey.shape
    crops = []
    inside = [b for b in horizontal if max(b[0], 0) < min(b[1], width) and max(b[2], 0) < min(b[3], height)]
    for level, slanted in [([box], []) for box in inside] + [([], [box]) for box in free]:
        # One box a call, as easyocr.Reader does on a CPU: the padded width is then that of the box itself.
        cut, padded_width = get_image_list(level, slanted, grey, model_height=imgH)
        crops += [
            Crop(np.array(quad, dtype=np.float32), image, int(padded_width), contrast_ths, adjust_contrast)
            for quad, image in cut
        ]
    return crops


class TextRecognizer:
    """The recogniser of one script.

    Args:
        path: One of EasyOCR's recogniser files, under its own name, for example ``english_g2.pth``.
        languages: EasyOCR's language codes; characters outside them are never read.
        device: Where it runs.
        quantize: Whether exact readings on a CPU use 8-bit weights, as ``easyocr.Reader`` does by default.

    Raises:
        WeightsError: The file is missing, unreadable or not the weights of the network of that name.
        ConfigurationError: EasyOCR knows no model of that file name, or no such language.
    """

    def __init__(self, path: Path, languages: Sequence[str], device: torch.device, *, quantize: bool) -> None:
        generation, model = _model_of(path)
        characters = model["characters"]
        known = _characters_of(languages) | set(model.get("symbols") or model.get("character_list") or _DEFAULT_SYMBOLS)
        self._ignored = [index + 1 for index, char in enumerate(characters) if char not in known]
        self._converter = CTCLabelConverter(characters)
        self._right_to_left = model.get("model_script") == "arabic"
        self._device = device
        self._net = _load_network(path, generation, len(self._converter.character)).to(device)
        # Dynamic quantisation scales by the largest value of a whole batch, so its answers depend on the batch:
        # such a network reads one crop at a time, and only where equality with EasyOCR is asked for.
        quantize = quantize and device.type == "cpu"
        self._quantized = _quantized(path, generation, len(self._converter.character)) if quantize else None
        # Of 260 crops of drawn captions and photographs, all were read alike in bfloat16 and float32. The first
        # generation's networks were not compared.
        faster = device.type == "cpu" and generation == "gen2"
        self._fast: torch.nn.Module = _ReducedReader(self._net) if faster else self._net

    def read(self, crops: Sequence[Crop], *, exact: bool) -> list[Reading]:
        """Read all crops, in their order; with ``exact`` as EasyOCR does, else in batches and reduced precision."""
        images = [crop.image for crop in crops]
        widths = [crop.width for crop in crops]
        readings = self._read_once(images, widths, exact)
        weak = [index for index, crop in enumerate(crops) if readings[index].score < crop.contrast_ths]
        stretched = [_stretch(images[index], crops[index].adjust_contrast) for index in weak]
        again = self._read_once(stretched, [widths[index] for index in weak], exact)
        for index, second in zip(weak, again, strict=True):
            if not readings[index].score > second.score:
                readings[index] = second
        if self._right_to_left:
            readings = [Reading(get_display(reading.text), reading.score) for reading in readings]
        return readings

    def _read_once(self, images: Sequence[NDArray[np.uint8]], widths: Sequence[int], exact: bool) -> list[Reading]:
        alone = exact and self._quantized is not None
        net = (self._quantized if alone else self._net) if exact else self._fast
        answers: dict[int, Reading] = {}
        for chunk in _chunks(widths, 1 if alone else _PIXELS_PER_FORWARD[self._device.type]):
            batch = np.stack([_fit(images[index], widths[index]) for index in chunk])
            answers |= zip(chunk, self._decode(self._forward(net, batch, exact)), strict=True)
        return [answers[index] for index in range(len(images))]

    @torch.inference_mode()
    def _forward(self, net: Any, batch: NDArray[np.uint8], exact: bool) -> NDArray[np.float32]:
        pixels = torch.from_numpy(batch)
        if self._device.type == "cuda":
            pixels = pixels.pin_memory().to(self._device, non_blocking=True)
        inputs = pixels.to(torch.float32).div_(255.0).sub_(0.5).div_(0.5).unsqueeze(1)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=not exact):  # by default it turns cuDNN off
            # The second argument is for training; the network ignores it.
            logits = net(inputs, None)
        return np.asarray(torch.softmax(logits, dim=2).cpu().numpy())

    def _decode(self, probabilities: NDArray[np.float32]) -> list[Reading]:
        """Decode (n, steps, classes) greedily, as ``easyocr.recognition.recognizer_predict`` does."""
        count, steps, _ = probabilities.shape
        probabilities[:, :, self._ignored] = 0.0
        probabilities = probabilities / probabilities.sum(axis=2, keepdims=True)
        best, classes = probabilities.max(axis=2), probabilities.argmax(axis=2)
        texts = self._converter.decode_greedy(classes.reshape(-1), [steps] * count)
        readings = []
        for text, row, kinds in zip(texts, best, classes, strict=True):
            letters = row[kinds != 0]  # class 0 is "no character"
            readings.append(Reading(str(text), float(custom_mean(letters)) if len(letters) else 0.0))
        return readings


class _ReducedReader(torch.nn.Module):
    """The recogniser with its convolutions, three quarters of the work, in the precision the CPU is fastest in."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        features = copy.deepcopy(net.FeatureExtraction)
        for module in list(features.modules()):
            if isinstance(module, torch.nn.Sequential):
                fold_batch_norms(module)
        self._dtype = reduced_dtype(torch.device("cpu")) or torch.float32
        self._features = features.to(dtype=self._dtype, memory_format=torch.channels_last)
        self._net = net

    def forward(self, images: torch.Tensor, _: None) -> torch.Tensor:
        """Logits (n, steps, classes) of (n, 1, 64, w) images: the rest is upstream's own ``forward``."""
        visual = self._features(images.to(dtype=self._dtype, memory_format=torch.channels_last)).to(torch.float32)
        columns = self._net.AdaptiveAvgPool(visual.permute(0, 3, 1, 2)).squeeze(3)
        logits: torch.Tensor = self._net.Prediction(self._net.SequenceModeling(columns).contiguous())
        return logits


def _chunks(widths: Sequence[int], budget_pixels: int) -> Iterator[list[int]]:
    by_width: defaultdict[int, list[int]] = defaultdict(list)
    for index, width in enumerate(widths):
        by_width[width].append(index)
    for width, indices in by_width.items():
        size = max(budget_pixels // (width * imgH), 1)
        for start in range(0, len(indices), size):
            yield indices[start : start + size]


def _stretch(image: NDArray[np.uint8], target: float) -> NDArray[np.uint8]:
    return np.asarray(adjust_contrast_grey(image, target=target), dtype=np.uint8) if target > 0 else image


def _fit(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Bring a crop to (64, width): resized as EasyOCR does where it must be, the last column repeated on the right."""
    height_now, width_now = image.shape
    target = min(math.ceil(imgH * (width_now / float(height_now))), width)
    if (height_now, width_now) != (imgH, target):
        image = np.asarray(Image.fromarray(image).resize((target, imgH), Image.Resampling.BICUBIC))
    return np.pad(image, ((0, 0), (0, width - target)), mode="edge")


def _model_of(path: Path) -> tuple[str, dict[str, Any]]:
    for generation in _NETWORKS:
        for model in recognition_models[generation].values():
            if model["filename"] == path.name:
                return generation, model
    names = sorted(model["filename"] for generation in _NETWORKS for model in recognition_models[generation].values())
    raise ConfigurationError(f"OCR recogniser: got {path.name!r}, expected one of {', '.join(names)}")


def _characters_of(languages: Sequence[str]) -> set[str]:
    characters: set[str] = set()
    for language in languages:
        path = Path(BASE_PATH, "character", f"{language}_char.txt")
        if not language.replace("_", "").isalnum() or not path.is_file():
            raise ConfigurationError(
                f"OCR language: got {language!r}, which EasyOCR does not know", hint="use EasyOCR's codes, such as 'en'"
            )
        characters |= set("".join(path.read_text(encoding="utf-8-sig").splitlines()))
    return characters


def _load_network(path: Path, generation: str, classes: int) -> torch.nn.Module:
    module, sizes = _NETWORKS[generation]
    net: torch.nn.Module = import_module(module).Model(num_class=classes, **sizes)
    try:
        net.load_state_dict(load_state(path))
    except RuntimeError as exc:
        raise WeightsError(
            f"{path}: not the weights of EasyOCR's {path.stem}: {exc}", hint="run `rumiai-triton weights fetch`"
        ) from exc
    return net.eval().requires_grad_(False)


def _quantized(path: Path, generation: str, classes: int) -> torch.nn.Module:
    with warnings.catch_warnings():
        # torch announces the end of this API; EasyOCR's default results depend on it as long as it is there.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        net = _load_network(path, generation, classes)
        quantized: torch.nn.Module = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
            net, dtype=torch.qint8
        )
    return quantized.eval()
