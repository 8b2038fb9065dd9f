"""What the command is called by, and Ctrl-C before it has begun."""

import os
import re
import subprocess
import sys
import tomllib

import pytest

from tests.conftest import ROOT

INTERRUPTING = """
import sys, _signal
class Interrupting:
    def find_spec(self, name, *_):
        if name == "{name}":
            _signal.raise_signal(_signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.modules.pop("signal", None)
from textgen.__main__ import main
main()
"""


@pytest.mark.parametrize("name", ["signal", "textgen.cli.commands", "cyclopts", "numpy"])
def test_ctrl_c_while_python_imports_is_one_line(name: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", INTERRUPTING.format(name=name), "generate", "--prefix", "却说"],
        capture_output=True,
        check=False,
        cwd=ROOT / "tests",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    told = found.stderr.decode().removeprefix(
        "No run in checkpoints yet: this is the model that comes with textgen, of 三国演义\n"
    )
    assert (found.returncode, found.stdout, told) == (130, b"", "textgen: stopped\n")


def test_the_distribution_is_not_the_one_on_the_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "textgen-lstm"
    assert "Private :: Do Not Upload" in project["classifiers"]  # which the index refuses
    assert project["scripts"] == {"textgen": "textgen.__main__:main"}
    installs = re.compile(r"pip install[^\n]*[ '\"=]textgen\b(?!-)")
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *(ROOT / "textgen").rglob("*.py")]
    assert [str(path) for path in texts if installs.search(path.read_text("utf-8"))] == []
