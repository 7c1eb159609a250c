"""The switch, the key that shows itself to nobody, and the choice of a model."""

from __future__ import annotations

import pickle

import pytest

from rumiai.errors import ConfigurationError
from rumiai.insights import ApiKey, ClaudeSettings, choose_mode
from rumiai.insights.models import choose_model


def test_the_switch() -> None:
    assert choose_mode("auto") == ("off", None)
    assert choose_mode("auto", claude_key="k") == ("on", ApiKey("k"))
    assert choose_mode("auto", anthropic_key="k") == ("off", None)
    assert choose_mode("on", anthropic_key="k") == ("on", ApiKey("k"))
    assert choose_mode("batch", claude_key="c", anthropic_key="a") == ("batch", ApiKey("c"))
    assert choose_mode("off", claude_key="k") == ("off", None)
    assert choose_mode("auto", claude_key="k", python_only=True) == ("off", None)


@pytest.mark.parametrize(
    "options", [{}, {"claude_key": "  "}, {"claude_key": "k", "python_only": True}, {"claude_key": "a\nb"}]
)
@pytest.mark.parametrize("switch", ["on", "batch"])
def test_what_cannot_be_switched_on(switch: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_mode(switch, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2


def test_a_key_does_not_show_itself() -> None:
    key = ApiKey("sk-secret")
    chosen = ClaudeSettings(mode="on", api_key=key)
    for shown in (repr(key), str(key), f"{key}", repr(chosen), str(chosen.to_dict())):
        assert "secret" not in shown
    assert pickle.loads(pickle.dumps(chosen)).api_key.reveal() == "sk-secret"


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "on"}, {"analyses": ("scenes",)}, {"models": {"scenes": "haiku"}}, {"max_cost_usd": -1.0},
     {"max_cost_usd": float("nan")}, {"max_concurrent": 0}, {"deadline_s": 0.0}],
)  # fmt: skip
def test_bad_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        ClaudeSettings(**wrong)  # type: ignore[arg-type]


def test_models_are_chosen_in_order() -> None:
    def chosen(completeness: float = 1.0, confidence: float = 0.9, **options: object) -> str:
        settings = ClaudeSettings(**options)  # type: ignore[arg-type]
        return choose_model(settings, "scene_pacing", completeness, confidence).model.id

    assert chosen() == "claude-haiku-5-5"
    assert chosen(use_sonnet=True) == "claude-sonnet-5-5"
    assert chosen(use_sonnet=True, models={"scene_pacing": "claude-opus-5"}) == "claude-opus-5"
    assert chosen(model="claude-opus-5-5", models={"scene_pacing": "haiku"}) == "claude-opus-5-5"
    assert chosen(0.4, use_sonnet=True) == "claude-haiku-5-5"
    assert chosen(1.0, 0.3, model="sonnet") == "claude-haiku-5-5"
    assert chosen(0.4, model="claude-opus-5") == "claude-opus-5"
