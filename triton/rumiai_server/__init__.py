"""RumiAI's model server: YOLO, EasyOCR and Whisper behind NVIDIA Triton."""

import rumiai  # noqa: F401  # switches the libraries' telemetry off before any of them is imported
