"""One's own figures: they stand in the record, and change nothing of the training."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import TINY, make_story
from textgen.config import Settings
from textgen.errors import UsageError
from textgen.model.build import build_model
from textgen.runs.folder import Run
from textgen.training.moment import Moment, figures_of
from textgen.training.start import resume, train

SETTINGS = Settings.of(**TINY | {"evaluate_every": 10})
MEASURED = ("step", "loss", "held_out_bits_per_character", "sample")


def measured(run: Run) -> list[dict[str, Any]]:
    """Return what of a record does not go by the clock."""
    return [{k: v for k, v in entry.items() if k in MEASURED} for entry in run.metrics]


@pytest.fixture
def moment() -> Moment:
    return Moment(3, 0.5, 2.0, 0.1, 0.01, build_model(5, Settings.of(hidden_size=2).model))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of whose steps nobody was told."""
    folder = tmp_path_factory.mktemp("whole")
    story = folder / "story.txt"
    story.write_text(make_story(4000), encoding="utf-8")
    return train(story, SETTINGS, "whole", folder).run


@pytest.mark.usefixtures("in_folder")
def test_they_stand_in_the_record_and_change_nothing(story: Path, whole: Run) -> None:
    told: list[Moment] = []

    def watch(moment: Moment) -> dict[str, float]:
        told.append(moment)
        return {
            "twice": 2 * moment.loss,
            "norm": moment.model.get_parameter("output.weight").norm(),
        }

    run = train(story, SETTINGS, name="watched", on_step=watch).run
    assert measured(run) == measured(whole)
    assert run.best.read_bytes() == whole.best.read_bytes()
    assert [moment.step for moment in told] == list(range(1, run.plan.total_steps + 1))
    trained: list[dict[str, Any]] = [dict(entry) for entry in run.metrics if "loss" in entry]
    for entry in trained:
        moment = told[entry["step"] - 1]
        assert entry["twice"] == 2 * moment.loss
        assert entry["epoch"] == round(moment.epoch, 4)
        assert entry["gradient_norm"] == moment.gradient_norm
    assert trained[-1]["norm"] > 0


@pytest.mark.parametrize(("kind", "last"), [(ValueError, 20), (OSError, 13)])
@pytest.mark.usefixtures("in_folder")
def test_what_it_raises_ends_the_training_which_goes_on_to_the_same_end(
    story: Path, whole: Run, kind: type[Exception], last: int
) -> None:
    """At a mark, and between two: an evaluation that was due is made up."""
    raised = kind("enough")

    def watch(moment: Moment) -> None:
        if moment.step == last:
            raise raised

    with pytest.raises(kind) as caught:
        train(story, SETTINGS, name="stopped", on_step=watch)
    assert caught.value is raised
    stopped = Run(Path("checkpoints/stopped"))
    later: list[int] = []
    resume(stopped, on_step=lambda moment: later.append(moment.step))
    assert later[0] == last + 1
    assert stopped.best.read_bytes() == whole.best.read_bytes()
    judged = [[e for e in measured(run) if "sample" in e] for run in (whole, stopped)]
    assert [e | {"loss": 0} for e in judged[0]] == [e | {"loss": 0} for e in judged[1]]


def test_what_is_no_finite_number_is_left_out(moment: Moment) -> None:
    found = figures_of(lambda _: {"a": 1, "b": math.nan, "c": math.inf, "d": True}, moment)
    assert found == {"a": 1.0, "d": 1.0}
    assert json.dumps(found)
    assert figures_of(lambda _: None, moment) == {}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([1], r"on_step returned \[1\]: it must return nothing, or a dict"),
        ({"loss": 1}, "a figure called loss, as the record itself has"),
        ({1: 1}, "a figure called 1: its name must be a str"),
        ({"a": torch.ones(2)}, "on_step has tensor\\(\\[1., 1.\\]\\) as a: it must be one number"),
        ({"a": "much"}, "on_step has 'much' as a: it must be one number"),
    ],
)
def test_what_can_stand_in_no_record_is_refused(
    moment: Moment,
    returned: Any,  # noqa: ANN401 - whatever it is
    message: str,
) -> None:
    with pytest.raises(UsageError, match=message):
        figures_of(lambda _: returned, moment)
