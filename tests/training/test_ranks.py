"""Several processes that train one network: real ones, started by torchrun or one by one."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, TINY, Command, copy_run, flags
from tests.processes import MOST_SECONDS, free_port, killing, wait_for
from textgen.config import Settings, StoreConfig
from textgen.errors import TextgenError, UsageError
from textgen.reading.building import build_store
from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.runs.weights import read
from textgen.training import meeting
from textgen.training.ranks import Ranks
from textgen.training.start import resume, train
from textgen.training.world import World

EXACT = {**TINY, "precision": "float32", "evaluate_every": 10}
"""The sums of ranks differ in the last digits of float32; bfloat16 has few digits to begin with."""


def torchrun(*words: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    )


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


Rank = subprocess.Popen[str]


@contextmanager
def started(
    *commands: Sequence[str | Path],
    address: str = "127.0.0.1",
    before: Sequence[Sequence[str]] = ((), ()),
    **more: str,
) -> Iterator[list[Rank]]:
    """Start a rank for each command line of textgen, as a script without torchrun does."""
    port = str(free_port())
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                killing(
                    subprocess.Popen(
                        [*prefix, sys.executable, "-m", "textgen", *words],
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                        env=environment(
                            RANK=str(rank),
                            WORLD_SIZE=str(len(commands)),
                            MASTER_ADDR=address,
                            MASTER_PORT=port,
                            **more,
                        ),
                    )
                )
            )
            for rank, (words, prefix) in enumerate(zip(commands, before, strict=True))
        ]


def ended(process: Rank) -> tuple[int, str]:
    """Wait for a process; return its status and what it has said."""
    said, _ = process.communicate(timeout=MOST_SECONDS)
    return process.returncode, said


def training(story: Path, name: str, **settings: object) -> list[str | Path]:
    more = {**EXACT, **settings, "name": name}
    return ["train", story, "--no-visdom", *flags(**more)]


def figures(run: Run, name: str) -> list[float]:
    found: list[Entry] = run.record.read()
    return [float(entry[name]) for entry in found if name in entry]  # type: ignore[literal-required]


def assert_same_course(ours: Run, theirs: Run) -> None:
    """They took the same steps, up to the order in which numbers were added."""
    assert figures(ours, "tokens") == figures(theirs, "tokens")
    for name in ("loss", "gradient_norm", "network_bits_per_character"):
        assert figures(ours, name) == pytest.approx(figures(theirs, name), rel=1e-4), name
    # The gate learns from the first rank's rows: as well, but not from the same ones.
    counted = "static_bits_per_character"
    assert figures(ours, counted) == pytest.approx(figures(theirs, counted), rel=0.05)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, tiny_run: Run) -> Run:
    """Return what one process makes of the story."""
    story = tiny_run.folder.parent / "story.txt"
    return train(story, Settings.of(**EXACT), "alone", tmp_path_factory.mktemp("alone")).run


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory, tiny_run: Run) -> Run:
    """Return what two processes make of it, that torchrun has started."""
    folder = tmp_path_factory.mktemp("two")
    words = training(tiny_run.folder.parent / "story.txt", "two", checkpoints=folder)
    with killing(torchrun("-m", "textgen", *words)) as process:
        status, said = ended(process)
    assert status == 0, said
    assert said.count("characters to learn from") <= 1  # one rank speaks
    assert said.count("Let it write:") == 1
    return Run(folder / "two")


def test_two_ranks_take_the_steps_of_one(by_two: Run, alone: Run) -> None:
    """With dropout, too: each row has what it would have in one process."""
    assert_same_course(by_two, alone)


@pytest.mark.usefixtures("in_folder")
def test_what_two_ranks_have_begun_one_goes_on_with(by_two: Run, alone: Run) -> None:
    """The state of every row stands in the checkpoint, whoever had the row."""
    ours, theirs = (copy_run(run, run.name) for run in (by_two, alone))
    for run in (ours, theirs):
        resume(run, Settings.of(**{**EXACT, "epochs": 0.5}))
    assert_same_course(ours, theirs)


def test_ranks_read_the_same_store(in_folder: Path, tiny_run: Run) -> None:
    """Each by itself; two of them take the steps that one takes, here with two networks."""
    story = tiny_run.folder.parent / "story.txt"
    build_store(in_folder / "store", [story], StoreConfig(held_out_by="end"))
    settings = Settings.of(**{**EXACT, "num_networks": 2})
    alone = train(in_folder / "store", settings, "alone").run
    words = training(in_folder / "store", "two", num_networks=2)
    with started(words, words) as processes:
        for status, said in map(ended, processes):
            assert status == 0, said
    assert_same_course(Run(in_folder / "checkpoints" / "two"), alone)


FAR = """
from textgen.training import ranks
ranks.here = lambda: None
from textgen.__main__ import main
main()
"""
"""A training whose ranks take themselves to be on several machines."""


@pytest.mark.usefixtures("in_folder")
def test_what_ranks_on_several_machines_send_is_the_same(story: Path, alone: Run) -> None:
    """As what those on one machine have in common: see ``test_neighbours``."""
    Path("far.py").write_text(FAR, "utf-8")
    with killing(torchrun("far.py", *training(story, "far"))) as process:
        status, said = ended(process)
    assert status == 0, said
    assert_same_course(Run(Path("checkpoints") / "far"), alone)


DIE = """
import os, signal, sys
from textgen.training import leg, session
session._FIRST_SAVE_SECONDS = session._SAVE_SECONDS = 0
before = leg.Leg.add_up
steps = 0
def dying(self, *arguments):
    global steps
    steps += 1
    which = os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"], steps
    if which == ("1", "0", 25):
        os.kill(os.getpid(), signal.SIGKILL)
    return before(self, *arguments)
leg.Leg.add_up = dying
from textgen.__main__ import main
main()
"""
"""A training whose second rank kills itself in its 25th step, the first time."""


@pytest.mark.usefixtures("in_folder")
def test_a_rank_dies_and_torchrun_begins_anew_from_the_last_checkpoint(
    story: Path, by_two: Run
) -> None:
    Path("die.py").write_text(DIE, "utf-8")
    with killing(torchrun("--max-restarts=1", "die.py", *training(story, "two"))) as process:
        status, said = ended(process)
    assert status == 0, said
    assert said.count("textgen: another rank has died") <= 1  # torchrun may be quicker to end it
    whole = Run(Path("checkpoints") / "two")
    assert [leg["first_step"] for leg in whole.legs] == [0, 24]
    for name in ("tokens", "loss", "network_bits_per_character"):
        assert figures(whole, name)[-3:] == figures(by_two, name)[-3:]


@pytest.mark.usefixtures("in_folder")
def test_who_is_left_says_so_in_one_line_and_ends(story: Path) -> None:
    words = training(story, "left", epochs=1000.0)
    with started(words, words) as (first, second):
        wait_for((Path("checkpoints") / "left" / "last.safetensors").exists)
        second.kill()
        status, said = ended(first)
    assert status == 1
    *_, line = said.splitlines()
    assert line.startswith("textgen: another rank has died")
    assert line.endswith("textgen train --resume left")


@pytest.mark.usefixtures("in_folder")
def test_ctrl_c_reaches_all_and_saves_once(story: Path) -> None:
    words = training(story, "stopped", epochs=1000.0)
    with started(words, words) as (first, second):
        wait_for((Path("checkpoints") / "stopped" / "metrics.jsonl").exists)
        for process in (second, first):
            process.send_signal(signal.SIGINT)
        assert ended(second) == (0, "")
        status, said = ended(first)
    assert status == 130
    assert "everything is saved" in said.splitlines()[-1]
    run = Run(Path("checkpoints") / "stopped")
    assert read(run.last)[1]["step"] == run.record.read()[-1]["step"]


@pytest.mark.usefixtures("in_folder")
def test_ranks_that_do_not_fit_together_are_refused_in_one_line(story: Path) -> None:
    with started(training(story, "one"), training(story, "another")) as both:
        found = [ended(process) for process in both]
    assert [status for status, _ in found] == [2, 2]
    (line,) = "".join(said for _, said in found).splitlines()
    assert line.startswith("textgen: rank 1 has another command line than the first rank")
    assert not Path("checkpoints").exists()


@pytest.mark.usefixtures("in_folder")
def test_a_batch_that_ranks_cannot_share_is_refused_before_anything_is_written(
    story: Path,
) -> None:
    words = training(story, "odd", batch_size=3)
    with started(words, words) as (first, second):
        status, said = ended(first)
        assert ended(second) == (0, "")
    assert status == 2
    assert "--batch-size is 3, which 2 ranks cannot share: take 4" in said
    assert not (Path("checkpoints") / "odd").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is set, .* RANK, MASTER_ADDR, MASTER_PORT is not"),
        ({"RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "1"}, "RANK is set, .* WORLD_SIZE is"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK is 2: it must be a whole number between 0 and 1"),
        ({"RANK": "0", "WORLD_SIZE": "-2"}, "WORLD_SIZE is -2: it must be a whole number"),
        ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_PORT": "x"}, "MASTER_PORT is x"),
    ],
)
def test_an_environment_that_is_not_whole_is_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str
) -> None:
    whole = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"} if "WORLD_SIZE" in given else {}
    for name, value in {**(whole if len(given) > 1 else {}), **given}.items():
        monkeypatch.setenv(name, value)
    status, _, said = command("train", "novel.txt")
    assert status == 2
    assert said.count("\n") <= 3  # of a narrow terminal
    with pytest.raises(UsageError, match=expected):
        World.of(os.environ)


def test_one_rank_alone_is_alone() -> None:
    assert World.of({}) is None
    assert (
        World.of({"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "x", "MASTER_PORT": "1"}) is None
    )


def world(rank: int, port: int) -> World:
    return World(rank, 2, 0, "127.0.0.1", port, served=False, restarts=0)


@pytest.mark.parametrize("rank", [0, 1])
def test_who_waits_for_the_others_says_so(monkeypatch: pytest.MonkeyPatch, rank: int) -> None:
    monkeypatch.setattr(meeting, "MEETING_SECONDS", 0.2)
    with pytest.raises(TextgenError, match="waited 0 s for the other ranks"):
        Ranks(world(rank, free_port()), [])


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TextgenError, match=f"port {port} .* Address already in use"):
            Ranks(world(0, port), [])


@pytest.fixture
def two_hosts() -> Iterator[tuple[str, str]]:
    """Return two network namespaces, joined by a link whose packets take 2 ms."""
    hosts = f"left-{os.getpid()}", f"right-{os.getpid()}"
    made: list[str] = []
    try:
        for host in hosts:
            done = subprocess.run(["ip", "netns", "add", host], capture_output=True, check=False)
            if done.returncode:
                pytest.skip("no right to make network namespaces")
            made.append(host)
        link = [sys.executable, "-m", "tests.training.link", *hosts, "2"]
        with killing(
            subprocess.Popen(link, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        ) as carrier:
            assert carrier.stdout is not None
            if carrier.stdout.readline() != "ready\n":
                pytest.skip("no right to make a link between them")
            yield hosts
    except FileNotFoundError:
        pytest.skip("no ip (Debian: apt-get install iproute2)")
    finally:
        for host in made:
            subprocess.run(["ip", "netns", "delete", host], check=False)


def test_two_hosts_that_share_no_folder_train_together(
    story: Path, in_folder: Path, alone: Run, two_hosts: tuple[str, str]
) -> None:
    """The second one has neither the text nor a place to write."""
    words = training(story, "hosts")
    elsewhere = in_folder / "elsewhere"
    elsewhere.mkdir()
    enter = [["ip", "netns", "exec", host] for host in two_hosts]
    enter[1] += ["env", "-C", str(elsewhere)]
    with started(
        words, words, address="10.213.0.1", before=enter, GLOO_SOCKET_IFNAME="link0"
    ) as both:
        found = [ended(process) for process in both]
    assert [status for status, _ in found] == [0, 0], found
    assert not list(elsewhere.iterdir())
    assert_same_course(Run(Path("checkpoints") / "hosts"), alone)
