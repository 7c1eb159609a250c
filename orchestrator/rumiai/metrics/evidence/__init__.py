"""What the metrics read of one video, as typed arrays, and how far it can be trusted."""
