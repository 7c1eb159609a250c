"""Members of older files that cannot be read and that no contract asked for: left out, and told."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from rumiai.contracts.models import model_of
from rumiai.contracts.results import ServiceName, ServiceResult
from rumiai.contracts.services.base import ServiceModel, fields_along
from rumiai.core.json_values import JsonObject, JsonValue

# Optional, and yet a violation when they are there and wrong.
_CHECKED: Final = frozenset(
    {"confidence", "bbox", "face_bbox", "presence_percentage", "energy_variance", "climax_timestamp", "onsets", "beats",
     "action_units", "au_intensities"}
)  # fmt: skip
_TOLD: Final = 20

Loc = tuple[int | str, ...]


def read_leniently(service: ServiceName, version: str, data: JsonObject) -> ServiceResult:
    """A result from data in canonical form of any age; ``data`` stays as it is.

    An optional member that the service's contract never checked and that cannot be read is left out;
    ``metadata.members_not_read`` names them, at most 20. Any other violation fails the service.
    """
    result = ServiceResult.read(service, version, data)
    if result.ok:
        return result
    unread = _unreadable(service, data)
    if not unread:
        return result
    kept = copy.deepcopy(dict(data))
    for loc in unread:
        _remove(kept, loc)
    names = [".".join(map(str, loc)) for loc in unread[:_TOLD]]
    metadata = kept["metadata"]
    kept["metadata"] = {**(metadata if isinstance(metadata, Mapping) else {}), "members_not_read": names}
    return ServiceResult.read(service, version, kept)


def _unreadable(service: ServiceName, data: JsonObject) -> list[Loc]:
    """The optional members with a violation inside; [] when a member that counts has one."""
    model = model_of(service)
    try:
        model.model_validate(data)
    except ValidationError as error:
        found = dict.fromkeys(_optional(model, item["loc"]) for item in error.errors(include_url=False))
        return [] if None in found else [loc for loc in found if loc is not None]
    return []


def _optional(model: type[ServiceModel], loc: Loc) -> Loc | None:
    """The innermost optional member on the way to ``loc``; None without one, or when the contract checks it."""
    if not _CHECKED.isdisjoint(loc):
        return None
    optional = [depth for depth, field in fields_along(model, loc) if not field.is_required()]
    return loc[: optional[-1]] if optional else None


def _remove(data: dict[str, JsonValue], loc: Loc) -> None:
    node: Any = data
    for part in loc[:-1]:
        node = node[part]
    node.pop(loc[-1], None)
