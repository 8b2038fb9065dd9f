"""A monitor has no torch, and who has one keeps it."""

import subprocess
import sys

import pytest

from tests.processes import MOST_SECONDS
from textgen.dashboard.without_torch import without_torch

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")


def test_a_monitor_imports_none_and_could_later() -> None:
    program = (
        "import importlib.util, sys\n"
        "from textgen.dashboard.without_torch import without_torch\n"
        "with without_torch():\n"
        "    import textgen.dashboard.monitor\n"
        "import textgen.dashboard.client\n"
        "assert 'torch' not in sys.modules\n"
        "assert importlib.util.find_spec('torch')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=MOST_SECONDS)


def test_who_has_it_keeps_it() -> None:
    before = sys.modules["torch"]
    with without_torch():
        assert sys.modules["torch"] is before
    assert sys.modules["torch"] is before
