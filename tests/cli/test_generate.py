"""Where beginnings come from, and where texts go."""

import gzip
import io
import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.processes import killing
from textgen.errors import TextgenError
from textgen.runs.folder import Run

ASKED = ("--seed", "1", "--length", "12")


@pytest.fixture
def run(sample_run: Run) -> str:
    return str(sample_run.folder)


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("flag", ["--prefix", "--prefix-file"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_beginning_through_a_pipe(
    command: Command, run: str, monkeypatch: pytest.MonkeyPatch, flag: str, encoding: str
) -> None:
    beginning = "庞师傅说，收音机修好了。"
    _, expected, _ = command("generate", run, "--prefix", beginning, *ASKED)
    pipe(monkeypatch, f"{beginning}\n".encode(encoding))
    assert command("generate", run, flag, "-", *ASKED)[:2] == (0, expected)


def test_an_empty_pipe_is_told(command: Command, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, b"\n")
    status, out, err = command("generate", run, "--prefix", "-")
    assert (status, out) == (1, "")
    assert "standard input brings no beginning" in err


def test_a_beginning_may_look_like_a_flag(command: Command, run: str) -> None:
    outs = [
        command("generate", run, *given, *ASKED)
        for given in (["--prefix", "-5度"], ["--prefix=-5度"])
    ]
    assert outs[0][1] == outs[1][1]
    assert outs[0][1].startswith("-5度")


def archive(path: str, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in members.items():
            packed.writestr(name.replace("__", "/").replace("_", "."), text)
    return Path(path)


def test_a_beginning_in_a_book_or_an_archive(
    command: Command, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    beginning = "庞师傅说，收音机修好了。"
    Path("plain.txt").write_text(beginning, "utf-8")
    Path("packed.txt.gz").write_bytes(gzip.compress(beginning.encode("gb18030")))
    Path("page.html").write_text(f"<html><p>{beginning}</p></html>", "utf-8")
    page = f"<html><body><p>{beginning}</p></body></html>"
    package = (
        "<package><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/>"
        "</manifest><spine><itemref idref='a'/></spine></package>"
    )
    container = "<container><rootfiles><rootfile full-path='b.opf'/></rootfiles></container>"
    archive(
        "book.epub", **{"META-INF__container_xml": container, "b_opf": package, "a_xhtml": page}
    )
    paragraphs = f"<w:p><w:r><w:t>{beginning}</w:t></w:r></w:p>"
    archive(
        "letter.docx", word__document_xml=f"<w:document><w:body>{paragraphs}</w:body></w:document>"
    )
    archive("two.zip", b_txt="收音机修好了。", a_txt="庞师傅说，", c_png="")
    _, expected, _ = command("generate", run, "--prefix-file", "plain.txt", *ASKED)
    assert expected.startswith(beginning)
    for name in ("packed.txt.gz", "page.html", "book.epub", "letter.docx"):
        assert command("generate", run, "--prefix-file", name, *ASKED)[:2] == (0, expected)
        pipe(monkeypatch, Path(name).read_bytes())
        assert command("generate", run, "--prefix-file", "-", *ASKED)[:2] == (0, expected)
    status, out, err = command("generate", run, "--prefix-file", "two.zip", *ASKED)
    assert (status, out.splitlines()[:2]) == (0, ["庞师傅说，", out.splitlines()[1]])
    assert out.splitlines()[1].startswith("收音机修好了。")
    assert "two.zip/c.png is no text by its name: left out" in err
    Path("paper.pdf").write_bytes(b"%PDF-1.7\n")
    status, _, err = command("generate", run, "--prefix-file", "paper.pdf", *ASKED)
    assert (status, "paper.pdf is a PDF document: save it as text" in err) == (1, True)


def test_a_beginning_on_each_line(command: Command, run: str) -> None:
    Path("lines.txt").write_text("庞师傅\n\n老周\n龘\n", "utf-8")
    status, out, err = command("generate", run, "--prefixes", "lines.txt", *ASKED)
    assert status == 0
    alone = [
        command("generate", run, "--prefix", one, *ASKED)[1] for one in ("庞师傅", "老周", "龘")
    ]
    assert out == "".join(
        f"--- {number} of 3 ---\n{text}" for number, text in enumerate(alone, start=1)
    )
    assert "blank lines left out: 1" in err
    assert "Beginning 3: Not in the vocabulary" in err
    asked = ("generate", run, "--prefixes", "lines.txt", "--samples", "2", *ASKED)
    samples = json.loads(command(*asked, "--format", "json")[1])["samples"]
    assert [one["prefix"] for one in samples] == ["庞师傅"] * 2 + ["老周"] * 2 + ["龘"] * 2
    assert samples[2]["prefix"] + samples[2]["text"] + "\n" == alone[1]


def test_blank_lines_alone_are_no_beginning(command: Command, run: str) -> None:
    Path("lines.txt").write_text("\u3000\n\n", "utf-8")
    status, _, err = command("generate", run, "--prefixes", "lines.txt")
    assert status == 1
    assert "lines.txt is empty" in err


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_file_holds_what_would_be_printed(command: Command, run: str, form: str) -> None:
    asked = ("generate", run, "--prefix", "庞师傅", "--samples", "2", "--format", form, *ASKED)
    _, printed, _ = command(*asked)
    status, out, err = command(*asked, "--out", "story.out")
    assert (status, out) == (0, "")
    assert Path("story.out").read_text("utf-8") == printed
    assert "story.out: 24 characters" in err
    status, _, err = command(*asked, "--out", "story.out")
    assert status == 2
    assert "exists already" in err
    assert Path("story.out").read_text("utf-8") == printed


def test_a_file_that_cannot_be_written_in_the_end_loses_nothing(
    command: Command, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("generate", run, "--prefix", "庞师傅", *ASKED)
    _, printed, _ = command(*asked)

    def fail(path: Path, _: bytes) -> None:
        raise TextgenError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr("textgen.cli.written.write_atomically", fail)
    status, out, err = command(*asked, "--out", "story.txt")
    assert (status, out) == (1, printed)
    assert "No space left" in err


def test_markdown_prints_as_it_stands(command: Command, run: str) -> None:
    asked = ("generate", run, "--prefix", "# 1*2\n1. <b>", *ASKED, "--format", "markdown")
    lines = command(*asked)[1].split("\n\n")
    assert lines[:2] == ["## 1", r"<strong>\# 1\*2</strong>"]
    assert lines[2].startswith(r"<strong>1\. \<b\></strong>")
    assert lines[-1].startswith("*seed 1, temperature 0.8, ")


def test_two_formats_are_one_too_many(command: Command, run: str) -> None:
    status, _, err = command("generate", run, "--prefix", "老", "--json", "--format", "markdown")
    assert status == 2
    assert "--json and --format markdown are two formats" in err


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_who_stops_it_keeps_what_was_written(in_folder: Path, run: str, name: str) -> None:
    """Long before its end; and the others that are written beside it stop, too."""
    asked = ("generate", run, "--prefix", "庞师傅", "--length", "10000000", "--samples", "2")
    started = "import sys; sys.stderr.write('.'); sys.stderr.flush()"
    code = (
        "import textgen.cli.texts as t; pieces = t._pieces\n"
        "def told(*arguments):\n"
        "    for number, piece in enumerate(pieces(*arguments)):\n"
        f"        if number == 50: {started}\n"  # 50 were taken
        "        yield piece\n"
        "t._pieces = told\n"
        "from textgen.cli.commands import run; sys.exit(run(sys.argv[1:]))"
    )
    with killing(
        subprocess.Popen(
            [sys.executable, "-c", f"import sys\n{code}", *asked, "--out", "story.txt"],
            cwd=in_folder,
            stderr=subprocess.PIPE,
        )
    ) as process:
        assert process.stderr is not None
        process.stderr.read(1)
        process.send_signal(signal.Signals[name])
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err.decode()
    assert "The same text again: --seed" in err.decode()
    text = Path("story.txt").read_text("utf-8")
    assert text.startswith("庞师傅")
    assert len(text) > len("庞师傅\n")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16-le", "big5"])
def test_a_short_beginning_is_read_as_the_model_knows_it(
    command: Command, run: str, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    _, expected, _ = command("generate", run, "--prefix", "人家", *ASKED)
    data = "人家".encode(encoding)
    Path("short.txt").write_bytes(data)
    status, out, err = command("generate", run, "--prefix-file", "short.txt", *ASKED)
    assert (status, out) == (0, expected)
    assert err == f"short.txt: read as {encoding} (--encoding tells another)\n"
    for flag in ("--prefix-file", "--prefixes", "--prefix"):
        pipe(monkeypatch, data)
        asked = (flag, "-", *ASKED, *(("--encoding", encoding) if flag != "--prefixes" else ()))
        status, out, err = command("generate", run, *asked)
        assert (status, out, "read as" in err) == (0, expected, flag == "--prefixes")


def test_bytes_on_the_command_line_are_another_terminals(command: Command, run: str) -> None:
    _, expected, _ = command("generate", run, "--prefix", "人家", *ASKED)
    prefix = "人家".encode("gb18030").decode("utf-8", "surrogateescape")
    status, out, err = command("generate", run, "--prefix", prefix, *ASKED)
    assert (status, out) == (0, expected)
    assert "--prefix: read as gb18030" in err


def test_a_mistaken_encoding_is_told(command: Command, run: str) -> None:
    Path("short.txt").write_bytes("人家".encode("gb18030"))
    asked = ("generate", run, "--prefix-file", "short.txt", "--encoding")
    assert command(*asked, "utf-8")[0] == 1
    assert command(*asked, "none")[0] == 2
    status, _, err = command("generate", run, "--prefix", "人家", "--encoding", "utf-8")
    assert (status, "--encoding is that of a file or a pipe" in err) == (2, True)
    status, _, err = command("generate", "nope", "--prefix-file", "nope.txt")
    assert (status, "nope.txt does not exist" in err) == (1, True)


def test_a_beginning_is_cleaned_but_for_its_ends(command: Command, run: str) -> None:
    status, out, _ = command("generate", run, "--prefix", " 老\x1b[31m\u202e周\n", *ASKED)
    assert (status, out[:4]) == (0, " 老周\n")
