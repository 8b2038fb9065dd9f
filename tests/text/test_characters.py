"""Counting characters."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.text.characters import count_characters


@given(st.text(st.characters(), max_size=60), st.integers(1, 9))
def test_a_text_is_counted_in_pieces(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textgen.text.characters._PIECE", size)
        counts = count_characters(text)
    assert counts == Counter(text)
    assert list(counts) == sorted(counts)
