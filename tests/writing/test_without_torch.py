"""Who writes needs no torch: it is not imported, and need not even be installed."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.processes import MOST_SECONDS
from textgen.runs.folder import Run

TORCHS = ("torch", "functorch", "nvidia", "triton")


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that is installed but torch, and with textgen."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("purelib", "platlib"):
        for path in Path(sysconfig.get_path(name)).iterdir():
            link = folder / path.name
            if not path.name.startswith((*TORCHS, "__editable__", "textgen")) and not link.exists():
                link.symlink_to(path)
    (folder / "textgen").symlink_to(ROOT / "textgen")
    return folder


def textgen(site: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    code = (
        f"import sys; sys.path.append({str(site)!r}); "
        "from importlib.util import find_spec; assert find_spec('torch') is None; "
        "from textgen.cli.commands import run; sys.exit(run(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        input=typed,
        check=False,
        timeout=MOST_SECONDS,
    )


def test_a_run_writes_where_torch_is_not_installed(
    without_torch: Path, sample_run: Run, tmp_path: Path
) -> None:
    run = str(sample_run.folder)
    beginning = ("generate", run, "--prefix", "庞师傅", "--seed", "1", "--length", "20")
    alone = textgen(without_torch, *beginning)
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.startswith("庞师傅")
    assert len(alone.stdout) == len("庞师傅") + 20 + 1
    several = textgen(without_torch, *beginning, "--samples", "2", "--check-copying")
    assert alone.stdout in several.stdout
    for others in (("--beam", "3"), ("--no-counts", "--json")):
        searched = textgen(without_torch, *beginning[:4], *others)
        assert searched.returncode == 0, searched.stderr
    prompt = ("write", run, "--length", "20", "--seed", "1")
    written = textgen(without_torch, *prompt, typed="庞师傅\n")
    assert written.stdout == alone.stdout
    page = textgen(without_torch, "report", run, "--output", str(tmp_path / "report.html"))
    assert page.returncode == 0, page.stderr


def test_who_trains_is_told_what_to_install(without_torch: Path, sample_run: Run) -> None:
    for arguments in (("evaluate", str(sample_run.folder)), ("train", "--no-visdom")):
        found = textgen(without_torch, *arguments)
        assert found.returncode == 1
        assert found.stderr.splitlines()[-1] == (
            "textgen: this needs PyTorch, and only writing does without: pip install torch"
        )
        assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["generate", "--prefix", "庞师傅", "--length", "5", "--samples", "2"],
        ["report"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_where_it_is_installed_it_is_not_imported(arguments: list[str], sample_run: Run) -> None:
    run = [] if arguments == ["--help"] else [str(sample_run.folder)]
    code = (
        "import sys; from textgen.cli.commands import run; status = run(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; sys.exit(status)"
    )
    command = [sys.executable, "-c", code, arguments[0], *run, *arguments[1:]]
    subprocess.run(command, capture_output=True, check=True, timeout=MOST_SECONDS)
