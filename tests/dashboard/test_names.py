"""Names of environments: each one that Visdom's page can ask for."""

import re

from hypothesis import given
from hypothesis import strategies as st

from textgen.dashboard.names import environment_of, is_plain, plain


@given(st.text(min_size=1, max_size=80))
def test_any_run_has_an_environment_that_the_page_can_ask_for(run: str) -> None:
    name = environment_of(run)
    assert is_plain(name)
    assert not re.search(r"[+#?%&/]", name)
    assert name not in ("main", "all-runs")


def test_a_name_that_does_no_harm_stays_as_it_is() -> None:
    assert environment_of("红楼梦 1-2_3.4") == "红楼梦 1-2_3.4"
    assert environment_of("main") == "main (run)"


@given(st.text(max_size=300))
def test_a_plain_name_looks_like_the_name_and_is_one(name: str) -> None:
    assert is_plain(plain(name))
    assert plain(plain(name)) == plain(name)
    if is_plain(name):
        assert plain(name) == name


def test_names_that_are_none_stay_apart() -> None:
    names = ["a\\", "a", "<a", "a" * 300, "a" * 301, "..", "...", "a\0", "a\1", "a\ud800", " a", ""]
    assert len({plain(name) for name in names}) == len(names)
    assert plain("back\\") == "back＼"
    assert is_plain('it\'s "one" & 甲')
