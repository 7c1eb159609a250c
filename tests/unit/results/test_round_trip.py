"""An analysis in memory equals what its file reads back as: a run counts on it and does not read its own file."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.results.analyses import measure, read_analyses, save_unified, with_markers, write_analyses
from rumiai.results.recompute import find_stored, recompute
from rumiai.results.store import Store, read_json
from rumiai.services import entries_of
from rumiai.timeline.build import build

from ..timeline_samples import FACTS, SERVICES, canonical

_SHARES = frozenset(
    {"confidence", "eye_contact", "visibility", "contrast", "probability", "valence", "x", "y", "z", "v", "yaw"}
)
_TEXTS = frozenset({"text", "word"})
shares = st.floats(0, 1)
texts = st.text(max_size=20)


def varied(value, draw, key=""):
    """Service data with other shares and texts: every float that JSON can hold, every character."""
    if isinstance(value, dict):
        return {name: varied(item, draw, name) for name, item in value.items()}
    if isinstance(value, list):
        return [varied(item, draw) for item in value]
    if key in _SHARES and isinstance(value, float):
        return draw(shares)
    return draw(texts) if key in _TEXTS else value


@st.composite
def built(draw):
    """The analysis of a video of which some services failed."""
    ok = draw(st.sets(st.sampled_from(SERVICES)))
    results = {
        service: ServiceResult.read(service, "1", varied(canonical(service), draw))
        if service in ok
        else ServiceResult.failed(service, "1", draw(st.text(min_size=1)))
        for service in SERVICES
    }
    assert {service for service, result in results.items() if result.ok} == ok
    metadata = VideoMetadata("clip", description=draw(st.none() | texts), hashtags=({"name": "fun"},), views=9)
    return build(
        "clip",
        AnalysisMetadata.of(metadata),
        FACTS,
        results,
        entries_of,
        {"stage_seconds": {"decode_video": draw(shares)}},
    )


@settings(max_examples=60, deadline=None)
@given(built())
def test_what_is_saved_reads_back_as_it_was(analysis):
    for saved in (analysis, with_markers(analysis, "then")):
        written = json.dumps(saved.to_dict(), allow_nan=False)
        again = UnifiedAnalysis.from_dict(json.loads(written))
        assert again == saved
        assert json.dumps(again.to_dict(), allow_nan=False) == written


@settings(max_examples=20, deadline=None)
@given(built())
def test_the_analyses_of_what_was_read_back_are_the_same(analysis):
    again = UnifiedAnalysis.from_dict(json.loads(json.dumps(analysis.to_dict(), allow_nan=False)))
    one, two = measure(analysis), measure(again)
    for name, result in one.items():
        assert json.dumps(result.blocks_json()) == json.dumps(two[name].blocks_json())
        assert json.dumps(result.precompute_json()) == json.dumps(two[name].precompute_json())


def test_recompute_gives_the_same_bodies_byte_for_byte(tmp_path):
    results = {service: ServiceResult.read(service, "1", canonical(service)) for service in SERVICES}
    analysis = with_markers(build("clip", AnalysisMetadata.of(VideoMetadata.local("clip")), FACTS, results, entries_of))
    store = Store(tmp_path / "run")
    save_unified(store, analysis)
    bodies = bodies_of(write_analyses(store, "clip", measure(analysis)))
    (done,) = recompute(find_stored([str(tmp_path / "run")]), Store(tmp_path / "again"), lambda _: None)
    assert done.error is None
    again = Store(tmp_path / "again")
    stored = UnifiedAnalysis.from_dict(read_json(again.unified_file("clip")))
    assert stored.ml_data == analysis.ml_data
    assert stored.timeline == analysis.timeline
    assert bodies_of(read_analyses(again, "clip")) == bodies


def bodies_of(summaries):
    return {name: Path(summary.files["ml"]).read_bytes() for name, summary in summaries.items()}
