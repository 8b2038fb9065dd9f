"""A store holds what reading would have in memory, however it was built."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Command, make_story
from tests.processes import killing
from textgen.config import StoreConfig
from textgen.errors import TextgenError, UsageError
from textgen.reading import building, cutting, kept
from textgen.reading.building import build_store
from textgen.reading.corpus import read_corpus
from textgen.reading.holding_out import held_out_of
from textgen.text.store import Store
from textgen.text.vocab import TokenKind, Vocab

NOTHING_HELD_OUT = StoreConfig(held_out=0.0)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for seed in range(12):
        (folder / f"第{seed}章.txt").write_text(make_story(500 + 10 * seed, seed), "utf-8")
    (folder / "again.txt").write_text(make_story(500, 0), "gb18030")
    (folder / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    return folder


def provenance(store: Store) -> list[dict[str, object]]:
    return [json.loads(line) for line in (store.folder / "files.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("tokens", ["character", "word"])
def test_it_is_the_text_that_reading_has_in_memory(
    texts: Path, tmp_path: Path, tokens: TokenKind
) -> None:
    store = build_store(tmp_path / "store", [texts], replace(NOTHING_HELD_OUT, tokens=tokens))
    corpus = read_corpus([texts])
    vocab = Vocab.build(corpus.text, tokens)
    assert store.vocab.to_json() == vocab.to_json()
    ids = vocab.encode(corpus.text)
    np.testing.assert_array_equal(store.training[:], ids)
    np.testing.assert_array_equal(store.occurring, np.bincount(ids, minlength=len(vocab)))
    assert len(store.held_out) == 0
    found = provenance(store)
    assert [one["path"] for one in found if "sha256" in one] == [str(f.path) for f in corpus.files]
    left_out = {Path(str(one["path"])).name: one["left_out"] for one in found if "left_out" in one}
    assert left_out.keys() == {"第0章.txt", "picture.txt"}
    assert str(left_out["第0章.txt"]).startswith("is the same text as ")


@pytest.mark.parametrize("tokens", ["character", "word"])
@pytest.mark.parametrize("min_count", [1, 30])
def test_it_is_the_same_however_many_processes_read(
    texts: Path,
    tmp_path: Path,
    min_count: int,
    tokens: TokenKind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = StoreConfig(tokens, min_count)
    stores = [build_store(tmp_path / "one", [texts], config)]
    monkeypatch.setattr(building, "_LITTLE", 0)
    monkeypatch.setattr(building, "_TASK", 2000)
    monkeypatch.setattr(kept, "_PIECE", 7)
    monkeypatch.setattr(cutting, "_PIECE", 7)
    monkeypatch.setattr("textgen.text.words._PIECE", 200)
    monkeypatch.setattr("textgen.text.cutters._LEAST_SHARE", 1)
    monkeypatch.setattr("textgen.text.cutters.cores", lambda: 2)
    stores.append(build_store(tmp_path / "two", [texts], config, workers=2))
    names = sorted(path.name for path in stores[0].folder.iterdir())
    assert names == ["files.jsonl", "held_out.ids", "store.json", "training.ids", "vocab.json"]
    for name in names:
        same = [(store.folder / name).read_bytes() for store in stores]
        assert same[0] == same[1]
    assert bool(stores[0].vocab.folded) == (min_count > 1)


def test_whole_texts_are_held_out(texts: Path, tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", [texts])
    learned, held_out = (store.vocab.decode(ids[:]) for ids in (store.training, store.held_out))
    corpus = read_corpus([texts])
    kept = [file for file in provenance(store) if file.get("held_out")]
    assert len(kept) == 1
    assert held_out == next(f.text for f in corpus.files if str(f.path) == kept[0]["path"])
    assert learned == corpus.text.replace(held_out, "")
    assert store.occurring.sum() == len(learned)


def test_or_the_end_of_each(texts: Path, tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", [texts], StoreConfig(held_out_by="end"))
    corpus = read_corpus([texts])
    ends = [len(file.text) - int(0.1 * len(file.text)) for file in corpus.files]
    cut = list(zip(corpus.files, ends, strict=True))
    assert store.vocab.decode(store.training[:]) == "".join(f.text[:end] for f, end in cut)
    assert store.vocab.decode(store.held_out[:]) == "".join(f.text[end:] for f, end in cut)


@given(
    lengths=st.lists(st.integers(1, 1000), min_size=2, max_size=50),
    share=st.floats(0.01, 0.5),
)
def test_about_the_share_is_held_out(lengths: list[int], share: float) -> None:
    held_out = held_out_of(lengths, StoreConfig(held_out=share))
    assert all(count in (0, length) for count, length in zip(held_out, lengths, strict=True))
    assert 0 < sum(held_out) < sum(lengths)
    assert abs(sum(held_out) - share * sum(lengths)) <= max(lengths)


def test_more_characters_than_two_bytes_can_count(tmp_path: Path) -> None:
    many = "".join(map(chr, [*range(0x3400, 0x9FFF), *range(0x20000, 0x2A6DF)]))
    (tmp_path / "many.txt").write_text(many + "\n", "utf-8")
    config = replace(NOTHING_HELD_OUT, max_vocab=0)
    store = build_store(tmp_path / "store", [tmp_path / "many.txt"], config)
    assert store.about.bytes_per_token == 4
    assert store.vocab.decode(store.training[:]) == many + "\n"


def test_one_text_is_held_out_by_its_end(story: Path, tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", [story])
    text = read_corpus([story]).text
    assert store.vocab.decode(store.held_out[:]) == text[len(text) - int(0.1 * len(text)) :]
    assert len(store.training) + len(store.held_out) == len(text)


def test_a_folder_without_a_text_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    with pytest.raises(TextgenError, match="no text can be read"):
        build_store(tmp_path / "store", [tmp_path / "texts"])
    assert [path.name for path in tmp_path.iterdir()] == ["texts"]


def test_settings_that_leave_nothing(texts: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--min-count 9999 leaves no token of the text"):
        build_store(tmp_path / "store", [texts], StoreConfig(min_count=9999))


def test_the_command(texts: Path, command: Command) -> None:
    status, out, err = command("corpus", "build", "store", texts, "--json")
    assert status == 0
    assert json.loads(out)["texts"] == 12
    assert "Left out: " in err
    status, _, err = command("corpus", "build", "store", texts)
    assert (status, err) == (2, "textgen: store exists already: choose another name\n")
    assert command("corpus", "build", "other")[0] == 2
    assert command("corpus", "build", "other", "nowhere.txt")[0] == 1
    assert not Path("other").exists()


@pytest.mark.parametrize("name", ["training.ids", "held_out.ids"])
def test_a_store_that_was_cut_off(texts: Path, tmp_path: Path, name: str) -> None:
    path = build_store(tmp_path / "store", [texts]).folder / name
    os.truncate(path, path.stat().st_size - 3)
    with pytest.raises(TextgenError, match=rf"{name} has [\d,]+ bytes in place of [\d,]+: build"):
        Store(path.parent)
    path.unlink()
    with pytest.raises(TextgenError, match=f"{name} cannot be read: No such file"):
        Store(path.parent)


def test_a_bit_that_flipped_is_found(texts: Path, command: Command) -> None:
    store = build_store(Path("store"), [texts]).folder
    assert command("corpus", "check", "store")[:2] == (0, "store is as it was built\n")
    for name, place in (("training.ids", -1), ("held_out.ids", 0), ("store.json", -200)):
        path = store / name
        whole = bytearray(path.read_bytes())
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place:][1:])
        status, _, err = command("corpus", "check", "store")
        assert (status, err.count("\n")) == (1, 1), name
        path.write_bytes(whole)
    about = json.loads((store / "store.json").read_text())
    about["occurring"][3] += 1
    (store / "store.json").write_text(json.dumps(about))
    assert command("corpus", "check", "store")[0] == 1
    assert command("corpus", "check", "texts")[0] == 1


def test_a_store_with_another_vocabulary(texts: Path, tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", [texts])
    path = store.folder / "vocab.json"
    path.write_text(Vocab.build("another").to_json(), "utf-8")
    with pytest.raises(TextgenError, match="is not the vocabulary that the store was built with"):
        Store(store.folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', '{"format": "x"}', "[" * 9999])
def test_what_is_no_store(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.json").write_text(text, "utf-8")
    with pytest.raises(TextgenError, match="is not a store, or not a whole one"):
        Store(tmp_path)


def test_a_store_of_a_newer_program(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"format": 2}', "utf-8")
    with pytest.raises(TextgenError, match="was made by a newer textgen"):
        Store(tmp_path)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path, over = tmp_path / "growing.txt", threading.Event()
    path.write_text(make_story(100_000) * 10, "utf-8")

    def grow() -> None:
        while not over.wait(0.001):
            with path.open("a", encoding="utf-8") as file:
                file.write("又来了一行。\n")

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        with pytest.raises(TextgenError, match="changed while it was read"):
            build_store(tmp_path / "store", [path], NOTHING_HELD_OUT)
    finally:
        over.set()
        thread.join()
    assert [one.name for one in tmp_path.iterdir()] == ["growing.txt"]


def large(folder: Path) -> Path:
    """Return a folder of texts which are read by several processes, for about a second."""
    folder.mkdir()
    text = make_story(50_000)
    for number in range(10):
        (folder / f"{number}.txt").write_text(f"{number}\n" + text * 20, "utf-8")
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(("tokens", "begun"), [("character", "*.ids"), ("word", "words")])
def test_who_is_stopped_leaves_nothing_that_looks_whole(
    in_folder: Path, number: signal.Signals, tokens: str, begun: str
) -> None:
    large(in_folder / "texts")
    build = [sys.executable, "-m", "textgen", "corpus", "build", "store", "texts"]
    build += ["--tokens", tokens]
    with killing(subprocess.Popen(build, stderr=subprocess.PIPE, text=True)) as process:
        while not list(in_folder.glob(f".store-*.part/provisional/{begun}")):
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == (130 if number != signal.SIGKILL else -9)
    assert not (in_folder / "store").exists()
    if number != signal.SIGKILL:
        assert err.splitlines()[-1] == "textgen: stopped"
        assert not list(in_folder.glob(".store-*"))
    for left in in_folder.glob(".store-*"):  # as if it were of yesterday
        for path in (*left.rglob("*"), left):
            os.utime(path, (0, 0))
    assert len(build_store(in_folder / "store", [in_folder / "texts"]).training)
    assert sorted(path.name for path in in_folder.iterdir()) == ["store", "texts"]


@pytest.mark.parametrize(("tokens", "most"), [("character", 5000), ("word", 16_000)])
def test_a_disk_that_takes_no_more(
    texts: Path, tmp_path: Path, tokens: TokenKind, most: int
) -> None:
    """Of words, one that still takes the characters, but not the words' numbers."""
    resource = pytest.importorskip("resource", reason="Windows knows no limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(TextgenError, match="store cannot be written: File too large"):
            build_store(tmp_path / "store", [texts], StoreConfig(tokens))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in tmp_path.iterdir()] == ["texts"]
