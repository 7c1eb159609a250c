"""On-screen text."""
