"""The analysis ``metadata_analysis``."""
