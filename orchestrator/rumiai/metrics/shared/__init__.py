"""Measures that several analyses use."""
