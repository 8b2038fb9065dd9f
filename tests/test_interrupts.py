"""Signals ask to stop, once politely; what caught them before does so again afterwards."""

import os
import signal
import threading

import pytest
from cyclopts import App

from textgen.cli.process import run_command
from textgen.errors import TextgenError
from textgen.interrupts import STOP_SIGNALS, StopRequest, handling, stop_requests


@pytest.mark.parametrize("name", STOP_SIGNALS)
def test_the_first_signal_asks_and_the_second_stops(name: signal.Signals) -> None:
    before = signal.getsignal(name)
    with stop_requests() as stop:
        assert not stop.asked
        os.kill(os.getpid(), name)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), name)
    assert signal.getsignal(name) == before


def test_who_is_started_by_nohup_lives_on_when_the_terminal_is_closed() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requests() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.asked
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_only_the_signals_that_are_named_are_caught() -> None:
    stop = StopRequest()
    before = signal.getsignal(signal.SIGTERM)
    with handling(stop.ask, (signal.SIGINT,)):
        assert signal.getsignal(signal.SIGTERM) == before
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
    assert stop.asked


def test_another_thread_catches_nothing() -> None:
    found: list[bool] = []

    def work() -> None:
        with stop_requests() as stop:
            found.append(stop.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


class Interrupting(TextgenError):
    """Ctrl-C comes while it is being told."""

    def __str__(self) -> str:
        signal.raise_signal(signal.SIGINT)
        return "never told"


def test_ctrl_c_while_an_error_is_told_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    app = App(result_action="return_value", suppress_keyboard_interrupt=False)

    @app.default
    def fail() -> None:
        raise Interrupting

    assert run_command(app, []) == 130
    assert capsys.readouterr().err == "textgen: stopped\n"
