"""The shared word lists: boundaries, emoji, imperatives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.contracts import lexicons as lx


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Follow me for more", ["follow"]),
        ("🔥follow me🔥", ["follow"]),
        ("FOLLOW\nME", ["follow"]),
        ("followme", []),
        ("I like this video", []),
        ("Looks like if it rains", []),
        ("If you like it, like this video!", ["like"]),
        ("hit like and follow me", ["like", "follow"]),
        ("like and share this", ["like", "share"]),
        ("drop a like 👍", ["like"]),
        ("I used to buy these", []),
        ("the coffee shop", []),
        ("don't buy this", []),
        ("Don\u2019t forget to subscribe", ["subscribe"]),
        ("Buy it: link in bio", ["buy", "visit"]),
        ("let me know in the comments", ["comment", "comment"]),
        ("we went to the visitor centre", []),
        ("use code SAVE10", ["buy"]),
        ("you go to school", []),
        ("", []),
    ],
)
def test_calls_to_action_are_imperatives_on_word_boundaries(text, kinds):
    assert [match.kind for match in lx.find_ctas(text)] == kinds


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I know him", "none"),
        ("nowhere", "none"),
        ("buy NOW!", "high"),
        ("today-only", "high"),
        ("dont miss it", "medium"),
        ("don\u2019t miss it", "medium"),
        ("coming this week", "low"),
        ("breakfast", "none"),
    ],
)
def test_urgency(text, level):
    assert lx.urgency_level(text) == level


@pytest.mark.parametrize(
    ("text", "hooks"),
    [
        ("POV: you forgot", [("pov", "pov:")]),
        ("POV : you forgot", [("pov", "pov:")]),
        ("Hi there", [("greeting", "hi")]),
        ("say hi", []),
        ("👋 hey", [("greeting", "hey")]),
        ("You won\u2019t believe this mind blowing trick",
         [("promise", "you won't believe"), ("hyperbole", "mind-blowing"), ("value_prop", "trick")]),
        ("multiple tips", []),
        ("the secret to it", [("promise", "the secret to"), ("value_prop", "secret")]),
    ],
)  # fmt: skip
def test_hooks(text, hooks):
    assert [(match.kind, match.phrase) for match in lx.find_hooks(text)] == hooks


def test_the_longer_of_two_phrases_wins_and_positions_are_the_texts_own():
    text = "İİ today only — today"
    found = lx.find_phrases(text, lx.URGENCY_PHRASES["high"])
    assert [(m.phrase, text[m.start : m.end]) for m in found] == [("today only", "today only"), ("today", "today")]


def test_a_combining_accent_continues_the_word():
    assert not lx.contains_phrase("hi\u0301", ("hi",))


@given(st.sampled_from([p for phrases in lx.CTA_PHRASES.values() for p in phrases]), st.sampled_from("🔥👩‍👩‍👧✨ .!\n"))
def test_every_phrase_is_found_between_emoji_and_never_inside_a_word(phrase, mark):
    assert any(m.phrase == phrase for m in lx.find_ctas(f"{mark}{phrase.upper()}{mark}"))
    assert not lx.contains_phrase(f"x{phrase}y", (phrase,))


@pytest.mark.parametrize("lexicon", [lx.CTA_PHRASES, lx.HOOK_PHRASES, lx.URGENCY_PHRASES])
@given(data=st.data())
def test_the_quick_look_misses_no_phrase(lexicon, data):
    phrase = data.draw(st.sampled_from([phrase for phrases in lexicon.values() for phrase in phrases]))
    spelled = data.draw(
        st.sampled_from([phrase, phrase.upper(), phrase.replace("'", ""), phrase.replace("'", "\u2019")])
    )
    text = data.draw(st.sampled_from(["{}", "so, {}!", "\U0001f525{}", "-{}-"])).format(spelled)
    assert lx.find_in(text, lexicon)
    assert lx._beginnings(lexicon).search(text)


@given(st.text())
def test_any_text_can_be_searched(text):
    for match in (*lx.find_ctas(text), *lx.find_hooks(text)):
        assert 0 <= match.start < match.end <= len(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Peace Sign", "victory"), ("none", None), ("ILoveYou", "love"), ("Open_Palm", "open_palm"), ("salto", None)],
)
def test_gestures(name, expected):
    assert lx.canonical_gesture(name) == expected


def test_emotions():
    assert [lx.canonical_emotion(n) for n in ("Happy", "calm", "joy", "bored")] == ["joy", "neutral", "joy", None]
    assert set(lx.EMOTION_SYNONYMS.values()) <= set(lx.EMOTIONS) == set(lx.VALENCE_WEIGHTS)
    assert {v for v in lx.GESTURE_SYNONYMS.values() if v} <= set(lx.GESTURES)
