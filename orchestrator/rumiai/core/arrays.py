"""Arrays as the house holds them: their types by name, and the check at construction of what holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from types import EllipsisType, MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from rumiai.errors import ContractError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# A number; a name, which is one number in all arrays of an object; or any number of any.
Dimension = int | str | EllipsisType
# dtype and dimensions; ``np.generic`` is any dtype, ``tuple`` a tuple that has as many items as an array has rows.
Form = tuple[type[np.generic] | type[tuple[Any, ...]], *tuple[Dimension, ...]]


def freeze_arrays(holder: object, /, **forms: Form) -> None:
    """Check the arrays of a dataclass and put read-only views in their place; for its ``__post_init__``.

    The views share the memory of the arrays that were given, which stay writable for their owner. A member that is
    None is left alone; of a mapping each value is checked, and the mapping becomes read-only too.

    Args:
        holder: The dataclass instance; frozen or not.
        forms: Member name -> dtype and dimensions, for example ``boxes=(np.float32, "m", 4), scores=(np.float32,
            "m")``: both have as many rows. ``texts=(tuple, "m")`` asks the same of a tuple.

    Raises:
        ContractError: A member has another dtype or shape than its form says.
    """
    sizes: dict[str, int] = {}
    for name, form in forms.items():
        value = getattr(holder, name)
        where = f"{type(holder).__name__}.{name}"
        if value is None:
            continue
        if form[0] is tuple:
            if not _fits((len(value),), form, sizes):
                raise _refusal(where, f"{len(value)} items", form, sizes)
        elif isinstance(value, Mapping):
            views = {key: checked(item, f"{where}[{key!r}]", form, sizes) for key, item in value.items()}
            object.__setattr__(holder, name, MappingProxyType(views))
        else:
            object.__setattr__(holder, name, checked(value, where, form, sizes))


def checked(array: npt.NDArray[Any], name: str, form: Form, sizes: dict[str, int] | None = None) -> npt.NDArray[Any]:
    """A read-only view of an array of this form.

    Args:
        array: What was given.
        name: As errors name it.
        form: dtype and dimensions.
        sizes: What the named dimensions are so far; those met here for the first time are added.

    Raises:
        ContractError: It is no array, or has another dtype or shape.
    """
    sizes = {} if sizes is None else sizes
    if not isinstance(array, np.ndarray):
        raise _refusal(name, _said(array), form, sizes)
    if not np.issubdtype(array.dtype, form[0]) or not _fits(array.shape, form, sizes):
        raise _refusal(name, f"{array.dtype} {array.shape}", form, sizes)
    view = array.view()
    view.flags.writeable = False
    return view


def _fits(shape: tuple[int, ...], form: Form, sizes: dict[str, int]) -> bool:
    """Whether a shape is that of the form; names that are met for the first time are added to ``sizes``."""
    dimensions = form[1:]
    if dimensions == (...,):
        return True
    if len(shape) != len(dimensions):
        return False
    return all(
        n == (sizes.setdefault(d, n) if isinstance(d, str) else d) for d, n in zip(dimensions, shape, strict=True)
    )


def _refusal(name: str, got: str, form: Form, sizes: Mapping[str, int]) -> ContractError:
    known = "".join(f", {d} = {sizes[d]}" for d in dict.fromkeys(form[1:]) if isinstance(d, str) and d in sizes)
    return ContractError(f"{name}: got {got}, expected {_spelled(form)}{known}")


def _spelled(form: Form) -> str:
    dtype = "any dtype" if form[0] is np.generic else form[0].__name__
    sides = ", ".join("..." if d is ... else str(d) for d in form[1:])
    return f"{dtype} ({sides}{',' if len(form) == 2 and form[1] is not ... else ''})"


def _said(value: object) -> str:
    size = f" of {len(value)} items" if isinstance(value, Sized) else ""
    return f"{type(value).__name__}{size}"
