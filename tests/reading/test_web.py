import html

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_story
from textgen.config import ReadingConfig
from textgen.reading import web
from textgen.reading.cleaning import clean
from textgen.reading.web import Finding, without

STORY = make_story(400)


def findings(text: str) -> list[Finding]:
    return web.findings(text, set(text))


def test_addresses_are_found_in_their_whole_length() -> None:
    addresses = [
        "http://www.abc.com/book/1.html",
        "www.xx.net",
        "ｗｗｗ．ｘｘ．ｃｏｍ",
        "a-b.com.cn",
    ]
    text = "，请看".join(f"第{number}章{address}" for number, address in enumerate(addresses))
    assert [finding.old for finding in findings(text)] == addresses
    assert without(text, findings(text)) == "第0章，请看第1章，请看第2章，请看第3章"


def test_nothing_is_found_in_a_story_or_in_english() -> None:
    assert findings(STORY) == []
    assert findings("Mr. Smith came. And the .com boom; AT&T; x&y; 3.14; e.g. this.\n") == []


@given(st.sampled_from("<>&\"'éñ—…“”\u00a0中"))
def test_entities_become_what_they_mean(character: str) -> None:
    entities = {f"&#{ord(character)};", f"&#x{ord(character):X};"}
    if html.escape(character) != character:
        entities.add(html.escape(character))
    for entity in entities:
        text = f"他说{entity}好"
        assert without(text, findings(text)) == f"他说{character}好"


def test_mojibake_becomes_what_it_was() -> None:
    sentence = "他说：“好。”然后走了。"
    as_gbk = sentence.encode().decode("gb18030", "ignore")
    western = "don’t — café".encode().decode("cp1252")
    text = f"a{western}b\n锟斤拷锟斤拷完\n"
    assert without(text, findings(text)) == "adon’t — caféb\n完\n"
    if as_gbk.encode("gb18030") == sentence.encode():
        assert without(as_gbk, findings(as_gbk)) == sentence


def test_all_that_is_taken_out_is_told_with_its_line() -> None:
    text = f"{STORY}请看www.abc.com，\n他说&nbsp;好\n"
    assert clean(text).text == text
    assert clean(text).web == ()
    looked = clean(text, look=True)
    assert looked.text == text
    lines = STORY.count("\n") + 1
    assert [(f.kind, f.old, f.line) for f in looked.web] == [
        ("site address", "www.abc.com", lines),
        ("HTML entity", "&nbsp;", lines + 1),
    ]
    cleaned = clean(text, ReadingConfig(clean="web"))
    assert cleaned.text == f"{STORY}请看，\n他说\u00a0好\n"
    assert cleaned.changes == {"site address taken out": 1, "HTML entity taken out": 1}
