import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.conftest import TINY, copy_run
from textgen.config import Settings
from textgen.model.precision import has_bfloat16
from textgen.runs.folder import Run
from textgen.training.precision import with_kept_dtype
from textgen.training.start import resume


@pytest.mark.usefixtures("in_folder")
def test_what_auto_chose_is_kept(tiny_run: Run, caplog: pytest.LogCaptureFixture) -> None:
    if not has_bfloat16(torch.device("cpu")):
        pytest.skip("this machine has no bfloat16")
    run = copy_run(tiny_run, "kept")
    assert run.config["dtype"] == "float32"  # so small a model gains nothing
    run.config["dtype"] = "bfloat16"
    (run.folder / "config.json").write_text(json.dumps(run.config), encoding="utf-8")
    settings = Settings.of(**TINY)
    assert with_kept_dtype(run, settings).training.precision == "bfloat16"
    resume(Run(run.folder), settings)
    again = Run(Path("checkpoints/kept"))
    assert again.config["dtype"] == "bfloat16"
    assert again.settings.training.precision == "auto"
    with caplog.at_level(logging.WARNING):
        resume(again, replace(settings, training=replace(settings.training, precision="float32")))
    assert "was trained in bfloat16 and goes on in float32" in caplog.text
    assert Run(run.folder).config["dtype"] == "float32"
