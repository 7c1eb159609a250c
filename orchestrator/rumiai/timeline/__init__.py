"""From the services' data to one timeline and its markers."""
