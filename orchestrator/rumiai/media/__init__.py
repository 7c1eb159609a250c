"""From a file to frames and samples: probe, one decoding pass into shared memory, scene detection, audio."""
