"""Engagement with a video, and who made it.

Source: docs/analyses.md, metadataInteractions, and metadataDynamics ``viralPotentialScore``. Counts are those of the
source; None is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rumiai.contracts.metadata import VideoMetadata

_ABOVE_AVERAGE: Final = 5.0  # %
_ESTABLISHED: Final = 10_000  # followers
# Engagement in percent above which the score of a video rises, and by how much.
_ENGAGING: Final = ((15.0, 0.3), (10.0, 0.2), (5.0, 0.1))
_FEW_EMOJI: Final = range(1, 5)


@dataclass(frozen=True)
class Creator:
    """Who published a video; None is unknown."""

    nickname: str | None
    verified: bool | None
    followers: int | None

    @property
    def established(self) -> bool | None:
        """Whether there are more than 10,000 followers; None when unknown."""
        return None if self.followers is None else self.followers > _ESTABLISHED


@dataclass(frozen=True)
class Music:
    """Music of a video; None is unknown."""

    music_id: str | None
    name: str | None
    author: str | None
    original: bool | None


def read_creator(metadata: VideoMetadata) -> Creator:
    """The creator out of the scraped ``author``.

    Args:
        metadata: As the source gave it.

    Returns:
        Name, verification and followers; each None where the source does not tell, or tells something of another type.
    """
    data = metadata.author or {}
    verified, fans = data.get("verified"), data.get("fans")
    return Creator(
        nickname=_text(data.get("nickName")),
        verified=verified if isinstance(verified, bool) else None,
        followers=fans if isinstance(fans, int) and not isinstance(fans, bool) and fans >= 0 else None,
    )


def read_music(metadata: VideoMetadata) -> Music | None:
    """The music out of the scraped ``music``.

    Args:
        metadata: As the source gave it.

    Returns:
        Identity, name, author and whether it is original, each None where the source does not tell it in the expected
        type; None when the source names no music.
    """
    music = metadata.music
    if music is None:
        return None
    original = music.get("musicOriginal")
    return Music(
        music_id=_text(music.get("musicId")),
        name=_text(music.get("musicName", music.get("name"))),
        author=_text(music.get("musicAuthor", music.get("author"))),
        original=original if isinstance(original, bool) else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def share_of_views(count: int | None, views: int | None) -> float | None:
    """A count as a share of the views.

    Source: docs/analyses.md, metadataInteractions, ``engagementAlignment``.

    Args:
        count: Likes, comments or shares; None when unknown.
        views: Views; None when unknown.

    Returns:
        count / views; None when either is unknown, and without views. Counts of a scrape need not agree, so it may be
        above 1.
    """
    return count / views if count is not None and views else None


def is_above_average(engagement_rate: float | None) -> bool | None:
    """Whether the engagement with a video is above average.

    Args:
        engagement_rate: In percent; None when unknown.

    Returns:
        True above 5 %; None when unknown.
    """
    return None if engagement_rate is None else engagement_rate > _ABOVE_AVERAGE


def viral_potential(
    engagement_rate: float | None,
    *,
    hooked: bool,
    moderate_tags: bool,
    engaging_style: bool,
    urgent: bool,
    positive: bool,
    emoji: int,
) -> float:
    """How likely a video is to spread, by a heuristic.

    Source: docs/analyses.md, metadataDynamics, ``viralPotentialScore``.

    Args:
        engagement_rate: In percent; above 15, 10 and 5 it gives 0.3, 0.2 and 0.1.
        hooked: Whether the caption has a hook: 0.2.
        moderate_tags: Whether the number of hashtags is moderate: 0.1.
        engaging_style: Whether the caption asks or tells a story: 0.1.
        urgent: Whether the caption is urgent: 0.1.
        positive: Whether its tone is positive: 0.1.
        emoji: Emoji of the caption; one to four give 0.1.

    Returns:
        0..1.
    """
    score = next((points for limit, points in _ENGAGING if (engagement_rate or 0.0) > limit), 0.0)
    score += 0.2 * hooked
    for sign in (moderate_tags, engaging_style, urgent, positive, emoji in _FEW_EMOJI):
        score += 0.1 * sign
    return score
