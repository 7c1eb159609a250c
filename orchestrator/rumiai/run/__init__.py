"""Many videos and one: jobs, workers, the pipeline of a video, the embedded server."""
