"""The page of a run, and of several, as files and in a real browser."""

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Command, copy_run
from textgen.plots.html_page import html_page, in_script, language_of
from textgen.plots.report import write_page
from textgen.plots.suite import suite_windows
from textgen.plots.window import line, plot
from textgen.runs.folder import Run
from textgen.runs.record import Entry

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ODD = "</script><b>bold & 'quoted'"


@pytest.fixture
def page(command: Command, tiny_run: Run) -> str:
    copy_run(tiny_run, "told")
    status, out, _ = command("report", "told")
    assert (status, out) == (0, "checkpoints/told/report.html\n")
    return Path("checkpoints/told/report.html").read_text("utf-8")


def without_scripts(page: str) -> str:
    return re.sub("<script>.*?</script>", "", page, flags=re.DOTALL)


def test_it_is_one_page_that_loads_nothing(page: str) -> None:
    own = without_scripts(page)  # plotly.js names addresses
    assert not re.search(r"(src|href)\s*=|https?:|@import|url\(", own)
    assert "plotly.js v2." in page
    for key in ("perplexity", "bits", "optimiser", "speed"):
        assert f"id='{key}'" in page
    assert page.count("class='sample' lang='zh'") == 10
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
    assert "config.json has " in err
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


def test_the_figures_come_first_and_what_is_as_usual_last(page: str, tiny_run: Run) -> None:
    own = without_scripts(page)
    last = tiny_run.record.read()[-1]
    order = ["network alone", f"{last['best_held_out_bits_per_character']:.3f}", "Kneser-Ney"]
    order += ["trigram", "id='perplexity'", "class='sample'", "hidden_size", "<details>", "beta2"]
    places = [own.index(part) for part in order]
    assert places == sorted(places)
    assert "white-space: pre-wrap" in own
    sample = next(e["sample"] for e in reversed(tiny_run.record.read()) if "sample" in e)
    assert "\n" in sample
    assert sample in own  # line by line
    assert own.index("held out</th>") < own.index("id='perplexity'")


def test_another_file(command: Command, story: Path, tiny_run: Run) -> None:
    copy_run(tiny_run, "told")
    assert command("report", "--output", "page.html")[1] == "page.html\n"
    assert Path("page.html").exists()
    status, _, err = command("report", "--output", story / "x")
    assert status == 1
    assert "cannot be written" in err


def test_several_runs_in_a_browser_on_a_phone(
    command: Command, tiny_run: Run, browser: "Browser", in_folder: Path
) -> None:
    for name in ("one", ODD.replace("/", "")):
        copy_run(tiny_run, name)
    other = Path("checkpoints/one/config.json")
    other.write_text(other.read_text("utf-8").replace('"seed": 0', '"seed": 5'), encoding="utf-8")
    status, out, err = command("report", "one", ODD.replace("/", ""), "one")
    assert (status, out) == (0, "checkpoints/report.html\n"), err
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"file://{in_folder}/checkpoints/report.html")
    opened.wait_for_function("document.querySelectorAll('.js-plotly-plot .legend').length == 2")
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    assert opened.evaluate("document.documentElement.lang") == "en"
    widest = "Math.max(...[...document.querySelectorAll('.main-svg')].map(e => e.clientWidth))"
    assert 300 < opened.evaluate(widest) <= 390
    shown = opened.inner_text("body")
    assert shown.index("2 runs") < shown.index("seed 5") < shown.index("The settings that differ")
    assert ODD.replace("/", "") in shown
    legends = opened.locator(".legendtext").all_text_contents()
    assert any("seed 5" in text for text in legends)
    assert errors == []
    context.close()


def test_a_logarithmic_axis_reads_10_20_50_100(browser: "Browser", tmp_path: Path) -> None:
    ranges = [(9, 120), (400, 9000), (62, 73), (1e-7, 1.0)]
    windows = [
        plot(f"p{n}", ODD, "perplexity", [line("a", list(enumerate(ends)), None)], logarithmic=True)
        for n, ends in enumerate(ranges)
    ]
    write_page(tmp_path / "page.html", "page", windows, "")
    page = browser.new_page()
    page.goto(f"file://{tmp_path}/page.html")
    page.wait_for_selector("#p3 .ytick text")
    axes = [page.locator(f"#p{n} .ytick text").all_text_contents() for n in range(len(ranges))]
    assert page.locator("#p0 .gtitle").text_content() == ODD
    page.close()
    assert axes[0] == ["10", "20", "50", "100"]
    assert {"1000", "2000", "5000"} <= set(axes[1])
    assert all(61 <= float(mark) <= 74 for mark in axes[2])
    assert len(axes[3]) <= 10


def test_the_suite_begins_with_its_table() -> None:
    curve: Entry = {"task": "parity", "model": "nn", "epoch": 1.0, "loss": 0.5}
    passed: Entry = {"task": "parity", "model": "nn", "asked": "<1e-6", "result": "0"}
    passed |= {"passed": True, "seconds": 1.0}
    table, *plots = suite_windows([curve, passed])
    assert "must: &lt;1e-6" in table.data[0]["content"]
    assert [one.key for one in plots] == ["parity-loss"]


def test_languages_by_their_scripts() -> None:
    texts = {
        "却说玄德曰：“好！”": "zh",
        "吾輩は猫である。": "ja",
        "옛날 옛적에": "ko",
        "A line": "",
    }
    texts |= {"": "", "。！": "", "a chapter named 第一回": ""}
    assert {text: language_of(text) for text in texts} == texts
