"""From the lines of single frames to the captions of a video: one record for each thing that a person would write down.

- lines: what was read, frame by frame; a frame that is held is one
- pictures: what the grey trail shows of a place, and whether two pictures show the same writing
- tracks: lines of one frame after another that are one line, seen again
- spans: start and end of a line, to the frame
- voting: what a line says, by all its readings
- growth, grouping: lines that grow, and lines that belong together
- watermarks, categories: what a text is for
- records: all of it
"""
