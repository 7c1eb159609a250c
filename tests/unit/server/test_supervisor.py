"""The supervisor's waits; that it restarts what dies is shown with real processes in tests/contract."""

from __future__ import annotations

import pytest

from rumiai.contracts.server_events import ServerReady, ServerStateChange, read_event
from rumiai.errors import ContractError
from rumiai_server.supervisor import delay_s


def test_the_first_try_comes_at_once_and_later_ones_later() -> None:
    assert [delay_s(failures) for failures in (0, 1, 2, 3, 4, 5)] == [0.0, 0.0, 0.5, 1.0, 2.0, 4.0]
    assert delay_s(8) == 30.0
    assert delay_s(1000) == 30.0


def test_events_are_read_as_they_were_written() -> None:
    ready = ServerReady(grpc="127.0.0.1:1", http=None, metrics=None, token="t0ken", models=("yolo",), pid=7)
    change = ServerStateChange(event="model_up", model="yolo", down_s=2.5)
    for event in (ready, change):
        assert read_event(event.model_dump_json()) == event
        assert read_event(event.model_dump_json(exclude_none=event is change)) == event
    assert "t0ken" not in repr(ready)


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", '{"event": "else"}', '{"event": "ready", "token": "t0ken"}', "serving yolo"]
)
def test_other_lines_are_refused_without_telling_the_token(line: str) -> None:
    with pytest.raises(ContractError, match="not an event of the model server") as failure:
        read_event(line)
    assert "t0ken" not in str(failure.value)
