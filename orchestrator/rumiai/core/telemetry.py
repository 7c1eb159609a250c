"""Switch off the telemetry and the update checks of libraries.

Each library reads its variable when it is imported, so :func:`switch_off` runs before any import:
``rumiai/__init__.py`` calls it. Both programs, the model processes and the benches import ``rumiai`` first, and child
processes inherit the variables. ``tests/contract/test_connects.py`` records what leaves the machine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Final

VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime: events to its maker's host, a device id in the home's cache
        "YOLO_OFFLINE": "true",  # ultralytics: a look-up at import, events, update checks
        "YOLO_AUTOINSTALL": "false",  # ultralytics installs packages that it misses
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "DO_NOT_TRACK": "1",  # the common switch: https://donottrack.sh
    }
)


def switch_off(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set every variable of :data:`VARIABLES`, whatever it was before."""
    environment.update(VARIABLES)
