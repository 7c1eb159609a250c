"""The analysis ``scene_pacing``."""
