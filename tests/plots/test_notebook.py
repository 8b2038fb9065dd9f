"""What a notebook shows of a run and of a result."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import textgen
from textgen.config import Settings
from textgen.runs.folder import Run


def curves(html: str) -> int:
    """Return how many there are, of HTML that is XML as well."""
    return sum("polyline" in element.tag for element in ET.fromstring(f"<p>{html}</p>").iter())  # noqa: S314


@pytest.mark.usefixtures("in_folder")
def test_a_result_and_its_run_show_their_curves(story: Path, tiny: Settings) -> None:
    result = textgen.train(story, tiny, name="<a & b>")
    assert curves(result._repr_html_()) == curves(result.run._repr_html_()) > 2
    assert re.fullmatch(
        r"<Result <a & b>: [\d,]+ characters, [\d,]+ a second on cpu, perplexity [\d.]+ in "
        r"training, \d\.\d{3} bits per character held out>",
        repr(result),
    )
    steps = f"{result.run.plan.total_steps:,}"
    assert re.fullmatch(
        rf"<Run <a & b>: 4,000 characters, {steps} of {steps} steps, \d\.\d{{3}} bits .+>",
        repr(result.run),
    )
    assert len(result.generate("老周", length=5)) == 5
    for entry in result.run.metrics:  # what pandas makes a table of
        assert all(isinstance(value, str | int | float) for value in entry.values())


def test_a_run_that_has_not_begun_has_a_picture_as_well(tiny_run: Run) -> None:
    run = Run(tiny_run.folder)
    run.record.path = run.folder / "none"
    assert run.metrics == []
    assert "0 of" in repr(run)
    assert "bits" not in repr(run)
    assert "<svg" in run._repr_html_()
