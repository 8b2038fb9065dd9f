"""Messages are heard once, and bars are where people look: in a terminal, or in a notebook.

Only the kernel of the notebook is a stand-in here.
"""

import importlib
import logging
import sys
from types import ModuleType, SimpleNamespace

import pytest

from textgen.bars import heard, in_notebook, progress_bar, set_total

log = logging.getLogger("textgen.tests")


def forget_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody's logging set up, not even pytest's, which does so when a test begins."""
    logger = logging.getLogger("textgen")
    level = logger.level
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "level", level)  # restored, whatever setLevel makes of it
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel for which nobody has installed ipywidgets."""
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=...)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", ModuleType("ipykernel.zmqshell"))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    for name in ("tqdm.auto", "tqdm.autonotebook", "tqdm.notebook"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_without_logging_set_up_messages_are_heard_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_handlers(monkeypatch)
    log.info("before")
    with heard(), heard():
        log.info("inside")
    log.info("after")
    assert capsys.readouterr() == ("", "inside\n")


def test_who_has_set_it_up_hears_what_they_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_handlers(monkeypatch)
    for level in (logging.INFO, logging.WARNING):
        logging.basicConfig(level=level, format="%(message)s", stream=sys.stdout, force=True)
        with heard():
            log.info("told")
            log.warning("warned")
    assert capsys.readouterr() == ("told\nwarned\nwarned\n", "")


@pytest.mark.usefixtures("notebook")
def test_a_notebook_has_bars_and_messages_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_handlers(monkeypatch)
    assert in_notebook()
    with heard(), progress_bar(10, "steps") as bar:
        bar.update(5)
        log.info("half of it")
        set_total(bar, 5)
    out, error = capsys.readouterr()
    assert not error
    assert "\rhalf of it\n" in out
    assert "100%" in out


def test_elsewhere_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert not in_notebook()
    with progress_bar(10, "steps") as bar:
        bar.update(10)
    assert capsys.readouterr() == ("", "")


def test_a_widget_hears_of_a_new_total() -> None:
    bar = importlib.import_module("tqdm").tqdm(total=10, disable=True)
    widget = SimpleNamespace(max=10)
    bar.container = SimpleNamespace(children=[None, widget, None])
    set_total(bar, 20)
    assert (bar.total, widget.max) == (20, 20)
