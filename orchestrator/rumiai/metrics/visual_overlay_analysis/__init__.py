"""The analysis ``visual_overlay_analysis``."""
