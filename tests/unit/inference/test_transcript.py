"""From the endpoint's payload to the canonical transcript, by hand-made cases."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from rumiai.contracts.transcript import Transcript
from rumiai.inference.transcript import assemble


def word(text: str, start_s: float, end_s: float, probability: float = 0.9) -> dict[str, Any]:
    return {"word": text, "start_s": start_s, "end_s": end_s, "probability": probability}


def segment(start_s: float, end_s: float, text: str, **facts: Any) -> dict[str, Any]:
    return {
        "start_s": start_s, "end_s": end_s, "text": text, "avg_logprob": -0.2, "no_speech_prob": 0.05,
        "compression_ratio": 1.1, "words": [], "recovered": False, "language": "en", "language_probability": 0.97,
        **facts,
    }  # fmt: skip


def payload(*segments: dict[str, Any], **facts: Any) -> Transcript:
    raw = {
        "language": "en", "language_probability": 0.97, "task": "transcribe", "duration_s": 12.0, "speech_s": 5.0,
        "segments": list(segments), "reason": None, "engine": "ctranslate2", "model": "whisper-base",
        "compute_type": "int8", **facts,
    }  # fmt: skip
    return Transcript.from_json(json.dumps(raw))


def built(*segments: dict[str, Any], audio_duration_s: float = 12.0, offset_s: float = 0.0) -> dict[str, Any]:
    found = assemble(payload(*segments), has_audio=True, audio_duration_s=audio_duration_s, audio_offset_s=offset_s)
    return found.to_json()


def test_the_canonical_form() -> None:
    spoken = [word(" Wait", 0.0, 0.3, 0.95), word(" for", 0.3, 0.5, 0.85), word(" it.", 0.5, 1.1, 0.9)]
    data = built(segment(0.0, 1.1, "Wait for it.", words=spoken), segment(1.6, 3.4, "This is the trick."))
    assert data["text"] == "Wait for it. This is the trick."
    assert (data["language"], data["duration"], data["audio_duration"]) == ("en", 3.4, 12.0)
    assert data["segments"][0] == {
        "id": 0, "start": 0.0, "end": 1.1, "text": "Wait for it.", "confidence": pytest.approx(0.9),
        "language": "en", "language_probability": 0.97, "no_speech_prob": 0.05, "avg_logprob": -0.2,
        "words": [
            {"word": "Wait", "start": 0.0, "end": 0.3, "probability": 0.95},
            {"word": "for", "start": 0.3, "end": 0.5, "probability": 0.85},
            {"word": "it.", "start": 0.5, "end": 1.1, "probability": 0.9},
        ],
    }  # fmt: skip
    assert (data["segments"][1]["id"], data["segments"][1]["words"]) == (1, [])
    assert data["segments"][1]["confidence"] == pytest.approx(math.exp(-0.2))
    assert (data["non_speech"], data["speech_lost"]) == ([], [])
    assert data["metadata"] == {
        "model": "whisper-base", "backend": "faster-whisper", "compute_type": "int8", "task": "transcribe",
        "processed": True, "success": True, "has_audio": True, "language_detected": True, "language_probability": 0.97,
        "speech_duration": 5.0, "recovered_segments": 0, "repetitions": [], "reason": None,
    }  # fmt: skip
    json.dumps(data, allow_nan=False)


def test_a_video_without_audio_is_a_success_that_says_so() -> None:
    data = assemble(None, has_audio=False, audio_duration_s=0.0).to_json()
    assert (data["text"], data["segments"], data["non_speech"]) == ("", [], [])
    assert (data["language"], data["duration"], data["audio_duration"]) == ("unknown", 0.0, 0.0)
    facts = data["metadata"]
    assert (facts["processed"], facts["success"], facts["has_audio"]) == (True, True, False)
    assert (facts["language_detected"], facts["language_probability"], facts["model"]) == (False, None, None)
    assert facts["reason"] == "the video has no audio track"
    assert assemble(None, has_audio=True, audio_duration_s=0.0).metadata.reason == "the track is empty"


def test_silence_keeps_the_engines_reason_and_claims_no_language() -> None:
    silent = payload(language=None, language_probability=None, speech_s=0.0, reason="no speech found")
    data = assemble(silent, has_audio=True, audio_duration_s=12.0).to_json()
    assert (data["language"], data["segments"]) == ("unknown", [])
    assert (data["metadata"]["reason"], data["metadata"]["language_detected"]) == ("no speech found", False)


@pytest.mark.parametrize(
    "text",
    ["[Music]", "(chimes)", "[Music] (laughs)", "♪♪", "*applause*", "...", "[ [ [ [", "\uff08笑\uff09", "{door}"],
)
def test_sound_tags_are_not_speech(text: str) -> None:
    data = built(segment(0.0, 2.0, text), segment(2.0, 3.0, "Hello."))
    assert data["text"] == "Hello."
    assert [(item["text"], item["reason"], item["start"]) for item in data["non_speech"]] == [(text, "sound_tag", 0.0)]
    assert [item["id"] for item in data["segments"]] == [0]


@pytest.mark.parametrize(
    "text", ["(laughs) Hello.", "♪ Never gonna give you up ♪", "It costs [pause] ten.", "「はい」"]
)
def test_words_beside_tags_are_speech(text: str) -> None:
    assert built(segment(0.0, 2.0, text))["text"] == text


@pytest.mark.parametrize(
    ("facts", "is_speech"),
    [
        ({"no_speech_prob": 0.61, "avg_logprob": -1.01}, False),
        ({"no_speech_prob": 0.60, "avg_logprob": -1.01}, True),
        ({"no_speech_prob": 0.61, "avg_logprob": -0.20}, True),
        # exp(-0.7) is below a half, exp(-0.69) above
        ({"no_speech_prob": 0.61, "avg_logprob": -0.70}, False),
        ({"no_speech_prob": 0.61, "avg_logprob": -0.69}, True),
        ({"no_speech_prob": 0.90, "words": [word("See", 0.0, 0.5, 0.49)]}, False),
        ({"no_speech_prob": 0.90, "words": [word("See", 0.0, 0.5, 0.51)]}, True),
        ({"no_speech_prob": 0.10, "avg_logprob": -3.0}, True),
    ],
)
def test_silence_for_the_model_and_doubt_together_are_not_speech(facts: dict[str, Any], is_speech: bool) -> None:
    data = built(segment(0.0, 2.0, "See you in the next video.", **facts))
    assert bool(data["segments"]) is is_speech
    assert [item["reason"] for item in data["non_speech"]] == ([] if is_speech else ["no_speech"])
    if not is_speech:
        assert data["metadata"]["reason"] == "nothing that was heard is speech; see non_speech"


def test_times_are_put_on_the_videos_clock_and_within_it() -> None:
    said = [word(" late", 11.5, 12.7), word(" end", 12.7, 12.9)]
    data = built(segment(11.5, 12.9, "late end", words=said), audio_duration_s=12.0, offset_s=0.25)
    only = data["segments"][0]
    assert (only["start"], only["end"], data["duration"]) == (11.75, 12.25, 12.25)
    assert [(item["start"], item["end"]) for item in only["words"]] == [(11.75, 12.25), (12.25, 12.25)]


def test_a_segment_without_length_gets_one_step() -> None:
    data = built(segment(3.0, 3.0, "Hm."), segment(12.0, 12.4, "Oh."))
    assert [(item["start"], item["end"]) for item in data["segments"]] == [(3.0, 3.02), (11.98, 12.0)]


def test_segments_are_sorted_and_numbered_by_start() -> None:
    data = built(segment(5.0, 6.0, "two"), segment(1.0, 2.0, "one", recovered=True))
    assert [(item["id"], item["text"]) for item in data["segments"]] == [(0, "one"), (1, "two")]
    assert data["metadata"]["recovered_segments"] == 1


def test_a_loop_of_words_is_written_once_and_recorded() -> None:
    looped = [word(" So", 0.0, 0.2)]
    for k in range(20):
        looped += [word(" thank", 1.0 + k / 2, 1.2 + k / 2), word(" you.", 1.2 + k / 2, 1.5 + k / 2)]
    looped += [word(" Bye.", 11.2, 11.6)]
    text = " ".join(item["word"].strip() for item in looped)
    data = built(segment(0.0, 11.6, text, words=looped))
    assert data["text"] == "So thank you. Bye."
    assert [item["word"] for item in data["segments"][0]["words"]] == ["So", "thank", "you.", "Bye."]
    assert data["metadata"]["repetitions"] == [
        {"scope": "words", "text": "thank you.", "count": 20, "start": 1.0, "end": 11.0}
    ]
    # From the second "thank you." to the next word that is none.
    assert data["speech_lost"] == [{"start": 1.5, "end": 11.2, "reason": "decoding loops"}]


def test_a_loop_of_letters_is_written_once() -> None:
    data = built(segment(0.0, 9.0, "1" + ",5" * 100))
    assert data["text"] == "1,5"
    assert data["metadata"]["repetitions"][0] == {
        "scope": "words", "text": ",5", "count": 100, "start": 0.0, "end": 9.0
    }  # fmt: skip
    assert data["speech_lost"] == [{"start": 0.0, "end": 9.0, "reason": "decoding loops"}]


def test_a_loop_in_what_is_silent_for_the_model_is_not_speech_and_kept_as_it_was() -> None:
    text = "1" + ",5" * 100
    data = built(segment(0.0, 9.0, text, no_speech_prob=0.77, avg_logprob=-0.09))
    assert data["segments"] == []
    assert [(item["text"], item["reason"]) for item in data["non_speech"]] == [(text, "no_speech")]


def test_a_loop_of_segments_keeps_the_first() -> None:
    data = built(
        segment(0.0, 1.0, "Hello there."),
        *[segment(1.0 + k, 2.0 + k, "Thanks for watching!") for k in range(6)],
        segment(8.0, 9.0, "The end."),
    )
    assert [item["text"] for item in data["segments"]] == ["Hello there.", "Thanks for watching!", "The end."]
    assert [item["id"] for item in data["segments"]] == [0, 1, 2]
    assert data["metadata"]["repetitions"] == [
        {"scope": "segments", "text": "Thanks for watching!", "count": 6, "start": 1.0, "end": 7.0}
    ]
    assert data["speech_lost"] == [{"start": 2.0, "end": 7.0, "reason": "decoding loops"}]


@pytest.mark.parametrize(
    "text", ["No, no, no, no!", "Go go go go go", "ha ha ha", "very very very good", "Mississippi"]
)
def test_emphasis_is_no_loop(text: str) -> None:
    data = built(segment(0.0, 2.0, text), segment(2.0, 4.0, "Right."), segment(4.0, 5.0, "Right."))
    assert data["text"] == f"{text} Right. Right."
    assert data["metadata"]["repetitions"] == []


def looped(text: str, count: int, start_s: float, step_s: float, probability: float = 0.9) -> list[dict[str, Any]]:
    return [word(f" {text}", start_s + k * step_s, start_s + (k + 1) * step_s, probability) for k in range(count)]


def test_a_chunk_of_which_hardly_anything_is_left_is_lost_as_a_whole() -> None:
    # 58 words were spoken here once; the decoder wrote one of its own a hundred times.
    spoken = segment(
        0.0, 1.0, "Hello there.", words=[word(" Hello", 0.0, 0.4), word(" there.", 0.5, 1.0)], chunk_s=[0, 1]
    )
    stuck = looped("No,", 100, 2.0, 0.05)
    loop = segment(2.0, 7.0, " ".join(["No,"] * 100), words=stuck, chunk_s=[1.5, 12.0], loops=True)
    data = built(spoken, loop)
    assert data["text"] == "Hello there."
    assert data["speech_lost"] == [{"start": 1.5, "end": 12.0, "reason": "decoding loops"}]
    assert data["metadata"]["repetitions"][0]["count"] == 100
    assert data["metadata"]["reason"] is None


def test_nothing_but_a_loop_is_no_transcript_and_says_so() -> None:
    stuck = looped("No,", 100, 2.0, 0.05)
    data = built(segment(2.0, 7.0, " ".join(["No,"] * 100), words=stuck, chunk_s=[0.0, 12.0], loops=True))
    assert (data["text"], data["segments"], data["duration"]) == ("", [], 0.0)
    assert data["speech_lost"] == [{"start": 0.0, "end": 12.0, "reason": "decoding loops"}]
    assert data["metadata"]["reason"] == "what was said could not be decoded; see speech_lost"


def test_a_chunk_that_repeats_itself_without_a_run_is_lost() -> None:
    text = "I go to the shop and I go to the bar and I go to the zoo and I go to the sea and I go"
    data = built(segment(0.0, 9.0, text, chunk_s=[0.0, 9.0], loops=True))
    assert (data["text"], data["speech_lost"]) == ("", [{"start": 0.0, "end": 9.0, "reason": "decoding loops"}])


def test_the_confidence_is_that_of_the_words_that_stay() -> None:
    said = [word(" So", 0.0, 0.2, 0.5), word(" then", 0.3, 0.6, 0.7), *looped("you.", 30, 1.0, 0.1, 0.99)]
    data = built(segment(0.0, 4.0, " ".join(item["word"].strip() for item in said), words=said))
    assert data["text"] == "So then you."
    assert data["segments"][0]["confidence"] == pytest.approx((0.5 + 0.7 + 0.99) / 3)


def test_segments_of_scripts_without_blanks_are_joined_without() -> None:
    data = built(
        segment(0.0, 2.0, "大家好。"), segment(2.0, 4.0, "今天做饭。"), segment(4.0, 5.0, "OK"), segment(5.0, 6.0, "好")
    )
    assert data["text"] == "大家好。今天做饭。 OK 好"


def test_a_segment_keeps_the_language_of_its_chunk() -> None:
    data = built(segment(0.0, 1.0, "Hello."), segment(2.0, 3.0, "Hola.", language="es", language_probability=0.91))
    assert [(one["language"], one["language_probability"]) for one in data["segments"]] == [("en", 0.97), ("es", 0.91)]
