"""The metric families: a unified analysis in, numbers and complete six-block results out.

Pure: no input or output, no clock, no randomness. ``registry`` says which analyses there are; each is a package with
its blocks and its ``family``. ``evidence`` turns a unified analysis into arrays, ``shared`` holds what several
analyses measure.
"""
