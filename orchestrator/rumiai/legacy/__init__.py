"""Readers of every older file format; only ``recompute`` and the reading of stored files call them."""
