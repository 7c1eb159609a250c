"""The analyses: the evidence of a video in, numbers and six blocks out.

The functions are pure: no input or output, no clock, no randomness. ``registry`` lists the analyses; each is a package
with its blocks and its ``family``. ``families`` turns what a family measures into finished blocks. ``evidence`` turns a
unified analysis into arrays. ``shared`` holds the measures that several analyses use.
"""
