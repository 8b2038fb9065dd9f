"""The help: in groups, in the order of use, whole at every width, with ranges and examples."""

import re
import shlex
from collections.abc import Callable

import pytest

from tests.conftest import Command
from textgen.cli.commands import app
from textgen.cli.examples import EXAMPLES
from textgen.cli.printer import width
from textgen.config import GenerationConfig, SearchConfig, Settings, ranges

Page = Callable[..., str]

MAIN = ("train", "generate", "evaluate", "runs", "report", "monitor", "serve", "write")

TITLE = re.compile(r"^(?! )(?!Usage)(\w+)$", re.MULTILINE)


@pytest.fixture
def page(command: Command, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Return what gives the help of a command in a terminal of so many columns."""

    def read(*words: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        status, out, err = command(*words, "--help")
        assert (status, err) == (0, "")
        return out

    return read


def test_commands_stand_in_the_order_of_use(page: Page) -> None:
    listed = re.findall(r"^  ([a-z]+) ", page(), re.MULTILINE)
    assert listed == [
        *("demo", "train", "generate", "write", "evaluate", "runs", "show", "compare", "report"),
        *("monitor", "serve", "corpus", "sanity"),
    ]


def test_settings_stand_in_groups(page: Page) -> None:
    text = page("train")
    assert TITLE.findall(text) == [
        *("Arguments", "Text", "Network", "Training", "Run", "Everywhere", "Examples")
    ]
    groups = dict(zip(TITLE.findall(text), TITLE.split(text)[2::2], strict=True))
    for group, name in (
        *(("Text", "--held-out"), ("Text", "--encoding"), ("Network", "--hidden-size")),
        *(("Training", "--minutes"), ("Training", "--seed"), ("Run", "--name"), ("Run", "--json")),
    ):
        assert f"  {name}" in groups[group]
    titles = TITLE.findall(page("generate"))
    assert titles == ["Arguments", "Beginning", "Sampling", "Options", "Everywhere", "Examples"]


@pytest.mark.parametrize("columns", [24, 40, 80, 120])
def test_it_is_whole_at_every_width(page: Page, columns: int) -> None:
    for words in ((), ("train",), ("generate",), ("runs", "mv"), ("corpus",), ("sanity",)):
        text = page(*words, columns=columns)
        assert all(sum(map(width, line)) <= columns for line in text.splitlines())
        # The indents of docstrings stand nowhere: within a line there are only the two columns.
        assert not re.search(r"\S {2,}\S.*\S {2,}\S", text)
    joined = " ".join(page("train", columns=columns).split())
    assert "up to one in a thousand characters (mend), however much it is (replace); or" in joined


def test_every_setting_has_help_with_its_range(page: Page) -> None:
    text = page("train", columns=500)
    for name in Settings().flat():
        assert re.search(rf"^  --{name.replace('_', '-')}[ /].*[.\]]$", text, re.MULTILINE)
    for config in map(type, (Settings().corpus, Settings().model, Settings().training)):
        for name, allowed in ranges(config).items():
            line = re.search(rf"^  --{name.replace('_', '-')} .*", text, re.MULTILINE)
            assert line is not None
            assert f"[{allowed.in_words()}" in line[0]
    assert re.search(r"--hidden-size INT .*\[at least 1\]", text)
    assert re.search(r"--dropout FLOAT .*\[at least 0, below 1\]", text)
    text = page("generate", columns=200)
    for name in (*GenerationConfig.__dataclass_fields__, *SearchConfig.__dataclass_fields__):
        assert f"  --{name.replace('_', '-')} " in text


def test_a_switch_is_one_name_without_a_default(page: Page) -> None:
    for words in (("train",), ("generate",), ("evaluate",), ("sanity",)):
        text = page(*words)
        assert not re.search(r"False|True|\(\)", text)
    text = page("train")
    assert "--tie/--no-tie  " in text
    assert "--unwrap/--no-unwrap  " in text
    assert re.search(r"  --resume  +Go on with a run where its last checkpoint stands\.\n", text)


@pytest.mark.parametrize("name", MAIN)
def test_the_main_commands_end_with_examples(page: Page, name: str) -> None:
    text = page(name, columns=200)
    examples = text.partition("\nExamples\n")[2]
    for purpose, command in EXAMPLES[name,]:
        assert f"  {purpose}\n" in examples or not purpose
        assert f"    {command}\n" in examples
    # However narrow the terminal is, the shell reads the same.
    narrow = page(name, columns=30).partition("\nExamples\n")[2].replace("\\\n", "")
    for _, command in EXAMPLES[name,]:
        assert shlex.split(command) in [shlex.split(line) for line in narrow.splitlines()]


def test_the_examples_are_commands_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "config", ())  # which would look for the runs
    for _, line in (example for examples in EXAMPLES.values() for example in examples):
        words = shlex.split(line.rpartition("|")[2].partition(">")[0])
        assert words[0] == "textgen"
        app.parse_args(words[1:], exit_on_error=False, print_error=False)
