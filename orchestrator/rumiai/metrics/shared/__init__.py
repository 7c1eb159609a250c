"""Measures that several analyses use, as functions of arrays and values."""
