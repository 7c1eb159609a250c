"""From the services' results to one timeline, its markers, and back from files of any age."""
