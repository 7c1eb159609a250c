"""Settings: ``model`` (what there is), ``environment`` (where it comes from), ``older`` (variables that are none)."""

from rumiai.settings.environment import (
    JUDGE_SWITCHES,
    Secrets,
    Variable,
    load,
    read_dotenv,
    read_secrets,
    variables,
)
from rumiai.settings.model import Device, Mode, OcrEngine, Settings
from rumiai.settings.older import OLDER, READ_ELSEWHERE, OlderVariable
from rumiai.settings.origins import Effective, effective

__all__ = [
    "JUDGE_SWITCHES", "OLDER", "READ_ELSEWHERE", "Device", "Effective", "Mode", "OcrEngine", "OlderVariable", "Secrets",
    "Settings", "Variable", "effective", "load", "read_dotenv", "read_secrets", "variables",
]  # fmt: skip
