"""The model in the box writes at once, and gives way to a run of one's own."""

import shutil
from pathlib import Path

from tests.conftest import Command
from textgen.runs import base
from textgen.runs.folder import Run
from textgen.runs.trained import load

TOLD = "this is the model that comes with textgen"


def test_it_writes_before_anything_was_trained(command: Command) -> None:
    settings = ("--prefix", "却说", "--length", "30", "--seed", "1")
    status, out, err = command("generate", *settings)
    assert status == 0
    assert out.startswith("却说")
    assert err.count(TOLD) == 1
    _, named, err = command("generate", base.NAME, *settings)
    assert named == out
    assert TOLD not in err
    assert not any(Path.cwd().iterdir())


def test_a_run_of_ones_own_goes_first(sample_run: Run, tmp_path: Path) -> None:
    assert load(checkpoints=tmp_path).run.folder == base.FOLDER
    for name in ("mine", base.NAME):
        shutil.copytree(sample_run.folder, tmp_path / name)
        assert load(name, tmp_path).run.folder == tmp_path / name
        assert load(checkpoints=tmp_path).run.folder.parent == tmp_path


def test_it_is_small_and_says_what_it_is() -> None:
    sizes = {path.name: path.stat().st_size for path in base.FOLDER.iterdir()}
    assert set(sizes) == {"README.md", "best.safetensors", "config.json", "vocab.json"}
    assert sum(sizes.values()) < 5_000_000
    card = (base.FOLDER / "README.md").read_text("utf-8")
    assert "public domain" in card
    trained = load(base.NAME)
    assert f"{len(trained.vocab):,} characters" in card
    assert trained.model.resolved.hidden_size == 512  # the modules load it, too
