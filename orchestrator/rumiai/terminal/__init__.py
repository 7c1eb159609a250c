"""Terminal output: progress, events, the table at the end, and the doctor."""
