"""The analysis ``emotional_journey``."""
