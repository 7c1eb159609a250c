"""Which settings are in effect, and where each comes from; of keys only whether they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from rumiai.core.json_values import JsonValue
from rumiai.core.objects import cloud_variables
from rumiai.core.secrets import holds_secret
from rumiai.settings.environment import JUDGE_SWITCHES, SECRET_NAMES, load
from rumiai.settings.model import Settings, names_of

DEFAULT: Final = "default"
# Whatever the length of the key.
_MASKED: Final = "********"


@dataclass(frozen=True)
class Effective:
    """One setting.

    Attributes:
        name: The variable that sets it, the first of its names; of a setting without one its flag.
        value: In effect.
        origin: ``default``, the flag, the variable, or ``.env`` and the variable.
    """

    name: str
    value: JsonValue
    origin: str

    def to_json(self) -> dict[str, JsonValue]:
        """JSON form."""
        return asdict(self)


def effective(
    environment: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
    dotenv: Mapping[str, str] | None = None,
    flag_names: Mapping[str, str] | None = None,
) -> list[Effective]:
    """All settings in effect, and the keys, masked.

    Args:
        environment: As of :func:`load`.
        flags: As of :func:`load`.
        dotenv: As of :func:`load`.
        flag_names: As of :func:`load`.

    Raises:
        ConfigurationError: As of :func:`load`.
    """
    settings, _ = load(environment, flags, dotenv, flag_names)
    told, dotenv = settings.to_json(), dotenv or {}
    found: list[Effective] = []
    for member, field in Settings.model_fields.items():
        if member == "judged_analyses":
            found += _switches(settings, environment, dotenv)
            continue
        names = names_of(field)
        origin = _origin(names, environment, dotenv)
        if (flags or {}).get(member) is not None:
            origin = (flag_names or {}).get(member, f"--{member.replace('_', '-')}")
        found.append(Effective(names[0], told[member], origin))
    return [*found, *_keys(environment, dotenv)]


def _origin(names: tuple[str, ...], environment: Mapping[str, str], dotenv: Mapping[str, str]) -> str:
    for name in names:
        # What the environment has counts more, also where it is empty.
        if environment.get(name, dotenv.get(name, "")) != "":
            return name if name in environment else f".env: {name}"
    return DEFAULT


def _switches(settings: Settings, environment: Mapping[str, str], dotenv: Mapping[str, str]) -> Iterator[Effective]:
    for name, analysis in JUDGE_SWITCHES.items():
        yield Effective(name, analysis in settings.judged_analyses, _origin((name,), environment, dotenv))


def _keys(environment: Mapping[str, str], dotenv: Mapping[str, str]) -> Iterator[Effective]:
    for names in SECRET_NAMES.values():
        origin = _origin(names, environment, dotenv)
        yield Effective(names[0], None if origin == DEFAULT else _MASKED, origin)
    for name, value in sorted(cloud_variables(environment).items()):
        # An address may hold a password too.
        yield Effective(name, _MASKED if holds_secret(name) or "@" in value else value, name)
