"""What a text is for, by its words and place."""

from __future__ import annotations

import re
from typing import Final

from rumiai.core.boxes import AnyBox

# Header and caption bands, as shares of the frame's height.
_HEADER_ABOVE: Final = 0.2
_CAPTION_BELOW: Final = 0.8

_CALL = re.compile(r"\b(?:follow|comment|share|click|tap|swipe)\b", re.IGNORECASE)
# "Like" asks for something only as an imperative: not in "I like it" or "looks like".
_LIKE = re.compile(r"^\W*like\b(?!\s+(?:a|an|the|it|that's)\b)|\b(?:hit|drop a|leave a|please) like\b", re.IGNORECASE)


def category_of(text: str, box: AnyBox) -> str:
    """The category of a text (the first match wins). It is never watermark."""
    if _CALL.search(text) or _LIKE.search(text):
        return "call_to_action"
    if box[1] < _HEADER_ABOVE:
        return "header_text"
    if box[1] > _CAPTION_BELOW:
        return "caption"
    return "username" if "@" in text else "hashtag" if "#" in text else "overlay_text"
