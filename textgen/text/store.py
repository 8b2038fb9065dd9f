"""A token store: any amount of text as ids on a disk, which a training looks up and never loads.

    OUT/store.json     what it is: counts, settings, hashes
        vocab.json     every token with its count: readable text
        files.jsonl    where every text came from, a line each; and what was left out, and why
        training.ids   the ids to learn from, (N,)
        held_out.ids   those held out, (M,)

Ids are little-endian whole numbers of two bytes, or of four where there are more tokens than those
can count. Tokens that are left to <unk> have ids of their own here, from V on, so that the text is
not lost; who learns reads them as 0. The folder takes its name when it is whole.

Shapes: N tokens to learn from, M tokens held out, V vocabulary.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textgen.bars import progress_bar
from textgen.config import StoreConfig
from textgen.errors import TextgenError, os_reason
from textgen.files import whole, write_atomically
from textgen.language import _
from textgen.names import readable, to_json
from textgen.text.tokens import Places, occurrences
from textgen.text.vocab import UNKNOWN_ID, TokenIds, Vocab

if TYPE_CHECKING:
    from hashlib import _Hash

FORMAT = 1
"""Of stores: a change that older programs would read wrongly makes it one more."""

Ids = NDArray[np.unsignedinteger[Any]]
IdType = np.dtype[np.unsignedinteger[Any]]

_ABOUT, _VOCAB, _FILES = "store.json", "vocab.json", "files.jsonl"
_PIECE = 2**20
"""Bytes that are checked at a time."""

_TRAINING, _HELD_OUT = "training.ids", "held_out.ids"


@dataclass(frozen=True)
class About:
    """What ``store.json`` tells."""

    training_characters: int
    """Characters to learn from."""

    held_out_characters: int
    """Characters held out."""

    texts: int
    """How many there are."""

    kinds: int
    """How many different tokens they have, also those that are too rare for the vocabulary."""

    bytes_per_token: int
    """2 or 4."""

    settings: dict[str, Any]
    """How it was built: ``StoreConfig`` by the names of its settings."""

    reading: dict[str, Any]
    """How the files were read: ``ReadingConfig`` in the same way."""

    training_tokens: int = 0
    """N."""

    held_out_tokens: int = 0
    """M."""

    occurring: list[int] = field(default_factory=list)
    """How often each token stands in what is learned from, (V,)."""

    vocab_sha256: str = ""
    """Of ``vocab.json``."""

    sha256: str = ""
    """Of ``vocab.json`` and of both files of ids, one after the other: a run knows it by that."""

    format: int = FORMAT

    @property
    def dtype(self) -> IdType:
        """The type of an id on the disk."""
        return id_type(self.bytes_per_token)


def bytes_per_token(count: int) -> int:
    """Return how many bytes an id of so many takes."""
    return 2 if count <= 2**16 else 4


def id_type(size: int) -> IdType:
    """Return the type of an id of so many bytes."""
    return np.dtype(f"<u{size}")


class StoredTokens:
    """Ids on a disk (N,), of which what is asked for is read, and nothing is kept.

    Args:
        path: their file.
        dtype: the type of each.
        count: N.
        vocab_size: V.

    Raises:
        TextgenError: the file is gone, or not as long as that.
    """

    def __init__(self, path: Path, dtype: IdType, count: int, vocab_size: int) -> None:
        self._vocab_size = vocab_size
        self.written: Ids
        """The ids as they stand there, also those from V on."""
        expected = count * dtype.itemsize
        try:
            found = path.stat().st_size
            if found == expected:
                self.written = np.memmap(path, dtype, "r") if count else np.zeros(0, dtype)
        except OSError as error:
            raise TextgenError(
                "{path} cannot be read: {reason}", path=path, reason=os_reason(error)
            ) from None
        if found != expected:
            raise TextgenError(
                "{path} has {found:,} bytes in place of {expected:,}: build the store anew with "
                "textgen corpus build",
                path=path,
                found=found,
                expected=expected,
            )

    def __len__(self) -> int:
        return len(self.written)

    def __getitem__(self, places: Places | slice, /) -> TokenIds:
        """Return the ids at places of any shape, or in a slice: 0 for those from V on."""
        ids = self.written[places]
        return np.where(ids < self._vocab_size, ids, UNKNOWN_ID).astype(np.int32)


class Store:
    """A store that exists, and is whole.

    Raises:
        TextgenError: the folder is no store, was made by a newer program, was cut off, or has
            another vocabulary than it was built with.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            values = json.loads((folder / _ABOUT).read_text("utf-8"))
            made_as = values["format"]
            if made_as > FORMAT:
                raise TextgenError(
                    "{folder} was made by a newer textgen (stores of format {made_as}, and this "
                    "one knows {format}): update textgen",
                    folder=folder,
                    made_as=made_as,
                    format=FORMAT,
                )
            self.about = About(**values)
            self.settings = StoreConfig(**self.about.settings)
            vocab = (folder / _VOCAB).read_bytes()
            dtype = self.about.dtype
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            raise TextgenError(
                "{folder} is not a store, or not a whole one: build it with textgen corpus build",
                folder=folder,
            ) from None
        if sha256(vocab).hexdigest() != self.about.vocab_sha256:
            raise TextgenError(
                "{path} is not the vocabulary that the store was built with: put that back, or "
                "build the store anew with textgen corpus build",
                path=folder / _VOCAB,
            )
        self._vocab = vocab
        counts, vocab_size = self.about, len(self.about.occurring)
        self.training = StoredTokens(folder / _TRAINING, dtype, counts.training_tokens, vocab_size)
        """The ids to learn from, (N,)."""
        self.held_out = StoredTokens(folder / _HELD_OUT, dtype, counts.held_out_tokens, vocab_size)
        """Those held out, (M,)."""

    def __repr__(self) -> str:
        tokens = f"{len(self.training):,} tokens and {len(self.held_out):,} held out"
        return f"<Store {readable(self.folder)}: {tokens}>"

    @cached_property
    def vocab(self) -> Vocab:
        """The vocabulary of all texts, learned from and held out."""
        return Vocab.from_json(self._vocab.decode())

    def text_of(self, ids: NDArray[np.integer[Any]]) -> str:
        """Return ids (n,), as they are written, as text, with � for what has none of its own."""
        tokens = ("\ufffd", *self.vocab.with_folded[1:])
        return "".join(map(tokens.__getitem__, ids.tolist()))

    @property
    def occurring(self) -> NDArray[np.int64]:
        """How often each token stands in what is learned from, (V,)."""
        return np.array(self.about.occurring, np.int64)

    def check(self) -> None:
        """Read all of it, and compare it with what was built; opening looks at sizes only.

        Raises:
            TextgenError: it is something else now, or cannot be read.
        """
        digest = sha256(self._vocab)
        paths = [self.folder / name for name in (_TRAINING, _HELD_OUT)]
        total = self.about.dtype.itemsize * (len(self.training) + len(self.held_out))
        with progress_bar(total, _("bytes"), _("checking"), delay=1.0) as bar:
            for piece in _bytes_of(paths):
                digest.update(piece)
                bar.update(len(piece))
        learned = occurrences(self.training, len(self.occurring))
        if digest.hexdigest() != self.sha256 or (learned != self.occurring).any():
            raise TextgenError(
                "{folder} is not as it was built: build the store anew with textgen corpus build",
                folder=self.folder,
            )

    @property
    def sha256(self) -> str:
        """Of all that it holds: a run knows it by that."""
        return self.about.sha256


def _bytes_of(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield what files hold, piece by piece: a disk that fails is an error, where a map is killed.

    Raises:
        TextgenError: one cannot be read.
    """
    for path in paths:
        try:
            with path.open("rb") as file:
                yield from iter(lambda: file.read(_PIECE), b"")
        except OSError as error:
            raise TextgenError(
                "{path} cannot be read: {reason}", path=path, reason=os_reason(error)
            ) from None


def is_store(folder: Path | str) -> bool:
    """Return whether a folder is, or was, a store."""
    try:
        return (Path(folder) / _ABOUT).is_file()
    except (OSError, ValueError):  # no name of a file, or somebody else's folder
        return False


def write_store(
    folder: Path,
    about: About,
    vocab: Vocab,
    training: Iterable[Ids],
    held_out: Iterable[Ids],
    files: Iterable[dict[str, Any]],
) -> None:
    """Write a store's files into an empty folder, which takes the store's name afterwards.

    ``store.json``, without which it is no store, comes last.

    Args:
        folder: the folder.
        about: what there is to tell, but for what is known of the ids when they are written.
        vocab: the vocabulary.
        training: the ids to learn from, piece by piece, of the store's type.
        held_out: those held out.
        files: where the texts came from.

    Raises:
        TextgenError: the disk is full, or broken.
    """
    as_text = vocab.to_json().encode()
    digest = sha256(as_text)
    learned, rest = (
        _write_ids(folder / name, pieces, digest, vocab)
        for name, pieces in ((_TRAINING, training), (_HELD_OUT, held_out))
    )
    with whole(folder / _FILES) as file:
        for values in files:
            file.write(to_json(values).encode() + b"\n")
    write_atomically(folder / _VOCAB, as_text)
    told = replace(
        about,
        training_tokens=int(learned.sum()),
        held_out_tokens=int(rest.sum()),
        occurring=learned.tolist(),
        vocab_sha256=sha256(as_text).hexdigest(),
        sha256=digest.hexdigest(),
    )
    write_atomically(folder / _ABOUT, to_json(asdict(told)).encode() + b"\n")


def _write_ids(
    path: Path, pieces: Iterable[Ids], digest: "_Hash", vocab: Vocab
) -> NDArray[np.int64]:
    """Write ids, and return how often each token stands among them, (V,)."""
    size = len(vocab.with_folded)
    occurring = np.zeros(size, np.int64)
    with whole(path) as file:
        for ids in pieces:
            file.write(ids.data)
            digest.update(ids.data)
            occurring += np.bincount(ids, minlength=size)
    occurring[UNKNOWN_ID] += occurring[len(vocab) :].sum()
    return occurring[: len(vocab)]
