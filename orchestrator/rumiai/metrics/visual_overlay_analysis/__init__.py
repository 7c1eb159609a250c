"""Texts and stickers laid over the picture."""
