"""Claude's half: prompts, client, validation, costs, stored answers, batches.

``Insights`` is the entry; see docs/design/insights.md. This package reads no environment variables.
"""

from __future__ import annotations

from rumiai.insights.answers import AnswerStore, Files
from rumiai.insights.budget import Budget
from rumiai.insights.limiter import Limiter
from rumiai.insights.results import Collection, Estimate, PromptResult, Submission, VideoInsights
from rumiai.insights.service import Insights
from rumiai.insights.settings import ApiKey, ClaudeSettings, choose_mode
from rumiai.insights.templates import load_templates
from rumiai.insights.video import VideoInput

__all__ = [
    "AnswerStore", "ApiKey", "Budget", "ClaudeSettings", "Collection", "Estimate", "Files", "Insights", "Limiter",
    "PromptResult", "Submission", "VideoInput", "VideoInsights", "choose_mode", "load_templates",
]  # fmt: skip
