"""A thing the user names, turned into local files."""
