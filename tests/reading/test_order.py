from itertools import pairwise
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.reading.order import natural_key, value_of


@pytest.mark.parametrize(
    "names",
    [
        ["第2章.txt", "第10章.txt", "第100章.txt"],
        [
            "第九回.txt",
            "第十回.txt",
            "第十一回.txt",
            "第九七回.txt",
            "第一百回.txt",
            "第一百零一回.txt",
        ],
        ["卷上.txt", "卷中.txt", "卷下.txt"],
        ["1.txt", "2.txt", "10.txt", "a.txt", "B.txt", "c.txt"],
        ["二.txt", "三.txt", "十.txt", "序.txt"],
        ["a/2.txt", "a/10.txt", "b/1.txt"],
        ["三国演义2.txt", "三国演义10.txt"],
    ],
)
def test_files_stand_as_people_put_them(names: list[str]) -> None:
    backwards = [PurePath(name) for name in reversed(names)]
    assert sorted(backwards, key=natural_key) == [PurePath(name) for name in names]


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("〇", 0),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("廿三", 23),
        ("一百零一", 101),
        ("一百一十", 110),
        ("一〇一", 101),
        ("两千三百", 2300),
        ("三万", 30_000),
        ("一萬二千", 12_000),
        ("壹佰贰拾", 120),
        ("１２", 12),
    ],
)
def test_numerals_have_their_values(numeral: str, value: int) -> None:
    assert value_of(numeral) == value


@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), min_size=2))
def test_any_names_have_an_order(names: list[str]) -> None:
    keys = sorted(natural_key(PurePath(name)) for name in names)
    assert all(first <= second for first, second in pairwise(keys))


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_numbers_stand_by_their_values(first: int, second: int) -> None:
    keys = [natural_key(PurePath(f"第{number}章.txt")) for number in (first, second)]
    assert (keys[0] < keys[1]) == (first < second)
