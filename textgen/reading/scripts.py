"""How the writing of a language looks: which characters are its commonest.

In sense the commonest characters are common, and in nonsense they are not: this is what tells
the right encoding of a text from all others that its bytes fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from unicodedata import category

from textgen.text.characters import count_characters

_ODD = {"Cc", "Cf", "Cn", "Co", "Cs"}
"""Unicode's categories of controls, formats, private use, surrogates, and what is none yet."""

_FEW = 10
"""Letters that show whether words have ASCII's among them."""

_ODD_WEIGHT = 4
"""Other characters that one such stands for."""


@dataclass(frozen=True)
class Script:
    """The commonest characters of a way of writing, and the share that they usually have."""

    common: frozenset[str]
    share: float
    """Of the characters beyond ASCII."""

    latin: bool | None = None
    """Whether its letters stand among ASCII's, or words have none of those; either if not said."""


def _script(common: str, share: float, *, latin: bool | None = None) -> Script:
    return Script(frozenset(common), share, latin)


_QUOTES = "“”‘’–—…«»·°§€£©®\u00a0¡¿"

CHINESE = _script(
    "的了一是不我在人有他这着个们来到时大地为子中你说道之也曰而其以于无"
    "這個們來時為說無與見將便又那去好什麼么里裡後后過过得把都看出只就"
    "，。、：；？！「」『』“”‘’…—\u3000",
    0.3,
)
JAPANESE = _script(
    "".join(map(chr, range(0x3041, 0x3094)))
    + "アイウクコサシスタットドナニバマムメラリルレロンー、。「」・…―\u3000"
    "日一人大国年会出中上行時生事者見言分間前今何私彼思来手自気方子本下山家小心目",
    0.75,
)
KOREAN = _script(
    "이다는에의가을고하지은기도를로사한그자리나어아인시서라대들수해니만있일정보게여것었과부전"
    "면으던았없거내상스모장주말오생우소제무때마안신원성구까야려와더요러저진동",
    0.7,
)
RUSSIAN = _script("оеаинтсрвлкмдпуяыьгзбчйхжш", 0.9, latin=False)
GREEK = _script("αοιετσνηυρπκμλςάίόέήωδγθ", 0.9, latin=False)
HEBREW = _script("יוהלאתמרבנשכדעםקפ", 0.85, latin=False)
ARABIC = _script("اليمنرتوبةعدسهفكقحأ", 0.85, latin=False)
THAI = _script("านรอกเงมยลวดทสต่้ีหคัปิบแไ", 0.85, latin=False)
WESTERN = _script("éèêëàâäáåãæçíìîïñóòôöõøúùûüßœÉÀÈÊÇÄÖÜØÅÆ" + _QUOTES, 1.0, latin=True)
CENTRAL_EUROPEAN = _script(
    "ěščřžýáíéůúďťňóąęłńśóżźćőöűüäľĺŕâîșşțţăđÁÉÍÓÚČŘŠŽŁŚŻ" + _QUOTES, 1.0, latin=True
)
TURKISH = _script("ığşöüçâîûİĞŞÖÜÇ" + _QUOTES, 1.0, latin=True)
BALTIC = _script("āčēģīķļņšūžąęėįųõäöüĀČĒĪŠŪŽ" + _QUOTES, 1.0, latin=True)

ALL = (
    *(CHINESE, JAPANESE, KOREAN, RUSSIAN, GREEK, HEBREW, ARABIC, THAI),
    *(WESTERN, CENTRAL_EUROPEAN, TURKISH, BALTIC),
)


def sense(text: str, scripts: tuple[Script, ...]) -> float:
    """Return how much a text looks like one of these scripts.

    1 is usual; nonsense comes to a fifth of that or less, where a script has thousands of
    characters. ASCII alone tells nothing, and counts as sense.
    """
    return _sense(count_characters(text), scripts)


def most_like(text: str) -> Script:
    """Return the script that a text looks most like."""
    counts = count_characters(text)
    return max(ALL, key=lambda script: _sense(counts, (script,)))


def _sense(counts: Mapping[str, int], scripts: tuple[Script, ...]) -> float:
    """Return the sense of a text whose characters occur so often."""
    others = {character: count for character, count in counts.items() if _tells(character)}
    if not others:
        return 1.0
    odd = sum(count for character, count in others.items() if category(character) in _ODD)
    weight = sum(others.values()) + (_ODD_WEIGHT - 1) * odd
    letters = sum(count for character, count in others.items() if character.isalpha())
    ascii_letters = sum(count for c, count in counts.items() if c.isascii() and c.isalpha())
    latin = letters < ascii_letters if letters >= _FEW else None
    shares = (
        sum(count for character, count in others.items() if character in script.common)
        / (script.share * weight)
        for script in scripts
        if latin is None or script.latin in (None, latin)
    )
    return max(shares, default=0.0)


def _tells(character: str) -> bool:
    return not " " <= character <= "~" and character not in "\n\r\t"
