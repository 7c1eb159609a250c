"""The client of the model server, and what its answers become: object tracks, texts over time, transcripts."""
