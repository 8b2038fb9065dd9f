"""A store of words has the words that a text in memory has, and stays within bounds."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import CorpusConfig, StoreConfig
from textgen.errors import UsageError
from textgen.evaluation import stored
from textgen.evaluation.perplexity import Passage, together
from textgen.evaluation.stored import held_out_passage, held_out_pieces
from textgen.reading import cutting, word_numbers
from textgen.reading.building import build_store
from textgen.reading.corpus import read_corpus
from textgen.reading.word_numbers import WordNumbers
from textgen.runs.folder import split_text
from textgen.text.cutters import cut_piece
from textgen.text.vocab import Vocab

TEXT = st.text("庞师傅修好了收音机。说，龘aB1.%+- \n\n𠮷", min_size=1, max_size=60)


@given(
    texts=st.lists(TEXT.filter(str.strip), min_size=1, max_size=4),
    share=st.sampled_from([0.0, 0.1, 0.3, 0.5]),
    by_end=st.booleans(),
    min_count=st.integers(1, 2),
    max_vocab=st.sampled_from([0, 3]),
    piece=st.integers(1, 20),
)
def test_texts_are_cut_as_in_memory(
    texts: list[str], share: float, by_end: bool, min_count: int, max_vocab: int, piece: int
) -> None:
    config = StoreConfig("word", min_count, max_vocab, share, "end" if by_end else "file")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("textgen.text.words._PIECE", piece)
        patch.setattr(cutting, "_PIECE", piece)
        paths = [Path(folder) / f"{number}.txt" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, "utf-8")
        corpus = read_corpus(paths)
        vocab = Vocab.build(corpus.text, "word", min_count, max_vocab)
        if len(vocab) == 1:
            with pytest.raises(UsageError, match="leaves no token of the text"):
                build_store(Path(folder) / "store", paths, config)
            return
        store = build_store(Path(folder) / "store", paths, config)
        assert store.vocab.to_json() == vocab.to_json()
        if by_end:
            parts = [split_text(file.text, CorpusConfig(held_out=share)) for file in corpus.files]
            learned, held_out = (
                np.concatenate([vocab.encode(text) for text in half])
                for half in zip(*parts, strict=True)
            )
            np.testing.assert_array_equal(store.training[:], learned)
            np.testing.assert_array_equal(store.held_out[:], held_out)
        counts = np.bincount(store.training[:], minlength=len(vocab))
        np.testing.assert_array_equal(store.occurring, counts)
        if share == 0:
            assert store.text_of(store.training.written) == corpus.text


def test_what_is_held_out_is_judged_as_in_memory(story: Path, tmp_path: Path) -> None:
    config = StoreConfig("word", max_vocab=9, held_out_by="end")
    store = build_store(tmp_path / "store", [story], config)
    learned, held_out = split_text(read_corpus([story]).text, CorpusConfig())
    assert not learned.endswith("\n")  # a line is learned from in part
    ours, theirs = held_out_passage(store), Passage.of(store.vocab, held_out, learned)
    assert ours is not None
    ids = theirs.ids[:]
    np.testing.assert_array_equal(ours.ids[:], ids)
    assert ours.characters == theirs.characters
    # Of the word that the held-out part begins within, a piece is one more that is not known.
    cost = np.log2(len(store.vocab.folded) + np.array([0, 1]))
    assert [ours.unknown_cost, theirs.unknown_cost] == pytest.approx(cost)
    bits = np.arange(len(ids)) / 7
    whole = theirs.figures(bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "PIECE", 50)
        first, pieces = 0, []
        for piece in held_out_pieces(store):
            pieces.append(piece.figures(bits[first : first + piece.count]))
            first += piece.count
    found = together(pieces)
    assert len(pieces) > 2
    assert found.tokens == whole.tokens
    assert found.perplexity == pytest.approx(whole.perplexity)
    assert found.bits_per_character == pytest.approx(whole.bits_per_character)


@given(
    pieces=st.lists(st.text("一二三四五六七八九十", min_size=1, max_size=9), min_size=1),
    most=st.integers(1, 5),
)
def test_the_rarest_words_are_forgotten(pieces: list[str], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_numbers, "_MOST", most)
        patch.setattr(word_numbers, "_ROOM", 1)
        numbers, found = WordNumbers(), list[int]()
        for piece in pieces:
            index = dict.fromkeys(piece)
            ids = np.array([list(index).index(word) for word in piece], np.int32)
            found += numbers.learn(list(index), ids).tolist()
    text = "".join(pieces)
    assert len(numbers.counts) <= most
    assert numbers.given == len(set(found))
    word_of = dict(zip(found, text, strict=True))
    assert [word_of[number] for number in found] == list(text)  # no number is of two words
    exact = Counter(text)
    for word, count in numbers.counts.items():
        (number,) = numbers.of([word])
        assert found.count(number) == count <= exact[word]
        assert word_of[number] == word
    if len(exact) <= most:
        assert numbers.counts == exact
    assert numbers.of(["百"]) == [numbers.given]


def test_so_many_words_that_some_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "text.txt"
    rare = [chr(0x4E00 + number) for number in range(0, 4000, 2)]
    path.write_text("\n".join(f"好，{word}。" for word in rare), "utf-8")
    monkeypatch.setattr(word_numbers, "_MOST", 100)
    monkeypatch.setattr("textgen.text.words._PIECE", 100)
    caplog.set_level("INFO", "textgen")
    store = build_store(tmp_path / "store", [path], StoreConfig("word", max_vocab=5))
    assert "Of more than 100 different words the rarest are forgotten" in caplog.text
    assert {"，", "。", "\n"} <= {*store.vocab.tokens}
    assert len(store.vocab.folded) < 200
    kinds = len({*cut_piece(path.read_text("utf-8"))[0]})
    assert store.about.kinds >= kinds > 1000
    passage = held_out_passage(store)
    assert passage is not None
    assert 2**passage.unknown_cost == pytest.approx(store.about.kinds - 5)
    assert "\ufffd" in store.text_of(store.training.written)
