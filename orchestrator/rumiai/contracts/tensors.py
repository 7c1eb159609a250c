"""The model server's public endpoints: names, dtypes and shapes of every tensor.

Both sides import this file: the server's adapters declare and check with it, the clients build requests with it, and
``docs/endpoints.md`` and ``model_repository/*/config.pbtxt`` are compared with it by tests.

Leading axis: every endpoint batches, so axis 0 of each tensor counts items (frames for ``yolo`` and ``ocr``, audio
tracks for ``whisper``). A ``-1`` is a length that may differ from request to request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

DType = Literal["UINT8", "INT32", "FP32", "BYTES"]
Mode = Literal["fast", "strict"]
# Which OCR engine reads; auto: ppocr in fast, easyocr in strict.
OcrEngineName = Literal["auto", "easyocr", "ppocr"]


def ocr_reader(engine: OcrEngineName, mode: Mode) -> OcrEngineName:
    """Which engine ``auto`` is: ``easyocr`` or ``ppocr``."""
    if engine != "auto":
        return engine
    return "easyocr" if mode == "strict" else "ppocr"


NUMPY_DTYPES: Final[dict[str, np.dtype]] = {  # type: ignore[type-arg]
    "UINT8": np.dtype(np.uint8),
    "INT32": np.dtype(np.int32),
    "FP32": np.dtype(np.float32),
    "BYTES": np.dtype(np.object_),
}

AUDIO_SAMPLE_RATE_HZ: Final = 16_000
# The longest track one request may carry; at 4 bytes a sample it is 230 MB, what shared memory holds with ease.
MAX_AUDIO_S: Final = 3600.0
# The longest side of a frame, and the most frames of a request: 64 frames of 4096 x 4096 would be 3.2 GB, so the
# product is limited as well.
MAX_IMAGE_SIDE_PX: Final = 4096
MIN_IMAGE_SIDE_PX: Final = 8
MAX_IMAGES_PER_REQUEST: Final = 64
MAX_REQUEST_BYTES: Final = 512 * 2**20


@dataclass(frozen=True)
class TensorSpec:
    """One tensor: its name, its Triton dtype and its dimensions without the leading batch axis."""

    name: str
    dtype: DType
    dims: tuple[int, ...]


@dataclass(frozen=True)
class EndpointSpec:
    """One endpoint: model name, inputs and outputs in the order of ``config.pbtxt``, request parameters."""

    model: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch_size: int
    parameters: tuple[str, ...]


YOLO: Final = EndpointSpec(
    model="yolo",
    # (n, height, width, 3) RGB
    inputs=(TensorSpec("IMAGES", "UINT8", (-1, -1, 3)),),
    outputs=(
        TensorSpec("BOXES", "FP32", (-1, 4)),  # (n, m, 4) x1, y1, x2, y2 in pixels of the given image
        TensorSpec("SCORES", "FP32", (-1,)),  # (n, m) 0..1, descending
        TensorSpec("CLASS_IDS", "INT32", (-1,)),  # (n, m) index into the COCO names; -1 is padding
        TensorSpec("COUNTS", "INT32", (1,)),  # (n, 1) how many of the m rows are real
    ),
    max_batch_size=MAX_IMAGES_PER_REQUEST,
    parameters=("conf", "iou", "max_det", "mode"),
)

OCR: Final = EndpointSpec(
    model="ocr",
    inputs=(TensorSpec("IMAGES", "UINT8", (-1, -1, 3)),),
    outputs=(
        TensorSpec("QUADS", "FP32", (-1, 4, 2)),  # (n, m, 4, 2) corners x, y in pixels, clockwise from top left
        TensorSpec("TEXTS", "BYTES", (-1,)),  # (n, m) UTF-8; b"" is padding
        TensorSpec("SCORES", "FP32", (-1,)),  # (n, m) recogniser confidence 0..1
        TensorSpec("COUNTS", "INT32", (1,)),  # (n, 1)
        TensorSpec("CHAR_POSITIONS", "FP32", (-1, -1)),  # (n, m, c) middle of each character along its line, 0..1
        TensorSpec("UNREAD_QUADS", "FP32", (-1, 4, 2)),  # (n, u, 4, 2) as QUADS, of writing that was not read
        TensorSpec("UNREAD_SCRIPTS", "BYTES", (-1,)),  # (n, u) one of SCRIPTS; b"" is padding
        TensorSpec("UNREAD_SCORES", "FP32", (-1,)),  # (n, u) probability of that script, 0..1
        TensorSpec("UNREAD_COUNTS", "INT32", (1,)),  # (n, 1) how many of the u rows are real
    ),
    max_batch_size=MAX_IMAGES_PER_REQUEST,
    parameters=("engine", "mode", "canvas_size", "mag_ratio", "slope_ths", "height_ths", "width_ths"),
)

WHISPER: Final = EndpointSpec(
    model="whisper",
    # (1, samples) mono, 16 kHz, -1..1; one track a request
    inputs=(TensorSpec("AUDIO", "FP32", (-1,)),),
    outputs=(TensorSpec("TRANSCRIPT", "BYTES", (1,)),),  # (1, 1) JSON, see docs/endpoints.md
    max_batch_size=16,
    parameters=("language", "task", "word_timestamps", "level", "fallback", "multilingual"),
)

ENDPOINTS: Final[dict[str, EndpointSpec]] = {spec.model: spec for spec in (YOLO, OCR, WHISPER)}

# Scripts that a region may be guessed to be written in; han includes kana.
SCRIPTS: Final = (
    "latin", "han", "greek", "cyrillic", "hangul", "arabic", "devanagari", "gujarati", "thai", "other",
)  # fmt: skip

# PyTriton guards shared memory, repository control, statistics, trace and logging with this header's token.
ACCESS_TOKEN_HEADER: Final = "triton-grpc-protocol-triton-access-token"

COCO_NAMES: Final[tuple[str, ...]] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
