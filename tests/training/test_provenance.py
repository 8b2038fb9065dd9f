"""Where a training came from stands in its run, and no secret of the user's does."""

import json
import platform
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textgen.config import Settings
from textgen.runs.folder import Run
from textgen.training.provenance import masked
from textgen.training.start import resume, train

SECRETS = st.text("0123456789abcdef", min_size=8, max_size=12)


@given(SECRETS)
@example("-bcdef01")
def test_secrets_of_a_command_line_are_masked(secret: str) -> None:
    written = [
        ["--token", secret],
        [f"--token={secret}"],
        ["--api-key", secret],
        ["--visdom", f"http://127.0.0.1:8097/?token={secret}&x=1"],
        ["--visdom", f"https://me:{secret}@example.org"],
        ["--visdom", f"https://{secret}@example.org/a"],
        ["--visdom", f"me:{secret}@example.org:80"],
    ]
    for words in written:
        shown = masked(["textgen", "train", "a.txt", *words])
        assert secret not in " ".join(shown)
        assert shown[:3] == ["textgen", "train", "a.txt"]


def test_what_is_no_secret_stays() -> None:
    words = [
        "textgen",
        "train",
        "书 a.txt",
        "--tokens",
        "word",
        "--max-tokens=5",
        "a=b",
        "-5度.txt",
    ]
    assert masked(words) == words
    assert masked(["--visdom", "http://h:8097/?token=1&x=2"])[1] == "http://h:8097/?token=***&x=2"


@pytest.mark.usefixtures("in_folder")
def test_every_training_of_a_run_is_told(story: Path, tiny: Settings) -> None:
    command = ["textgen", "train", "story.txt"]
    run = train(story, tiny, name="told", command=command).run
    (leg,) = Run(run.folder).legs
    assert leg["command"] == "textgen train story.txt"
    assert (leg["python"], leg["dtype"]) == (platform.python_version(), "float32")
    assert leg["given"]["hidden_size"] == 16
    assert "num_layers" not in leg["given"]
    assert {"date", "platform", "processor", "threads", "device", "versions"} <= leg.keys()
    resume(Run(run.folder), Settings.of(**{**tiny.flat(), "epochs": 0.5, "clip": 0.5}))
    first, second = Run(run.folder).legs
    assert first == leg
    assert (second["command"], second["first_step"]) == (None, run.plan.total_steps)
    assert second["given"] == {"clip": 0.5, "epochs": 0.5}
    assert json.loads((run.folder / "config.json").read_text("utf-8"))["text_sha256"]
