"""Corpus files: each is read, or refused in one line, and no control character is left."""

import gzip
import io
import random
import zipfile
from functools import cache
from pathlib import Path

from fuzzing.command import WrongError
from fuzzing.kind import World
from fuzzing.mutations import mutated_bytes
from textgen.config import ReadingConfig
from textgen.errors import TextgenError
from textgen.reading.cleaning import clean
from textgen.reading.containers import Part, parts
from textgen.reading.encodings import decode
from textgen.reading.order import natural_key

SAMPLE = Path(__file__).parents[2] / "corpus" / "sample.txt"


@cache
def files() -> list[tuple[str, bytes]]:
    """Return sound files of every kind, small."""
    text = SAMPLE.read_text("utf-8")[:400]
    encodings = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "hz", "utf-7")
    files = [("novel.txt", text.encode(encoding)) for encoding in encodings]
    traditional = "詩曰：混沌未分天地亂，那猴王說：「這個好！你們都來。」\n" * 9
    files += [("novel.txt", traditional.encode(encoding)) for encoding in ("big5", "big5hkscs")]
    japanese = "吾輩は猫である。名前はまだ無い。\n" * 9
    files += [("n.txt", japanese.encode(name)) for name in ("cp932", "euc_jp", "iso2022_jp")]
    page = f"<html><head><meta charset=gbk><title>x</title></head><p>{text[:200]}&nbsp;<br>"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr(zipfile.ZipInfo("第1章.txt"), text.encode("gbk"))
        members.writestr(zipfile.ZipInfo("b/2.html"), page)
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as members:
        members.writestr(zipfile.ZipInfo("mimetype"), "application/epub+zip")
        members.writestr(zipfile.ZipInfo("META-INF/container.xml"), '<rootfile full-path="a.opf"/>')
        items = '<item id="i" href="1.html"/><itemref idref="i"/>'
        members.writestr(zipfile.ZipInfo("a.opf"), f"<package>{items}</package>")
        members.writestr(zipfile.ZipInfo("1.html"), page)
    return [
        *files,
        ("page.html", page.encode("gbk")),
        ("n.txt.gz", gzip.compress(text.encode(), mtime=0)),
        ("n.zip", archive.getvalue()),
        ("book.epub", book.getvalue()),
        ("web.txt", f"www.a.com &amp; &#99999999; 锟斤拷 {text[:50]}\x1b[31m".encode()),
    ]


def read(draw: random.Random, world: World) -> str:
    """Read a damaged file as training does, with any settings."""
    name, data = draw.choice(files())
    data = mutated_bytes(data, draw)
    (world.here / name).write_bytes(data)  # where it can be looked at
    reading = ReadingConfig(
        errors=draw.choice(("mend", "strict", "replace")),
        layout=draw.choice(("auto", "prose", "keep")),
        unwrap=draw.random() < 0.5,
        clean=draw.choice((None, "web")),
        encoding=draw.choice((None, None, None, "gb18030", "utf-16", "big5")),
    )
    try:
        for part in parts(Path(name), data, reading.encoding):
            natural_key(Path(part.name))
            if isinstance(part, Part):
                text = part.text
                if text is None:
                    text = decode(part.data, Path(name), reading.encoding, reading.errors).text
                cleaned = clean(text, reading, look=True).text
                if any(character in cleaned for character in "\0\x1b\x9b\r"):
                    raise WrongError("a control character is left")
    except TextgenError as error:
        if "\n" in str(error):
            raise WrongError(f"more than one line: {error}") from None
        return "refused"
    return "worked"
