"""Whatever becomes of the speed, a budget is kept, and the learning rate comes to its end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.runs.progress import Plan
from textgen.runs.record import Entry
from textgen.training.agenda import ByClock, BySteps, agenda_of
from textgen.training.course import Course

_BUDGET = 60.0


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.data())
def test_a_course_goes_on_from_where_it_is(total: int, left: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, total - 1))
    course = Course(total, total)
    anew = course.with_left(step, left)
    assert anew.total_steps == step + left
    assert anew.place(anew.total_steps) == anew.span
    before, after = course.place(step) / course.span, anew.place(step) / anew.span
    assert before <= after + 1e-12
    assert after - before <= 1 / anew.span
    assert course.with_left(step, total - step) is course


def simulated(
    plan: Plan, costs: list[float], judging: float, recorded: list[Entry] | None = None
) -> tuple[list[Entry], float]:
    """Train without a network; return what is recorded, and the seconds that it takes.

    Args:
        plan: the plan.
        costs: what a step costs, in seconds; each for an equal part of the budget.
        judging: what an evaluation costs.
        recorded: what is followed.
    """
    agenda = agenda_of(plan, [], recorded or [])
    step, trained, spent, entries = 0, 0.0, 0.0, list[Entry]()
    while step < agenda.course.total_steps:
        cost = costs[min(len(costs) - 1, int(spent / _BUDGET * len(costs)))]
        step, trained, spent = step + 1, trained + cost, spent + cost
        due = agenda.after(step, trained, spent)
        if due.line:
            entry: Entry = {"step": step, "seconds": trained} | agenda.noted(spent)
            if due.evaluation:
                spent += judging
                entry["sample"] = ""
            entries.append(entry)
    return entries, spent


_COSTS = st.lists(st.floats(0.005, 0.25), min_size=1, max_size=6)


@given(_COSTS, st.floats(0, 0.5), st.floats(0.2, 5.0))
def test_a_budget_is_kept_whatever_was_measured(
    costs: list[float], judging: float, wrong: float
) -> None:
    measured = max(1, int(_BUDGET / costs[0] / wrong))
    plan = Plan(measured, 1, budget=_BUDGET, per_step=costs[0] * wrong, judging=judging * wrong)
    entries, spent = simulated(plan, costs, judging)
    assert _BUDGET * 0.9 < spent < _BUDGET + 0.25 + judging
    last = entries[-1]
    assert last["step"] == last["total_steps"]
    assert "sample" in last
    shares = [1 - (e["total_steps"] - e["step"]) / e["span"] for e in entries]
    assert all(one <= other + 1e-12 for one, other in pairwise(shares))
    assert 1 <= sum("sample" in entry for entry in entries) <= 11


@given(_COSTS, _COSTS, st.floats(0, 0.5))
def test_what_was_recorded_is_followed_at_any_speed(
    costs: list[float], others: list[float], judging: float
) -> None:
    plan = Plan(100, 1, budget=_BUDGET, per_step=costs[0], judging=judging)
    entries, _ = simulated(plan, costs, judging)
    again, _ = simulated(plan, others, judging, entries)
    planned, followed = (
        [(e["step"], e["total_steps"], e["span"]) for e in one] for one in (entries, again)
    )
    assert followed == planned
    assert [e["step"] for e in again if "sample" in e] == [
        e["step"] for e in entries if "sample" in e
    ]


@given(st.floats(0.1, 8.0), st.floats(0.0, 3.0))
def test_a_slow_first_step_ends_nothing(first: float, judging: float) -> None:
    plan = Plan(600, 1, budget=_BUDGET, per_step=0.1, judging=judging)
    agenda = agenda_of(plan, [])
    agenda.after(1, first, first)
    assert agenda.course.total_steps > 1
    trained = first + 0.1
    agenda.after(2, trained, trained)
    assert agenda.course.total_steps > 2


@given(_COSTS, st.integers(1, 200))
def test_there_are_no_more_steps_than_epochs_allow(costs: list[float], most: int) -> None:
    plan = Plan(most, 1, budget=_BUDGET, most=most)
    entries, spent = simulated(plan, costs, 0.0)
    assert entries[-1]["step"] <= most
    if spent < 0.9 * _BUDGET:
        assert {(e["total_steps"], e["span"]) for e in entries} == {(most, most)}


@pytest.mark.parametrize("total_steps", [1, 7, 1000])
def test_steps_alone_are_never_planned_anew(total_steps: int) -> None:
    agenda = agenda_of(Plan(total_steps, 3), [])
    assert isinstance(agenda, BySteps)
    due = [agenda.after(step, 1e9, 1e9) for step in range(1, total_steps + 1)]
    assert agenda.course == Course(total_steps, total_steps)
    judged = [step for step, one in enumerate(due, start=1) if one.evaluation]
    assert judged == sorted({*range(3, total_steps + 1, 3), total_steps})
    assert agenda.noted(1.0) == {}


def test_a_second_budget_begins_where_the_first_one_ended() -> None:
    before: list[Entry] = [
        {"step": 50, "seconds": 20.0, "spent": 25.0, "total_steps": 50, "span": 50}
    ]
    plan = Plan(150, 1, budget=10.0, first_step=50)
    agenda = ByClock(plan, 10.0, before)
    assert agenda.course == Course(150, 150)
    assert not agenda.after(51, 20.1, 25.1).line
    assert agenda.after(52, 20.5, 25.5).line
    assert agenda.course.total_steps == pytest.approx(52 + 9.5 / 0.25, abs=1)
