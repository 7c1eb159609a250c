"""PaddleOCR's PP-OCRv6 small models: where lines of text are, which way up, and what they say."""
