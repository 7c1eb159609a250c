"""The metadata of one video taken apart, each part once; several blocks and further metrics read the same ones.

Here the evidence is taken apart; the metrics themselves take texts and counts. None is unknown throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rumiai.contracts.lexicons import PhraseMatch, Urgency, find_ctas, find_hooks, urgency_level
from rumiai.contracts.metadata import VideoMetadata
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.metadata_analysis import caption_style, content, engagement, hashtags, language
from rumiai.metrics.shared.caption import Caption, read_caption

_ENGAGING_STYLES: Final = ("question", "storytelling")


@dataclass(frozen=True)
class CaptionMeasures:
    """What several blocks need of a caption.

    Attributes:
        caption: The caption.
    """

    caption: Caption

    @cached_property
    def style(self) -> caption_style.Style:
        """Shape of the caption (:func:`rumiai.metrics.metadata_analysis.caption_style.caption_style`)."""
        caption = self.caption
        return caption_style.caption_style(
            caption.prose,
            sentences=len(caption.sentences),
            list_items=caption.list_items,
            words=len(caption.words),
        )

    @cached_property
    def readability(self) -> float | None:
        """Reading ease, 0 (hard) .. 1 (easy); None for fewer than three words."""
        return caption_style.reading_ease(self.caption.words, len(self.caption.sentences))

    @cached_property
    def hooks(self) -> tuple[PhraseMatch, ...]:
        """Hook phrases by position; empty for none."""
        return find_hooks(self.caption.masked)

    @cached_property
    def ctas(self) -> tuple[PhraseMatch, ...]:
        """Calls to action by position; empty for none."""
        return find_ctas(self.caption.masked)

    @cached_property
    def urgency(self) -> Urgency:
        """Strongest urgency of its words; none without such a word."""
        return urgency_level(self.caption.masked)

    @property
    def asks(self) -> bool:
        """Whether a question mark stands in it, those in tags, mentions and addresses aside."""
        return "?" in self.caption.prose

    @property
    def language(self) -> str | None:
        """Its language as an ISO code; None when it is not clear, or there are too few letters."""
        return language.caption_language(self.caption.prose)


@dataclass(frozen=True)
class MetadataMeasures:
    """Metadata of one video.

    Attributes:
        evidence: Of the video.
    """

    evidence: Evidence

    @property
    def metadata(self) -> VideoMetadata:
        """As the source gave it."""
        return self.evidence.metadata

    @cached_property
    def caption(self) -> CaptionMeasures | None:
        """The caption; None when the source has none, not when it is empty."""
        caption = read_caption(self.metadata.description)
        return None if caption is None else CaptionMeasures(caption)

    @cached_property
    def tags(self) -> list[str] | None:
        """Hashtags of the source, then those that only the caption has, each once.

        Empty where a known caption tells that there are none; None when the source has neither tags nor caption.
        """
        if not self.evidence.services.ok("hashtags"):
            return None
        names = [str(tag["name"]) for tag in self.metadata.hashtags or ()]
        return hashtags.distinct([*names, *(self.caption.caption.tags if self.caption else ())], hashtags.tag_key)

    @property
    def generic_tags(self) -> int:
        """How many of the tags say nothing of the content; 0 also where the tags are unknown."""
        return sum(map(hashtags.is_generic, self.tags or ()))

    @property
    def tag_strategy(self) -> hashtags.Strategy | None:
        """Strategy by the number of tags; None where the tags are unknown."""
        return None if self.tags is None else hashtags.hashtag_strategy(len(self.tags))

    @cached_property
    def mentions(self) -> list[str] | None:
        """Distinct mentions of caption and source, without @; None when neither is known."""
        if self.caption is None and self.metadata.mentions is None:
            return None
        names = [*(self.caption.caption.mentions if self.caption else ()), *(self.metadata.mentions or ())]
        return hashtags.distinct([name.lstrip("@") for name in names], str.lower)

    @property
    def language(self) -> str | None:
        """Language code of the source, else of the caption; None where neither tells."""
        told = language.known_code(self.metadata.text_language)
        return told or (None if self.caption is None else self.caption.language)

    @cached_property
    def creator(self) -> engagement.Creator:
        """Who published it; all of it None where the source names nobody."""
        return engagement.read_creator(self.metadata)

    @cached_property
    def music(self) -> engagement.Music | None:
        """Its music; None when the source names none."""
        return engagement.read_music(self.metadata)

    @cached_property
    def content(self) -> set[str] | None:
        """Words that are said and read, with those in a row joined; None when neither speech nor text is known."""
        speech, texts = self.evidence.speech, self.evidence.texts
        if speech is None and texts is None:
            return None
        spoken = () if speech is None else speech.segments
        return content.joined_words([*(text.text for text in texts or ()), *(segment.text for segment in spoken)])

    @property
    def tag_quality(self) -> hashtags.HashtagQuality | None:
        """Whether the tags fit what is said, read and seen; None where they, or too much of that, are unknown."""
        if self.tags is None:
            return None
        objects = self.evidence.objects
        seen = {name.replace(" ", "") for name in objects.classes} if objects is not None else set()
        is_known = self.evidence.services.ok("whisper", "ocr") and objects is not None
        return hashtags.hashtag_quality(self.tags, (self.content or set()) | seen, content_known=is_known)

    @property
    def category(self) -> str | None:
        """What the video is about by caption and tags; None when no listed word tells."""
        words = self.caption.caption.words if self.caption else ()
        return content.content_category([*words, *map(hashtags.tag_key, self.tags or ())])

    @property
    def viral_potential(self) -> float | None:
        """Heuristic score; None without a caption or without an engagement rate, which weighs most."""
        caption = self.caption
        if caption is None or self.metadata.engagement_rate is None:
            return None
        return engagement.viral_potential(
            self.metadata.engagement_rate,
            hooked=bool(caption.hooks),
            moderate_tags=self.tag_strategy == "moderate",
            engaging_style=caption.style in _ENGAGING_STYLES,
            urgent=caption.urgency != "none",
            positive=caption.caption.sentiment.category == "positive",
            emoji=len(caption.caption.emoji),
        )
