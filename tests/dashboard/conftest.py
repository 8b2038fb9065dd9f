"""What the tests of the dashboard share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.processes import FOR_ALL_TESTS
from textgen.dashboard.names import is_plain

if TYPE_CHECKING:
    from tests.dashboard.attacked import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Server]":
    """Return a server for all who attack one, with a run's folder beside its own.

    That is what they would write or delete. After all of them it still answers.
    """
    from tests.dashboard.attacked import files_around, serving

    folder = tmp_path_factory.mktemp("attacked") / "a" / "b" / "visdom"
    folder.mkdir(parents=True)
    for beside in (folder.parent / "run", folder.parent.parent):
        beside.mkdir(exist_ok=True)
        (beside / "config.json").write_text("{}")
    before = files_around(folder)
    with serving(folder, seconds=FOR_ALL_TESTS) as server:
        assert server.draw("main", "control").status == 200
        yield server
        assert server.has("main", "control")  # after all that
        server.stop()
    assert files_around(folder) == before
    assert all(is_plain(file.stem) for file in folder.glob("*.json"))
