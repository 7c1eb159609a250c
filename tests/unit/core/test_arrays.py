"""Each frozen dataclass that holds arrays refuses another shape or dtype, and what it holds cannot be written."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import importlib
import pkgutil
import sys
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import numpy.typing as npt
import pytest

import rumiai
import rumiai_server
from rumiai.contracts import frames
from rumiai.contracts.services.people import Landmarks
from rumiai.core.arrays import Floats, checked, freeze_arrays
from rumiai.demo import draw, sound
from rumiai.errors import ContractError
from rumiai.inference import ocr_gate, spans, stickers
from rumiai.metrics.emotional_journey.journey import EmotionSync, Journey
from rumiai.metrics.emotional_journey.sync import GestureOverlap
from rumiai.metrics.evidence import types as evidence
from rumiai.metrics.evidence.sound import Audio
from rumiai.metrics.person_framing.motion import Positions
from rumiai.metrics.scene_pacing.pacing import Pacing
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.density import Density
from rumiai.people import geometry, observations
from rumiai_server.engines.ocr import easyocr_engine
from rumiai_server.engines.ocr.detector import Canvas, ScoreMaps
from rumiai_server.engines.ocr.ppocr import engine as ppocr_engine
from rumiai_server.engines.ocr.ppocr.detector import Regions
from rumiai_server.engines.ocr.ppocr.recognizer import LineReading
from rumiai_server.engines.ocr.recognizer import Crop
from rumiai_server.engines.ocr.types import UnreadRegions
from rumiai_server.engines.whisper import pieces

BOX = (0.1, 0.1, 0.2, 0.2)


def f32(*shape: int) -> npt.NDArray[np.float32]:
    return np.zeros(shape, np.float32)


def f64(*shape: int) -> Floats:
    return np.zeros(shape)


def ints(*shape: int) -> npt.NDArray[np.int64]:
    return np.zeros(shape, np.int64)


def u8(*shape: int) -> npt.NDArray[np.uint8]:
    return np.zeros(shape, np.uint8)


SPAN = frames.SharedSpan("region", "/key", 0, 2 * 4 * 6 * 3)
GRID = evidence.Grid(0.5, f64(3), f64(3))
FOUND = {"grid": GRID, "sample": ints(2), "boxes": f64(2, 4), "confidences": f64(2)}

# Members of one valid instance.
EXAMPLES: dict[type, dict[str, Any]] = {
    frames.FrameBatch: {
        "images": u8(2, 4, 6, 3),
        "timestamps_s": f64(2),
        "frame_numbers": ints(2),
        "kind": "sampled",
        "span": SPAN,
        "release": lambda: None,
    },
    frames.AudioTrack: {"samples": f32(5), "sample_rate_hz": 16_000},
    frames.FrameDetections: {
        "timestamp_s": 0.0,
        "frame_number": 0,
        "boxes": f32(2, 4),
        "scores": f32(2),
        "class_ids": np.zeros(2, np.int32),
    },
    frames.FrameTexts: {
        "timestamp_s": 0.0,
        "frame_number": 0,
        "texts": ("a", "b"),
        "boxes": f32(2, 4),
        "scores": f32(2),
        "contrasts": f32(2),
    },
    draw._Line: {"text": "a", "y_px": 0, "x_px": 0, "letters": f32(3, 4)},
    sound.Sound: {"samples": f32(5), "words": (), "beats_s": ()},
    Landmarks: {"points": f64(33, 4)},
    spans.SharedTensor: {"array": f32(2, 3)},
    ocr_gate._View: {"timestamp_s": 0.0, "frame_number": 0, "small": u8(32, 16, 3), "strokes": np.zeros((2, 1), bool)},
    stickers._Candidate: {"box": BOX, "crisp": 1.0, "thumb": f32(12, 12, 3)},
    pieces.Piece: {"track": MagicMock(), "chunk": MagicMock(), "index": 0, "features": f32(80, 5)},
    stickers._Track: {"boxes": [], "times_s": [], "frame_numbers": [], "crisp": 1.0, "thumb": f32(12, 12, 3)},
    easyocr_engine._Job: {"picture": u8(4, 6, 3), "params": MagicMock()},
    ppocr_engine._Job: {"picture": u8(4, 6, 3), "params": MagicMock()},
    ppocr_engine._Line: {"image": u8(4, 6, 3), "quad": f32(4, 2), "level": True, "reading": MagicMock()},
    observations.Hand: {"box": BOX, "handedness": "left", "handedness_score": 1.0, "landmarks": f32(21, 2)},
    observations.Pose: {"box": BOX, "landmarks": f32(33, 4), "visibility": 1.0, "confidence": 1.0},
    geometry.SquareView: {"pixels": u8(4, 4, 3), "x0_px": 0, "y0_px": 0, "frame_width_px": 9, "frame_height_px": 9},
    evidence.TextTrack: {
        "text": "a",
        "start_s": 0.0,
        "end_s": 1.0,
        "confidence": None,
        "box": BOX,
        "category": "overlay_text",
        "sighting_times_s": f64(2),
        "sighting_boxes": f64(2, 4),
        "contrasts": f64(2),
    },
    evidence.Grid: {"step_s": 0.5, "times_s": f64(3), "nominal_s": f64(3)},
    evidence.Detections: FOUND,
    evidence.Objects: {**FOUND, "class_index": ints(2), "classes": ("cat",)},
    evidence.Poses: {**FOUND, "landmarks": f64(2, 33, 4), "postures": (None,) * 2, "orientations": (None,) * 2},
    evidence.Gaze: {"grid": GRID, "sample": ints(2), "eye_contact": f64(2), "directions": ("camera", "left")},
    evidence.Expressions: {
        "source": "mediapipe",
        "step_s": 0.5,
        "times_s": f64(2),
        "labels": ("joy", "joy"),
        "confidences": f64(2),
        "valences": f64(2),
    },
    evidence.Shots: {
        "starts_s": f64(3),
        "ends_s": f64(3),
        "cuts_s": f64(2),
        "cut_confidences": f64(2),
        "transition_types": None,
    },
    Audio: {
        **dict.fromkeys(("variance", "climax_s", "burst_pattern", "tempo_bpm", "snr_db", "silence_ratio")),
        "windows": (),
        "onsets_s": f64(4),
        "beats_s": f64(3),
        "curve": f64(5),
        "curve_hz": 10.0,
    },
    Journey: {
        **dict.fromkeys(field.name for field in dataclasses.fields(Journey)),
        "bins": Bins(3.0),
        "valence": f64(3),
        "arousal": f64(3),
        "known": ints(2),
    },
    EmotionSync: {
        **dict.fromkeys(field.name for field in dataclasses.fields(EmotionSync)),
        "gesture_spans_s": f64(2, 2),
    },
    GestureOverlap: {"compared_s": f64(2, 2), "compatible_s": f64(1, 2)},
    Positions: {"times_s": f64(2), "speeds": f64(2)},
    Canvas: {"picture": u8(4, 6, 3), "scale": 1.0},
    ScoreMaps: {"text": f32(2, 3), "link": f32(2, 3)},
    Regions: {"quads": f32(2, 4, 2), "scores": f32(2)},
    LineReading: {"text": "ab", "score": 1.0, "positions": f32(2), "features": f32(8)},
    Crop: {"quad": f32(4, 2), "image": u8(64, 9), "width": 64, "contrast_ths": 0.1, "adjust_contrast": 0.5},
    UnreadRegions: {"quads": f32(2, 4, 2), "scripts": ("thai", "thai"), "scores": f32(2)},
    Density: {"bins": Bins(3.0), "values": {"text": f64(3)}, "counts": {"text": ints(3)}},
    Pacing: {
        **dict.fromkeys(field.name for field in dataclasses.fields(Pacing)),
        "scenes_s": f64(3, 2),
        "durations_s": f64(3),
        "cuts_s": f64(2),
        "edges_s": f64(5),
        "rates_hz": f64(4),
    },
}
# Holds any array, of a shape and dtype that its model asks for.
ANY_FORM = {spans.SharedTensor}


def hints(cls: type) -> dict[str, Any]:
    """The types of a class's members; a class that only type checkers import counts as Any."""
    names: dict[str, Any] = {"NDArray": npt.NDArray}
    names |= {name: getattr(collections.abc, name) for name in collections.abc.__all__}
    while True:
        try:
            return typing.get_type_hints(cls, localns=names)
        except NameError as error:
            names[error.name] = Any


def holds_array(hint: object) -> bool:
    return typing.get_origin(hint) is np.ndarray or any(holds_array(part) for part in typing.get_args(hint))


def holders() -> Iterator[type]:
    """Every dataclass of both packages with a member that is annotated as an array, or holds arrays."""
    packages = (rumiai, rumiai_server)
    for info in (
        info for package in packages for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ):
        module = importlib.import_module(info.name)
        for cls in vars(module).values():
            if not (isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__ == module.__name__):
                continue
            if array_members(cls):
                yield cls


def array_members(cls: type) -> list[str]:
    found = hints(cls)
    return [field.name for field in dataclasses.fields(cls) if holds_array(found[field.name])]


def arrays_in(value: Any) -> list[np.ndarray]:
    return [*value.values()] if isinstance(value, Mapping) else [value]


def changed(value: Any, change: Any) -> Any:
    return {key: change(item) for key, item in value.items()} if isinstance(value, Mapping) else change(value)


HOLDERS = list(holders())


@pytest.mark.parametrize("cls", HOLDERS, ids=lambda cls: f"{cls.__module__}.{cls.__qualname__}")
def test_everything_that_holds_arrays_checks_them_all(cls, monkeypatch):
    checks: set[str] = set()

    def record(holder, /, **forms):
        checks.update(forms)

    for module in {sys.modules[base.__module__] for base in cls.__mro__ if dataclasses.is_dataclass(base)}:
        monkeypatch.setattr(module, "freeze_arrays", record, raising=False)
    # Whatever else a check looks at (a number of bins, the rows of another array) is there.
    holder = object.__new__(cls)
    arrays = array_members(cls)
    for field in dataclasses.fields(cls):
        object.__setattr__(holder, field.name, np.zeros(1) if field.name in arrays else MagicMock())
    with contextlib.suppress(TypeError):  # a check that goes on to compare one of the mocks
        getattr(holder, "__post_init__", lambda: None)()
    assert set(arrays) <= checks, "call core.arrays.freeze_arrays in __post_init__ for these"


MEMBERS = [(cls, name) for cls in EXAMPLES for name in array_members(cls)]
named = pytest.mark.parametrize(("cls", "name"), MEMBERS, ids=[f"{cls.__name__}.{name}" for cls, name in MEMBERS])


@named
def test_arrays_are_read_only_and_those_given_stay_writable(cls, name):
    given = EXAMPLES[cls]
    held = getattr(cls(**given), name)
    for array, original in zip(arrays_in(held), arrays_in(given[name]), strict=True):
        assert np.shares_memory(array, original)
        assert original.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
    if isinstance(held, Mapping):
        with pytest.raises(TypeError):
            held["other"] = None


@named
def test_another_dtype_or_shape_is_refused(cls, name):
    if cls in ANY_FORM:
        return
    wrong = [
        lambda array: array.astype(np.complex64),
        lambda array: array[None],
        lambda array: array[..., None],
        lambda array: array.tolist(),
    ]
    for change in wrong:
        with pytest.raises(ContractError, match=rf"{cls.__name__}\.{name}.*got .*, expected "):
            cls(**{**EXAMPLES[cls], name: changed(EXAMPLES[cls][name], change)})


@dataclass(frozen=True)
class Rows:
    boxes: Floats
    scores: Floats | None
    names: tuple[str, ...] = ("a", "b")

    def __post_init__(self) -> None:
        freeze_arrays(self, boxes=(np.float64, "m", 4), scores=(np.float64, "m"), names=(tuple, "m"))


def test_rows_that_disagree_are_told_with_what_was_expected():
    assert Rows(f64(2, 4), None).scores is None
    with pytest.raises(ContractError) as caught:
        Rows(f64(2, 4), f64(3))
    assert str(caught.value) == "Rows.scores: got float64 (3,), expected float64 (m,), m = 2"
    with pytest.raises(ContractError) as caught:
        Rows(f64(2, 3), f64(2))
    assert str(caught.value) == "Rows.boxes: got float64 (2, 3), expected float64 (m, 4), m = 2"
    with pytest.raises(ContractError) as caught:
        Rows(f64(1, 4), f64(1))
    assert str(caught.value) == "Rows.names: got 2 items, expected tuple (m,), m = 1"


def test_one_array():
    view = checked(ints(2, 3), "x", (np.int64, "a", "b"))
    assert view.shape == (2, 3)
    assert not view.flags.writeable
    with pytest.raises(ContractError, match=r"^x: got int64 \(2, 3\), expected int64 \(a, a\), a = 2$"):
        checked(ints(2, 3), "x", (np.int64, "a", "a"))
    assert checked(f32(0), "x", (np.generic, ...)).size == 0
    with pytest.raises(ContractError, match=r"^x: got list of 1 items, expected any dtype \(\.\.\.\)$"):
        checked([1], "x", (np.generic, ...))
