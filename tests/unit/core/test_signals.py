"""A request to stop is heard whatever lock the main thread holds, and however many come at once."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from rumiai.core.signals import stop_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_lock_that_the_main_thread_holds_delays_and_never_blocks(number: signal.Signals) -> None:
    lock, heard = threading.Lock(), threading.Event()

    def handle(found: signal.Signals) -> None:
        assert found is number
        with lock:
            heard.set()

    with stop_signals(handle):
        with lock:
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
            assert not heard.wait(0.05)
        assert heard.wait(5)


def test_many_signals_are_all_told_and_the_old_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    told: list[signal.Signals] = []
    with stop_signals(told.append):
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
    assert set(told) == {signal.SIGTERM, signal.SIGINT}
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals(lambda number: pytest.fail(f"heard {number}")):
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, old)
