"""What a run leaves behind: the store of files, unified analyses, analyses, reports, recompute."""
