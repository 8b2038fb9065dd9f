import io
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, TINY, Command, copy_run, flags, make_story
from tests.processes import MOST_SECONDS, killing
from textgen.runs.folder import Run
from textgen.text.vocab import Vocab


@pytest.fixture
def trained(tiny_run: Run, in_folder: Path, story: Path) -> Run:
    assert story.parent == in_folder
    return copy_run(tiny_run, "tale")


def json_of(output: str) -> dict[str, object]:
    (line,) = output.splitlines()
    values: dict[str, object] = json.loads(line)
    return values


def test_train_prints_json(command: Command, story: Path) -> None:
    status, out, err = command("train", story, "--json", "--no-visdom", *flags(**TINY))
    values = json_of(out)
    assert status == 0
    assert list(values) == [
        *("run", "tokens", "tokens_per_second", "device", "perplexity", "held_out_perplexity"),
        *("held_out_bits_per_character", "network_bits_per_character"),
        *("static_bits_per_character", "kneser_ney_bits_per_character"),
        *("trigram_bits_per_character", "held_out_in_training_text"),
    ]
    assert str(values["run"]).startswith("story-")
    assert "story.txt: utf-8, 4,000 characters" in err


@pytest.mark.usefixtures("trained")
def test_generate(command: Command) -> None:
    status, out, _ = command("generate", "--prefix", "老周", "--length", "30", "--seed", "1")
    assert status == 0
    assert out.startswith("老周")
    assert len(out) == 2 + 30 + 1
    status, again, _ = command(
        *("generate", "tale", "--prefix", "老周", "--length", "30", "--seed", "1", "--json")
    )
    assert json_of(again) == {"prefix": "老周", "text": out[2:-1], "seed": 1}
    _, drawn, _ = command("generate", "--prefix", "老周", "--json")
    _, same, _ = command(
        *("generate", "--prefix", "老周", "--json", "--seed", str(json_of(drawn)["seed"]))
    )
    assert drawn == same


@pytest.mark.usefixtures("trained")
def test_many_samples(command: Command) -> None:
    asked = ("--prefix", "老周", "--length", "30", "--seed", "1")
    _, alone, _ = command("generate", *asked)
    status, out, err = command("generate", *asked, "--samples", "3")
    lines = out.split("\n---")
    assert (status, err) == (0, "")
    assert out.startswith(f"--- 1 of 3 ---\n{alone}--- 2 of 3 ---\n老周")
    assert len(lines) == 3
    _, out, _ = command("generate", *asked, "--samples", "3", "--json", "--check-copying")
    values = json_of(out)
    assert list(values) == [
        *("prefix", "text", "seed"),
        *("longest_copy", "longest_copy_text", "copied_share", "samples"),
    ]
    samples = values.pop("samples")
    assert isinstance(samples, list)
    assert len({sample["text"] for sample in samples}) == 3
    assert values | samples[0] == values
    assert f"{values['prefix']}{values['text']}\n" == alone


@pytest.mark.usefixtures("trained")
def test_check_copying(command: Command) -> None:
    asked = ("--prefix", "老周", "--length", "30", "--seed", "1", "--check-copying")
    status, out, err = command("generate", *asked)
    assert (status, len(out)) == (0, 2 + 30 + 1)
    assert re.match(r"Of the text, \d+\.\d% stand in the training text in stretches of 10", err)
    assert err.count("\n") == 1
    # The prefix does not count: it stands there, and of the text after it no more than all.
    story = make_story(4000)
    _, out, _ = command("generate", "--prefix", story[:300], *asked[2:], "--json")
    assert int(str(json_of(out)["longest_copy"])) <= 30


@pytest.mark.usefixtures("trained")
def test_a_text_that_is_not_trained_on_any_more_is_missed_at_once(
    command: Command, trained: Run
) -> None:
    (trained.folder / "text.txt").unlink()
    status, out, err = command("generate", "--prefix", "老周", "--check-copying")
    assert (status, out) == (1, "")
    assert "has no text.txt" in err


@pytest.mark.usefixtures("trained")
def test_beam(command: Command) -> None:
    asked = ("--prefix", "老周", "--length", "20", "--beam", "3")
    status, out, err = command("generate", *asked)
    assert (status, err, len(out)) == (0, "", 23)
    assert json_of(command("generate", *asked, "--json")[1]) == {
        "prefix": "老周",
        "text": out[2:-1],
        "seed": None,
    }


@pytest.mark.usefixtures("trained")
def test_endings(command: Command) -> None:
    asked = ("--prefix", "老周", "--seed", "1")
    status, out, err = command("generate", *asked, "--sentences", "2", "--length", "100000")
    assert (status, err) == (0, "")
    assert len(re.findall("[。！？][。！？”’」』）》]*", out)) == 2
    status, out, err = command("generate", *asked, "--stop", "从不出现", "--length", "20")
    assert (status, len(out)) == (0, 23)
    assert err == "--stop '从不出现' did not end the text: it ends at --length 20\n"
    stop = out[10:12]
    status, short, err = command("generate", *asked, "--stop", stop)
    assert (status, err) == (0, "")
    assert short == f"{out[: out.index(stop, 2)]}\n"
    _, _, err = command(
        *("generate", *asked, "--stop", "从不出现", "--sentences", "9", "--samples", "2"),
        *("--length", "5", "--json"),
    )
    assert err == (
        "--stop '从不出现' and --sentences 9 did not end the text in 2 of 2 samples: "
        "it ends at --length 5\n"
    )


@pytest.mark.usefixtures("trained")
def test_a_prefix_of_100_000_characters(command: Command) -> None:
    prefix = make_story(100_000).rstrip("\n")
    Path("long.txt").write_text(prefix, encoding="gbk")
    asked = ("--length", "9", "--seed", "1", "--json")
    status, out, _ = command("generate", "--prefix", prefix, *asked)
    assert (status, len(str(json_of(out)["text"]))) == (0, 9)
    assert command("generate", "--prefix-file", "long.txt", *asked)[1] == out


@pytest.mark.usefixtures("trained")
def test_a_prefix_of_which_nothing_is_known_works_and_is_told(command: Command) -> None:
    status, out, err = command("generate", "--prefix", "龘靐", "--length", "5")
    assert (status, len(out)) == (0, 8)
    assert err.startswith("Not in the vocabulary of tale, so read as <unk>: nothing of it is known")


def test_a_run_that_is_still_training(command: Command, story: Path) -> None:
    with killing(
        subprocess.Popen(
            [
                *(sys.executable, "-m", "textgen", "train", str(story), "--name", "live"),
                *("--no-visdom", *flags(**{**TINY, "epochs": 1e6, "evaluate_every": 20})),
            ],
            stderr=subprocess.DEVNULL,
        )
    ) as training:
        status, err = 1, ""
        while status != 0:
            assert training.poll() is None
            status, out, err = command("generate", "live", "--prefix", "老", "--length", "20")
            # Until the first checkpoint is there.
            early = ("there is no run live", "is not a run folder", "no checkpoint yet")
            assert status == 0 or any(message in err for message in early), err
        assert len(out) == 22
        for _ in range(20):  # whatever the training writes at that moment
            status, out, _ = command("generate", "live", "--prefix", "老", "--length", "20")
            assert (status, len(out)) == (0, 22)
        assert training.poll() is None


@pytest.mark.usefixtures("trained")
def test_unknown_characters_are_named(command: Command) -> None:
    status, out, err = command("generate", "--prefix", "老龘周龘", "--length", "5", "--json")
    assert status == 0
    assert err == "Not in the vocabulary of tale, so read as <unk>: 龘\n"
    assert "<unk>" not in out


def test_evaluate(command: Command, trained: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(make_story(500, seed=9), encoding="gbk")
    for arguments, tokens in ((["tale"], 400), ([str(trained.folder), str(other)], 500)):
        status, out, _ = command("evaluate", *arguments, "--json")
        values = json_of(out)
        assert status == 0
        assert list(values) == [
            *("perplexity", "bits_per_character", "network_bits_per_character"),
            *("static_bits_per_character", "kneser_ney_bits_per_character"),
            *("trigram_bits_per_character", "tokens"),
            *("longest_copy", "longest_copy_text", "copied_share", "held_out_copied_share"),
            *("judged_in_training_text", "text_changed"),
        ]
        assert values["tokens"] == tokens
        assert str(values["longest_copy_text"]) in make_story(4000)
        assert values["longest_copy"] == len(str(values["longest_copy_text"]))
    status, out, _ = command("evaluate", "tale")
    rows = [line[:13].strip() for line in out.splitlines()[2:7]]
    assert rows == ["network alone", "with counts", "as it reads", "Kneser-Ney", "trigram"]
    assert re.search(r"Of 2,000 characters by the model, \d+\.\d% stand in the training text", out)
    # The story repeats itself.
    assert re.search(r"Of as many held-out ones, \d{2,}\.\d% stand in the training text", out)


@pytest.mark.usefixtures("trained")
def test_dynamic_evaluation_has_figures_of_its_own(command: Command, story: Path) -> None:
    ordinary = json_of(command("evaluate", "tale", "--json")[1])
    status, out, _ = command("evaluate", "tale", "--dynamic", "--json")
    values = json_of(out)
    assert status == 0
    assert list(values) == [*ordinary, "dynamic_perplexity", "dynamic_bits_per_character"]
    assert values | ordinary == values  # what was judged before and after it is the same
    alone = ("--name", "alone", "--no-counts", "--no-visdom", *flags(**TINY))
    assert command("train", story, *alone)[0] == 0
    values = json_of(command("evaluate", "alone", "--dynamic", "--json")[1])
    assert values["network_bits_per_character"] == values["bits_per_character"]
    assert values["static_bits_per_character"] is None
    bits = [values[f"{kind}bits_per_character"] for kind in ("", "dynamic_")]
    assert float(str(bits[1])) < float(str(bits[0]))  # so short a training leaves much to learn
    Path("other.txt").write_text(make_story(200), encoding="utf-8")
    status, out, _ = command("evaluate", "alone", "other.txt", "--dynamic")
    assert status == 0
    assert out.splitlines()[2].startswith("this model")
    assert re.search(
        r"^adapting +\d+\.\d\d +\d\.\d{3}\nAdapting, the network itself learns", out, re.MULTILINE
    )


def test_corpus_show(command: Command, story: Path) -> None:
    story.with_name("gbk.txt").write_text(make_story(300), encoding="gbk")
    status, out, _ = command("corpus", "show", story, story.with_name("gbk.txt"), "--json")
    assert status == 0
    files = json_of(out)["files"]
    distinct = [len(set(make_story(count))) for count in (4000, 300)]
    assert isinstance(files, list)
    keys = ("path", "encoding", "characters", "distinct", "layout", "damage")
    assert [[file[key] for key in keys] for file in files] == [
        [str(story), "utf-8", 4000, distinct[0], "prose", None],
        [str(story.with_name("gbk.txt")), "gb18030", 300, distinct[1], "prose", None],
    ]
    status, out, _ = command("corpus", "show", story)
    assert "occurring once: " in out
    site = "请看www.a.com，&nbsp;好\n"
    Path("web.txt").write_text(make_story(200) + 8 * site, encoding="utf-8")
    _, out, _ = command("corpus", "show", "web.txt")
    assert "site address: 8 left as they are (--clean web takes them out): line " in out
    assert "'www.a.com', and 3 more\n" in out
    _, out, _ = command("corpus", "show", "web.txt", "--clean", "web")
    assert "HTML entity: 8 taken out: line " in out
    assert out.count("'&nbsp;' → '\\xa0'") == 8
    Path("both").mkdir()
    Path("both/a.txt").write_text(make_story(100), encoding="utf-8")
    Path("both/b.pdf").write_bytes(b"%PDF-1.7")
    _, out, _ = command("corpus", "show", "both")
    assert out.splitlines()[-1] == "Left out: both/b.pdf is no text file"
    _, out, _ = command("corpus", "show", story)
    assert "U+3000" in out


@pytest.mark.parametrize("held_out", ["0.1", "0"])
def test_the_same_beginnings_before_and_at_every_mark(
    command: Command, story: Path, held_out: str
) -> None:
    asked = ("--prefix", "老周", "--prefix", "阿敏龘", "--held-out", held_out)
    arguments = ("train", story, "--name", "told", "--no-visdom", *flags(**TINY), *asked)
    status, out, err = command(*arguments)
    assert status == 0, err
    assert "Not in the vocabulary of told, so read as <unk>: 龘" in err
    run = Run(Path("checkpoints/told"))
    entries = run.record.read()
    samples = [entry for entry in entries if "sample" in entry]
    assert [entry["step"] for entry in entries[:2]] == [0, 1]
    assert entries[0]["perplexity"] == pytest.approx(len(run.vocab), rel=0.5)
    marks = -(-run.plan.total_steps // run.plan.evaluate_every)
    assert len(samples) == 1 + marks
    for entry in samples:
        assert f"epoch {entry['epoch']:.2f}: perplexity {entry['perplexity']:.1f}" in err
        found = re.fullmatch(r"(老周.{30})\n(阿敏龘.{30})", entry["sample"], re.DOTALL)
        assert found is not None
        assert all(f"  {text.splitlines()[0]}" in err for text in found.groups())
    trained = [entry for entry in entries if "perplexity" in entry]
    assert f"on cpu; perplexity {trained[-1]['perplexity']:.1f} in training" in out
    # As if it had been killed before the first checkpoint: it begins once.
    for path in run.folder.glob("*.safetensors"):
        path.unlink()
    status, out, _ = command("train", "--resume", "told", "--no-visdom", "--json")
    again = [entry for entry in run.record.read() if "sample" in entry]
    assert [entry["sample"] for entry in again] == [entry["sample"] for entry in samples]
    values = json_of(out)
    assert values["device"] == "cpu"
    assert values["perplexity"] == trained[-1]["perplexity"]
    assert (values["held_out_perplexity"] is None) == (held_out == "0")


@pytest.mark.usefixtures("in_folder")
def test_flag_wins_over_toml_over_preset_over_default(command: Command, story: Path) -> None:
    Path("my.toml").write_text(
        'preset = "classic"\nhidden_size = 12\nnum-steps = 7\nlearning-rate = 0.5\n'
        "epochs = 0.1\ncheckpoints = 'runs'\nvisdom = false\ntie = false\n",
        encoding="utf-8",
    )
    status, _, err = command(
        *("train", story, "--config", "my.toml", "--num-steps", "5", "--model", "scratch"),
        *("--name", "mixed", "--max-tokens", "900"),
    )
    assert status == 0, err
    settings = Run(Path("runs/mixed")).settings
    assert settings.training.num_steps == 5
    assert settings.model.hidden_size == 12
    assert settings.training.learning_rate == 0.5
    assert settings.model.embedding_size == 0
    assert settings.training.optimizer == "sgd"
    assert settings.corpus.max_tokens == 900
    assert "of that, the first 900 characters are used" in err
    assert settings.training.batches == "sequential"
    assert not settings.model.tie
    assert "isdom" not in err


@pytest.mark.parametrize("model", ["nn", "scratch"])
def test_the_classic_preset_is_document_a(command: Command, story: Path, model: str) -> None:
    story.write_text(make_story(10_500), encoding="utf-8")
    status, _, _ = command(
        *("train", story, "--preset", "classic", "--model", model, "--name", "classic"),
        *("--epochs", "0.2", "--no-visdom"),
    )
    assert status == 0
    run = Run(Path("checkpoints/classic"))
    chosen = run.settings.flat()
    assert run.config["characters"] == 10_000
    expected = {
        "embedding_size": 0,
        "hidden_size": 256,
        "num_layers": 1,
        "init_std": 0.01,
        "optimizer": "sgd",
        "learning_rate": 1.0,
        "clip": 1.0,
        "schedule": "constant",
        "batch_size": 32,
        "num_steps": 35,
        "max_tokens": 10_000,
        "dropout": 0.0,
    }
    assert {name: chosen[name] for name in expected} == expected


def test_resume_takes_the_newest_run_or_the_one_named(command: Command, story: Path) -> None:
    for name in ("one", "two"):
        command("train", story, "--name", name, "--no-visdom", *flags(**TINY))
    status, out, _ = command("train", "--resume", "--epochs", "1", "--json", "--no-visdom")
    assert (status, json_of(out)["run"]) == (0, "two")
    status, out, _ = command("train", "--resume", "one", "--epochs", "1", "--json", "--no-visdom")
    assert (status, json_of(out)["run"]) == (0, "one")
    assert json_of(out)["tokens"] == 2 * 56 * 64
    status, _, err = command("train", "--resume", "one", "--no-visdom")
    assert (status, err.count("\n")) == (1, 1)
    assert "one is complete" in err


MISTAKES: list[tuple[list[str], int, str]] = [
    (["train", "none.txt"], 1, "none.txt does not exist"),
    (["train", "empty.txt"], 1, "empty.txt is empty"),
    (["train", "folder"], 1, "holds no text file"),
    (
        ["train", "short.txt"],
        1,
        "of 16 rows of 32 steps needs 545; with what --held-out keeps back that makes 606",
    ),
    (["train", "binary.txt"], 1, "is a program: it holds no text"),
    (["train", "story.txt", "--encoding", "utf-16"], 1, "as utf-8 they make sense"),
    (["train", "story.txt", "--encoding", "big5"], 1, "story.txt is not big5: its bytes come out"),
    (["train", "story.txt", "--name", "a/b"], 2, "--name is 'a/b'"),
    (["train", "story.txt", "--prefix", ""], 2, "--prefix is empty: it must be at least one"),
    (["train", "story.txt", "--visdom-env", "a/b"], 2, "--visdom-env is 'a/b'"),
    (["train", "story.txt", "--visdom-window", " "], 2, "--visdom-window is ' '"),
    (["train", "story.txt", "--min-count", "99999"], 2, "--min-count 99999 leaves no token"),
    (["train", "story.txt", "--seed", "1.5"], 2, "--seed is 1.5"),
    (["train", "story.txt", "--seed", "9" * 30], 2, f"--seed is {'9' * 30}"),
    (["train", "story.txt", "--epochs", "1e300"], 2, "--epochs is 1e+300"),
    (["train", "story.txt", "--hidden-size", "10000000"], 1, "memory"),
    (["train", "x" * 300], 1, "File name too long"),
    (["train", "story.txt", "--name", "x" * 300], 2, "it must have at most 250"),
    (["train", "story.txt", "--encoding", "undefined"], 2, "--encoding undefined is no encoding"),
    (["train", "--resume", "a", "--name", "b"], 2, "--name is for a new run"),
    (["train", "story.txt", "--visdom", "a:b"], 2, "--visdom a:b is no address"),
    (["demo", "--minutes", "0"], 2, "--minutes is 0"),
    (["monitor", "--port", "70000"], 2, "--port is 70000"),
    (["generate", "x" * 300, "--prefix", "老"], 1, "File name too long"),
    (["train", "story.txt", "--encoding", "klingon"], 2, "--encoding klingon is no encoding"),
    (["train", "story.txt", "--checkpoints", "story.txt"], 1, "cannot be written"),
    (["train", "story.txt", "--config", "none.toml"], 2, "--config none.toml cannot be read"),
    (["train", "story.txt", "--config", "story.txt"], 2, "--config story.txt is not TOML"),
    (["train", "story.txt", "--config", "odd.toml"], 2, "hidden_sice"),
    (
        ["train", "story.txt", "--preset", "modern"],
        2,
        "--preset is modern: it must be one of classic",
    ),
    (["train", "story.txt", "--device", "mps"], 2, "--device mps is not there"),
    (["train", "--resume", "none"], 1, "there is no run none"),
    (["train", "--resume"], 1, "there is no run in checkpoints yet"),
    (["train", "--resume", "a", "b"], 2, "--resume takes one run"),
    (
        ["train", "--learning-rat", "1"],
        2,
        "--learning-rat is no option of textgen train: did you mean --learning-rate?",
    ),
    (["trian"], 2, "trian is no command of textgen: did you mean train?"),
    (["report"], 1, "there is no run in checkpoints yet"),
    (["generate"], 2, "generate needs a beginning: --prefix TEXT or --prefix-file FILE"),
    (["generate", "--prefix", "老", "--prefix-file", "story.txt"], 2, "are two beginnings"),
    (["generate", "--prefix-file", "none.txt"], 1, "none.txt does not exist"),
    (["generate", "--prefix", "老", "--beam", "2", "--samples", "2"], 2, "leave out --samples"),
    (
        ["generate", "--prefix", "老", "--beam", "2", "--top-k", "3", "--seed", "0"],
        2,
        "--beam 2 draws nothing at random: leave out --top-k, --seed",
    ),
    (["generate", "--prefix", "老", "--samples", "2", "--temperature", "0"], 2, "same text"),
    (["generate", "--prefix", "老", "--stop", ""], 2, "--stop is empty"),
    (["generate", "folder", "--prefix", "老"], 1, "folder is not a run folder"),
    (["evaluate", "none"], 1, "there is no run none"),
    (["corpus", "show"], 2, "needs a FILE"),
    (["corpus", "fetch", "jinpingmei"], 1, "there is: sanguoyanyi"),
    *(
        (["train", "story.txt", f"--{flag}", value], 2, f"--{flag} is {value}")
        for flag, value in (
            *(("held-out", "0.6"), ("held-out", "-0.1"), ("min-count", "0"), ("max-tokens", "0")),
            *(("hidden-size", "0"), ("embedding-size", "-1"), ("num-layers", "0")),
            *(("dropout", "1.0"), ("init-std", "0.0"), ("batch-size", "0"), ("num-steps", "0")),
            *(("learning-rate", "0.0"), ("learning-rate", "nan"), ("clip", "-1.0")),
            *(("epochs", "0.0"), ("minutes", "inf"), ("warmup", "1.5"), ("seed", "-1")),
            *(("patience", "-1"), ("weight-decay", "-0.5"), ("evaluate-every", "0")),
        )
    ),
    *(
        (["generate", "--prefix", "老", f"--{flag}", value], 2, f"--{flag} is {value}")
        for flag, value in (
            *(("length", "0"), ("temperature", "-0.5"), ("temperature", "nan"), ("seed", "-3")),
            *(("top-p", "0.0"), ("top-p", "1.1"), ("top-p", "-0.1"), ("top-k", "0")),
            *(("min-p", "-0.1"), ("min-p", "1.5"), ("repetition-penalty", "0.0")),
            *(("repetition-window", "0"), ("repetition-window", "1025"), ("sentences", "0")),
            *(("samples", "0"), ("beam", "0"), ("top-k", "1.5")),
        )
    ),
]


@pytest.mark.parametrize(("arguments", "expected", "message"), MISTAKES)
@pytest.mark.usefixtures("story")
def test_a_mistake_costs_one_clear_line_and_writes_nothing(
    command: Command, arguments: list[str], expected: int, message: str
) -> None:
    Path("empty.txt").touch()
    Path("folder").mkdir()
    Path("short.txt").write_text("却说老周在渡口修好了收音机，看着河水不说话", encoding="utf-8")
    Path("binary.txt").write_bytes(Path(sys.executable).read_bytes()[:50_000])
    Path("odd.toml").write_text("hidden_sice = 3", encoding="utf-8")
    before = sorted(Path().rglob("*"))
    status, out, err = command(*arguments)
    assert (status, out) == (expected, "")
    *read, line = err.splitlines()
    assert line.startswith("textgen: ")
    assert all(": utf-8, " in told for told in read)  # what was read before the mistake showed
    assert message in err
    assert "Traceback" not in err
    assert sorted(Path().rglob("*")) == before


@pytest.mark.usefixtures("trained")
def test_an_empty_prefix(command: Command) -> None:
    status, out, err = command("generate", "--prefix", "")
    assert (status, out) == (2, "")
    assert err.startswith("textgen: --prefix is empty")


def test_a_run_is_never_overwritten(command: Command, trained: Run, story: Path) -> None:
    before = trained.last.read_bytes()
    status, _, err = command("train", story, "--name", "tale", "--no-visdom", *flags(**TINY))
    assert status == 1
    assert "exists already" in err
    assert trained.last.read_bytes() == before


def test_a_checkpoint_of_another_vocabulary(command: Command, trained: Run) -> None:
    vocab = Vocab.build(make_story(4000).replace("周", "赵"))
    (trained.folder / "vocab.json").write_text(vocab.to_json(), encoding="utf-8")
    status, out, err = command("generate", "tale", "--prefix", "老")
    assert (status, out) == (1, "")
    assert "trained with another vocabulary" in err


def test_a_damaged_checkpoint(command: Command, trained: Run) -> None:
    trained.best.write_bytes(trained.best.read_bytes()[:-5])
    trained.last.unlink()
    status, _, err = command("generate", "tale", "--prefix", "老")
    assert status == 1
    assert "best.safetensors is damaged" in err


def test_a_run_without_a_checkpoint_yet(command: Command, trained: Run) -> None:
    trained.best.unlink()
    trained.last.unlink()
    status, _, err = command("generate", "tale", "--prefix", "老")
    assert status == 1
    assert "has no checkpoint yet" in err


@contextmanager
def files_no_larger_than(kilobytes: int) -> Iterator[None]:
    """As on a full disk, the first write that does not fit fails half-way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("kilobytes", "file"), [(1, "cannot be written"), (16, "safetensors")])
def test_a_full_disk(
    command: Command, in_folder: Path, story: Path, kilobytes: int, file: str
) -> None:
    with files_no_larger_than(kilobytes):
        status, _, err = command(
            *("train", story, "--no-visdom", "--name", "big"), *flags(**{**TINY, "hidden_size": 64})
        )
    last_line = err.strip().splitlines()[-1]
    assert status == 1
    assert "Traceback" not in err
    assert last_line.startswith("textgen: ")
    assert file in last_line
    assert "cannot be written: File too large" in last_line
    left = {path.name for path in in_folder.rglob("[!.]*")} - {"story.txt", "checkpoints"}
    begun = {"big", "config.json", "vocab.json", "text.txt", "counts.safetensors", "metrics.jsonl"}
    assert left in (set(), begun)


def run_textgen(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "textgen", *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **environment},
        check=False,
        timeout=MOST_SECONDS,
    )


def test_help_is_there_at_once() -> None:
    heavy = (
        *("torch", "visdom", "jieba", "plotly", "tornado", "numpy", "requests"),
        *("prompt_toolkit", "opencc", "starlette", "uvicorn"),
    )
    program = (
        "import sys, textgen\n"
        "from textgen.cli.commands import run\n"
        "run(['--help'])\n"
        f"assert not {set(heavy)} & set(sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, timeout=MOST_SECONDS
    )
    assert (found.returncode, found.stderr) == (0, b"")
    assert "train" in run_textgen("--help").stdout


@pytest.mark.usefixtures("trained")
def test_a_broken_pipe_ends_quietly() -> None:
    with killing(
        subprocess.Popen(
            [sys.executable, "-m", "textgen", "generate", "--prefix", "老", "--length", "100000"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    ) as generate:
        assert generate.stdout is not None
        assert generate.stderr is not None
        assert generate.stdout.read(3).decode() == "老"
        generate.stdout.close()
        assert generate.wait(timeout=60) == 0
        assert generate.stderr.read() == b""


def encoded(monkeypatch: pytest.MonkeyPatch, encoding: str) -> Iterator[io.BytesIO]:
    """Yield what is written to stdout, again and again, as where PYTHONIOENCODING says so."""
    while True:
        stream = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, encoding, write_through=True))
        yield stream


ASKED = ("generate", "--prefix", "老周", "--seed", "1", "--samples", "2", "--check-copying")


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-8"])
@pytest.mark.usefixtures("trained")
def test_a_terminal_of_any_encoding(
    command: Command, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    expected = json_of(command(*ASKED, "--json")[1])
    outputs = encoded(monkeypatch, encoding)
    output = next(outputs)
    status, _, err = command(*ASKED)
    assert (status, "Traceback" in err) == (0, False)
    assert ("set PYTHONUTF8=1" in err) == (encoding == "ascii")
    assert ("老周" in output.getvalue().decode(encoding)) == (encoding != "ascii")
    output = next(outputs)
    assert command(*ASKED, "--json")[0] == 0
    assert output.getvalue().isascii() == (encoding != "utf-8")
    assert json_of(output.getvalue().decode(encoding)) == expected


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
@pytest.mark.usefixtures("trained")
def test_a_terminal_that_is_not_utf_8(environment: dict[str, str]) -> None:
    found = run_textgen(*ASKED, **environment)
    assert (found.returncode, "Traceback" in found.stderr) == (0, False)
    assert found.stdout.startswith("--- 1 of 2 ---")
    assert "set PYTHONUTF8=1" in found.stderr
    assert ("unset PYTHONIOENCODING" in found.stderr) == ("PYTHONIOENCODING" in environment)
    advised = run_textgen(*ASKED, **{**environment, "PYTHONUTF8": "1", "PYTHONIOENCODING": ""})
    assert advised.stdout.startswith("--- 1 of 2 ---\n老周")
    assert "PYTHON" not in advised.stderr


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_are_no_traceback(closed: str) -> None:
    text = f"{sys.executable} -m textgen generate tale --prefix 老周 --length 5 {closed}"
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    found = subprocess.run(
        ["bash", "-c", text],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
        timeout=MOST_SECONDS,
    )
    assert b"Traceback" not in found.stderr
    assert found.returncode == 0


@pytest.mark.usefixtures("trained")
def test_a_heat_map_that_cannot_be_written_is_refused_before_the_work(command: Command) -> None:
    status, out, err = command("evaluate", "tale", "--heatmap", "nowhere/page.html")
    assert (status, out) == (2, "")
    assert err.startswith("textgen: --heatmap nowhere/page.html cannot be written")
