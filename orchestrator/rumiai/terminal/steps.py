"""Progress of the runner protocol: a line on stdout for each step of a video, for programs that read them.

The lines are those that older callers look for: the sign U+1F4CA, the step, three dots and the percentage.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from rumiai.contracts.run_events import (
    ClaudeEvent,
    LogEvent,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.terminal.logs import LOG, is_json, log_event
from rumiai.terminal.streams import write_line

# The steps in their order, and the percentage that each begins with.
STEPS: Final[Mapping[str, int]] = {
    "scraping_metadata": 0,
    "downloading_video": 10,
    "running_ml_analysis": 20,
    "building_timeline": 50,
    "generating_temporal_markers": 60,
    "saving_analysis": 65,
    "running_claude_prompts": 70,
    "generating_report": 95,
    "completed": 100,
}
# The last step that has begun when a stage of the pipeline begins; any other stage is one of the models'.
_STEP_OF_STAGE: Final[Mapping[str, str]] = {
    "fetch": "downloading_video",
    "probe": "downloading_video",
    "save": "building_timeline",
    "analyse": "running_claude_prompts",
    "claude": "running_claude_prompts",
}
_SIGN: Final = "\N{BAR CHART}"


class StepDisplay:
    """Prints each step once, in order; everything for people goes to stderr.

    Args:
        quiet: No steps.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._waiting = [] if quiet else list(STEPS)

    def __enter__(self) -> Self:
        self.reach("scraping_metadata")
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        return None

    def reach(self, step: str) -> None:
        """Print the steps up to this one that are not printed yet."""
        while step in self._waiting:
            name = self._waiting.pop(0)
            write_line(f"{_SIGN} {name}... ({STEPS[name]}%)", sys.stdout)

    def handle(self, event: RunEvent) -> None:
        """Print the step that an event leads to."""
        match event:
            case ProgressEvent(stage=stage):
                self.reach(_STEP_OF_STAGE.get(stage, "running_ml_analysis"))
            case VideoEvent(outcome) if outcome.status != "failed":
                self.reach("generating_report")
            case RetryEvent(video_id, reason):
                self._say(f"{video_id}: {reason}; once more")
            case ServerEvent(message=message) | ClaudeEvent(message=message):
                self._say(message)
            case LogEvent():
                log_event(event)

    def _say(self, text: str) -> None:
        if self._quiet:
            return
        if is_json():
            LOG.info("%s", text)
        else:
            write_line(text, sys.stderr)
