"""Three hundred mutations of what make fuzz has a hundred thousand of."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.processes import MOST_SECONDS

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")


@pytest.mark.skipif(sys.platform != "linux", reason="what bounds the processes is Linux's")
def test_damaged_inputs_work_or_are_refused_in_one_line() -> None:
    command = (sys.executable, ROOT / "scripts" / "fuzz", "--count", "300", "--seed", "suite")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=MOST_SECONDS
    )
    *kinds, end = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert end == "300 mutations, 0 failed; the monitor ended with status 0"
    assert all(re.search(r" [1-9]\d* ", line) for line in kinds[1:])  # of every kind some
