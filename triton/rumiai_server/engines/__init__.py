"""Engines: batch in, batch out. None of them imports Triton, so each can be tested and measured alone."""
