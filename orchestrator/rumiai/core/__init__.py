"""The floor: boxes, intervals, text likeness, array checks, registries, plugins, processes.

Every room may import it. It imports ``errors`` alone.
"""
