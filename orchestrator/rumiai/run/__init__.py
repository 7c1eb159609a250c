"""A run: the pipeline of one video, workers for many, the embedded server, Claude's half.

``types`` -> ``pipeline`` (a video) -> ``worker`` (one process) -> ``batch`` (many videos) -> ``submit``, the command.
"""
