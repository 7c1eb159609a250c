"""The analysis ``person_framing``."""
