"""What stands word for word in another text, against the definition."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.evaluation import copying
from textgen.evaluation.copying import Copying, TrainingText


def defined(text: str, training_text: str, long: int = 10) -> Copying:
    """Follow the definition word by word."""
    stretches = [
        (first, last)
        for first in range(len(text))
        for last in range(first + 1, len(text) + 1)
        if text[first:last] in training_text
    ]
    longest = max(stretches, key=lambda one: one[1] - one[0], default=(0, 0))
    copied = {i for first, last in stretches if last - first >= long for i in range(first, last)}
    return Copying(text[slice(*longest)], len(copied) / len(text) if text else 0.0)


TEXTS = st.text("ab说", max_size=60)


@given(TEXTS, TEXTS, st.integers(0, 50), st.integers(0, 30))
def test_it_is_the_definition(training_text: str, text: str, first: int, length: int) -> None:
    text += training_text[first : first + length] + text
    assert TrainingText(training_text).copied_by(text) == defined(text, training_text)


def test_it_is_the_definition_also_over_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_CHUNK", 64)
    draw = random.Random(0)  # noqa: S311 - no secret
    training_text = "".join(draw.choices("天地玄黄宇宙洪荒", k=3000))
    parts = [training_text[i : i + draw.randrange(25)] for i in draw.sample(range(3000), 12)]
    text = "好".join(parts)
    whole = TrainingText(training_text).copied_by(text)
    assert whole == defined(text, training_text)
    assert 0.3 < whole.share < 1


def test_a_parrot_and_a_stranger() -> None:
    training_text = "".join(map(chr, range(0x4E00, 0x5E00)))
    original = TrainingText(training_text)
    assert original.copied_by(training_text[100:2100]) == Copying(training_text[100:2100], 1.0)
    assert original.copied_by(training_text[::-1]) == Copying(training_text[-1], 0.0)
    assert original.copied_by("abc") == Copying("", 0.0)
    assert original.copied_by("") == Copying("", 0.0)
    assert TrainingText("").copied_by("abc") == Copying("", 0.0)
    assert original.copied_by("\ud800丁丂") == Copying("丁丂", 0.0)


def test_the_same_hash_by_chance_is_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    good = copying._hashes
    monkeypatch.setattr(copying, "_hashes", lambda *args: good(*args) % np.uint64(3))
    draw = random.Random(1)  # noqa: S311 - no secret
    training_text = "".join(draw.choices("天地玄黄", k=300))
    text = training_text[40:59] + "好" + "".join(draw.choices("天地玄黄", k=60))
    assert TrainingText(training_text).copied_by(text) == defined(text, training_text)
