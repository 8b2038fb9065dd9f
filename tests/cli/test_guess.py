"""Misspelt options and commands: one line with the right guess."""

import pytest

from tests.conftest import Command

GUESSES = [
    (
        ("generate", "--temp", "0.8"),
        "--temp is no option of textgen generate: did you mean --temperature?",
    ),
    (
        ("generate", "--temp=0.8"),
        "--temp is no option of textgen generate: did you mean --temperature?",
    ),
    (
        ("train", "--minuets", "3"),
        "--minuets is no option of textgen train: did you mean --minutes?",
    ),
    (("train", "--no-vis"), "--no-vis is no option of textgen train: did you mean --no-visdom?"),
    (
        ("train", "--re"),
        "--re is no option of textgen train: did you mean --recurrent-dropout or --resume?",
    ),
    (
        ("generate", "--xyzzy"),
        "--xyzzy is no option of textgen generate: textgen generate --help lists them",
    ),
    (("genrate",), "genrate is no command of textgen: did you mean generate?"),
    (("help",), "help is no command of textgen: did you mean --help?"),
    (("--temp", "3"), "--temp is no option of textgen: textgen --help lists them"),
    (("runs", "shwo"), "shwo is no command of textgen runs: did you mean show?"),
    (("corpus", "shwo", "x"), "shwo is no command of textgen corpus: did you mean show?"),
    (
        ("evaluate", "a", "b", "c"),
        "c is one word too many for textgen evaluate: textgen evaluate --help tells what it takes",
    ),
    (
        ("train", "--prefix", "-5度"),
        "--prefix needs a value; one that begins with a hyphen is written --prefix=-5度",
    ),
    (
        ("generate", "--prefix", "--seed", "1"),
        "--prefix needs a value, and --seed is an option: write --prefix=--seed if that is meant",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), GUESSES)
def test_a_misspelt_word_costs_one_line(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    assert command(*arguments) == (2, "", f"textgen: {message}\n")
