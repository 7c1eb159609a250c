"""The analysis ``speech_analysis``."""
