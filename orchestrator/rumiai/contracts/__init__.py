"""Types that cross rooms: frames, services' data, results, timeline, blocks, outcome, tensors.

They are typed, validated and read-only. The package imports ``core`` and ``errors`` alone.
"""
