"""Which emotions the main face shows, how they change, and what goes with them."""
