"""Short social-video clips whose every cut, caption and spoken word is known, built from what the dependencies ship.

``make run`` analyses one when it is given no video; the tests and the benchmarks measure against their truth.
"""

from rumiai.demo.clips import bench_spec, demo_spec
from rumiai.demo.encode import render
from rumiai.demo.spec import Caption, ClipSpec, Shot, Truth, TruthLine, Utterance, View, Word

__all__ = [
    "Caption",
    "ClipSpec",
    "Shot",
    "Truth",
    "TruthLine",
    "Utterance",
    "View",
    "Word",
    "bench_spec",
    "demo_spec",
    "render",
]
