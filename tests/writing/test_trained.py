"""A trained model writes by itself, and says what it is."""

import pytest

import textgen
from textgen.config import GenerationConfig
from textgen.errors import UsageError
from textgen.runs.folder import Run
from textgen.writing.generation import generate


def test_it_writes_what_generate_writes(tiny_run: Run) -> None:
    trained = textgen.load(tiny_run.folder)
    assert isinstance(trained, textgen.Trained)
    config = GenerationConfig(length=30, temperature=0.7, seed=1)
    expected = "".join(generate(trained, "老周", config))
    assert trained.generate("老周", length=30, temperature=0.7, seed=1) == expected


def test_a_misspelt_setting_is_guessed(tiny_run: Run) -> None:
    trained = textgen.load(tiny_run.folder)
    with pytest.raises(UsageError, match=r"called temprature: did you mean temperature\?$"):
        trained.generate("老周", temprature=0.8)
    with pytest.raises(UsageError, match="--top-p is 2"):
        trained.generate("老周", top_p=2)


def test_it_says_what_it_is(tiny_run: Run) -> None:
    said = repr(textgen.load(tiny_run.folder))
    assert said.startswith(f"<Trained {tiny_run.name}: step ")
    assert said.endswith("a network with counts>" if tiny_run.counts.exists() else "alone>")
