"""The floor: geometry, text likeness, intervals, confidence. Everybody may stand on it; it knows only ``errors``."""
