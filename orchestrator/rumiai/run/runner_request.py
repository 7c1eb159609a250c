"""A request to the runner as one JSON object: the same words as on its command line."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError

from rumiai.errors import UsageError

# Far more than any request needs.
MAX_BYTES: Final = 2**20
_NAME: Final = re.compile(r"[a-z][a-z_-]*")

Option = StrictBool | StrictInt | StrictFloat | StrictStr | Annotated[list[StrictStr], Field(min_length=1)]


class RunnerRequest(BaseModel):
    """Which video, and the options of the command by their names, such as ``{"max_cost": 2, "force": true}``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    video_url: StrictStr = ""
    video_id: StrictStr = ""
    video_path: StrictStr = ""
    options: dict[str, Option] = Field(default_factory=dict)

    def arguments(self) -> list[str]:
        """The request as arguments of the command.

        Raises:
            UsageError: The name of an option is none.
        """
        videos = {name: getattr(self, name) for name in ("video_url", "video_id", "video_path")}
        named = [f"--{name.replace('_', '-')}={value}" for name, value in videos.items() if value]
        return named + [argument for name, value in self.options.items() for argument in _argument(name, value)]


def _argument(name: str, value: Option) -> list[str]:
    if not _NAME.fullmatch(name) or name == "stdin":
        raise UsageError(f"stdin: options: {name!r} is no option of the runner")
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag] if value else []
    return [f"{flag}={','.join(value) if isinstance(value, list) else value}"]


def read_request(text: bytes) -> RunnerRequest:
    """Read the JSON of a request.

    Raises:
        UsageError: It is too long, no JSON, or does not have the members of a request.
    """
    hint = 'send one object, such as {"video_path": "clip.mp4", "options": {"out": "results"}}'
    if len(text) > MAX_BYTES:
        raise UsageError(f"stdin: a request of more than {MAX_BYTES} bytes", hint=hint)
    try:
        return RunnerRequest.model_validate_json(text)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        where = ".".join(str(part) for part in error["loc"][:2])
        raise UsageError(f"stdin: {f'{where}: ' if where else ''}{error['msg']}", hint=hint) from exc
