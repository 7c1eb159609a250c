"""Emoji as a reader counts them."""

from __future__ import annotations

import pytest

from rumiai.metrics.shared.emoji import emoji_sentiment, find_emoji, without_emoji


@pytest.mark.parametrize(
    ("text_", "found"),
    [
        ("🔥🔥🔥", ["🔥", "🔥", "🔥"]),
        ("👨‍👩‍👧 family", ["👨‍👩‍👧"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("👍🏽 ok", ["👍🏽"]),
        ("❤️ and ❤", ["❤️", "❤"]),
        ("1️⃣ 2", ["1️⃣"]),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", ["🏴󠁧󠁢󠁥󠁮󠁧󠁿"]),
        ("中文 日本語 ©", []),
        ("\u00a9\ufe0f", ["\u00a9\ufe0f"]),
        ("\U0001faea", ["\U0001faea"]),  # of Unicode 17
        ("\U0001f1e9 5 # *", []),  # one letter of a flag, and signs that are emoji only in a sequence
    ],
)
def test_emoji(text_, found):
    assert find_emoji(text_) == found


def test_emoji_tone():
    assert [emoji_sentiment(e) for e in ("😀", "😢", "🚗", "👍🏽")] == ["positive", "negative", "neutral", "positive"]


def test_text_without_emoji():
    assert without_emoji("a👨‍👩‍👧b1️⃣") == "a b "
    assert without_emoji("plain #1") == "plain #1"
