"""Who is in the picture, how large, where, and how that changes."""
