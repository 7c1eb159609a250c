"""RumiAI's model server: YOLO, OCR and Whisper behind NVIDIA Triton."""

import rumiai  # noqa: F401  # switches the libraries' telemetry off before any of them is imported
