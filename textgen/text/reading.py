"""Files and folders to one text."""

from dataclasses import dataclass
from pathlib import Path

from textgen.errors import TextgenError
from textgen.text.cleaning import clean
from textgen.text.encodings import decode


@dataclass(frozen=True)
class SourceFile:
    """One file as it was read: its clean text, its encoding, and what cleaning changed."""

    path: Path
    encoding: str
    text: str
    changes: dict[str, int]

    def describe(self) -> str:
        """Return one line: the encoding, the size, and what was changed, with counts."""
        changed = ", ".join(f"{count:,} {what}" for what, count in self.changes.items())
        return (
            f"{self.path}: {self.encoding}, {len(self.text):,} characters, "
            f"{len(set(self.text)):,} distinct; cleaned: {changed or 'nothing'}"
        )


@dataclass(frozen=True)
class Corpus:
    """One or many files as one text, in the order given."""

    files: tuple[SourceFile, ...]

    @property
    def text(self) -> str:
        """The clean texts, each ending with a newline, one after the other."""
        return "".join(file.text for file in self.files)


def read_corpus(paths: list[Path], encoding: str | None = None) -> Corpus:
    """Read text files, and the ``.txt`` files of folders (sorted by name, at any depth).

    Args:
        paths: files or folders.
        encoding: the encoding of them all; found out for each when not given.

    Raises:
        TextgenError: a path does not exist, a folder has no ``.txt`` file, or a file is empty,
            binary, or in no encoding that fits.
    """
    return Corpus(tuple(_read_file(file, encoding) for path in paths for file in _expand(path)))


def _expand(path: Path) -> list[Path]:
    if not path.exists():
        raise TextgenError(f"{path} does not exist; give a text file or a folder of .txt files")
    if not path.is_dir():
        return [path]
    files = sorted(
        file for file in path.rglob("*") if file.suffix.lower() == ".txt" and file.is_file()
    )
    if not files:
        raise TextgenError(f"the folder {path} holds no .txt file; give one that does")
    return files


def _read_file(path: Path, encoding: str | None) -> SourceFile:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TextgenError(f"{path} cannot be read: {error.strerror}") from None
    text, found = decode(data, path, encoding)
    text, changes = clean(text)
    if not text:
        raise TextgenError(f"{path} is empty: it holds no characters to learn from")
    return SourceFile(path, found, text, changes)
