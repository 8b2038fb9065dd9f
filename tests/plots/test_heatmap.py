"""The heat map as a reader has it: a page in a real browser, without a network."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.conftest import Command, copy_run, make_model, make_story
from textgen.evaluation.perplexity import Passage, evaluate_text, token_surprisals
from textgen.evaluation.predictions import predict_text
from textgen.plots import heatmap
from textgen.runs.folder import Run
from textgen.text.vocab import Vocab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TEXT = make_story(1500)
ODD = "<b>&\"'</script><!--\n \u3000\x1b\u202e龘“好”\n\n末"


@pytest.mark.parametrize("kind", ["character", "word"])
@pytest.mark.parametrize("before", ["", TEXT[:300]])
def test_the_bits_are_those_of_the_evaluation(kind: str, before: str) -> None:
    vocab = Vocab.build(TEXT, "character" if kind == "character" else "word")
    model = make_model(len(vocab))
    text = TEXT + "龘"
    passage = Passage.of(vocab, text, before)
    found = predict_text(model, passage)
    ids = passage.ids
    expected = token_surprisals(model, passage)
    np.testing.assert_allclose(found.bits, expected, atol=1e-4)
    figures = evaluate_text(model, passage)
    assert found.bits.sum() / len(text) == pytest.approx(figures.bits_per_character, abs=1e-5)
    assert found.ids.shape == found.probabilities.shape == (len(ids), 5)
    likeliest = found.ids[np.arange(len(ids) - 1), 0] == ids[:-1]
    right = found.bits[:-1][likeliest]
    np.testing.assert_allclose(right, -np.log2(found.probabilities[:-1, 0][likeliest]), atol=1e-4)


def write(path: Path, text: str, vocab: Vocab) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    predictions = predict_text(make_model(len(vocab)), Passage.of(vocab, text))
    heatmap.write_predictions(path, "<i>a & b</i>", vocab, vocab.split(text), predictions)
    return predictions.bits


def test_a_reader_sees_the_text_its_colours_and_the_likeliest(
    tmp_path: Path, browser: "Browser"
) -> None:
    text = TEXT[:300] + ODD
    vocab = Vocab.build(TEXT)
    path = tmp_path / "page.html"
    bits = write(path, text, vocab)
    page_text = path.read_text("utf-8")
    assert not re.search(r"(src|href)\s*=|https?:|@import|url\(", page_text)
    errors: list[str] = []
    requests: list[str] = []
    with browser.new_page() as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        assert page.title() == page.locator("h1").inner_text() == "<i>a & b</i>"
        characters = page.locator("p > i")
        shown = characters.all_text_contents()
        names = {"\n": "↵", "\x1b": "U+001B", "\u202e": "U+202E"}
        assert shown == [names.get(character, character) for character in text]
        assert page.locator("p").count() == text.count("\n") + 1
        for place in (0, 5, 250, len(text) - 1):
            characters.nth(place).scroll_into_view_if_needed()
            page.evaluate("new Promise(done => setTimeout(done, 200))")  # scrolling hides the hint
            characters.nth(place).hover()
            rows = page.locator("#hint").inner_text().splitlines()
            assert rows[0].endswith(f"{bits[place]:.2f} bits")
            assert rows[0].startswith(text[place])
            assert len(rows) == 6
            assert all(re.fullmatch(r"\S+\t\d+\.\d\d %", row) for row in rows[1:])
        colours = [
            characters.nth(int(place)).evaluate("one => getComputedStyle(one).backgroundColor")
            for place in (bits.argmin(), bits.argmax())
        ]
        assert colours[0] != colours[1]
        assert "unknown" in str(characters.nth(text.index("龘")).get_attribute("class"))
        characters.nth(text.index("龘")).hover()  # in view already
        assert "龘 (unknown to the model)" in page.locator("#hint").inner_text()
        page.mouse.move(1, 1)
        assert not page.locator("#hint").is_visible()
    assert errors == []
    assert requests == [path.as_uri()]


@pytest.mark.usefixtures("story")
def test_evaluate_writes_it(
    command: Command, tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_run(tiny_run, "tale")
    status, out, err = command("evaluate", "tale", "story.txt", "--heatmap", "out.html")
    assert (status, err) == (0, "story.txt: utf-8, 4,000 characters\n" * err.count("story.txt"))
    assert out.endswith("out.html\n")
    in_legends = 1 + 6
    assert Path("out.html").read_text("utf-8").count("<i class=") == 4000 + in_legends
    monkeypatch.setattr(heatmap, "MAX_CHARACTERS", 300)
    status, _, err = command("evaluate", "tale", "--heatmap", "held_out.html")
    assert status == 0
    assert "held_out.html leaves the last 100 characters out" in err
    status, _, err = command("evaluate", "tale", "--heatmap", "none/out.html")
    assert status == 2
    assert err.startswith("textgen: --heatmap none/out.html cannot be written")
