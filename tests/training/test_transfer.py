"""A training that begins with what another run has learned."""

import hashlib
import json
import re
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

import textgen
from tests.conftest import TINY, Command, make_story
from tests.training.same import assert_same
from textgen.config import Settings
from textgen.errors import UsageError
from textgen.evaluation.mixture import evaluate_text
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.predictions import predict_text
from textgen.reading.corpus import read_corpus
from textgen.runs.beginning import Beginning
from textgen.runs.folder import Run
from textgen.runs.progress import Position
from textgen.runs.trained import load
from textgen.training.beginning import rows_of
from textgen.training.setup import Learner, set_up
from textgen.training.start import resume, train
from textgen.training.texts import Text

OTHERS = str.maketrans({"老": "後", "渡": "鼉", "机": "機"})
"""To characters that are new to a run of the story: of 机, the other form is known."""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return a text of somebody else: in part of other characters, and half as long."""
    path = tmp_path / "other.txt"
    path.write_text(make_story(2500, seed=1).translate(OTHERS), encoding="utf-8")
    return path


def begun(run: Run, file: Path, **settings: object) -> tuple[Learner, Text]:
    """Return a training that begins with a run, before its first step."""
    beginning = Beginning.of(run)
    chosen = beginning.fitted(Settings.of(**{"batch_size": 4, "num_steps": 16, **settings}))
    source = Text.of(read_corpus([file]), chosen, beginning)
    return set_up(chosen, source.material(None, 100)), source


def hashes(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}


@pytest.mark.parametrize("shape", [{}, {"tie": False}, {"embedding_size": 0}, {"num_networks": 2}])
@pytest.mark.usefixtures("in_folder")
def test_what_both_know_is_the_same_at_the_first_step(
    story: Path, other: Path, shape: dict[str, object]
) -> None:
    run = train(story, Settings.of(**{**TINY, **shape}), name="tale").run
    trained = load(run.folder)
    learner, source = begun(run, other)
    fresh = set_up(learner.settings, Text.of(read_corpus([other]), learner.settings).material(9, 9))
    assert fresh.model.vocab_size < len(source.vocab)
    known = [token for token in run.vocab.tokens if token in source.vocab]
    assert known == list(run.vocab.tokens)  # all of them
    theirs, ours = ([vocab[t] for t in known] for vocab in (run.vocab, source.vocab))
    by_token = {"embedding.weight", "output.weight", "output.bias"}
    for name, values in learner.model.named_parameters():
        earlier = torch.from_numpy(trained.weights.network[name])
        if re.sub(r"networks\.\d\.", "", name) in by_token:
            assert torch.equal(values[ours], earlier[theirs])
        elif values.shape != earlier.shape:  # one-hot: a column each
            assert torch.equal(values[:, ours], earlier[:, theirs])
        else:
            assert torch.equal(values, earlier)
    if learner.gate is not None:
        for name, values in learner.gate.counts.product.named_parameters():
            assert torch.equal(values, torch.from_numpy(trained.weights.gate[name]))


def test_a_new_character_begins_as_the_other_form_or_near_the_mean(
    tiny_run: Run, other: Path
) -> None:
    learner, source = begun(tiny_run, other)
    vocab = source.vocab
    rows = rows_of(tiny_run.vocab, vocab)
    assert rows[vocab["鼉"]] == -1
    assert {"鼉", "後"} == {vocab.tokens[id_] for id_ in np.flatnonzero(rows < 0)}
    earlier = torch.from_numpy(load(tiny_run.folder).weights.network["embedding.weight"])
    weight = learner.model.get_parameter("output.weight")
    difference = weight[vocab["鼉"]] - earlier.mean(dim=0)
    drawn = weight.shape[1] ** -0.5  # their deviation, of which a tenth is left
    assert 0 < float(difference.detach().norm()) < 0.3 * drawn * weight.shape[1] ** 0.5
    assert not torch.equal(weight[vocab["鼉"]], weight[vocab["後"]])
    pytest.importorskip("opencc")
    assert rows[vocab["機"]] == tiny_run.vocab["机"]
    assert torch.equal(weight[vocab["機"]], weight[vocab["机"]])


@pytest.mark.usefixtures("in_folder")
def test_it_goes_on_bit_for_bit_and_the_earlier_run_stays(
    story: Path, other: Path, tiny: Settings
) -> None:
    run = train(story, tiny, "tale").run
    before = hashes(run.folder)
    settings = Settings.of(**{**TINY, "epochs": 2.0})
    whole = train(other, settings, "whole", begin=run).run
    with pytest.raises(ValueError, match="enough"):
        train(other, settings, "stopped", begin=run, on_step=lambda moment: stop_after(moment.step))
    assert hashes(run.folder) == before
    shutil.rmtree(run.folder)  # it is whole of its own
    resume(Run(Path("checkpoints/stopped")))
    assert_same(Run(Path("checkpoints/stopped")), whole)
    assert whole.begun_with == "tale"
    assert whole.learned_text() == whole.earlier_text() + whole.split()[0]


def stop_after(step: int) -> dict[str, float]:
    if step == 7:
        raise ValueError("enough")
    return {}


@pytest.mark.usefixtures("in_folder")
def test_who_is_killed_before_the_first_checkpoint_begins_with_the_same(
    story: Path, other: Path, tiny: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(story, tiny, "tale").run
    with monkeypatch.context() as killed:
        killed.setattr("textgen.training.start._go", lambda *_: None)
        train(other, tiny, "killed", begin=run)
    begun = load("killed")
    assert begun.step == 0
    whole = train(other, tiny, "whole", begin=run).run
    resume(begun.run)
    assert_same(Run(begun.run.folder), whole)


@pytest.mark.usefixtures("in_folder")
def test_all_probabilities_sum_to_one(story: Path, other: Path, tiny: Settings) -> None:
    run = train(story, tiny, "tale").run
    trained = load(train(other, tiny, "new", begin=run).run.folder)
    passage = Passage.of(trained.vocab, "後周在鼉口煮了一锅鱼汤。", "")
    counts = trained.counts
    assert counts is not None
    with torch.no_grad():
        features, _ = trained.model.features(torch.from_numpy(passage.ids)[None])
        reading = counts.learned.reading(passage.ids[:], passage.ids[:0])
        places = np.arange(len(passage.ids))
        rows = features[0]
        chances = counts.product(
            rows, trained.model.logits(rows), counts.learned.consult(reading.seen(places))
        )
    torch.testing.assert_close(chances.exp().sum(dim=1), torch.ones(len(places)))
    assert predict_text(trained.model, passage, counts=counts)


@pytest.mark.usefixtures("in_folder")
def test_counts_know_both_texts(story: Path, other: Path, tiny: Settings) -> None:
    run = train(story, tiny, "tale").run
    new = train(other, tiny, "new", begin=run).run
    stored = load(new.folder).learned
    new.counts.unlink()
    again = load(new.folder).learned
    assert stored is not None
    assert again is not None
    for one, two in zip(stored.histories.followers, again.histories.followers, strict=True):
        assert all(np.array_equal(vars(one)[name], vars(two)[name]) for name in vars(one))
    assert np.array_equal(stored.frequencies, again.frequencies)
    both = len(run.split()[0]) + len(new.split()[0])
    assert stored.histories.followers[0].counts.sum() == both - 1


@pytest.mark.usefixtures("in_folder")
def test_it_is_better_than_from_scratch_in_the_same_steps(tmp_path: Path) -> None:
    known, new = tmp_path / "known.txt", tmp_path / "new.txt"
    known.write_text(make_story(12_000), encoding="utf-8")
    new.write_text(make_story(1500, seed=1), encoding="utf-8")
    run = train(known, Settings.of(**{**TINY, "hidden_size": 32, "epochs": 4.0}), "known").run
    beginning = Beginning.of(run)
    found = []
    for one in (None, beginning):
        settings = beginning.fitted(Settings.of(**{**TINY, "hidden_size": 32}))
        source = Text.of(read_corpus([new]), settings, one)
        material = source.material(None, 1000)
        learner = set_up(settings, material)
        for _ in islice(learner.steps(20, Position()), 20):
            pass
        assert material.held_out is not None
        figures = evaluate_text(learner.model, material.held_out, learner.counts)
        assert figures.network is not None
        found.append((figures.network.bits_per_character, figures.model.bits_per_character))
    (network, model), (network_begun, model_begun) = found
    assert network_begun < 0.8 * network
    assert model_begun < model


@pytest.mark.usefixtures("in_folder")
def test_a_run_that_began_with_another_can_be_begun_with(
    story: Path, other: Path, tiny: Settings
) -> None:
    run = train(story, tiny, "tale").run
    second = train(other, tiny, "second", begin=run).run
    third = train(story, tiny, "third", begin=second).run
    assert third.earlier_text() == run.split()[0] + second.split()[0]
    held_out = third.config["held_out_in_training_text"]
    assert held_out["share"] > 0.9  # the story again: its end is known


def test_the_model_in_the_box_can_be_begun_with(command: Command, other: Path) -> None:
    small = ("--epochs", "0.2", "--batch-size", "4", "--num-steps", "16", "--no-visdom")
    status, _, err = command("train", other, "--from", "base", "--name", "new", *small)
    assert status == 0
    assert "Begun with the weights of base" in err
    assert "How far to trust counts is learned anew" in err
    assert not Path("checkpoints/new/earlier.txt").exists()
    status, out, _ = command("show", "new", "--json")
    assert json.loads(out)["from"]["name"] == "base"


@pytest.mark.usefixtures("in_folder")
def test_without_its_text_a_run_gives_its_network(
    story: Path, other: Path, tiny: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    run = train(story, tiny, "tale").run
    (run.folder / "text.txt").unlink()
    new = train(other, tiny, "new", begin=run).run
    assert "tale has no text.txt" in caplog.text
    assert new.earlier_text() == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tokens": "word"}, "--tokens is word, and that of tiny is character"),
        ({"hidden_size": 32}, "--hidden-size is 32, and the network of tiny has 16"),
        ({"embedding_size": 16}, "--embedding-size is 16, and the network of tiny has 8"),
        ({"cell": "gru"}, "--cell is gru, and the network of tiny has lstm"),
        ({"num_layers": 2}, "--num-layers is 2, and the network of tiny has 1"),
        ({"preset": "classic"}, "the network of tiny has"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tiny_run: Run, settings: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Beginning.of(tiny_run).fitted(Settings.of(**settings))
    assert said.replace("tiny", tiny_run.name) in str(refused.value)


@pytest.mark.usefixtures("in_folder")
def test_what_cannot_be_begun_with_leaves_nothing(
    command: Command, story: Path, other: Path, tiny: Settings
) -> None:
    run = train(story, tiny, "tale").run
    begin = ("train", other, "--from", "tale", "--no-visdom", "--name", "new")
    status, _, err = command("train", "--resume", "tale", "--from", "tale")
    assert (status, "--from is for a new run" in err) == (2, True)
    status, _, err = command("train", other, "--from", "tail", "--name", "new")
    assert (status, "there is no run tail" in err) == (1, True)
    config = run.folder / "config.json"
    made = config.read_text("utf-8")
    config.write_text(json.dumps(run.config | {"format": 99}), encoding="utf-8")
    status, _, err = command(*begin)
    assert (status, "was made by a newer textgen" in err) == (1, True)
    config.write_text(made, encoding="utf-8")
    run.best.unlink()
    run.last.unlink()
    status, _, err = command(*begin)
    assert (status, "has no checkpoint yet" in err) == (1, True)
    assert not Path("checkpoints/new").exists()


@pytest.mark.usefixtures("in_folder")
def test_an_earlier_text_that_is_gone_or_another_is_told(
    command: Command, story: Path, other: Path, tiny: Settings
) -> None:
    new = train(other, tiny, "new", begin=train(story, tiny, "tale").run).run
    path = new.folder / "earlier.txt"
    text = path.read_text("utf-8")
    more = ("train", "--resume", "new", "--epochs", "1", "--no-visdom")
    path.write_text(text[1:], encoding="utf-8")
    before = new.last.read_bytes()
    status, _, err = command(*more)
    assert (status, "earlier.txt is not the text any more that new was" in err) == (1, True)
    path.unlink()
    status, _, err = command(*more)
    assert (status, "has no earlier.txt: the text that it was trained on" in err) == (1, True)
    assert new.last.read_bytes() == before
    assert "".join(textgen.generate("new", "老周"))  # its counts are enough to write


@pytest.mark.usefixtures("in_folder")
def test_it_is_repeated_from_the_same_run(
    command: Command, story: Path, other: Path, tiny: Settings
) -> None:
    new = train(other, tiny, "new", begin=train(story, tiny, "tale").run).run
    repeat = ("train", "--config", new.folder / "config.json", "--name", "again", "--no-visdom")
    status, _, err = command(*repeat)
    assert (status, "new began with tale: give --from as well" in err) == (2, True)
    assert command(*repeat, "--from", "tale")[0] == 0
    assert_same(Run(Path("checkpoints/again")), new)


@pytest.mark.usefixtures("in_folder")
def test_it_is_given_away_without_the_earlier_text(
    command: Command, story: Path, other: Path, tiny: Settings
) -> None:
    train(other, tiny, "new", begin=train(story, tiny, "tale").run)
    assert command("runs", "export", "new", "out.zip")[0] == 0
    assert command("runs", "export", "new", "whole.zip", "--text")[0] == 0
    for name in ("out", "whole"):
        shutil.unpack_archive(f"{name}.zip", name)
        assert (Path(name) / "new" / "earlier.txt").exists() == (name == "whole")
        assert "begun with the weights of tale" in (Path(name) / "new/README.md").read_text("utf-8")
