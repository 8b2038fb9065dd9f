import os
from pathlib import Path

import pytest

from tests.test_names import as_unzip_leaves
from textgen.errors import TextgenError
from textgen.files import write_atomically


def test_a_file_whose_name_is_as_long_as_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("𠀀" * 63 + "ab")
    write_atomically(path, b"1")
    assert path.read_bytes() == b"1"
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208


@pytest.mark.skipif(os.name == "nt", reason="names are no bytes there")
def test_a_file_whose_name_is_bytes(tmp_path: Path) -> None:
    path = tmp_path / as_unzip_leaves("完本")
    try:
        write_atomically(path, b"1")
    except TextgenError:
        pytest.skip("this file system refuses such names")
    assert path.read_bytes() == b"1"
