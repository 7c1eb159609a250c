"""Points of a body as one array: read, written, compared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from rumiai.contracts.services.people import Landmarks
from rumiai.errors import ContractError

POINT = {"i": 3, "x": 0.5, "y": 0.25, "z": -0.5, "v": 1}


def body(**replaced):
    return [{"i": i, "x": i / 40, "y": 0.5, "z": -0.25, "v": 0.9} | replaced for i in range(33)]


def test_a_whole_body_is_rows_by_index():
    points = Landmarks.read(body()).points
    assert points.shape == (33, 4)
    assert points[32].tolist() == [0.8, 0.5, -0.25, 0.9]
    assert Landmarks.read(body()).to_json() == body()


def test_points_that_are_not_told_are_not_known_and_not_written():
    read = Landmarks.read([POINT])
    assert np.isnan(np.delete(read.points, 3, axis=0)).all()
    assert read.points[3].tolist() == [0.5, 0.25, -0.5, 1.0]
    assert read.to_json() == [POINT]
    assert Landmarks.read([]).to_json() == []


def test_coordinates_that_are_not_told():
    points = [{"i": 0, "x": 0.5, "y": 0.5}, {"i": 5, "x": 0.1, "y": 0.2, "v": 0.5}]
    read = Landmarks.read(points)
    assert np.isnan(read.points[0, 2:]).all()
    assert read.to_json() == points


def test_the_array_is_read_only_and_compared_by_value():
    read = Landmarks.read(body())
    with pytest.raises(ValueError, match="read-only"):
        read.points[0, 0] = 1.0
    assert read == Landmarks.read(body())
    assert read != Landmarks.read(body(x=0.5))
    assert Landmarks.read([POINT]) == Landmarks.read([POINT])  # NaN where nothing is told


@pytest.mark.parametrize(
    "raw",
    [
        33, "points", {"i": 0}, [5], [{}], [{"x": 1.0}], [POINT | {"i": 33}], [POINT | {"i": -1}], [POINT | {"i": 1.0}],
        [POINT | {"x": "0.5"}], [POINT | {"x": None}], [POINT | {"x": float("nan")}], [POINT | {"v": float("inf")}],
        [POINT | {"x": True}], [POINT | {"x": [1.0]}], [{"i": 0, "x": "a"}],
    ],
)  # fmt: skip
def test_what_are_no_landmarks(raw):
    with pytest.raises(PydanticCustomError, match="a list of"):
        Landmarks.read(raw)


@pytest.mark.parametrize("points", [np.zeros((33, 3)), np.zeros((33, 4), np.float32)])
def test_arrays_of_another_shape(points):
    with pytest.raises(ContractError, match=r"expected float64 \(33, 4\)"):
        Landmarks(points)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"i": st.integers(0, 32)},
            optional={axis: st.floats(allow_nan=False, allow_infinity=False) for axis in "xyzv"},
        ),
        unique_by=lambda point: point["i"],
    )
)
def test_what_is_written_reads_as_itself(points):
    read = Landmarks.read(points)
    assert Landmarks.read(read.to_json()) == read
