"""The notebook runs from top to bottom, and both languages have the same cells.

Its cells are run here one after the other, as docs/ and its snippets are; a kernel of Jupyter's, to
run them in, would bring forty packages.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

NOTEBOOKS = ("notebook.ipynb", "notebook.zh-CN.ipynb")


def cells(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / "docs" / name).read_text("utf-8"))["cells"]
    return found


def code(name: str) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "code"]


def test_both_languages_have_the_same_code_and_no_outputs() -> None:
    assert code(NOTEBOOKS[0]) == code(NOTEBOOKS[1])
    kinds = [[cell["cell_type"] for cell in cells(name)] for name in NOTEBOOKS]
    assert kinds[0] == kinds[1]
    for name, other in (NOTEBOOKS, NOTEBOOKS[::-1]):
        assert f"]({other})" in "".join(cells(name)[0]["source"])
        for cell in cells(name):
            assert not cell.get("outputs")
            assert cell.get("execution_count") is None


def test_the_cells_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "docs").mkdir()
    sample = (ROOT / "corpus" / "sample.txt").read_text("utf-8")[:4000]
    (tmp_path / "corpus" / "sample.txt").write_text(sample, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "docs")
    namespace: dict[str, Any] = {}
    for number, cell in enumerate(code(NOTEBOOKS[0])):
        shorter = re.sub(r"(minutes|epochs)=[\d.]+", r"\1=0.02", cell)
        shorter = shorter.replace("hidden_size=128, ", "hidden_size=16, ")
        assert (shorter != cell) == ("textgen.train" in cell)
        exec(compile(shorter, f"cell {number}", "exec"), namespace)  # noqa: S102 - our own page
    assert "did you mean hidden_size?" in capsys.readouterr().out
    assert "<svg" in namespace["result"]._repr_html_()
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2
