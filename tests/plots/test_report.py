import re
from pathlib import Path

import pytest

from tests.conftest import Command, copy_run
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


def test_another_file(command: Command, story: Path, tiny_run: Run) -> None:
    copy_run(tiny_run, "told")
    assert command("report", "--output", "page.html")[1] == "page.html\n"
    assert Path("page.html").exists()
    status, _, err = command("report", "--output", story / "x")
    assert status == 1
    assert "cannot be written" in err
