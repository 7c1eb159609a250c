"""RumiAI's model server: YOLO, OCR and Whisper behind NVIDIA Triton."""
