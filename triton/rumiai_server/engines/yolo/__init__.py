"""Object detection: ultralytics' YOLO models."""
