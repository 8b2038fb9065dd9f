"""A share of what scripts/faults does: a few faults, a kill, small disks."""

import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.processes import MOST_SECONDS


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="it needs Linux and a C compiler"
)
def test_a_training_that_is_disturbed_goes_on_as_if_it_had_not_been() -> None:
    command = (sys.executable, ROOT / "scripts" / "faults", "--kills", "1", "--most", "2")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=MOST_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " disturbed, 0 failed" in done.stdout
