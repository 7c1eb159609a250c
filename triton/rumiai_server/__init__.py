"""RumiAI's model server: YOLO, EasyOCR and Whisper behind NVIDIA Triton."""
