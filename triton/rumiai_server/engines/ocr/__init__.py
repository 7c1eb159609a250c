"""On-screen text: PP-OCRv6 (``ppocr``) and EasyOCR, chosen by ``engine``."""
