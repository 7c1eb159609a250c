"""speech_analysis on random videos: what it quotes was said, and its times are as slow references say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.speech_analysis.measures import SpeechMeasures
from rumiai.metrics.speech_analysis.rate import words_until
from rumiai.metrics.speech_analysis.transcript import Transcript

from ...metrics_random import RANDOM, videos
from ...metrics_videos import analysis, computed


def marked(spans, grid):
    """Which instants of a fine grid lie in any of the spans."""
    inside = np.zeros(grid.size, dtype=bool)
    for start, end in spans:
        inside |= (grid >= start) & (grid < end)
    return inside


@RANDOM
@given(videos())
def test_everything_that_is_quoted_was_said(content):
    content["missing"] = {"emotion_detection"}
    found = computed("speech_analysis", read_evidence(analysis(**content))).blocks
    said = " ".join(item["text"] for item in content["segments"])
    events = found["KeyEvents"]
    quoted = [item["phrase"] for key in ("keyPhrases", "transitionPhrases") for item in events[key]]
    quoted += [item["text"] for key in ("hookPhrases", "ctaPhrases") for item in events[key]]
    quoted += [item["speechContent"] for item in events["offCameraSpeechSegments"]]
    quoted += [item["speech"] for item in found["Interactions"]["multimodalEmphasis"]]
    quoted += [item["word"] for item in found["Dynamics"]["emphasisMoments"] or ()]
    quoted += [events["speechClimax"]["text"]] if events["speechClimax"] else []
    assert [phrase for phrase in quoted if phrase not in said] == []


@RANDOM
@given(videos(durations=(2.9, 5.5, 12.0)))
def test_times_agree_with_a_slow_raster(content):
    content["missing"] = {"emotion_detection"}
    evidence = read_evidence(analysis(**content))
    duration, step = content["duration_s"], 0.005
    grid = np.arange(step / 2, duration, step)
    found = SpeechMeasures(evidence, Transcript(evidence.speech, duration))

    voiced = marked(found.voiced_s, grid)
    assert found.speech_s == pytest.approx(voiced.sum() * step, abs=0.1)
    with_face = np.zeros(grid.size, dtype=bool)
    for t in {item["timestamp"] for item in content["faces"]}:
        with_face |= (grid >= t) & (grid < t + 0.5)
    if found.speech_s > 0.3:
        share = (with_face & voiced).sum() / voiced.sum()
        assert found.seen.face_share == pytest.approx(share, abs=0.1)

    words_s, weights = found.transcript.word_spans_s, found.transcript.word_weights
    for until in (0.0, duration / 3, duration / 2, duration):
        slow = 0.0
        for (start, end), weight in zip(words_s, weights, strict=True):
            share = min(1.0, max(0.0, until - start) / (end - start)) if end > start else float(until > start)
            slow += weight * (1.0 if until >= duration else share)
        assert float(words_until(words_s, weights, np.array([until]), duration)[0]) == pytest.approx(slow, abs=1e-6)
