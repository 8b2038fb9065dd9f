"""Settings from Python: by their names, and from a preset."""

import pytest

from textgen.config import PRESETS, ModelConfig, Settings
from textgen.errors import UsageError


def test_a_preset_and_what_wins_over_it() -> None:
    classic = Settings.of(preset="classic")
    assert {name: classic.flat()[name] for name in PRESETS["classic"]} == PRESETS["classic"]
    assert Settings.of(preset="classic", model="scratch", epochs=3.0).flat() == (
        classic.flat() | {"model": "scratch", "epochs": 3.0}
    )
    with pytest.raises(UsageError, match="--preset is modern: it must be one of classic"):
        Settings.of(preset="modern")
    with pytest.raises(UsageError, match="there is no setting called hidden"):
        Settings.of(preset="classic", hidden=3)


def test_what_is_left_open_is_resolved_in_one_place() -> None:
    usual = ModelConfig().resolved()
    assert (usual.hidden_size, usual.embedding_size, usual.dropout) == (256, 128, 0.0)
    assert ModelConfig(hidden_size=512).resolved().embedding_size == 192
    assert ModelConfig(embedding_size=0).resolved(hidden_size=512, dropout=0.3).dropout == 0.3
    given = ModelConfig(hidden_size=7, embedding_size=0, dropout=0.1)
    resolved = given.resolved(hidden_size=512, embedding_size=9, dropout=0.5)
    assert (resolved.hidden_size, resolved.embedding_size, resolved.dropout) == (7, 0, 0.1)


def test_a_misspelt_setting_is_guessed() -> None:
    for wrong, message in (
        ({"hiden_size": 3}, "there is no setting called hiden_size: did you mean hidden_size?"),
        ({"blub": 1, "epoch": 2}, "there is no setting called blub, epoch: did you mean epochs?"),
        ({"blub": 1}, "there is no setting called blub"),
    ):
        with pytest.raises(UsageError) as caught:
            Settings.of(**wrong)
        assert str(caught.value) == message
        assert caught.value._render_traceback_() == [f"UsageError: {message}"]


def test_settings_show_what_is_not_the_default() -> None:
    assert repr(Settings()) == "Settings.of()"
    assert repr(Settings.of(minutes=3, hidden_size=9)) == "Settings.of(hidden_size=9, minutes=3)"
    classic = Settings.of(preset="classic", tokens="word")
    assert eval(repr(classic)) == classic  # noqa: S307 - what it was made from
