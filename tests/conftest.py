"""What the tests share: a small text with a grammar that a small model can learn."""

import os

# Tiny models gain nothing from threads, and lose much where others want the cores as well. Before
# anything imports torch, and for the processes that tests start.
os.environ["OMP_NUM_THREADS"] = "1"

# What is tested is English, whatever the machine speaks.
os.environ["LANGUAGE"] = "en"

import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import torch

from tests.pages import SECONDS, Watched
from textgen.cli import commands
from textgen.config import ModelConfig, Settings
from textgen.language import use
from textgen.model.build import build_model
from textgen.model.language_model import LanguageModel
from textgen.runs.folder import Run
from textgen.training import start

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Who starts the tests with nohup, or in the background, has them ignored, and tests that send them
# fail.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).parent.parent
"""The checkout."""


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Tell where two large values part; pytest's own line by line difference would take hours."""
    one, other = repr(left), repr(right)
    if op != "==" or len(one) + len(other) < 20_000:
        return None
    places = range(min(len(one), len(other)))
    place = next((i for i in places if one[i] != other[i]), len(places))
    around = slice(max(0, place - 100), place + 100)
    return [f"two values part at {place:,}:", f"  {one[around]}", f"  {other[around]}"]


PEOPLE = ["老周", "阿敏", "船夫", "先生", "姑娘"]
PLACES = ["渡口", "书铺", "桥头", "镇上"]
DEEDS = ["修好了收音机", "排完一页铅字", "煮了一锅鱼汤", "看着河水不说话", "把旧书读了一遍"]


def make_story(characters: int, seed: int = 0) -> str:
    draw = random.Random(seed)  # noqa: S311 - no secret
    lines = ["第一回\u3000旧书"]
    while sum(map(len, lines)) + len(lines) < characters:
        person, place, deed = map(draw.choice, (PEOPLE, PLACES, DEEDS))
        lines.append(f"{person}在{place}{deed}。“好！”{draw.choice(PEOPLE)}说。")
    return "\n".join(lines)[: characters - 1] + "\n"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Speak English again after a test that spoke another language."""
    yield
    use("en")


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(make_story(4000), encoding="utf-8")
    return path


def make_model(vocab_size: int, **settings: Any) -> LanguageModel:  # noqa: ANN401
    """Return a small model, the same for the same settings."""
    torch.manual_seed(0)
    config = ModelConfig(**{"embedding_size": 8, "hidden_size": 16, **settings})
    return build_model(vocab_size, config)


TINY = {
    "embedding_size": 8,
    "hidden_size": 16,
    "num_networks": 1,
    "dropout": 0.1,
    "recurrent_dropout": 0.1,
    "label_smoothing": 0.0,
    "batch_size": 4,
    "learning_rate": 8e-3,
    "num_steps": 16,
    "epochs": 1.0,
    "device": "cpu",
}


@pytest.fixture
def tiny() -> Settings:
    """Return settings that train within a second."""
    return Settings.of(**TINY)


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run that has learned something: what it expects is neither flat nor certain."""
    settings = Settings.of(hidden_size=64, embedding_size=32, dropout=0.1, epochs=2.0, device="cpu")
    sample = ROOT / "corpus" / "sample.txt"
    return start.train(sample, settings, "learned", tmp_path_factory.mktemp("runs")).run


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of the story with the tiny settings; for those who only look at it."""
    folder = tmp_path_factory.mktemp("tiny")
    story = folder / "story.txt"
    story.write_text(make_story(4000), encoding="utf-8")
    return start.train(story, Settings.of(**TINY), "tiny", folder).run


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Return a real browser, which opens pages in profiles of their own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("no chromium on the PATH (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=executable,
            # evil.example is a name that came to point to this machine.
            args=[
                *("--no-sandbox", "--disable-gpu"),
                "--host-resolver-rules=MAP evil.example 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def watch(browser: "Browser") -> "Iterator[Callable[[str], Watched]]":
    """Return what opens a page for a server, in a profile of its own."""
    contexts = []

    def open_page(server: str) -> Watched:
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        context.set_default_timeout(1000 * SECONDS)
        contexts.append(context)
        return Watched(context.new_page(), server)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, as a user does."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def copy_run(run: Run, name: str) -> Run:
    """Return a copy of a run in the checkpoints of this folder, to do with as one likes."""
    return Run(Path(shutil.copytree(run.folder, Path("checkpoints") / name)))


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(in_folder: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Return what runs a command there: arguments to exit status, stdout and stderr."""
    assert Path.cwd() == in_folder

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        status = commands.run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return run


def flags(**settings: object) -> list[str]:
    """Return settings as flags: hidden_size=16 becomes --hidden-size 16."""
    return [
        word
        for name, value in settings.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
