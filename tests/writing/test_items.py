"""A model of items writes whole ones: each begins with nothing before it and ends by itself."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TINY, Command, flags, make_story
from textgen.config import GenerationConfig, Items, Settings
from textgen.evaluation.mixture import mixture_surprisals
from textgen.evaluation.perplexity import Passage
from textgen.interrupts import StopRequest
from textgen.runs.folder import Run
from textgen.runs.trained import load
from textgen.training.start import train
from textgen.writing.decoder import Decoder
from textgen.writing.generation import generate, written
from textgen.writing.manuscript import Manuscript

ENDS: dict[Items, str] = {"line": "\n", "file": "\f"}


@pytest.fixture(scope="module", params=ENDS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of lines, and one of files of two lines each."""
    folder = tmp_path_factory.mktemp(request.param)
    lines, texts = make_story(1600).splitlines(), folder / "texts"
    texts.mkdir()
    for number in range(0, len(lines), 2):
        (texts / f"{number}.txt").write_text("\n".join(lines[number : number + 2]), "utf-8")
    settings = Settings.of(**{**TINY, "items": request.param, "epochs": 3.0})
    return train(texts, settings, "items", folder / "checkpoints").run


@pytest.fixture
def decoder(run: Run) -> Decoder:
    return Decoder.of(load(run.folder))


def test_what_it_writes_by_is_what_it_is_judged_by(run: Run, decoder: Decoder) -> None:
    trained, end = load(run.folder), run.end
    assert end is not None
    assert trained.counts is not None
    text = run.split()[1].split(end)[0] + end
    passage = Passage.of(run.vocab, text, "", end)
    judged = mixture_surprisals(trained.model, passage, trained.counts).mixed
    context, costs = decoder.read_ids(run.vocab.encode(end)[None], None, decoder.read("").given), []
    for id_ in passage.ids[:]:
        logits = context.logits[0].astype(np.float64)
        costs.append((np.log(np.exp(logits).sum()) - logits[id_]) / np.log(2))
        context = decoder.read_ids(np.array([[id_]], np.int32), context)
    # All but <unk> may come out.
    assert np.allclose(costs, judged, atol=0.02)


def test_each_is_whole_and_its_end_is_not_shown(run: Run, decoder: Decoder) -> None:
    text = written(decoder, GenerationConfig(length=500, seed=0))
    assert run.end is not None
    *items, rest = text.split(run.end)
    assert not rest
    assert len(items) > 1
    assert all(items)
    one = "".join(generate(load(run.folder), "", GenerationConfig(length=10_000, seed=1)))
    assert 0 < len(one) < 10_000
    assert run.end not in one


def test_what_stands_before_an_end_is_of_another_item(run: Run, decoder: Decoder) -> None:
    assert run.end is not None
    alone = decoder.read("老周")
    before = decoder.read("阿敏")
    for other in (
        decoder.read(f"船夫在镇上{run.end}老周"),
        decoder.read(f"{run.end}老周", before),
        decoder.read("\n老周"),  # no item begins with it
    ):
        assert np.array_equal(other.logits, alone.logits)
    assert not np.array_equal(decoder.read("老周", before).logits, alone.logits)
    assert alone.given is not None
    assert len(alone.given.tokens) == 0


def test_no_item_is_empty(run: Run, decoder: Decoder) -> None:
    assert run.end is not None
    assert np.isneginf(decoder.read("").logits[0, run.vocab[run.end]])
    assert np.isfinite(decoder.read("老").logits[0, run.vocab[run.end]])


def test_a_manuscript_may_begin_with_nothing(decoder: Decoder) -> None:
    manuscript = Manuscript(decoder, GenerationConfig(seed=0))
    text = "".join(manuscript.go_on(StopRequest()))
    assert manuscript.version.text == text != ""


def test_a_shown_sample_is_an_item(run: Run) -> None:
    samples = [entry["sample"] for entry in run.record.read() if "sample" in entry]
    assert samples
    assert all("\f" not in sample and len(sample) <= 200 for sample in samples)
    if run.end == "\n":
        assert not any("\n" in sample for sample in samples)


def test_without_counts_safetensors_they_are_counted_again(run: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run.folder, tmp_path / "again"))
    (folder / "counts.safetensors").unlink()
    ours, theirs = (Decoder.of(load(path)).read("老周") for path in (folder, run.folder))
    assert np.array_equal(ours.logits, theirs.logits)


def test_the_command_line(story: Path, command: Command) -> None:
    trained = ("train", story, "--no-visdom", *flags(**TINY, items="line", name="lines"))
    status, out, err = command(*trained)
    assert (status, "items, shuffled" in err) == (0, True), err
    status, out, _ = command("generate", "lines", *flags(samples=5, seed=1, length=300))
    assert status == 0
    assert len(out.splitlines()) == 5  # with no headings between
    status, out, _ = command("generate", "lines", "--json", *flags(seed=1, length=300))
    assert json.loads(out)["prefix"] == ""
    status, out, _ = command("generate", "lines", *flags(seed=1, length=300, prefix="老周"))
    assert out.startswith("老周")
    assert command("evaluate", "lines")[0] == 0
    assert command("evaluate", "lines", story, "--dynamic", "--heatmap", "map.html")[0] == 0
    status, _, err = command("train", story, "--no-visdom", *flags(**TINY, items="file"))
    assert status != 0
    assert err.splitlines()[-1].startswith("textgen: --items file finds 1 item")
