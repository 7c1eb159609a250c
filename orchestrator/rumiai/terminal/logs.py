"""The log on stderr: lines of text, or one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from rumiai.contracts.run_events import LogEvent
from rumiai.core.json_values import JsonValue
from rumiai.settings import Settings
from rumiai.terminal.streams import printable

LOG = logging.getLogger("rumiai")

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# What every record has; anything else was given by who logs.
_OWN_MEMBERS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
# Marks a record that came from a worker process with its number; where it was logged is not known.
_WORKER: Final = "worker"


class TextFormatter(logging.Formatter):
    """A record as text; control characters of what it tells are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        return printable(super().format(record))


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: when, how bad, by whom, what, where, and what else was given."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        is_here = not hasattr(record, _WORKER)
        extras = {name: str(value) for name, value in vars(record).items() if name not in _OWN_MEMBERS}
        members: Mapping[str, JsonValue] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "module": record.module if is_here else None,
            "function": record.funcName if is_here else None,
            "line": record.lineno if is_here else None,
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
            "extras": extras,
        }
        return json.dumps(members, ensure_ascii=False)


def start_logging(settings: Settings) -> None:
    """Send the log to stderr, unless it is set up already."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter(_TEXT))
    logging.basicConfig(level=settings.log_level, handlers=[handler])


def is_json() -> bool:
    """Whether stderr carries JSON, so that nothing else should be written there."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def log_event(event: LogEvent) -> None:
    """Log what a worker process has logged."""
    level = logging.getLevelName(event.level)
    logging.getLogger(event.logger).log(level, "%s", event.message, extra={_WORKER: event.pid})
