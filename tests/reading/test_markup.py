import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textgen.reading.markup import html_to_text, tags, word_to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>一</p><p>二</p>", "一\n二\n"),
        ("<p>一<p>二", "一\n二\n"),
        ("一<br>二<br/><br></br>三", "一\n二\n\n三\n"),
        (
            "<h1>第一回\u3000旧书</h1>\n  <div>\n  <div>他说。</div></div>",
            "第一回\u3000旧书\n他说。\n",
        ),
        ("<table><tr><td>一</td><td>二</td></tr></table>", "一\n二\n"),
        ("<b>红</b><i>楼</i>梦", "红楼梦\n"),
        ("<p>\n  两行的\n  一段，<b>有</b>\n字</p>", "两行的一段，有字\n"),
        ("<p>two  lines\nof <b>one </b> paragraph </p>", "two lines of one paragraph\n"),
        ("<pre>一\n  二\n</pre>三\n四", "一\n  二\n三四\n"),
        ("<head><title>书</title><style>p {}</style></head>一<script>'<p>'</script>", "一\n"),
        ("<head><title>书</title><body>没有关上", "没有关上\n"),
        ("<title/><p>一</p><script src='x'/>二", "一\n二\n"),
        ("<SCRIPT>1</SCRIPTS></script x>一<style>二", "一二\n"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>だ", "漢字だ\n"),
        ("<ruby>漢<rp>(<rt>かん<rp>)</ruby>字<ruby>一<rt>い<p>二", "漢字一\n二\n"),
        (
            "&lt;p&gt; &amp;amp; &hellip;&#x4e00;&#20108;&nbsp;&nosuch;",
            "<p> &amp; …一二\xa0&nosuch;\n",
        ),
        (f"&#{'9' * 5000};一", f"&#{'9' * 5000};一\n"),
        ("一<!-- <p> --><!-->二<!--->三<!-- x --!>四", "一二三四\n"),
        ("一<!-- 二", "一 二\n"),
        ("<![CDATA[一]]><![if !IE]>二<![endif]></>三<?php x ?>", "一二三\n"),
        ('<p class=\'a>b\' id="<p>" title=x">一</p>', "一\n"),
        ("1 < 2, a<3, <<, 《一》<", "1 < 2, a<3, <<, 《一》<\n"),
        ("一<p", "一\n"),
        ("一<p title='", "一\n"),
        ("", ""),
        ("<html><body> \n <p> </p></body></html>", ""),
    ],
)
def test_a_page_is_what_it_shows(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@given(st.text())
@example("<p>\r\n&amp;&#12;'\"一\n二\u3000 x")
def test_any_text_in_a_paragraph_comes_back(text: str) -> None:
    shown = re.sub("[ \t\n\f\r]+", " ", text).strip(" ")
    found = html_to_text(f"<p>{html.escape(text)}</p>")
    # Between Chinese characters, a line's end is no space.
    assert found.replace(" ", "") == (f"{shown}\n" if shown else "").replace(" ", "")
    if "\n" not in text:
        assert found == (f"{shown}\n" if shown else "")


@given(st.text(st.sampled_from("<>/!?-[]&#;='\" \n一aprtebsciy")))
def test_any_markup_has_an_answer(markup: str) -> None:
    assert "<b>" not in html_to_text(markup + "<b>")
    word_to_text(markup)
    for tag in tags(markup):
        assert tag.attributes is not None


def test_time_grows_with_the_length() -> None:
    """What others look at once for every time that it begins would take hours here."""
    for unit in (
        "<!--",
        '<a "',
        "<a b='",
        "<",
        "<!x",
        "<?",
        "<script>",
        "<svg>",
        "<![CDATA[",
        "&#1",
    ):
        html_to_text(unit * 30_000)
    html_to_text("<p>" + " " * 300_000 + "一")
    html_to_text("<a " + "b" * 300_000)
    html_to_text("<a b" + " = " * 100_000)
    html_to_text("<script>" + "</script " * 50_000)
    for inside in ("b" * 300_000, " = " * 100_000, "b='" * 100_001, 'b= "' * 100_001):
        assert next(tags(f"<a {inside}")).attributes is not None


def test_a_word_document_is_its_paragraphs() -> None:
    assert (
        word_to_text(
            '<?xml version="1.0"?><w:document xmlns:w="w"><w:body>'
            "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr>"
            '<w:r><w:t xml:space="preserve">第一回 </w:t></w:r>'
            "<w:r><w:tab/><w:t>旧&amp;书</w:t></w:r></w:p>"
            "<w:p/><w:p><w:r><w:t/><w:delText>删</w:delText><w:instrText>PAGE</w:instrText>"
            "<w:ruby><w:rt><w:r><w:t>かん</w:t></w:r></w:rt>"
            "<w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby>"
            "<w:br></w:br><wp:posOffset>123</wp:posOffset><w:t>二</w:t></w:r></w:p>"
            "<mc:AlternateContent><mc:Choice><w:p><w:t>框</w:t></w:p></mc:Choice>"
            "<mc:Fallback><w:p><w:t>框</w:t></w:p></mc:Fallback></mc:AlternateContent>"
            "</w:body></w:document>"
        )
        == "第一回 \t旧&书\n\n漢\n二\n框\n"
    )


def test_tags_have_attributes() -> None:
    (item, end) = tags("<opf:item ID='a&amp;b' href=\"c>d.xhtml\" x=1 y/></opf:item>")
    assert (item.name, item.closing, item.empty) == ("item", False, True)
    assert item.attributes == {"id": "a&b", "href": "c>d.xhtml", "x": "1"}
    assert end.closing
