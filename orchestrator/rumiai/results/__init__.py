"""The files of a run: where they are, how they are written, read again and recomputed."""
