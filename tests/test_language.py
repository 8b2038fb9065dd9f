"""What textgen says is in the catalogues, whole and alike; it is said in the language chosen."""

import ast
import json
import logging
import pickle
import re
import string
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import catalogue
import pytest
from babel.messages.mofile import read_mo, write_mo

from tests.conftest import Command
from textgen.cli.printer import width
from textgen.config import TrainingConfig
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.language import LANGUAGES, LOCALE, Message, TranslatingFormatter, _, tag, use
from textgen.plots.figures import figures_table
from textgen.plots.html_page import html_page
from textgen.plots.run import run_plots
from textgen.plots.terminal import text_plot
from textgen.plots.window import line, plot
from textgen.runs.folder import Run
from textgen.runs.summary import Summary
from textgen.runs.weights import DamagedError

PERCENT = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[a-zA-Z%]")
SOURCES = {path.relative_to(catalogue.PACKAGE).as_posix(): path for path in catalogue.sources()}


@pytest.fixture
def chinese() -> Iterator[None]:
    """Speak Chinese."""
    use("zh")
    yield
    use("en")


def placeholders(text: str) -> set[tuple[str, str, str]]:
    """Return the names in braces of a text, with how their values are written."""
    return {
        (name, form or "", conversion or "")
        for _text, name, form, conversion in string.Formatter().parse(text)
        if name is not None
    }


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_text_is_translated_and_no_other(language: str) -> None:
    found = catalogue.catalogue_of(language)
    texts = {text for _file, text in catalogue.messages()}
    assert {message.id for message in found if message.id} == texts
    for message in found:
        assert message.string, f"{message.id!r} is not translated"
        assert not message.fuzzy


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_what_is_put_in_is_the_same(language: str) -> None:
    for message in catalogue.catalogue_of(language):
        if not message.id:
            continue
        original, translated = str(message.id), str(message.string)
        assert placeholders(translated) == placeholders(original), original
        if "{" not in original:  # values of a logged text come in their order
            assert PERCENT.findall(translated) == PERCENT.findall(original)
        # A file's name goes before what is wrong with it, also where others take it off.
        begins = re.match(r"\{(?:path|file|name|folder|place)\} (?=\w)", original)
        assert not begins or translated.startswith(begins[0]), original


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_what_is_read_is_what_was_written(language: str) -> None:
    written = BytesIO()
    write_mo(written, catalogue.catalogue_of(language))
    folder = LOCALE / language / "LC_MESSAGES"
    with (folder / "textgen.mo").open("rb") as file:
        found = {message.id: message.string for message in read_mo(file) if message.id}
    written.seek(0)
    expected = {message.id: message.string for message in read_mo(written) if message.id}
    assert found == expected


@pytest.mark.parametrize("name", SOURCES)
def test_no_text_to_translate_is_put_together(name: str) -> None:
    """An f-string, or one text after another, is in no catalogue."""
    for call in catalogue.calls(SOURCES[name]):
        first = call.args[0]
        assert not isinstance(first, ast.JoinedStr | ast.BinOp | ast.IfExp), (
            f"{name}, line {call.lineno}: give a template and values"
        )


@pytest.mark.parametrize("name", SOURCES)
def test_every_place_has_its_value(name: str) -> None:
    for call in catalogue.calls(SOURCES[name]):
        given = {keyword.arg for keyword in call.keywords}
        match call:
            case ast.Call(ast.Name(function), [ast.Constant(str(text)), *_others]) if (
                function not in {"_", "marked", "Kind"} and given and None not in given
            ):
                named = {place for place, _form, _conversion in placeholders(text)}
                assert named == given, f"{name}, line {call.lineno}"


def test_every_error_is_looked_for() -> None:
    translated = catalogue.ERRORS | {"TranslatedError"}
    for path in SOURCES.values():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                assert node.name in translated or not bases & translated, node.name


def test_an_error_is_told_in_the_language_that_is_spoken() -> None:
    inner = os_reason(PermissionError(13, "Permission denied"))
    error = TextgenError("{path} cannot be written: {reason}", path=Path("a{b}"), reason=inner)
    english = "a{b} cannot be written: Permission denied"
    assert str(error) == error.english() == english
    use("zh")
    try:
        assert str(error) == f"{error}" == "a{b} 无法写入：没有权限"
        assert error.english() == english
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own
    finally:
        use("en")
    assert str(error) == english


@pytest.mark.usefixtures("chinese")
def test_what_no_catalogue_has_stays_as_it_is() -> None:
    for text in ("", "{", "a {b} c", "nobody says so %s"):
        assert _(text) == str(UsageError(text)) == str(Message(text)) == text
    assert str(TextgenError()) == ""


@pytest.mark.usefixtures("chinese")
def test_ranges_are_told_in_words() -> None:
    with pytest.raises(UsageError, match=r"^--learning-rate 的值是 -1：须大于 0 且为有限数$"):
        TrainingConfig(learning_rate=-1)


@pytest.mark.usefixtures("chinese")
def test_what_is_logged_is_translated_where_it_is_printed() -> None:
    values = (
        "名字",
        DamagedError("{path} is damaged: it is not a checkpoint of textgen", path="x"),
    )
    record = logging.LogRecord("textgen", 30, "", 0, "%s cannot be read (%s)", values, None)
    assert TranslatingFormatter().format(record) == (
        "名字 无法读取（x 已损坏：它不是 textgen 的检查点）"
    )
    assert record.msg == "%s cannot be read (%s)"


@pytest.mark.usefixtures("chinese")
def test_what_is_drawn_is_translated() -> None:
    window = plot("key", "title", "y", [line("curve", [], None)])
    assert window.layout["xaxis"]["title"]["text"] == "轮"
    assert tag() == "zh-CN"


@pytest.mark.usefixtures("chinese")
def test_a_page_is_chinese(tiny_run: Run) -> None:
    plots = run_plots(tiny_run, tiny_run.record.read())
    said = [*figures_table(Summary.of(tiny_run)).split(">"), *(plot.title for plot in plots)]
    said += [trace["name"] for plot in plots for trace in plot.data]
    page = html_page("page", "", " ".join(said)).decode()
    assert '<html lang="zh-CN">' in page
    assert "每字困惑度" in page
    words = {text.split("<")[0].strip() for text in said}
    assert {word for word in words if word.isascii() and word[:1].isalpha()} <= {"Kneser-Ney"}


def test_what_programs_read_is_english(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "zh")
    (tmp_path / "texts" / "folder").mkdir(parents=True)
    (tmp_path / "texts" / "1.txt").write_text("第一回\r\n", encoding="utf-8")
    (tmp_path / "texts" / "2.txt").write_bytes(b"")
    (tmp_path / "texts" / "cover.jpg").write_bytes(b"")
    found = json.loads(command("corpus", "show", "texts", "--json")[1])
    assert found["files"][0]["changes"] == {"line ends": 1}
    assert [one["why"] for one in found["left_out"]] == [
        *("is no text file", "is empty: it holds no characters to learn from")
    ]
    shown = command("corpus", "show", "texts")[1]
    assert "清理：换行符 1 处" in shown
    assert "2.txt 是空的：其中没有可学的字符" in shown
    use("en")


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "zh_TW"}, "zh"),
        ({"LC_ALL": "zh_CN", "LANGUAGE": "en:zh"}, "en"),
        ({"LC_ALL": "en_US", "LANGUAGE": "fr:zh_CN:en"}, "zh"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "de_DE"}, "en"),
    ],
)
def test_the_environment_is_asked_in_its_order(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    use()
    try:
        assert tag() == {"en": "en", "zh": "zh-CN"}[language]
    finally:
        use("en")


def test_a_command_speaks_the_language_of_the_locale(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(LANGUAGES) == {"en", *catalogue.LANGUAGES}
    said = command("corpus", "show", "nowhere.txt")[2]
    assert said == "textgen: nowhere.txt does not exist; give a text file or a folder of them\n"
    monkeypatch.setenv("LANGUAGE", "zh_CN:en")
    said = command("corpus", "show", "nowhere.txt")[2]
    assert said == "textgen: nowhere.txt 不存在；请给出文本文件或其所在的文件夹\n"
    use("en")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--lang", "zh", "corpus", "show", "nowhere.txt"),
        ("corpus", "show", "--lang=zh", "nowhere.txt"),
        ("--lang", "en", "corpus", "show", "nowhere.txt", "--lang", "zh"),
    ],
)
def test_a_command_speaks_the_language_it_is_told_to(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    said = command(*arguments)[2]
    assert said == "textgen: nowhere.txt 不存在；请给出文本文件或其所在的文件夹\n"
    assert "does not exist" in command("corpus", "show", "nowhere.txt")[2]


def test_only_values_follow_two_hyphens(command: Command) -> None:
    status, _out, err = command("corpus", "show", "--", "--lang", "zh")
    assert (status, err) == (
        *(1, "textgen: --lang does not exist; give a text file or a folder of them\n"),
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--lang", "fr", "--help"), "--lang is fr: it must be one of en, zh"),
        (("runs", "--lang"), "--lang needs a value: one of en, zh"),
    ],
)
def test_a_language_that_there_is_not_is_refused(
    command: Command, arguments: tuple[str, ...], said: str
) -> None:
    assert command(*arguments) == (2, "", f"textgen: {said}\n")


@pytest.mark.parametrize("columns", ["40", "80"])
@pytest.mark.parametrize("words", [(), ("train",), ("runs", "export"), ("generate",)])
def test_the_help_is_chinese_and_fits(
    command: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    status, out, err = command("--lang", "zh", *words, "--help")
    assert (status, err) == (0, "")
    assert out.startswith("用法：textgen")
    assert "通用\n  --lang CHOICE" in out
    assert max(sum(map(width, line)) for line in out.splitlines()) <= int(columns)
    assert not re.search(r"[a-z]+ (?:the|of|a|is|not) [a-z]+", out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("trian",), "textgen 没有命令 trian：是不是 train？"),
        (("train", "--lnag"), "textgen train 没有选项 --lnag：是不是 --lang？"),
        (("train", "--cell", "x"), "--cell 的值是 x：须为 lstm, gru, rnn 之一"),
        (("train", "--hidden-size", "x"), "--hidden-size 的值是 x：须为整数"),
        (("train", "--seed", "1", "--seed", "2"), "--seed 给了不止一次：请只给一次"),
        (("train", "--seed"), "--seed 需要一个值"),
        (("runs", "mv", "x"), "textgen runs mv 缺少 NAME：用法见 textgen runs mv --help"),
    ],
)
def test_what_is_wrong_with_a_command_line_is_told_in_chinese(
    command: Command, arguments: tuple[str, ...], said: str
) -> None:
    assert command("--lang", "zh", *arguments) == (2, "", f"textgen: {said}\n")


def test_results_are_chinese_and_line_up(command: Command, tiny_run: Run) -> None:
    status, out, _err = command("--lang", "zh", "show", tiny_run.folder)
    assert status == 0
    _before, _title, rest = out.partition("\n留出部分\n")
    title, *rows = rest.splitlines()[:6]
    assert title.strip() == "每字比特数"
    assert len({sum(map(width, line)) for line in (title, *rows)}) == 1
    names = [row.split()[0] for row in rows]
    assert names == ["单凭网络", "加上计数", "边读边记", "Kneser-Ney", "三元模型"]


def test_a_plot_lines_up() -> None:
    for words in (("minutes", "bits"), ("分钟", "比特")):
        title, *_lines, end = text_plot({"A": [(0.0, 1.0), (1.0, 2.0)]}, *words, 40)
        assert (sum(map(width, title)), sum(map(width, end))) == (6, 40)


def test_json_is_the_same_in_every_language(command: Command, tiny_run: Run) -> None:
    english, chinese = (
        json.loads(command("--lang", language, "show", tiny_run.folder, "--json")[1])
        for language in LANGUAGES
    )
    assert english | {"age_seconds": 0} == chinese | {"age_seconds": 0}
