"""What the canonical data of every service has in common: the base models, field types and the text of a violation.

Attributes carry their unit (``start_s``); the JSON key is the attribute without ``_s`` unless a field names another.
Members that a model does not know are kept, because files of other versions hold them. A member that was absent stays
absent: ``to_json`` writes what was given, so that reading and writing a file changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias, get_args, get_origin

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    Strict,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from rumiai.core.collector import collector_paused
from rumiai.errors import ContractError

# Enough to see what is wrong; a YOLO file may break its contract ten thousand times.
MAX_PROBLEMS: Final = 20
# A box in float32 may pass the edge of the frame by a rounding error.
BOX_SLACK: Final = 1e-3
_INSIDE: Final = 1 + BOX_SLACK
_SHOWN_CHARS: Final = 80
_BOX_EXPECTED: Final = "[x, y, w, h] in 0..1, inside the frame"
_OBSERVED_EXPECTED: Final = "instants, or stretches [start, end], in seconds and in order"


class Expected:
    """Replaces pydantic's message of a violation by ``expected <text>``."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The field's own schema; whatever it refuses is told with this text."""
        return core_schema.custom_error_schema(handler(source), "contract", custom_error_message=self.text)


def _inside_frame(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    if box[0] + box[2] > _INSIDE or box[1] + box[3] > _INSIDE:
        raise ValueError(_BOX_EXPECTED)
    return box


_Side = Annotated[float, Strict(), Field(ge=-BOX_SLACK, le=_INSIDE)]

Number = Annotated[float, Strict(), AllowInfNan(False), Expected("a finite number")]
Share = Annotated[float, Strict(), Field(ge=0, le=1), Expected("a number 0..1")]
Rate = Annotated[float, Strict(), AllowInfNan(False), Field(ge=0), Expected("a rate >= 0 a second")]
Seconds = Annotated[float, Strict(), AllowInfNan(False), Field(ge=0), Expected("seconds >= 0")]
Count = Annotated[int, Strict(), Expected("a whole number")]
FrameNumber = Annotated[int, Strict(), Expected("a frame index")]
Text = Annotated[str, Strict(), Expected("a string")]
Name = Annotated[str, Strict(), Field(min_length=1), Expected("a name")]
Flag = Annotated[bool, Strict(), Expected("true or false")]


def _in_order(observed: tuple[Any, ...]) -> tuple[Any, ...]:
    edges = [edge for item in observed for edge in (item if isinstance(item, tuple) else (item,))]
    if any(later < earlier for earlier, later in pairwise(edges)):
        raise ValueError(_OBSERVED_EXPECTED)
    return observed


# When a service looked: the instants of the frames that it has an answer for, or stretches [start, end]. An empty list
# says that it looked at nothing.
Instants: TypeAlias = tuple[Seconds, ...]
Stretches: TypeAlias = tuple[tuple[Seconds, Seconds], ...]
Observed = Annotated[Instants | Stretches, AfterValidator(_in_order), Expected(_OBSERVED_EXPECTED)]
# x, y, width, height in shares of the frame, origin top left.
Box = Annotated[tuple[_Side, _Side, _Side, _Side], AfterValidator(_inside_frame), Expected(_BOX_EXPECTED)]


def json_key(attribute: str) -> str:
    """The JSON key of an attribute: units stand in Python names, not in the files."""
    return attribute.removesuffix("_s")


class ServiceModel(BaseModel):
    """Base of everything inside a service's data; equal when all members are equal."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=json_key,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )

    def to_json(self) -> dict[str, Any]:
        """JSON types under the file's keys; what was absent stays absent."""
        with collector_paused():
            return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class ServiceMetadata(ServiceModel):
    """How a service obtained its data: model, device, sampling.

    Attributes:
        processed: True; a service that failed has no data.
        model: What found it.
        device: Where the model ran.
        frames_analyzed: Frames answered: read + carried + gated.
        frames_expected: Frames of the sampling grid.
        frames_read: Run through the model.
        frames_carried: Answered with an earlier frame's result.
        frames_gated: Skipped as unchanged, or as empty.
        sample_fps: Effective rate of the grid, in frames a second.
        width: Of the frame as shown, in pixels.
        height: Of the frame as shown, in pixels.
        fps: Of the source.
        duration_s: Of the source.
    """

    processed: Annotated[Literal[True], Expected("true: a service that failed has no data")]
    model: Text | None = None
    device: Text | None = None
    frames_analyzed: Count | None = None
    frames_expected: Count | None = None
    frames_read: Count | None = None
    frames_carried: Count | None = None
    frames_gated: Count | None = None
    sample_fps: Rate | None = None
    width: Count | None = None
    height: Count | None = None
    fps: Rate | None = None
    duration_s: Number | None = None

    @property
    def frames_answered(self) -> int | None:
        """Frames that were read, carried or gated; None where that is not told."""
        parts = (self.frames_read, self.frames_carried, self.frames_gated)
        known = [part for part in parts if part is not None]
        return sum(known) if known else self.frames_analyzed

    @property
    def step_s(self) -> float:
        """Seconds between two sampled frames; 0.0 where the rate is not told."""
        return 1.0 / self.sample_fps if self.sample_fps else 0.0


class ServiceData(ServiceModel):
    """The canonical data of one service; subclasses name the service and its members.

    ``short_name`` is what the weights of the analyses call the service; its own name where that is None.
    ``entry_types`` are the types of the timeline entries that its data becomes; none that another service has.

    Attributes:
        metadata: How it was made.
        observed: When the service looked: instants of sampled frames, or stretches of picture or sound. What it did not
            observe is unknown, not empty. None where the file does not tell.
    """

    service: ClassVar[str]
    short_name: ClassVar[str | None] = None
    entry_types: ClassVar[tuple[str, ...]] = ()

    metadata: ServiceMetadata
    observed: Observed | None = None

    @classmethod
    def name_in_weights(cls) -> str:
        """What the weights of the analyses call the service."""
        return cls.short_name or cls.service

    @property
    def found_confidences(self) -> list[float | None] | None:
        """Confidence of everything that was found, 0..1, None where a find has none; empty when nothing was found.

        None for a service that measures what is there instead of looking for something.
        """
        return []

    @property
    def found_at_s(self) -> list[float]:
        """Instants of the sampled frames on which something was found; empty for a service that samples none."""
        return []

    @property
    def unclear(self) -> Stretches:
        """Stretches that the service looked at and could make nothing of; () for none."""
        return ()

    @property
    def frames_answered(self) -> int | None:
        """Sampled frames that the service has an answer for; None where that is not told."""
        return self.metadata.frames_answered

    @property
    def soundness(self) -> float:
        """How far what went wrong inside the service leaves its finds to be trusted, 0..1; 1 when nothing did."""
        return 1.0

    @classmethod
    def from_json(cls, raw: object) -> Self:
        """Read JSON data, validating it once.

        Raises:
            ContractError: It breaks the service's contract; the first violation is told, and how many there are.
        """
        try:
            with collector_paused():
                return cls.model_validate(raw)
        except ValidationError as error:
            raise ContractError(told(problems_of(error, cls))) from error

    @classmethod
    def from_bytes(cls, text: bytes) -> Self:
        """Read a file's content; faster than parsing it into dictionaries first, which matters for hours of video.

        Raises:
            ContractError: It is not JSON, or breaks the service's contract.
        """
        try:
            with collector_paused():
                return cls.model_validate_json(text)
        except ValidationError as error:
            raise ContractError(told(problems_of(error, cls))) from error

    @classmethod
    def problems(cls, raw: object) -> list[str]:
        """The contract's violations, at most 20 and then a line saying that there are more; [] when it holds."""
        try:
            cls.model_validate(raw)
        except ValidationError as error:
            return problems_of(error, cls)
        return []

    def to_json(self) -> dict[str, Any]:
        """The content of the service's file: what was found, then the metadata."""
        content = super().to_json()
        return {**{key: value for key, value in content.items() if key != "metadata"}, "metadata": content["metadata"]}

    def observing(self, observed: Instants | Stretches) -> Self:
        """The same data, saying when the service looked: instants, or stretches ``[start, end]``, in order."""
        return self.model_copy(update={"observed": tuple(observed)})

    def on_device(self, device: str | None) -> Self:
        """The same data, whose metadata say where the model ran."""
        return self.model_copy(update={"metadata": self.metadata.model_copy(update={"device": device})})


def told(problems: list[str]) -> str:
    """One line: the first problem, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"its data breaks its contract: {problems[0]}{more}"


def broken(*problems: str) -> PydanticCustomError:
    """What a validator raises that looks at several members: each problem begins with the member's path."""
    return PydanticCustomError("relation", "{problems}", {"problems": list(problems)})


def interval_problem(start_s: float, end_s: float, *, may_be_instant: bool) -> PydanticCustomError | None:
    """What is wrong with the two ends of an interval."""
    if end_s < start_s or (end_s == start_s and not may_be_instant):
        return broken(f": got end {end_s} after start {start_s}, expected end > start")
    return None


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """``path: got X, expected Y`` of each violation, at most 20 and then a line saying that there are more."""
    found = list(islice(_lines(error, model), MAX_PROBLEMS + 1))
    return found if len(found) <= MAX_PROBLEMS else [*found[:MAX_PROBLEMS], "... and more"]


def _lines(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    for item in error.errors(include_url=False):
        where, got, context = _path(item["loc"]), item["input"], item.get("ctx", {})
        if item["type"] == "relation":
            yield from (_joined(where, problem) for problem in context["problems"])
            continue
        if item["type"] == "missing":
            got, expected = None, _expected_at(model, item["loc"])
        else:
            known = _EXPECTED.get(item["type"])
            expected = known.format(**context) if known else item["msg"]
        yield f"{where or 'data'}: {_got(got, expected)}, expected {expected}"


_EXPECTED: Final[Mapping[str, str]] = {
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
}


def _got(value: object, expected: str) -> str:
    if value is None and expected == _BOX_EXPECTED:
        return "got no box that could be read (in pixels, frame size unknown?)"
    return f"got {shown(value)}"


def shown(value: object) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."


def _path(loc: tuple[int | str, ...]) -> str:
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier():
            path += f".{part}" if path else part
        else:
            path += f"[{part!r}]"
    return path


def _joined(where: str, problem: str) -> str:
    """A problem of a member, told from the outside; ``": got .."`` is of the whole."""
    if problem.startswith((":", "[")) or not where:
        return where + problem
    return f"{where}.{problem}"


def _expected_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """What a field that is missing should have held."""
    *_, (_, field) = fields_along(model, loc)
    texts = [mark.text for mark in field.metadata if isinstance(mark, Expected)]
    return texts[0] if texts else "a list" if get_origin(field.annotation) is tuple else "an object"


def fields_along(model: type[BaseModel], loc: tuple[int | str, ...]) -> Iterator[tuple[int, FieldInfo]]:
    """The model fields on the way to a place in the data, each with the number of steps to it."""
    annotation: Any = model
    for depth, part in enumerate(loc, start=1):
        for known in _models_in(annotation):
            fields = known.model_fields.items()
            field = next((f for name, f in fields if part in (name, f.validation_alias, f.alias)), None)
            if field is not None:
                annotation = field.annotation
                yield depth, field
                break


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
