"""The page as a writer has it: a real server, and a real browser that may talk to nobody else."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.pages import SECONDS, Watched
from tests.serving.conftest import Served
from textgen.config import GenerationConfig
from textgen.runs.trained import load
from textgen.serving.asked import MOST_TOKENS
from textgen.writing.decoder import Decoder
from textgen.writing.generation import generate, write_on

pytest.importorskip("uvicorn", reason="uvicorn is an extra: pip install '.[serve]'")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PREFIX = "庞师傅"
READY = "#on:not([disabled])"
WIDTHS = "[document.documentElement.scrollWidth, innerWidth]"


def wrong(watched: Watched) -> list[str]:
    """Return what went wrong.

    Chromium calls every body that a script reads piece by piece aborted, also one that came whole.
    """
    read = f"{watched.server}/v1/completions: net::ERR_ABORTED"
    return watched.outside + [error for error in watched.errors if error != read]


def begin(page: "Page", url: str, **fields: str) -> None:
    page.goto(url)
    page.locator("#model option").first.wait_for(state="attached")
    for name, value in {"prompt": PREFIX, **fields}.items():
        page.fill(f"#{name}", value)


def test_a_writer_writes_goes_on_and_sees_what_surprises(
    served: Served, runs: Path, watch: Callable[[str], Watched]
) -> None:
    watched = watch(served.url)
    page = watched.page
    begin(page, served.url, seed="3", length="40", temperature="0.5")
    assert page.title() == "learned – textgen"
    assert page.inner_text("#degrees") == "0.50"
    page.get_by_role("button", name="Write").click()
    page.locator(READY).wait_for()
    trained = load(runs / "learned")
    config = GenerationConfig(seed=3, length=40, temperature=0.5)
    text = PREFIX + "".join(generate(trained, PREFIX, config))
    assert page.locator("#text").text_content() == text
    assert page.inner_text("#status") == "Seed 3, 40 characters"

    page.get_by_label("Colour by surprise").check()
    page.locator("#legend").wait_for()
    characters = page.locator("#text i")
    assert "".join(characters.all_text_contents()) == text
    titles = [one.get_attribute("title") or "" for one in characters.all()]
    assert all(re.fullmatch(r"(?s). \d+\.\d bits", title) for title in titles)
    kinds = {one.get_attribute("class") for one in characters.all()}
    assert len(kinds) > 2
    characters.nth(0).click()
    assert page.inner_text("#status") == titles[0]
    page.get_by_role("button", name="中文").click()
    assert page.inner_text("#status") == titles[0].replace("bits", "比特")
    assert characters.nth(1).get_attribute("title") == titles[1].replace("bits", "比特")
    page.get_by_role("button", name="en", exact=True).click()

    # Going on colours, too, and what the model wrote does not count as read.
    page.get_by_role("button", name="Go on").click()
    page.locator(READY).wait_for()
    page.locator("#legend").wait_for()
    decoder = Decoder.of(trained)
    context = decoder.follow(text.removeprefix(PREFIX), decoder.read(PREFIX))
    longer = text + "".join(step.pieces[0] for step in write_on(decoder, context, config))
    assert page.locator("#text").text_content() == longer
    page.get_by_label("Colour by surprise").uncheck()
    assert page.locator("#text i").count() == 0
    assert page.locator("#text").text_content() == longer
    assert wrong(watched) == []


def test_the_keys_write_and_stop_and_the_seed_is_told(
    served: Served, watch: Callable[[str], Watched]
) -> None:
    watched = watch(served.url)
    page = watched.page
    begin(page, served.url, length="10000")
    stop = page.get_by_role("button", name="Stop")
    halts: tuple[Callable[[], None], ...] = (lambda: page.keyboard.press("Escape"), stop.click)
    for halt in halts:
        page.press("#prompt", "Control+Enter")
        page.locator("#text[aria-busy=true]").wait_for()
        page.locator("#text", has_text=re.compile(r"[\s\S]{10}")).wait_for()
        halt()
        page.locator(READY).wait_for()
        assert stop.is_disabled()
        count = len(page.locator("#text").text_content() or "") - len(PREFIX)
        assert 0 < count < 10_000
        assert re.fullmatch(rf"Seed \d+, {count} characters", page.inner_text("#status"))
    assert wrong(watched) == []


def test_mistakes_are_told(served: Served, watch: Callable[[str], Watched]) -> None:
    watched = watch(served.url)
    page = watched.page
    begin(page, served.url, length="5", prompt="龘")
    page.press("#seed", "Enter")
    page.locator(READY).wait_for()
    assert page.inner_text("#status").endswith("The model does not know 龘")
    for text, language in (("A line", ""), ("はい", "ja"), ("却说", "zh")):
        page.fill("#prompt", text)
        assert page.get_attribute("#prompt", "lang") == language
    page.fill("#prompt", "说" * 100_001)
    page.press("#length", "Enter")
    page.locator("#status.wrong").wait_for()
    assert "prompt has 100,001 characters" in page.inner_text("#status")
    page.route("**/v1/completions", lambda route: route.abort())
    page.fill("#prompt", "说")
    page.press("#length", "Enter")
    page.get_by_text("The server does not answer").wait_for()


@pytest.mark.parametrize(
    ("language", "word", "other"),
    [("zh-TW", "写", "en"), ("en-GB", "Write", "中文"), ("de", "Write", "中文")],
)
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1400, "light")])
def test_both_languages_on_a_phone_and_on_a_desk(
    served: Served,
    browser: "Browser",
    language: str,
    word: str,
    other: str,
    width: int,
    scheme: Literal["dark", "light"],
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 700},
        locale=language,
        color_scheme=scheme,
    )
    context.set_default_timeout(1000 * SECONDS)
    try:
        page = context.new_page()
        begin(page, served.url, length="60")
        write = page.locator("#write")
        assert write.inner_text() == word
        assert page.get_attribute("html", "lang") == ("zh" if word == "写" else "en")
        page.get_by_label("上色" if word == "写" else "Colour").check()
        write.click()
        page.locator("#legend").wait_for()
        assert page.evaluate(WIDTHS) == [width, width]
        page.get_by_role("button", name=other, exact=True).click()
        assert write.inner_text() != word
        assert page.evaluate(WIDTHS) == [width, width]
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == ("rgb(25, 26, 27)" if scheme == "dark" else "rgb(251, 250, 247)")
        for field in page.locator("textarea, input, select, button").all():
            assert field.evaluate("one => one.labels?.length > 0 || one.textContent.trim() !== ''")
    finally:
        context.close()


def test_the_page_begins_with_the_defaults(served: Served, watch: Callable[[str], Watched]) -> None:
    page = watch(served.url).page
    begin(page, served.url)
    usual = GenerationConfig()
    assert float(page.input_value("#temperature")) == usual.temperature
    assert int(page.input_value("#length")) == usual.length
    assert page.get_attribute("#length", "max") == str(MOST_TOKENS)


def test_every_word_is_there_in_both_languages() -> None:
    page = Path(__file__).parents[2] / "textgen" / "serving" / "page"
    script = (page / "page.js").read_text("utf-8")
    english, chinese = (
        re.findall(r"(\w+): [`'(]", block)
        for block in re.findall(r"^  (?:en|zh): \{\n(.*?)^  \},", script, re.MULTILINE | re.DOTALL)
    )
    assert english == chinese
    asked = re.findall(r'data-text="(\w+)"', (page / "index.html").read_text("utf-8"))
    assert set(asked) <= set(english)
    everything = script + "".join(one.read_text("utf-8") for one in page.glob("*.[hc]*"))
    assert not re.search(r"https?:|//\w|@import|url\(", everything)
