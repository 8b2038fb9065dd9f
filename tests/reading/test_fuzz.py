import subprocess
import sys

from tests.conftest import ROOT


def test_damaged_files_are_read_or_refused_in_one_line() -> None:
    command = (sys.executable, ROOT / "scripts" / "fuzz", "--count", "300", "--seed", "suite")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "300 mutations, 0 failed\n"), done.stderr
