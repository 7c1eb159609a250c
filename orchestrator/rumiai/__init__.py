"""RumiAI's orchestrator: one video file in, its unified analysis and seven metric families out."""

from typing import Final

from rumiai.core import telemetry

__version__: Final = "0.1.0"

telemetry.switch_off()
