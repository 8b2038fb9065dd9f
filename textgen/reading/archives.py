"""Archives read in memory, with nothing in them believed: neither sizes nor names.

Nothing is ever written to a disk, so a member called ``../../x`` is just called so.
"""

import contextlib
import gzip
import io
import struct
import unicodedata
import zipfile
import zlib
from typing import IO

from textgen.errors import TextgenError
from textgen.language import Message

LARGEST = 2**30
"""Bytes that all that comes out of one file may have."""

HARMLESS = 50_000_000
"""Bytes that may come out of any file, however small it is."""

RATIO = 200
"""Times a file's size that may come out of it beyond that. Text is packed to a third or a tenth."""

_CHUNK = 2**20

_ANEW = Message("fetch or make it anew")
_UNPACK = Message("unpack it yourself, and give the texts that it holds")
_LOCKED = Message("is locked with a password")
_RARE = Message("is packed in a rare way")

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_UTF_8 = 0x800

# What gzip and zipfile raise where an archive is damaged, or made to look so.
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, OverflowError, NotImplementedError, RuntimeError),
)

_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of what has no place in a message of one line."""


class Allowance:
    """What may still come out of one file."""

    def __init__(self, file: str, size: int) -> None:
        self._file = file
        self._most = self._left = min(LARGEST, max(HARMLESS, RATIO * size))

    def read(self, stream: io.BufferedIOBase | IO[bytes]) -> bytes:
        """Read all of a stream, but never more than is allowed.

        Raises:
            TextgenError: there is more.
        """
        read = io.BytesIO()
        while chunk := stream.read(_CHUNK):
            self._left -= len(chunk)
            if self._left < 0:
                raise TextgenError(
                    "{file} unpacks to more than {most:,} bytes, which is not trusted; {unpack}",
                    file=self._file,
                    most=self._most,
                    unpack=_UNPACK,
                )
            read.write(chunk)
        return read.getvalue()


def gunzip(file: str, data: bytes) -> bytes:
    """Return what a gzip archive holds.

    Raises:
        TextgenError: it is damaged, cut off, or a bomb.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return Allowance(file, len(data)).read(stream)
    except _DAMAGES as error:
        raise _damaged(file, error) from None


class Zip:
    """A zip archive in memory.

    Args:
        file: its name, for error messages.
        data: its bytes.

    Raises:
        TextgenError: it is damaged.
    """

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self._allowance = Allowance(file, len(data))
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except _DAMAGES as error:
            raise _damaged(file, error) from None
        members = {_name(member): member for member in self._archive.infolist()}
        # Not is_dir(), which fails where a name is empty.
        self._members = {name: members[name] for name in members if not name.endswith("/")}

    @property
    def names(self) -> list[str]:
        """The names of the members, without folders, in the archive's order."""
        return list(self._members)

    def place(self, name: str) -> str:
        """Return what a member is called in messages: ``novels.zip/第一回.txt``."""
        shown = ("?" if unicodedata.category(c) in _CONTROLS else c for c in name.lstrip("/"))
        return f"{self.file}/{''.join(shown)}"

    def lock(self, name: str) -> Message | None:
        """Return why a member cannot be read, or None where it can."""
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED:
            return _LOCKED
        return None if member.compress_type in _METHODS else _RARE

    def read(self, name: str) -> bytes:
        """Return what a member holds.

        Raises:
            TextgenError: it is not there, locked, damaged, or a bomb.
        """
        place = self.place(name)
        if name not in self._members:
            raise TextgenError(
                "{place} is not there, but ought to be; {anew}", place=place, anew=_ANEW
            )
        if lock := self.lock(name):
            raise TextgenError("{place} {lock}; {unpack}", place=place, lock=lock, unpack=_UNPACK)
        try:
            with self._archive.open(self._members[name]) as stream:
                return self._allowance.read(stream)
        except _DAMAGES as error:
            raise _damaged(place, error) from None


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name, with ``/`` between folders.

    Where an archive does not say that its names are UTF-8, they can be in any encoding: mostly
    GBK, where Windows packed Chinese files, and often UTF-8 all the same.
    """
    name = member.orig_filename
    if not member.flag_bits & _UTF_8:
        raw = name.encode("cp437")  # zipfile has taken it for this, in which every byte fits
        for encoding in ("utf-8", "gb18030"):
            with contextlib.suppress(UnicodeDecodeError):
                name = raw.decode(encoding)
                break
    return name.replace("\\", "/")


def _damaged(file: str, error: Exception) -> TextgenError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return TextgenError(
        "{file} is damaged ({reason}); {anew}", file=file, reason=reason, anew=_ANEW
    )
