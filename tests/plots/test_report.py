import html
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Command, copy_run
from textgen.plots.html_page import html_page, in_script
from textgen.plots.window import line, plot
from textgen.runs.folder import Run


@pytest.fixture
def page(command: Command, tiny_run: Run) -> str:
    copy_run(tiny_run, "told")
    status, out, _ = command("report", "told")
    assert (status, out) == (0, "checkpoints/told/report.html\n")
    return Path("checkpoints/told/report.html").read_text("utf-8")


def test_it_is_one_page_that_loads_nothing(page: str) -> None:
    own = re.sub("<script>.*?</script>", "", page, flags=re.DOTALL)  # plotly.js names addresses
    assert not re.search(r"(src|href)\s*=|https?:|@import|url\(", own)
    assert "plotly.js v2." in page
    for key in ("perplexity", "bits", "optimiser", "speed"):
        assert f"id='{key}'" in page
    assert page.count("class='sample'") == 10
    assert "hidden_size" in page


def test_a_config_that_tells_less_is_enough(command: Command, tiny_run: Run) -> None:
    path = copy_run(tiny_run, "told").folder / "config.json"
    config = json.loads(path.read_text("utf-8"))
    less = {name: config[name] for name in ("format", "settings", "plan")}
    path.write_text(json.dumps({**less, "files": [{}]}), encoding="utf-8")
    assert command("report", "told")[0] == 0


@pytest.mark.parametrize("overlap", [[], 1, {"share": 0.5}, {**dict.fromkeys("ab", 1)}])
def test_an_odd_overlap_is_one_line(command: Command, tiny_run: Run, overlap: object) -> None:
    path = copy_run(tiny_run, "told").folder / "config.json"
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**config, "held_out_in_training_text": overlap}), encoding="utf-8")
    status, _, err = command("report", "told")
    assert status == 1
    assert err.startswith("textgen: config.json has ")
    assert err.count("\n") == 1


def test_an_odd_record_is_one_line(command: Command, tiny_run: Run) -> None:
    run = copy_run(tiny_run, "told")
    run.record.path.write_text('{"step": 1, "sample": "x"}\n', encoding="utf-8")
    status, _, err = command("report", "told")
    assert (status, err.count("\n")) == (1, 1)
    assert "line 1, has no epoch" in err


@given(st.text())
def test_no_name_is_html(name: str) -> None:
    text = f"</script><b>{name}<!--"
    named = plot("key", text, "y", [line(text, [(0, 1)], None)])
    shown = named.without_markup()
    data = in_script([shown.data, shown.layout])
    assert "<" not in data
    (trace,), layout = json.loads(data)
    for told in (trace["name"], layout["title"]["text"]):
        lines = told.split("<br>")
        assert "<" not in "".join(lines)
        assert html.unescape("\n".join(lines)) == text
    page = html_page(text, "", "", remarks=[text]).decode()
    assert "<b>" not in page
    assert "<!--" not in page
    assert "</script>" not in page


def test_another_file(command: Command, story: Path, tiny_run: Run) -> None:
    copy_run(tiny_run, "told")
    assert command("report", "--output", "page.html")[1] == "page.html\n"
    assert Path("page.html").exists()
    status, _, err = command("report", "--output", story / "x")
    assert status == 1
    assert "cannot be written" in err
