"""The snippets of docs/ run as they stand, one after the other; both languages have the same."""

import re

import pytest

from tests.conftest import ROOT

PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md") if "zh-CN" not in path.name)


def snippets(name: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_pages_are_there() -> None:
    assert "lstm.md" in PAGES
    assert len(snippets("lstm.md")) == 6


@pytest.mark.parametrize("name", PAGES)
def test_the_snippets_run(name: str) -> None:
    namespace: dict[str, object] = {}
    for snippet in snippets(name):
        exec(compile(snippet, name, "exec"), namespace)  # noqa: S102 - it is our own page


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same(name: str) -> None:
    chinese = name.replace(".md", ".zh-CN.md")
    if not (ROOT / "docs" / chinese).exists():
        assert not snippets(name)  # measurements, in English alone
        return
    strip = re.compile(r"\s*#.*")
    assert [strip.sub("", s) for s in snippets(name)] == [
        strip.sub("", s) for s in snippets(chinese)
    ]
    texts = [(ROOT / "docs" / page).read_text("utf-8") for page in (name, chinese)]
    assert len({len(re.findall("^## ", text, re.MULTILINE)) for text in texts}) == 1
    assert texts[0].splitlines()[2] == f"[中文]({chinese})"
    assert texts[1].splitlines()[2] == f"[English]({name})"
