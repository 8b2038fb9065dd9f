import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_story
from textgen.text.vocab import UNKNOWN_ID, TokenKind, Vocab, first_tokens

TEXT = make_story(2000)
KINDS: list[TokenKind] = ["character", "word"]


@pytest.mark.parametrize("kind", KINDS)
def test_decode_undoes_encode(kind: TokenKind) -> None:
    vocab = Vocab.build(TEXT, kind)
    assert vocab.decode(vocab.encode(TEXT)) == TEXT
    assert repr(vocab).startswith(f"<Vocab: {len(vocab) - 1} {kind}s and <unk>, first ('")


@given(st.text(min_size=1))
def test_decode_undoes_encode_for_any_characters(text: str) -> None:
    vocab = Vocab.build(text)
    ids = vocab.encode(text)
    assert vocab.decode(ids) == text
    assert len(ids) == len(text)
    assert ids.dtype == np.int32


@given(st.text(min_size=1), st.integers(1, 9))
def test_a_long_text_is_read_in_pieces(text: str, size: int) -> None:
    whole = Vocab.build(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textgen.text.vocab._PIECE", size)
        in_pieces = Vocab.build(text)
        assert in_pieces.decode(in_pieces.encode(text)) == text
    assert (in_pieces.tokens, in_pieces.counts) == (whole.tokens, whole.counts)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_go_by_falling_frequency(kind: TokenKind) -> None:
    vocab = Vocab.build(TEXT, kind)
    counts = np.bincount(vocab.encode(TEXT), minlength=len(vocab))
    assert counts[UNKNOWN_ID] == 0
    assert list(counts[1:]) == sorted(counts[1:], reverse=True)
    assert tuple(counts) == vocab.counts


def test_the_unseen_and_the_rare_are_unknown() -> None:
    vocab = Vocab.build("的的的了了书", min_count=2)
    assert vocab.tokens == ("<unk>", "的", "了")
    assert vocab.folded == {"书": 1}
    assert list(vocab.encode("了书龘的\ud800")) == [2, 0, 0, 1, 0]
    assert vocab.unknown("书的龘书") == ["书", "龘"]
    assert vocab.decode([0, 1]) == "<unk>的"


@pytest.mark.parametrize("kind", KINDS)
def test_the_most_frequent_are_kept(kind: TokenKind, caplog: pytest.LogCaptureFixture) -> None:
    whole = Vocab.build(TEXT, kind)
    with caplog.at_level("INFO"):
        assert Vocab.build(TEXT, kind, max_vocab=len(whole) - 1).tokens == whole.tokens
        assert not caplog.messages
        vocab = Vocab.build(TEXT, kind, max_vocab=9)
    assert vocab.tokens == whole.tokens[:10]
    assert tuple(vocab.folded) == whole.tokens[10:]
    assert vocab.counts == (sum(whole.counts[10:]), *whole.counts[1:10])
    ids = whole.encode(TEXT)
    assert vocab.encode(TEXT).tolist() == np.where(ids < 10, ids, UNKNOWN_ID).tolist()
    kept = f"The vocabulary keeps the 9 most frequent of {len(whole) - 1} {kind}s"
    assert caplog.messages == [f"{kept}: --max-vocab changes that"]


@pytest.mark.parametrize("kind", KINDS)
def test_json_holds_it_all(kind: TokenKind) -> None:
    vocab = Vocab.build(TEXT, kind, min_count=3)
    again = Vocab.from_json(vocab.to_json())
    assert (again.tokens, again.counts, again.folded, again.kind) == (
        vocab.tokens,
        vocab.counts,
        vocab.folded,
        kind,
    )
    assert "的" in Vocab.build("的").to_json()  # readable


def test_first_tokens() -> None:
    assert first_tokens("天地玄黄", "character", 3) == "天地玄"
    assert first_tokens("我们在书铺读书", "word", 2) == "我们在"
    assert first_tokens("天地", "character", None) == "天地"


def test_one_token_at_a_time() -> None:
    vocab = Vocab.build("却说玄德却")
    assert vocab["却"] == 1 == vocab.token_to_idx["却"]
    assert vocab["龘"] == UNKNOWN_ID
    assert vocab.idx_to_token[vocab["德"]] == "德"
    assert vocab.idx_to_token[0] == "<unk>"
    assert [vocab[character] for character in "玄德龘"] == vocab.encode("玄德龘").tolist()
