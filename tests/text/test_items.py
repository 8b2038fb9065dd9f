import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import Items
from textgen.text.items import closed, end_of, shuffled, split_items

TEXTS = st.lists(st.text("甲乙丙", min_size=1), min_size=2, max_size=30)
SHARES = st.floats(0.0, 0.5)


def test_blank_ones_are_none_and_each_has_its_end() -> None:
    texts = ["甲\n\n乙丙\n", "丁\n"]
    assert list(closed(texts, "line")) == ["甲\n", "乙丙\n", "丁\n"]
    assert list(closed(texts, "file")) == ["甲\n\n乙丙\f", "丁\f"]
    assert list(closed(["\n \n"], "line")) == list(closed(["\n \n"], "file")) == []


@pytest.mark.parametrize("items", ["line", "file"])
@given(texts=TEXTS, share=SHARES, seed=st.integers(0, 9))
def test_whole_ones_are_held_out(items: Items, texts: list[str], share: float, seed: int) -> None:
    end = end_of(items)
    assert end is not None
    text = shuffled("".join(closed(texts, items)), end, seed)
    parts = split_items(text, end, share)
    assert "".join(parts) == text
    assert sorted(text.split(end)) == sorted([*texts, ""])
    assert all(part.endswith(end) for part in parts if part)
    assert parts[0]
    assert parts[1].count(end) == (max(1, int(share * len(texts))) if share else 0)


def test_their_order_follows_from_the_seed() -> None:
    text = "".join(f"{number}\n" for number in range(50))
    orders = [shuffled(text, "\n", seed) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != text


def test_without_items_nothing_closes_one() -> None:
    assert end_of(None) is None
