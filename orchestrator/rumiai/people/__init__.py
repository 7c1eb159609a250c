"""People on the sampled frames: faces, expressions, gaze, hands, gestures and poses by MediaPipe Tasks.

``landmarks.PeopleAnalyzer`` looks at the pixels and gives one ``observations.PeopleFrame`` per frame; ``assemble``,
``emotions`` and ``actions`` turn a video's frames into the canonical JSON objects. Only ``tasks`` imports mediapipe,
and only when an analyzer is made.
"""
