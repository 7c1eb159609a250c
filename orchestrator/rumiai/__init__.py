"""RumiAI's orchestrator: one video file in, its unified analysis and seven metric families out."""

from typing import Final

__version__: Final = "0.1.0"
