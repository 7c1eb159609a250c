"""Which texts were laid over the picture, and which were filmed with it.

``appearance`` looks at the strokes of each line while its frame is read. ``motion`` and ``arrival`` follow the line
through the small grey frames between the samples, when the video has been read. ``cues`` puts together what is known of
each text, ``model`` weighs it, and ``classify`` writes the kinds into the texts.
"""
