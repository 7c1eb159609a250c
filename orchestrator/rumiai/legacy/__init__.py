"""Readers of every older file format. ``results/recompute.py`` alone imports them."""
