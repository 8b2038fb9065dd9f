from hypothesis import given
from hypothesis import strategies as st

from textgen.config import Settings
from textgen.runs.differences import differences, in_words, shown, telling

SETTINGS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2) | st.none())


@given(st.lists(SETTINGS, min_size=1, max_size=5))
def test_all_that_differs_and_nothing_else(settings: list[dict[str, int | None]]) -> None:
    found = differences(settings)
    assert len(found) == len(settings)
    for name in "abcd":
        values = [one.get(name) for one in settings]
        differs = len(set(values)) > 1
        assert [one.get(name, "none") for one in found] == (
            values if differs else ["none"] * len(values)
        )


@given(st.lists(SETTINGS, min_size=1, max_size=5))
def test_a_label_leaves_out_only_what_most_have(settings: list[dict[str, int | None]]) -> None:
    for whole, short in zip(differences(settings), telling(settings), strict=True):
        assert short.items() <= whole.items()
        for name in whole.keys() - short.keys():
            same = sum(one.get(name) == whole[name] for one in settings)
            assert 2 * same > len(settings)


def test_in_the_order_of_the_settings_and_in_words() -> None:
    runs = [
        Settings.of(hidden_size=256, minutes=0.5, prefix=("却说", "曹操")),
        Settings.of(hidden_size=256, cell="gru", counts=False),
    ]
    first, second = differences([run.flat() for run in runs])
    assert in_words(first) == "cell lstm, counts, minutes 0.5, prefix 却说, 曹操"
    assert in_words(second) == "cell gru, no counts, no minutes, no prefix"
    assert differences([runs[0].flat()]) == [{}]
    assert differences([]) == telling([]) == []
    assert [shown(value) for value in (None, True, 1e-5, 3)] == ["-", "yes", "1e-05", "3"]
