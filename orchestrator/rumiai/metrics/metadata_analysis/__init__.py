"""Caption, hashtags, counts and creator."""
