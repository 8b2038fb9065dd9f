"""Short texts, as people give a beginning: too short for their bytes to tell the encoding.

Two characters in GBK are often valid UTF-8, Big5 and UTF-16, too. Who can tell is the model: of
what the bytes may mean, it knows the characters of one.
"""

import contextlib
import math
import re
from collections import Counter

from textgen.reading.cleaning import clean
from textgen.reading.detection import by_its_mark
from textgen.text.vocab import Vocab

_ENCODINGS = (
    *("utf-8", "gb18030", "big5", "cp950", "big5hkscs", "utf-16-le", "utf-16-be"),
    *("shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "cp1251", "cp1252"),
)
"""Where two are as good, the first counts."""

_IN_NO_TEXT = re.compile("[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]|\x1a(?!\x1a*$)")
"""Controls, but the ends of lines and files, and what begins an escape sequence."""

LONGEST = 400
"""Bytes of a short text: of a longer one, they tell the encoding, and what of them is damaged."""

_UNKNOWN_HAN = 2.0**-15
_UNKNOWN_OTHER = 2.0**-20
"""Which character one is that the model has never seen: a Chinese one, or any other."""


def decodings(data: bytes) -> dict[str, str]:
    """Return what bytes may mean, by the name of the encoding; nothing where they are no text."""
    marked = by_its_mark(data)
    found = {}
    for encoding in [marked.encoding] if marked else _ENCODINGS:
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if not _IN_NO_TEXT.search(text):
                found[encoding] = text
    return found


def most_familiar(texts: dict[str, str], vocab: Vocab) -> str:
    """Return the encoding, of at least one, whose text a model is most familiar with.

    That is the likeliest text where every character is drawn as often as it occurs in what the
    vocabulary was built from.

    Args:
        texts: what there is to choose from, by the encoding.
        vocab: the model's vocabulary.
    """
    counts: Counter[str] = Counter()
    for token, count in zip(vocab.tokens[1:], vocab.counts[1:], strict=True):
        counts.update(dict.fromkeys(token, count))
    total = counts.total() + 1

    # Two characters of ASCII are about as likely as the rarest one that the model knows: so they
    # are read as one in UTF-16 where it knows that, and only there.
    of_ascii = total**0.45

    def bits(character: str) -> float:
        if character.isascii():
            return math.log2(total / max(counts[character], of_ascii))
        is_han = "\u3400" <= character <= "\u9fff"
        unknown = _UNKNOWN_HAN if is_han else _UNKNOWN_OTHER
        return math.log2(total / (counts[character] or unknown))

    return min(texts, key=lambda encoding: sum(map(bits, cleaned(texts[encoding]))))


def cleaned(text: str) -> str:
    """Return a text cleaned as files are, but for the newline at its end."""
    return clean(text).text.rstrip("\n")


def cleaned_but_for_its_ends(text: str) -> str:
    r"""Return what somebody has typed cleaned as files are; the white space at both ends stays.

    Ends of lines in it become ``\n``, and all else of it spaces, but for U+3000.
    """
    whole = text.strip()
    before, _, after = text.partition(whole) if whole else (text, "", "")
    return _white_space(before) + cleaned(whole) + _white_space(after)


def _white_space(text: str) -> str:
    lines = re.sub("\r\n|[\r\v\f\x1c-\x1f\x85\u2028\u2029]", "\n", text)
    return lines.replace("\t", " ")
