"""Environment, ``.env`` file and flags, turned once into one frozen ``Settings``.

Precedence: flag, then environment, then ``.env`` in the current folder, then the default. Of several names for one
setting the first of its list wins. ``docs/settings.md`` is generated from ``variables`` and ``older``.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rumiai.core.objects import cloud_variables, is_object
from rumiai.errors import ConfigurationError
from rumiai.metrics.registry import ANALYSES
from rumiai.settings.model import Settings, names_of, read_switch, validated
from rumiai.settings.older import OLDER, READ_ELSEWHERE, check_older


@dataclass(frozen=True)
class Secrets:
    """Keys. They are apart from :class:`Settings`, which goes to worker processes and into reports."""

    claude_key: str = dataclasses.field(default="", repr=False)
    anthropic_key: str = dataclasses.field(default="", repr=False)
    apify_token: str = dataclasses.field(default="", repr=False)
    service_key: str = dataclasses.field(default="", repr=False)
    cloud: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)


# Names of each key, in order of precedence.
SECRET_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "claude_key": ("CLAUDE_API_KEY",),
    "anthropic_key": ("ANTHROPIC_API_KEY",),
    "apify_token": ("APIFY_API_TOKEN", "APIFY_TOKEN"),
    "service_key": ("RUMIAI_API_KEY",),
}
# Environment name of the switch of each analysis; two are called shorter.
_SHORT: Final = {"visual_overlay_analysis": "visual_overlay", "metadata_analysis": "metadata"}
JUDGE_SWITCHES: Final[Mapping[str, str]] = {f"PRECOMPUTE_{_SHORT.get(name, name).upper()}": name for name in ANALYSES}


@dataclass(frozen=True)
class Variable:
    """One row of the documentation: environment names in order of precedence, default, meaning."""

    names: tuple[str, ...]
    default: str
    meaning: str


def variables() -> Iterator[Variable]:
    """Everything that the environment can set."""
    for member, field in Settings.model_fields.items():
        if member == "judged_analyses":
            yield from (Variable((n,), "True", f"whether {name} may use Claude") for n, name in JUDGE_SWITCHES.items())
        else:
            default = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)
            yield Variable(names_of(field), default, field.description or "")


# Settings that choose which code is run and which network is reached: a ``.env`` in a folder of videos must not.
_NEVER_IN_DOTENV: Final = ("RUMIAI_PLUGINS", "RUMIAI_ALLOW_ADDRESSES", "RUMIAI_VIA", "RUMIAI_UPLOAD")


def load(
    environment: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
    dotenv: Mapping[str, str] | None = None,
    flag_names: Mapping[str, str] | None = None,
    taken: Collection[str] = (),
) -> tuple[Settings, list[str]]:
    """Settings from an explicit mapping.

    Args:
        environment: ``os.environ`` or what stands for it.
        flags: Values given on the command line, by member name; None counts as not given. Strings are read like
            variables, other types are taken as they are.
        dotenv: What the ``.env`` file holds.
        flag_names: What the command line calls a member, where that is not ``--member``.
        taken: Variables of the earlier system that the caller reads itself.

    Returns:
        The settings, and warnings about ``RUMIAI_`` names that mean nothing and older names without effect.

    Raises:
        ConfigurationError: A value is not what its setting takes, or stands where it may not.
    """
    merged = {**_harmless(dotenv or {}), **environment}
    older = list(check_older({name: text for name, text in merged.items() if name not in taken}))
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for member, field in Settings.model_fields.items():
        flag = (flags or {}).get(member)
        name = next((name for name in names_of(field) if merged.get(name, "") != ""), None)
        if flag is not None:
            values[member], origins[member] = flag, (flag_names or {}).get(member, f"--{member.replace('_', '-')}")
        elif name is not None:
            values[member], origins[member] = merged[name], name
    values.setdefault("judged_analyses", _judged(merged))
    return validated(values, origins), [*older, *_unknown(merged)]


def _judged(merged: Mapping[str, str]) -> tuple[str, ...]:
    """The analyses whose switch is not off."""
    return tuple(analysis for name, analysis in JUDGE_SWITCHES.items() if _is_on(name, merged))


def _is_on(name: str, merged: Mapping[str, str]) -> bool:
    text = merged.get(name, "")
    try:
        return read_switch(text) if text else True
    except ValueError as exc:
        raise ConfigurationError(f"{name}: got {text!r}, {exc}") from exc


def _harmless(dotenv: Mapping[str, str]) -> dict[str, str]:
    """What a ``.env`` file may set.

    Raises:
        ConfigurationError: It sets what must come from the environment or the command line.
    """
    uploads = ["RUMIAI_BASE_DIR"] if is_object(dotenv.get("RUMIAI_BASE_DIR", "")) else []
    for name in (*_NEVER_IN_DOTENV, *uploads):
        if dotenv.get(name):
            raise ConfigurationError(f"{name} stands in .env, where it is not taken", hint="set it in the environment")
    return dict(dotenv)


def read_secrets(environment: Mapping[str, str], dotenv: Mapping[str, str] | None = None) -> Secrets:
    """The keys, with the precedence of :func:`load`."""
    merged = {**(dotenv or {}), **environment}
    # Never from .env: with an endpoint of a stranger's, the user's keys would go there.
    cloud = cloud_variables(environment)
    return Secrets(**{member: _first(names, merged) for member, names in SECRET_NAMES.items()}, cloud=cloud)


def _first(names: tuple[str, ...], merged: Mapping[str, str]) -> str:
    return next((merged[name] for name in names if merged.get(name)), "")


def _unknown(merged: Mapping[str, str]) -> Iterator[str]:
    """Warnings about ``RUMIAI_`` names that nothing reads."""
    settings = {name for variable in variables() for name in variable.names}
    known = settings | READ_ELSEWHERE.keys() | {variable.name for variable in OLDER}
    for name in sorted(merged):
        if name.startswith("RUMIAI_") and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            yield f"{name} is set but no setting has that name" + (f"; did you mean {close[0]}?" if close else "")


def read_dotenv(path: Path) -> dict[str, str]:
    """The names and values of a ``.env`` file; none when it is not there."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value is not None}
