"""What is said, how fast and how clearly, and what goes with it."""
