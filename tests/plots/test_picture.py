"""The README's picture: a run's perplexity as SVG."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from textgen.config import Settings
from textgen.plots.picture import svg
from textgen.plots.run import run_plots
from textgen.plots.window import line, plot
from textgen.training.start import train


@pytest.mark.parametrize("held_out", [0.1, 0.0])
@pytest.mark.usefixtures("in_folder")
def test_a_run_with_and_without_a_held_out_part(
    held_out: float, story: Path, tiny: Settings
) -> None:
    run = train(story, Settings.of(**{**tiny.flat(), "held_out": held_out}), name="<a & b>").run
    picture = svg(run_plots(run, run.record.read())[0], run.name)
    texts = [text.text for text in ET.fromstring(picture).iter() if text.text]  # noqa: S314
    assert "<a & b>" in texts
    judged = any(text.startswith("held out") for text in texts)
    assert judged == ("Kneser-Ney" in texts) == (held_out > 0)
    del run.config["kneser_ney_bits_per_character"]  # as in runs made before it was counted
    earlier = svg(run_plots(run, run.record.read())[0], run.name)
    assert ("trigram" in earlier) == (held_out > 0)
    assert picture.count("<polyline") >= (3 if held_out else 1)


def test_nothing_yet_and_holes_are_drawn_as_what_they_are() -> None:
    assert 'width="2"' not in svg(plot("a", "a", "a", [line("none", [], None)]), "a")
    holes = [(0.0, 5.0), (1.0, float("inf")), (2.0, 0.0), (3.0, 7.0)]
    picture = svg(plot("a", "a", "a", [line("some", holes, None)]), "a")
    (path,) = (p for p in picture.split("points=") if 'width="2"' in p)
    assert len(path.split('"')[1].split()) == 2


def test_what_is_no_curve_is_drawn_as_dots() -> None:
    glances = line("at a glance", [(0.0, 5.0), (1.0, 4.0)], None, markers=True)
    picture = svg(plot("a", "a", "a", [glances | {"mode": "markers", "opacity": 0.4}]), "a")
    assert picture.count("<circle") == picture.count('r="3"') == 2
    assert 'width="2"' not in picture
    assert "opacity:0.4" in picture
