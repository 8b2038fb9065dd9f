"""A training that cannot fit into memory is refused before it takes any."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import TINY
from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.training.memory import available, estimate, require_memory


def test_what_cannot_fit_is_refused_with_what_would() -> None:
    assert available()
    settings = Settings.of(**TINY)
    require_memory(settings, 100)
    sizes: tuple[dict[str, Any], ...] = (
        {"hidden_size": 10**8},
        {"num_layers": 100, "hidden_size": 10**6},
    )
    for huge in sizes:
        changed = replace(settings, model=replace(settings.model, **huge))
        with pytest.raises(TextgenError, match="GiB of memory") as caught:
            require_memory(changed, 100)
        found = re.search(r"--hidden-size (\d+) would fit", str(caught.value))
        assert found
        fits = replace(changed.model, hidden_size=int(found[1]))
        require_memory(replace(changed, model=fits), 100)
    wide = replace(settings, training=replace(settings.training, batch_size=10**10))
    with pytest.raises(TextgenError, match=r"--batch-size \d+ would fit"):
        require_memory(wide, 100)


def test_the_estimate_grows_with_each_size() -> None:
    settings = Settings.of(**TINY)
    least = estimate(settings, 100)
    assert estimate(settings, 200) > least
    for name in ("hidden_size", "embedding_size", "num_layers", "batch_size", "num_steps"):
        assert estimate(Settings.of(**{**TINY, "num_layers": 1, name: 64}), 100) > least, name
    assert estimate(Settings.of(**{**TINY, "optimizer": "sgd"}), 100) < least
