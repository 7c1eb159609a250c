"""The data of one video as typed arrays, and how far each service can be trusted."""
