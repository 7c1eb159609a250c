"""How fast, how regularly and with what the video is cut."""
