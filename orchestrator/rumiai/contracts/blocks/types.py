"""The types that a field of a block can have.

A type is plain Python with its facts in ``Annotated``: pydantic checks it and writes its JSON Schema. A field that can
be unknown is ``... | None``. NaN and infinity are no numbers, as they are none in JSON.

A model that is built here rounds its numbers, so that it holds what its file will hold. A foreign answer is checked as
it is: such a check carries a :class:`Foreign` as its validation context.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

import numpy as np
from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Where a JSON Schema node carries the unit of its number; the public schema leaves it out.
UNIT_KEY: Final = "x-unit"

# Half a millisecond more than the rounding of output times.
_TIME_TOLERANCE_S: Final = 0.0015
# A span label has one decimal, so it may round past the end by half of that.
_SPAN_TOLERANCE_S: Final = 0.051
_SPAN: Final = r"(\d+(?:\.\d)?)-(\d+(?:\.\d)?)s"
SPAN_PATTERN: Final = f"^{_SPAN}$"
_DECIMALS: Final = 3


@dataclass(frozen=True)
class Foreign:
    """Validation context of values that somebody else made; times lie within ``duration_s`` where that is known."""

    duration_s: float | None = None


def _duration_s(info: ValidationInfo) -> float | None:
    return info.context.duration_s if isinstance(info.context, Foreign) else None


@dataclass(frozen=True)
class Number:
    """Marks an ``int`` or ``float`` as a finite number with bounds, unit and precision.

    Attributes:
        low: Smallest value.
        high: Largest value.
        unit: As the contract text has it.
        decimals: To which a float is rounded for output.
        is_time: Whether it counts seconds from the start of the video, and so ends with it.
    """

    low: int | None = None
    high: int | None = None
    unit: str = ""
    decimals: int = _DECIMALS
    is_time: bool = False

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """The checks of the number, after rounding."""
        if source is int:
            bare: CoreSchema = core_schema.int_schema(strict=True, ge=self.low, le=self.high)
            return core_schema.no_info_before_validator_function(_whole, bare)
        bare = core_schema.float_schema(strict=True, ge=self.low, le=self.high, allow_inf_nan=False)
        if self.is_time:
            bare = core_schema.with_info_after_validator_function(_within_video, bare)
        return core_schema.with_info_before_validator_function(self._rounded, bare)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The number's JSON Schema, with its unit."""
        unit = "s" if self.is_time else self.unit
        return {**handler(schema), **({UNIT_KEY: unit} if unit else {})}

    def _rounded(self, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, float) or isinstance(info.context, Foreign):
            return value
        return round(float(value), self.decimals) + 0.0  # + 0.0 turns -0.0 into 0.0


def _whole(value: object) -> object:
    """A float that is a whole number is an integer, as in JSON Schema; so is numpy's."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return operator.index(value) if isinstance(value, np.integer) else value


def _within_video(value: float, info: ValidationInfo) -> float:
    duration_s = _duration_s(info)
    if duration_s is not None and value > duration_s + _TIME_TOLERANCE_S:
        raise PydanticCustomError("range", "a time in 0..{duration} s", {"duration": f"{duration_s:g}"})
    return value


def _ordered_span(value: str, info: ValidationInfo) -> str:
    match = re.fullmatch(_SPAN, value)
    if match is None or float(match[1]) > float(match[2]):
        raise PydanticCustomError("range", 'span "a-bs"')
    duration_s = _duration_s(info)
    # The label of the last one-second bin ends with its second.
    if duration_s is not None and float(match[2]) > math.ceil(duration_s) + _SPAN_TOLERANCE_S:
        raise PydanticCustomError("range", "a span within 0..{duration} s", {"duration": f"{duration_s:g}"})
    return value


Count: TypeAlias = Annotated[int, Number(low=0)]
Bit: TypeAlias = Annotated[int, Number(low=0, high=1)]
Real: TypeAlias = Annotated[float, Number()]
Positive: TypeAlias = Annotated[float, Number(low=0)]
Ratio: TypeAlias = Annotated[float, Number(low=0, high=1)]
Signed: TypeAlias = Annotated[float, Number(low=-1, high=1)]
Percent: TypeAlias = Annotated[float, Number(low=0, high=100, unit="%")]
Seconds: TypeAlias = Annotated[float, Number(low=0, unit="s")]
PerSecond: TypeAlias = Annotated[float, Number(low=0, unit="per s")]
Time: TypeAlias = Annotated[float, Number(low=0, is_time=True)]
Text: TypeAlias = Annotated[str, Field(strict=True)]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]
# A stretch of video time as "a-bs", both in seconds with at most one decimal.
Span: TypeAlias = Annotated[str, Field(strict=True, pattern=SPAN_PATTERN), AfterValidator(_ordered_span)]

Level: TypeAlias = Literal["low", "medium", "high"]
