"""Metrics of metadata_analysis that have no field in its blocks."""

from __future__ import annotations

from rumiai.metrics.metadata_analysis.blocks import EntityRecognition, FurtherMetrics
from rumiai.metrics.metadata_analysis.measures import CaptionMeasures, MetadataMeasures


def further_metrics(found: MetadataMeasures) -> FurtherMetrics:
    """The metrics that stand under ``precompute``, in the older form of the results.

    Args:
        found: The metadata, taken apart.

    Returns:
        Lists and names as the source has them; what it does not tell is None.
    """
    caption = found.caption
    return FurtherMetrics(
        caption_text=None if caption is None else caption.caption.text,
        hashtag_list=found.tags,
        emoji_list=None if caption is None else list(dict.fromkeys(caption.caption.emoji)),
        mention_list=found.mentions,
        creator_nickname=found.creator.nickname,
        music_id=None if found.music is None else found.music.music_id,
        entity_recognition=None if caption is None else _entities(caption),
    )


def _entities(caption: CaptionMeasures) -> EntityRecognition:
    return EntityRecognition(
        has_cta=bool(caption.ctas),
        has_url=caption.caption.has_link,
        has_question=caption.asks,
        has_user_mention=bool(caption.caption.mentions),
    )
