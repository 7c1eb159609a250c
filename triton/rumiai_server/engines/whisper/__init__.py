"""Speech recognition: CTranslate2 or openai-whisper, chosen by ``factory``."""
