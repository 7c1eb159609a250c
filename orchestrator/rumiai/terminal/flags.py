"""What the command lines of all commands share: flags -> settings."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rumiai.core.objects import is_object
from rumiai.core.plugins import load_plugins
from rumiai.errors import ConfigurationError, UsageError
from rumiai.services import chosen_services

if TYPE_CHECKING:
    from rumiai.settings import Effective, Secrets, Settings


def read_settings(flags: Mapping[str, object], taken: Collection[str] = ()) -> Settings:
    """The settings of flags, environment and ``.env``; warnings go to stderr, plug-ins are loaded.

    Args:
        flags: Of the command that is running, by member; None counts as not given.
        taken: Variables of the earlier system that the command reads itself.

    Raises:
        ConfigurationError: A value is not what its setting takes.
    """
    from rumiai.settings import load, read_dotenv

    try:
        Path.cwd()
    except OSError as exc:
        message = f"the current folder cannot be used: {exc.strerror}"
        raise ConfigurationError(message, hint="it may have been removed; change to another one") from exc
    settings, warnings = load(os.environ, flags, read_dotenv(Path(".env")), flag_names(), taken)
    if not settings.colored_logs or os.environ.get("NO_COLOR"):
        click.get_current_context().color = False
    _warn(warnings, settings)
    load_plugins(settings.plugins)
    chosen_services(settings.services)  # a name that is none of a service is a mistake of this moment
    return settings


def refuse_upload(settings: Settings, command: str) -> None:
    """Refuse an output folder in an object store, for a command that works on a local one.

    Raises:
        ConfigurationError: It is one.
    """
    if settings.upload:
        raise ConfigurationError(
            f"{command} works on a local folder, and got {settings.upload}",
            hint=f"the local copy of what `submit` has uploaded is in {settings.out}",
        )


def refuse_objects(paths: Iterable[str], command: str) -> None:
    """Refuse names of objects, for a command that reads local files.

    Raises:
        UsageError: One is such a name.
    """
    for path in filter(is_object, paths):
        raise UsageError(f"{command} works on local folders, and got {path}", hint="copy the folder here first")


def flag_names() -> dict[str, str]:
    """What the command line that is running calls its settings, by member."""
    names: dict[str, str] = {}
    for option in click.get_current_context().command.params:
        names.setdefault(option.name or "", option.opts[0])  # the first one is not the shorthand, as --no-claude is
    return names


def effective_settings(flags: Mapping[str, object]) -> list[Effective]:
    """All settings in effect with their origins, and the keys, masked.

    Args:
        flags: As of :func:`read_settings`.
    """
    from rumiai.settings import effective, read_dotenv

    return effective(os.environ, flags, read_dotenv(Path(".env")), flag_names())


def _warn(warnings: Iterable[str], settings: Settings) -> None:
    from rumiai.terminal.logs import LOG, start_logging

    if settings.log_format == "json":
        start_logging(settings)
    for warning in warnings:
        if settings.log_format == "json":
            LOG.warning("%s", warning)
        else:
            click.echo(f"warning: {warning}", err=True)


def read_keys() -> Secrets:
    """The keys of environment and ``.env``."""
    from rumiai.settings import read_dotenv, read_secrets

    return read_secrets(os.environ, read_dotenv(Path(".env")))
