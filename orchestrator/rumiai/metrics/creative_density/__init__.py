"""The analysis ``creative_density``."""
