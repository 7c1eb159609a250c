"""``make soak``: many small clips, seeded kills of whatever takes part, reruns until all is done, and a judgement."""
