"""What is sound, and made before anything is damaged."""

import importlib
import os
import pkgutil
import shutil
import traceback
from dataclasses import replace
from pathlib import Path

import textgen
from fuzzing.command import outcome
from fuzzing.reading import SAMPLE
from textgen.evaluation import judge
from textgen.plots import report

_SMALL = (
    *("--hidden-size", "8", "--embedding-size", "8", "--batch-size", "4", "--num-steps", "16"),
    *("--epochs", "1", "--no-visdom", "--device", "cpu", "--checkpoints", "."),
)


def import_all() -> None:
    """Import all of textgen, so that those who are forked have it."""
    for module in pkgutil.walk_packages(textgen.__path__, "textgen."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    # Whether a text is copied is asked of a short one, and pages do without the 4.5 MB that draw:
    # both take longer than all the rest.
    judge.COPYING_SAMPLE = replace(judge.COPYING_SAMPLE, length=20)
    vars(report)["_plotly_js"] = str


def make_sound(folder: Path) -> None:
    """Make a run named story that is to go on, and a page of its text, in a folder.

    It begins with another run, so that it has all files that there can be.

    A process of its own trains, since what torch starts for that does not survive a fork.
    """
    (folder / "page.txt").write_text(SAMPLE.read_text("utf-8")[:700], "utf-8")
    (folder / "story.txt").write_text(SAMPLE.read_text("utf-8")[:2500], "utf-8")
    process = os.fork()
    if process == 0:
        try:
            os.chdir(folder)
            outcome(["train", "page.txt", "--name", "earlier", *_SMALL])
            outcome(["train", "story.txt", "--name", "story", "--from", "earlier", *_SMALL])
            shutil.rmtree("earlier")
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]):
        raise RuntimeError("there is no sound run")
