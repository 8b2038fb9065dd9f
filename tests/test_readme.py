"""Every command in the READMEs works as it is written, only for a shorter time."""

import os
import re
import shutil
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command, make_story
from tests.processes import MOST_SECONDS, killing
from textgen.runs.folder import Run

READMES = ("README.md", "README.zh-CN.md")
SH = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(readme: str, language: str) -> list[str]:
    text = (ROOT / readme).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose demo does not need the network: a small 三国演义 is there already."""
    own = shutil.ignore_patterns(".*", "*.egg-info", "build", "checkpoints", "sanguoyanyi.txt")
    shutil.copytree(ROOT, tmp_path, ignore=own, dirs_exist_ok=True)
    story = make_story(6000).replace("老周", "却说曹操").replace("阿敏", "玄德曰")
    (tmp_path / "corpus" / "sanguoyanyi.txt").write_text(story, encoding="utf-8")
    environment = Path(sys.prefix)
    (tmp_path / ".venv").symlink_to(environment)
    return tmp_path


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment after `. .venv/bin/activate`, whatever that folder's name is."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # What the make that runs these tests was told is not for the one that they run.
    ours = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return {**ours, "PATH": path, "PYTHONPATH": str(folder), **more}


def shell(command: str, folder: Path, **environment: str) -> str:
    found = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=surroundings(folder, **environment),
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,  # nobody types at the prompt
        check=False,
        timeout=MOST_SECONDS,
    )
    assert found.returncode == 0, f"{command}: {found.stdout}{found.stderr}"
    return found.stdout


def serve_until_it_is_ready(command: str, folder: Path) -> None:
    """Start a server, and stop it with Ctrl-C; the rest is in the tests of its room."""
    with killing(
        subprocess.Popen(
            [*command.split(), "--port", "0"],
            cwd=folder,
            env=surroundings(folder),
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
    ) as server:
        assert server.stderr is not None
        while " is at http" not in (line := server.stderr.readline()):
            assert line, command
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=60)
        assert server.returncode == 0, said


def briefly(commands: str) -> str:
    return re.sub(r"(--minutes |minutes=)\d+", r"\g<1>0.01", commands)


@pytest.mark.parametrize("pair", [READMES, ("CONTRIBUTING.md", "CONTRIBUTING.zh-CN.md")])
def test_both_languages_have_the_same_commands_figures_and_chapters(pair: tuple[str, str]) -> None:
    for language in ("sh", "python"):
        assert blocks(pair[0], language) == blocks(pair[1], language)
    for pattern in (r"\d+\.\d+", "`make [^`]+`", "(?m)^(?=## )"):
        found = [re.findall(pattern, (ROOT / name).read_text("utf-8")) for name in pair]
        assert found[0] == found[1]


def chapters() -> dict[str, list[str]]:
    """Return the commands of every chapter that has some."""
    parts = (ROOT / READMES[0]).read_text("utf-8").split("\n## ")
    found = {part.partition("\n")[0]: SH.findall(part) for part in parts}
    return {title: commands for title, commands in found.items() if commands}


def test_no_command_is_left_out() -> None:
    assert list(chain(*chapters().values())) == blocks(READMES[0], "sh")


def run_briefly(commands: str, checkout: Path, *, made_by_make: bool) -> None:
    if commands.startswith("make"):
        target = commands.split()[1]
        arguments = {"demo": "--minutes 0.01", "test": "--collect-only"}[target]
        for stamp in ("installed", "installed-for-development"):
            if made_by_make:
                (checkout / ".venv" / stamp).touch()  # newer than the copied files
        shell(commands if made_by_make else f"make -n {target}", checkout, ARGS=arguments)
    elif commands.startswith(("textgen monitor", "textgen serve")):
        serve_until_it_is_ready(commands, checkout)
    elif commands.startswith("textgen sanity"):
        # Every task is learned in sanity/test_suite.py.
        shell(f"{commands.strip()} --task parity --task memory-cell", checkout)
    elif "pip install" in commands:
        # In the environment that is there: what would be installed, and no download.
        shell(
            commands,
            checkout,
            PIP_DRY_RUN="1",
            PIP_NO_DEPS="1",
            PIP_NO_BUILD_ISOLATION="0",  # pip's way to say: no isolation
            PIP_DISABLE_PIP_VERSION_CHECK="1",
        )
    else:
        shell(briefly(commands), checkout)


@pytest.mark.parametrize("chapter", chapters().values(), ids=chapters())
def test_the_commands(checkout: Path, sample_run: Run, chapter: list[str]) -> None:
    everything = "".join(chapter)
    made_by_make = (checkout / ".venv" / "installed-for-development").exists()
    trained = re.findall(r"^textgen train (?!--resume)", everything, re.MULTILINE)
    runs = len(trained) + (made_by_make and "make demo" in everything)
    if "--name story" not in everything:  # then an earlier chapter trains it
        shutil.copytree(sample_run.folder, checkout / "checkpoints" / "story")
        runs += 1
    for commands in chapter:
        run_briefly(commands, checkout, made_by_make=made_by_make)
    assert len(list((checkout / "checkpoints").glob("*/last.safetensors"))) == runs


def test_the_python_example(checkout: Path) -> None:
    (example,) = blocks(READMES[0], "python")
    out = shell(f"{sys.executable} - <<'END'\n{briefly(example)}END", checkout)
    bits, text = out.split("\n", 1)
    assert re.fullmatch(r"\d+\.\d\d bits, the trigram 6\.03", bits)
    assert len(text) == 40 + len("\n") + 100


def test_the_table_names_every_command(command: Command) -> None:
    listed = re.findall(
        r"^\| `textgen (\w+(?: (?:show|fetch|build|check|rm))?)",
        (ROOT / READMES[0]).read_text("utf-8"),
        re.MULTILINE,
    )
    assert sorted(set(listed)) == [
        "compare",
        "corpus build",
        "corpus check",
        "corpus fetch",
        "corpus show",
        "demo",
        "evaluate",
        "generate",
        "monitor",
        "report",
        "runs",
        "runs rm",
        "sanity",
        "serve",
        "show",
        "train",
        "write",
    ]
    for name in listed:
        assert "Usage" in command(*name.split(), "--help")[1]


def test_the_scripts(checkout: Path, sample_run: Run) -> None:
    shutil.copytree(sample_run.folder, checkout / "checkpoints" / "plotted")
    (checkout / "pictures").mkdir()
    shell(f"{sys.executable} scripts/pictures checkpoints --into pictures", checkout)
    assert "polyline" in (checkout / "pictures" / "perplexity.svg").read_text("utf-8")
    if shutil.which("chromium"):
        assert (checkout / "pictures" / "dashboard.png").read_bytes().startswith(b"\x89PNG")
    assert '"text to ids"' in shell(
        f"{sys.executable} scripts/bench --json --rounds 1 --seconds 0", checkout
    )
