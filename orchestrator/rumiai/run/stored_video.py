"""A video of which only results are left: its markers and analyses made again from them, and judged by Claude.

This is how an id of an earlier run, of any version, is taken up when its video is no longer there.
"""

from __future__ import annotations

from dataclasses import replace

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import EventHandler, ProgressEvent, VideoEvent
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import StoreError
from rumiai.insights import ClaudeSettings
from rumiai.results.analyses import read_analyses
from rumiai.results.recompute import Stored, recompute_one
from rumiai.results.report import write_report
from rumiai.results.store import Store, read_json
from rumiai.results.summary import service_outcome, summarise
from rumiai.run.claude import open_claude
from rumiai.settings import Settings


def analyse_stored(
    video_id: str, store: Store, settings: Settings, claude: ClaudeSettings, handler: EventHandler
) -> VideoOutcome:
    """Rebuild the unified analysis, the markers and the analyses of a video, and have them judged.

    Args:
        video_id: Of a video whose unified analysis is in the store.
        store: Where it is, and where the results go.
        settings: Of the run.
        claude: How Claude is used.
        handler: Gets events; called from several threads.

    Raises:
        RumiAIError: The stored results cannot be read, or a file cannot be written.
    """
    unified = str(store.unified_file(video_id))
    with open_claude(settings, claude, 1, handler) as judge:
        handler(ProgressEvent(video_id, "save"))
        rebuilt = recompute_one(Stored(unified, None), store, settings.output_format)
        if rebuilt.error is not None:
            raise StoreError(f"the results of {video_id} cannot be used: {rebuilt.error}")
        handler(ProgressEvent(video_id, "analyse"))
        outcome = _outcome(video_id, store, rebuilt.seconds)
        if judge is not None:
            outcome = judge.judge(outcome).result()
            judge.submit_pending()
    write_report(store, outcome, settings)
    handler(VideoEvent(outcome))
    return outcome


def _outcome(video_id: str, store: Store, seconds: float) -> VideoOutcome:
    unified = store.unified_file(video_id)
    analysis = UnifiedAnalysis.from_dict(read_json(unified))
    services = {name: service_outcome(analysis, name, 0.0, cached=True) for name in analysis.completion_status()}
    outcome = VideoOutcome(video_id, str(unified), "ok", seconds=seconds, files={"unified": str(unified)})
    return replace(
        outcome,
        status="ok" if all(service.ok for service in services.values()) else "partial",
        services=services,
        analyses=read_analyses(store, video_id),
        summary=summarise(analysis),
    )
