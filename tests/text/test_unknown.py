"""What a model would have known instead of what it does not know."""

import sys

import pytest

from textgen.errors import TextgenError
from textgen.text import unknown as prefixes
from textgen.text.unknown import map_to_known, understood, unknown_message
from textgen.text.vocab import Vocab

SIMPLIFIED = Vocab.build("却说皇后头发，里面说话。“好！”‘是’（吗）？——《书》")
TRADITIONAL = Vocab.build("卻說皇后頭髮，裡面說話。「好！」『是』（嗎）？")


def test_all_known_says_nothing() -> None:
    assert understood(SIMPLIFIED, "却说", "tale") == ("却说", [])


def test_punctuation_needs_no_opencc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencc", None)
    monkeypatch.setattr(prefixes, "find_spec", lambda _: None)
    assert unknown_message(SIMPLIFIED, '却说,"好!"(吗?', "tale") == (
        'Not in the vocabulary of tale, so read as <unk>: , " ! ( ?; known instead: '
        ',→， "→“ !→！ (→（ ?→？ (--map-script puts that in)'
    )
    message = unknown_message(SIMPLIFIED, "却說", "tale")
    assert message is not None
    assert message.endswith("OpenCC can tell: pip install opencc")
    with pytest.raises(TextgenError, match="--map-script needs OpenCC: pip install opencc"):
        map_to_known(SIMPLIFIED, "却說")
    assert map_to_known(SIMPLIFIED, "却说,") == ("却说，", [(",", "，")])


@pytest.mark.usefixtures("opencc")
def test_what_is_known_stays_as_it_is() -> None:
    vocab = Vocab.build("於于于于著着着着说却玄德书")
    assert map_to_known(vocab, "玄德著書於") == ("玄德著书於", [("書", "书")])
    assert map_to_known(vocab, "玄德著书於") == ("玄德著书於", [])


def test_full_width_to_half_width_as_well() -> None:
    vocab = Vocab.build('Well, said he: "no" (1).')
    message = unknown_message(vocab, "Ｗell，１。", "tale")
    assert message is not None
    assert "known instead: Ｗ→W ，→, １→1 。→. (" in message


@pytest.mark.usefixtures("opencc")
def test_the_other_script() -> None:
    message = unknown_message(SIMPLIFIED, "却說髮龘", "tale")
    assert message == (
        "Not in the vocabulary of tale, so read as <unk>: 說 髮 龘; known instead: 說→说 髮→发 "
        "(--map-script puts that in)"
    )


@pytest.fixture
def opencc() -> None:
    pytest.importorskip("opencc", reason="OpenCC is an extra: pip install '.[script]'")


@pytest.mark.usefixtures("opencc")
@pytest.mark.parametrize(
    ("vocab", "prefix", "mapped"),
    [
        (SIMPLIFIED, "卻說皇后頭髮，裏面說話。", "却说皇后头发，里面说话。"),
        (SIMPLIFIED, "說話,「好!」『是』", "说话，“好！”‘是’"),
        (SIMPLIFIED, '說"好"', "说“好”"),
        (SIMPLIFIED, "却说皇后", "却说皇后"),
        (SIMPLIFIED, "龘", "龘"),
        (TRADITIONAL, "却说皇后头发，里面说话。“好！”", "卻說皇后頭髮，裡面說話。「好！」"),
    ],
)
def test_map_script(vocab: Vocab, prefix: str, mapped: str) -> None:
    found, changes = map_to_known(vocab, prefix)
    assert found == mapped
    assert changes == list(
        dict.fromkeys((a, b) for a, b in zip(prefix, mapped, strict=True) if a != b)
    )


@pytest.mark.usefixtures("opencc")
def test_a_change_is_told() -> None:
    assert understood(SIMPLIFIED, "卻說龘", "tale", map_script=True) == (
        "却说龘",
        ["--map-script: 卻→却 說→说", "Not in the vocabulary of tale, so read as <unk>: 龘"],
    )
    assert understood(SIMPLIFIED, "却说", "tale", map_script=True) == ("却说", [])


@pytest.mark.usefixtures("opencc")
def test_nothing_known_and_very_much_unknown() -> None:
    message = unknown_message(SIMPLIFIED, "龘靐" * 9, "tale")
    assert message is not None
    assert "<unk>: nothing of it is known: 龘 靐" in message
    message = unknown_message(SIMPLIFIED, "却" + "".join(map(chr, range(0x4E00, 0x4F00))), "tale")
    assert message is not None
    assert " and 235 more" in message
    assert len(message) < 400


@pytest.mark.usefixtures("opencc")
def test_what_has_no_look_is_named_by_its_code_point() -> None:
    message = unknown_message(SIMPLIFIED, "却\x1b\u202e\ud800", "tale")
    assert message is not None
    assert "U+001B U+202E U+D800" in message
    assert map_to_known(SIMPLIFIED, "\ud800却")[0] in ("\ud800却", "?却")


@pytest.mark.usefixtures("opencc")
def test_words() -> None:
    vocab = Vocab.build("却说皇后头发，里面说话。", "word")
    mapped, _ = map_to_known(vocab, "皇后頭髮")
    assert mapped == "皇后头发"
