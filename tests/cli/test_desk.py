"""Writing together: the manuscript, lines through a pipe, and a real terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pytest

from tests.conftest import Command
from tests.processes import MOST_SECONDS
from textgen.cli.prompt import history_file
from textgen.config import GenerationConfig
from textgen.errors import UsageError
from textgen.interrupts import StopRequest
from textgen.runs.folder import Run
from textgen.runs.trained import Trained, load
from textgen.writing.decoder import Decoder
from textgen.writing.generation import continuation, generate
from textgen.writing.manuscript import Manuscript


@pytest.fixture(scope="module")
def trained(sample_run: Run) -> Trained:
    return load(sample_run.folder)


@pytest.fixture(scope="module")
def decoder(trained: Trained) -> Decoder:
    return Decoder.of(replace(trained, learned=None))


GO = StopRequest()


@pytest.mark.parametrize(
    "settings",
    [{}, {"stop": "，"}, {"stop": "。”"}, {"sentences": 2}, {"sentences": 1, "stop": "了，"}],
)
def test_going_on_is_as_if_read_anew(decoder: Decoder, settings: dict[str, int | str]) -> None:
    """Also where more was drawn than shown: what stands is what the model has read."""
    config = GenerationConfig(length=60, seed=3, **settings)  # type: ignore[arg-type]
    manuscript = Manuscript(decoder, config)
    shown = "庞师傅" + "".join(manuscript.add("庞师傅", GO))
    assert shown[3:] == "".join(continuation(decoder, "庞师傅", config))
    for _ in range(4):
        before = manuscript.version.text
        manuscript.change("seed", 3)  # the first text of the seed again
        shown += (piece := "".join(manuscript.go_on(GO)))
        assert piece == "".join(continuation(decoder, before, config))
        assert manuscript.version.text == shown


def test_a_step_back_is_exact_and_another_try_is_another(decoder: Decoder) -> None:
    manuscript = Manuscript(decoder, GenerationConfig(length=40, seed=1))
    first = "".join(manuscript.add("庞师傅", GO))
    version = manuscript.version
    second = "".join(manuscript.again(GO))
    assert second != first
    assert manuscript.version.text == f"庞师傅{second}"
    assert manuscript.version.base is version.base
    manuscript.undo()
    assert manuscript.version is version
    "".join(manuscript.add("他说", GO))
    assert manuscript.version.text.startswith(f"庞师傅{first}他说")
    manuscript.undo()
    manuscript.begin_anew()
    assert manuscript.version.text == ""
    with pytest.raises(UsageError, match="type a beginning first"):
        next(manuscript.go_on(GO))
    with pytest.raises(UsageError, match="no continuation yet"):
        next(manuscript.again(GO))
    manuscript.undo()
    assert manuscript.version is version
    manuscript.undo()
    assert manuscript.version.text == ""
    with pytest.raises(UsageError, match="nothing to take back"):
        manuscript.undo()


def test_going_on_reads_nothing_of_what_was_written_before(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    manuscript = Manuscript(decoder, GenerationConfig(length=10))
    list(manuscript.add("庞师傅的收音机。\n" * 300, GO))
    read: list[int] = []
    read_ids = decoder.read_ids

    def count(ids, context=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        read.append(ids.shape[1])
        return read_ids(ids, context)

    monkeypatch.setattr(decoder, "read_ids", count)
    for step in (manuscript.go_on, manuscript.again, manuscript.go_on):
        list(step(GO))
    manuscript.undo()
    assert read == [1] * 30


@pytest.mark.parametrize("stop_text", [None, "的一"])
def test_an_interrupted_continuation_stands_as_far_as_it_came(
    decoder: Decoder, stop_text: str | None
) -> None:
    for pieces in range(1, 25):
        manuscript = Manuscript(decoder, GenerationConfig(length=10**6, stop=stop_text, seed=4))
        stop, shown = StopRequest(), "庞师傅"
        for count, piece in enumerate(manuscript.add("庞师傅", stop), start=1):
            shown += piece
            if count == pieces:
                stop.ask()
        assert manuscript.version.text == shown
        # Going on is as if read anew, also where a part of the stop text was held back.
        for name, value in (("seed", 4), ("stop", None), ("length", 1)):
            manuscript.change(name, value)
        (piece,) = manuscript.go_on(GO)
        config = GenerationConfig(seed=4, length=1)
        assert [piece] == list(continuation(decoder, shown, config))


def test_a_value_out_of_range_changes_nothing(decoder: Decoder) -> None:
    manuscript = Manuscript(decoder, GenerationConfig(temperature=0.5))
    with pytest.raises(UsageError, match="--temperature is -1"):
        manuscript.change("temperature", -1.0)
    assert manuscript.config == GenerationConfig(temperature=0.5)


@dataclass
class Said:
    status: int
    out: str
    err: list[str]
    """Lines after the greeting."""


Piped = Callable[..., Said]


@pytest.fixture
def piped(command: Command, sample_run: Run, monkeypatch: pytest.MonkeyPatch) -> Piped:
    """Return what writes with lines from a file, as where a shell redirects stdin."""

    def write(lines: str | bytes, *arguments: str, encoding: str = "utf-8") -> Said:
        data = lines if isinstance(lines, bytes) else lines.encode(encoding)
        Path("stdin").write_bytes(data)
        with Path("stdin").open(encoding=encoding) as stdin:
            Path("stdin").unlink()
            monkeypatch.setattr(sys, "stdin", stdin)
            status, out, err = command("write", sample_run.folder, *arguments)
        greeting, *said = err.splitlines()
        assert greeting.startswith("Writing with learned.")
        return Said(status, out, said)

    return write


def test_lines_through_a_pipe(sample_run: Run, trained: Trained, in_folder: Path) -> None:
    """As a process; the tests after this one only save its start."""
    lines = "庞师傅\n\n/save a.txt\n/undo\n/again\n/undo\n/undo\n/undo\n/new\n庞\n/show\n"
    found = subprocess.run(
        [
            *(sys.executable, "-m", "textgen", "write", str(sample_run.folder)),
            *("--length", "30", "--seed", "7"),
        ],
        input=lines.encode(),
        capture_output=True,
        check=False,
        timeout=MOST_SECONDS,
    )
    out = found.stdout.decode()
    assert found.returncode == 0
    config = GenerationConfig(length=30, seed=7)
    first = "庞师傅" + "".join(generate(trained, "庞师傅", config))
    saved = (in_folder / "a.txt").read_text("utf-8")
    assert saved.startswith(first)
    assert len(saved) == 3 + 30 + 30 + 1
    told = f"{first}\n{saved.removeprefix(first)}{first}\n"  # written, gone on, taken back
    assert out.startswith(told)
    again = out.removeprefix(told)[:31]
    assert again[-1] == "\n"
    assert again not in told
    shown = out[-32:]
    assert shown[0] == "庞"
    assert out.endswith(2 * shown)  # what was shown is what was written
    said = found.stderr.decode().splitlines()
    assert said[0].startswith("Writing with learned.")
    assert said[1] == "a.txt: 63 characters"
    assert said[2:] == ["there is nothing to take back"]


MISTAKES = [
    ("/agian", "/agian is no command: did you mean /again? /help tells them"),
    ("/xyz", "/xyz is no command: /help tells them"),
    ("/", "/ is no command: /help tells them"),
    ("/t 1", "/t is no command: did you mean /temperature or /top-k or /top-p? /help tells them"),
    ("/temp -1", "--temperature is -1.0: it must be at least 0, finite"),
    ("/temp warm", "/temperature warm: that is not a number; nothing has changed"),
    ("/top-k 0", "--top-k is 0: it must be at least 1"),
    ("/top-p 0", "--top-p is 0.0: it must be above 0, at most 1"),
    ("/top-k 1.5", "/top-k 1.5: that is not a whole number; nothing has changed"),
    ("/length 0", "--length is 0: it must be at least 1"),
    ("/undo now", "/undo stands alone, without now"),
    ("/undo", "there is nothing to take back"),
    ("/again", "there is no continuation yet to write again"),
    ("/save a.txt", "there is nothing yet to save"),
    ("", "type a beginning first: there is nothing yet to go on from"),
]


def test_a_mistake_is_one_line_and_changes_nothing(piped: Piped) -> None:
    lines = "".join(f"{line}\n" for line, _ in MISTAKES)
    found = piped(f"{lines}/settings\n")
    assert (found.status, found.out) == (0, "")
    assert found.err[: len(MISTAKES)] == [message for _, message in MISTAKES]
    assert found.err[len(MISTAKES) :] == [
        *("/length 200", "/temperature 0.8", "/top-k off", "/top-p 1.0", "/min-p 0.0"),
        *("/repetition-penalty 1.0", "/repetition-window 64", "/stop off", "/sentences off"),
        "/seed off",
    ]


def test_settings(piped: Piped) -> None:
    changes = "/temp 0.5\n/temp\n／temp　0.6\n/top-k 3\n/top-k off\n/min-p 0.1\n/stop a b\n"
    found = piped(f"{changes}/seed 9\n/quit\n/temp 2\n")
    assert found.err == [
        *("/temperature 0.5", "/temperature 0.5", "/temperature 0.6", "/top-k 3", "/top-k off"),
        *("/min-p 0.1", "/stop a b", "/seed 9"),
    ]


def test_saving_never_replaces_what_is_not_its_own(piped: Piped) -> None:
    Path("mine.txt").write_text("mine", encoding="utf-8")
    Path("folder").mkdir()
    lines = (
        "庞\n/save mine.txt\n/save folder\n"
        f"/save {'x' * 300}\n/save ~nobody-here/a\n/save none/a.txt\n/save\n/save a b.txt\n"
        "\n/save\n/undo\n/save a b.txt\n"
    )
    found = piped(lines, "--length", "5", "--seed", "1")  # without a line break
    assert found.err == [
        "mine.txt exists already: choose another name",
        "folder exists already: choose another name",
        f"{'x' * 300} cannot be written: File name too long",
        "~nobody-here/a cannot be written: Could not determine home directory.",
        "none/a.txt cannot be written: No such file or directory",
        "/save needs a FILE to write into",
        *("a b.txt: 6 characters", "a b.txt: 11 characters", "a b.txt: 6 characters"),
    ]
    assert Path("mine.txt").read_text("utf-8") == "mine"
    first = found.out.splitlines()[0]
    assert Path("a b.txt").read_text("utf-8") == f"{first}\n"
    assert sorted(path.name for path in Path().iterdir()) == ["a b.txt", "folder", "mine.txt"]


def test_several_continuations_to_choose_from(piped: Piped) -> None:
    lines = "庞师傅\n/more 3\n/2\n/show\n/undo\n/show\n/2\n/more\n/more 21\n"
    found = piped(lines, "--length", "20", "--seed", "7")
    shown = found.out.split("\n")
    begun, texts = "\n".join(shown).split("/1 ", 1)
    first, texts = texts.split("\n/2 ", 1)
    second, texts = texts.split("\n/3 ", 1)
    assert len({first, second, texts[:20]}) == 3
    whole = begun.rstrip("\n") + second
    assert texts[20:].startswith(f"\n{whole}\n")  # taken, and shown
    assert whole not in texts[21 + len(whole) :]  # taken back
    assert found.err == [
        "there is no continuation 2 to take: /more 5 offers some",
        "/more needs a number from 1 to 20: /more 5",
        "/more needs a number from 1 to 20: /more 5",
    ]


def test_a_seed_that_was_drawn_brings_the_text_again(piped: Piped) -> None:
    found = piped("庞师傅\n", "--length", "20")
    (told,) = found.err
    again = piped(f"/{told}\n庞师傅\n", "--length", "20")
    assert again.out == found.out
    assert again.err == [f"/{told}"]


def test_bytes_of_another_encoding_are_unknown_and_no_error(piped: Piped) -> None:
    found = piped("庞师傅".encode("gbk") + b"\n/save a.txt\n", "--length", "5")
    assert found.status == 0
    assert "Not in the vocabulary" in found.err[0]
    assert found.err[-1].startswith("a.txt: ")
    found = piped("庞师傅\n/save b.txt\n", "--length", "5", "--seed", "1", encoding="gbk")
    assert (found.status, found.err) == (0, ["b.txt: 8 characters"])
    assert Path("b.txt").read_text("utf-8").startswith("庞师傅")


def test_unknown_characters_are_told_and_mapped(piped: Piped) -> None:
    pytest.importorskip("opencc", reason="OpenCC is an extra: pip install '.[script]'")
    found = piped("龐師傅\n", "--length", "5")
    assert "known instead: 龐→庞 師→师" in found.err[0]
    found = piped("龐師傅\n", "--length", "5", "--seed", "1", "--map-script")
    assert found.out.startswith("庞师傅")
    assert found.err == ["--map-script: 龐→庞 師→师"]


PROMPT = r"\x1b\[\?2004h"
"""What prompt_toolkit tells a terminal when it is ready for a line."""


class Terminal:
    """A real one, with a program in it."""

    def __init__(self, *arguments: str, columns: int = 60, **environment: str) -> None:
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.environ |= {"TERM": "xterm", "COLUMNS": str(columns), **environment}
            os.execv(sys.executable, [sys.executable, "-m", "textgen", *arguments])  # noqa: S606
        self.seen = ""
        self.ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        if not self.ended:
            os.kill(self.process, signal.SIGKILL)
            self.end()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, pattern: str) -> str:
        """Wait until what has come since the last time holds a pattern; return it all."""
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.seen!r}"
            if select.select([self.master], [], [], 1)[0]:
                try:
                    data = os.read(self.master, 65536)
                except OSError:  # it has ended
                    data = b""
                assert data, f"ended without {pattern!r}: {self.seen!r}"
                if b"\x1b[6n" in data:
                    self.type("\x1b[1;1R")  # where the cursor is, which prompt_toolkit asks for
                self.seen += data.decode("utf-8", "replace")
        before, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", before)

    def end(self) -> int:
        """Wait until it has ended; return its exit status."""
        deadline = time.monotonic() + 60
        while True:
            if not select.select([self.master], [], [], 1)[0]:
                if time.monotonic() > deadline:
                    os.kill(self.process, signal.SIGKILL)
                continue
            try:
                if not os.read(self.master, 65536):
                    break
            except OSError:
                break
        _, status = os.waitpid(self.process, 0)
        self.ended = True
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def terminal(sample_run: Run, in_folder: Path) -> Iterator[Terminal]:
    with Terminal(
        *("write", str(sample_run.folder), "--length", "2000000", "--seed", "5"),
        XDG_STATE_HOME=str(in_folder / "state"),
    ) as terminal:
        terminal.expect("/help tells the commands")
        terminal.expect(PROMPT)
        yield terminal


def test_in_a_terminal_ctrl_c_stops_a_continuation_and_not_the_program(
    terminal: Terminal, in_folder: Path
) -> None:
    terminal.type("庞师傅\r")
    terminal.expect(r"庞师傅[^\x1b]{80}")
    terminal.type("\x03")
    terminal.expect(PROMPT)
    terminal.type("/save a.txt\r")
    terminal.expect(r"a\.txt: [\d,]+ characters")
    terminal.expect(PROMPT)
    text = Path("a.txt").read_text("utf-8")
    assert text.startswith("庞师傅")
    assert 50 < len(text) < 2_000_000
    terminal.type("\r")  # it goes on
    terminal.expect(r"[\u4e00-\u9fff][^\x1b]{50}")  # the text, and not the prompt's own doing
    os.kill(terminal.process, signal.SIGINT)
    os.kill(terminal.process, signal.SIGINT)  # once more costs nothing
    terminal.expect(PROMPT)
    terminal.type("half a line\x03")  # at the prompt it empties the line
    terminal.expect("Ctrl-D leaves")
    terminal.expect(PROMPT)
    terminal.type("/undo\r")
    terminal.expect(PROMPT)
    terminal.type("/save b.txt\r")
    terminal.expect(r"b\.txt: [\d,]+ characters")
    assert Path("b.txt").read_text("utf-8") == text
    terminal.expect(PROMPT)
    terminal.type("\x1b[A\r")  # history: the last line once more
    terminal.expect(r"b\.txt: [\d,]+ characters")
    terminal.expect(PROMPT)
    terminal.type("\x04")
    assert terminal.end() == 0
    history = in_folder / "state" / "textgen" / "history"
    assert "+庞师傅\n" in history.read_text("utf-8")
    assert history.stat().st_mode & 0o077 == 0


def test_a_history_that_cannot_be_kept_is_no_error(sample_run: Run, in_folder: Path) -> None:
    (in_folder / "state" / "textgen" / "history").mkdir(parents=True)
    with Terminal(
        *("write", str(sample_run.folder), "--length", "20"),
        XDG_STATE_HOME=str(in_folder / "state"),
        PYTHONIOENCODING="ascii",  # and a terminal that is not UTF-8
    ) as terminal:
        terminal.expect(PROMPT)
        terminal.type("a\r")
        terminal.expect("a.{20}")
        terminal.expect(PROMPT)
        terminal.type("/quit\r")
        assert terminal.end() == 0


def test_in_a_terminal_commands_are_completed_and_sampling_is_remembered(
    sample_run: Run, in_folder: Path
) -> None:
    arguments = ("write", str(sample_run.folder), "--length", "20")
    state = str(in_folder / "state")
    kept = in_folder / "state" / "textgen" / "sampling.json"
    with Terminal(*arguments, XDG_STATE_HOME=state) as terminal:
        terminal.expect(PROMPT)
        terminal.type("/temper\t 0.3\r")
        terminal.expect(r"/temperature 0\.3")
        terminal.expect(PROMPT)
        terminal.type("/top-k 5\r")
        terminal.expect(PROMPT)
        terminal.type("\x04")
        assert terminal.end() == 0
    assert kept.stat().st_mode & 0o077 == 0
    with Terminal(*arguments, "--temperature", "0.8", XDG_STATE_HOME=state) as terminal:
        terminal.expect(r"/length 20 /top-k 5 \(/reset")  # a flag wins, also the usual value
        terminal.expect(PROMPT)
        terminal.type("/reset\r")
        terminal.expect(PROMPT)
        terminal.type("\x04")
        assert terminal.end() == 0
    assert kept.read_text() == "{}"
    kept.write_text("{damaged")
    with Terminal(*arguments[:2], XDG_STATE_HOME=state) as terminal:
        assert "reset" not in terminal.expect(PROMPT)


def test_in_a_terminal_ctrl_c_leaves_no_mark_in_the_text(terminal: Terminal) -> None:
    terminal.type("庞师傅\r")
    terminal.expect(r"庞师傅[^\x1b]{80}")
    terminal.type("\x03")
    assert "^C" not in terminal.expect(PROMPT)


def test_who_has_no_home_has_no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 5)  # a user that no list of users has
    assert history_file() == Path(os.devnull)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert history_file() == Path("/home/somebody/.local/state/textgen/history")


def test_help_names_every_command(piped: Piped) -> None:
    found = piped("/help\n")
    assert (found.status, found.out) == (0, "")
    told = set(re.findall(r"/([a-z]+)", "\n".join(found.err)))
    told -= {"2"}
    assert told == {
        *("again", "more", "undo", "new", "show", "save", "temp", "settings", "reset", "help"),
        "quit",
    }


def test_a_mistake_in_the_command_line(command: Command) -> None:
    status, out, err = command("write", "none")
    assert (status, out) == (1, "")
    assert "there is no run none" in err
    status, _, err = command("write", "--top-p", "2")
    assert (status, err) == (2, "textgen: --top-p is 2.0: it must be above 0, at most 1\n")
