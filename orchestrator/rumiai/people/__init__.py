"""People on the sampled frames: faces, expressions, gaze, hands, gestures and poses by MediaPipe Tasks.

``PeopleAnalyzer`` looks at the pixels and gives one ``PeopleFrame`` per frame; ``assemble_people`` and
``assemble_emotions`` turn a video's frames into the data of the services. MediaPipe is imported when an analyzer is
made.
"""

from rumiai.people.assemble import assemble_people
from rumiai.people.emotions import assemble_emotions
from rumiai.people.landmarks import LookPolicy, PeopleAnalyzer
from rumiai.people.observations import PeopleFrame

__all__ = ["LookPolicy", "PeopleAnalyzer", "PeopleFrame", "assemble_emotions", "assemble_people"]
