from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import HIDDEN_SIZES, Settings, usual_embedding_size
from textgen.training.recipe import complete, tokens_to_count, tokens_to_judge


def never(_: Settings) -> NoReturn:
    raise AssertionError("nothing was to be measured")


def test_what_is_given_stays_and_nothing_is_measured() -> None:
    chosen = {
        "hidden_size": 384,
        "embedding_size": 100,
        "num_networks": 2,
        "dropout": 0.0,
        "recurrent_dropout": 0.6,
        "label_smoothing": 0.0,
        "epochs": 2.0,
        "batch_size": 8,
        "learning_rate": 0.02,
    }
    settings = Settings.of(**chosen, minutes=3.0)
    assert complete(settings, 800_000, never) == (settings, "")
    one_left = Settings.of(**{**chosen, "dropout": None, "minutes": None})
    completed, words = complete(one_left, 800_000, never)
    assert completed.model.dropout is not None
    assert completed.model.recurrent_dropout == 0.6
    assert words == f"800,000 characters to learn from: dropout {completed.model.dropout:g}"


@given(st.integers(1, 10**8), st.integers(1, 10**8))
def test_the_shorter_the_text_the_more_dropout_and_the_fewer_epochs(a: int, b: int) -> None:
    (shorter, _), (longer, _) = (
        complete(Settings.of(minutes=3.0), n, lambda _: 100.0) for n in sorted((a, b))
    )
    dropouts = [settings.model.dropout or 0.0 for settings in (shorter, longer)]
    assert 0.9 > dropouts[0] >= dropouts[1] >= 0
    epochs = [settings.training.epochs or 0.0 for settings in (shorter, longer)]
    assert 1 < epochs[0] <= epochs[1]
    smoothings = [settings.model.label_smoothing or 0.0 for settings in (shorter, longer)]
    assert 0.5 > smoothings[0] >= smoothings[1] >= 0


@pytest.mark.parametrize(("passes", "size"), [(1.0, 0), (100.0, -1)])
def test_a_larger_network_is_for_who_has_the_time(passes: float, size: int) -> None:
    settings, words = complete(Settings.of(minutes=10.0), 800_000, lambda _: passes)
    assert settings.model.hidden_size == HIDDEN_SIZES[size]
    assert settings.model.embedding_size == usual_embedding_size(HIDDEN_SIZES[size])
    epochs = settings.training.epochs or 0.0
    times = min(passes, epochs)
    assert words.startswith(f"800,000 characters to learn from, time for {times:.1f} passes: ")
    assert f"hidden size {HIDDEN_SIZES[size]}" in words


@pytest.mark.parametrize(
    ("passes", "asked", "networks"),
    [(15.0, {}, 1), (16.0, {}, 2), (16.0, {"hidden_size": 256}, 1), (16.0, {"num_networks": 3}, 3)],
)
def test_two_networks_are_for_who_has_twice_the_time(
    passes: float, asked: dict[str, Any], networks: int
) -> None:
    settings, words = complete(Settings.of(minutes=10.0, **asked), 800_000, lambda _: passes)
    assert settings.model.num_networks == networks
    assert ("networks 2" in words) == (networks == 2)
    times = passes / 2 if networks == 2 else passes
    assert f"time for {times:.1f} passes" in words


def test_who_reads_a_text_once_does_not_learn_it_by_heart() -> None:
    settings = Settings.of(minutes=10.0, hidden_size=256)
    once = complete(settings, 300_000, lambda _: 1.0)[0].model
    often = complete(settings, 300_000, lambda _: 10.0)[0].model
    assert (once.dropout or 0.0) < (often.dropout or 0.0) / 3
    assert (once.recurrent_dropout or 0.0) < (often.recurrent_dropout or 0.0) / 3


def test_batches_are_larger_where_there_are_enough_of_them() -> None:
    rates = {8: 0.008, 16: 0.008, 32: 0.01, 64: 0.014}
    lengths = (50_000, None, 16), (10**6, None, 32), (10**7, None, 64), (10**6, 8, 8)
    for length, asked, rows in lengths:
        settings = Settings.of(epochs=1.0, batch_size=asked)
        assert settings.training.rows == (asked or 16)
        training = complete(settings, length, never)[0].training
        assert training.rows == training.batch_size == rows
        assert training.learning_rate == rates[rows]
        kept = complete(Settings.of(epochs=1.0, learning_rate=0.5), length, never)[0].training
        assert kept.highest_rate == 0.5


def test_a_short_text_or_a_number_of_epochs_leaves_the_network_small() -> None:
    for length, settings in ((50_000, Settings.of(minutes=60.0)), (10**6, Settings.of(epochs=9.0))):
        completed, _ = complete(settings, length, never)
        assert completed.model.hidden_size == HIDDEN_SIZES[0]


def test_what_is_measured_of_a_long_text_ends_with_the_smaller_network() -> None:
    measured: list[int | None] = []

    def passes(settings: Settings) -> float:
        measured.append(settings.model.hidden_size)
        return 1.0

    complete(Settings.of(minutes=10.0), 15_000_000, passes)
    assert measured == [HIDDEN_SIZES[0]]


def test_the_more_minutes_the_more_is_counted_and_judged() -> None:
    assert tokens_to_count(1_000_000, 0.01) is None  # a novel, all of it
    assert tokens_to_count(15_000_000, 0.2) == 3_000_000
    assert tokens_to_count(15_000_000, 10.0) == tokens_to_count(15_000_000, None) == 10_000_000
    assert [tokens_to_judge(minutes) for minutes in (0.01, 0.5, 10.0, None)] == [
        *(2000, 5000),
        *(10_000, 10_000),
    ]
