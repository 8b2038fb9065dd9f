"""When a training is recorded, judged and planned anew: by its steps, or by the clock.

By the clock, what is decided stands in the record, line by line. A resume decides the same as long
as it is at steps that were recorded already, and so comes to the same weights.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from textgen.runs.progress import Plan
from textgen.runs.record import Entry
from textgen.training.course import Course

EVALUATIONS = 10
"""Evaluations in a training that does not say --evaluate-every; fewer when they take long."""

_EVALUATING = 0.1
"""Share of --minutes that evaluations may take, unless it is less than one."""

_LINES = 200
"""Lines in a record, about."""

_LEAST_SECONDS = 0.2
"""Of training between two lines."""

_MUCH = 0.05
"""Share of a budget: where so much is left, half of the steps that are left are not gone without
planning anew, however fast they go."""

_UNSEEN = 0.25
"""Share of a budget that is kept for an evaluation at most, before one has shown what it takes."""


class Due(NamedTuple):
    """What there is to do after a step."""

    line: bool
    evaluation: bool


class Agenda(Protocol):
    """Decides after every step."""

    course: Course

    def after(self, step: int, trained: float, spent: float) -> Due:
        """Return what is due after a step.

        Args:
            step: steps done.
            trained: seconds of training.
            spent: those of judging and saving included.
        """

    def noted(self, spent: float) -> Entry:
        """Return what a line of the record says of it."""


class BySteps:
    """All is planned before the first step."""

    def __init__(self, plan: Plan) -> None:
        self.course = Course(plan.total_steps, plan.total_steps)
        self._every = max(1, plan.total_steps // _LINES)
        self._evaluate_every = plan.evaluate_every

    def after(self, step: int, trained: float, spent: float) -> Due:
        """Return what is due after a step; the clock does not matter."""
        del trained, spent
        evaluation = step % self._evaluate_every == 0 or step == self.course.total_steps
        return Due(evaluation or step % self._every == 0, evaluation)

    def noted(self, spent: float) -> Entry:
        """Return nothing: the plan stands in the run."""
        del spent
        return {}


class ByClock:
    """With every line of the record the steps that are left are planned anew.

    As many as there is time for, at the speed of the later half of the training so far; the
    evaluations that are still to come have their part of it.

    Args:
        plan: what was planned before the first step; it has a budget.
        entries: the record up to where the training stands.
        recorded: what an earlier process recorded after that.
    """

    def __init__(
        self, plan: Plan, budget: float, entries: Sequence[Entry], recorded: Sequence[Entry] = ()
    ) -> None:
        self._plan, self._budget = plan, budget
        before = [entry for entry in entries if entry["step"] <= plan.first_step]
        lines = [e for e in entries if e["step"] > plan.first_step and _is_plan(e)]
        self._began = _spent(before[-1]) if before else 0.0
        self._lines = [(plan.first_step, before[-1]["seconds"] if before else 0.0)]
        self._lines += [(entry["step"], entry["seconds"]) for entry in lines]
        judged = [entry for entry in lines if "sample" in entry]
        self._evaluations = len(judged)
        self._judged_at = _share(_course(judged[-1]), judged[-1]["step"]) if judged else 0.0
        self._recorded = {entry["step"]: entry for entry in recorded if _is_plan(entry)}
        self._last_recorded = max(self._recorded, default=0)
        planned = plan.total_steps if plan.planned is None else plan.first_step + plan.planned
        self.course = _course(lines[-1]) if lines else Course(planned, planned)
        self._rest = self.course.total_steps - self._lines[-1][0]

    def after(self, step: int, trained: float, spent: float) -> Due:
        """Return what is due after a step, and plan anew with a line of the record."""
        if step <= self._last_recorded:
            if step not in self._recorded:
                return Due(line=False, evaluation=False)
            self.course = _course(self._recorded[step])
            evaluation = "sample" in self._recorded[step]
        else:
            left = self._budget - (spent - self._began)
            every = max(_LEAST_SECONDS, self._budget / _LINES)
            over = left <= self._seconds_per_evaluation(step, trained, spent)
            asked = self._plan.by_steps and step % self._plan.evaluate_every == 0
            last = step == self.course.total_steps
            rest = self.course.total_steps - step
            fast = left > _MUCH * self._budget and 2 * rest <= self._rest
            if not (over or asked or last or fast) and trained - self._lines[-1][1] < every:
                return Due(line=False, evaluation=False)
            if not last:
                self.course = self.course.with_left(step, self._steps_left(step, trained, spent))
            last = step == self.course.total_steps
            share = _share(self.course, step)
            mark = not self._plan.by_steps and share >= self._judged_at + 1 / (
                self._evaluations_in_all(step, trained, spent)
            )
            evaluation = last or asked or mark
        self._lines.append((step, trained))
        self._rest = self.course.total_steps - step
        if evaluation:
            self._evaluations += 1
            self._judged_at = _share(self.course, step)
        return Due(line=True, evaluation=evaluation)

    def noted(self, spent: float) -> Entry:
        """Return what is planned, and how much of the budget is spent."""
        total_steps, span = self.course.total_steps, self.course.span
        return {"total_steps": total_steps, "span": span, "spent": round(spent, 3)}

    def _evaluations_in_all(self, step: int, trained: float, spent: float) -> int:
        """Return how many evaluations are as many as there is time for."""
        each = self._seconds_per_evaluation(step, trained, spent)
        return evaluations_within(self._budget, each)

    def _steps_left(self, step: int, trained: float, spent: float) -> int:
        """Return for how many steps there is time."""
        per_step = self._seconds_per_step(step, trained)
        each = self._seconds_per_evaluation(step, trained, spent)
        left = self._budget - (spent - self._began)
        if self._plan.by_steps:
            per_step += each / self._plan.evaluate_every
            to_come = 1
        else:
            in_all = self._evaluations_in_all(step, trained, spent)
            to_come = max(1, round((1 - self._judged_at) * in_all))
        steps = max(0, int((left - to_come * each) / max(per_step, 1e-9)))
        return steps if self._plan.most is None else min(steps, self._plan.most - step)

    def _seconds_per_step(self, step: int, trained: float) -> float:
        middle = (self._lines[0][1] + trained) / 2
        later = bisect_right(self._lines, middle, key=lambda line: line[1]) - 1
        since, seconds = self._lines[max(0, later)]
        return (trained - seconds) / max(1, step - since)

    def _seconds_per_evaluation(self, step: int, trained: float, spent: float) -> float:
        """Return what comes with one, whatever is shown and saved on the way to it included."""
        if not self._evaluations:
            judging = self._plan.judging
            if trained - self._lines[0][1] > _MUCH * self._budget:  # else a few steps tell little
                # What slows steps down slows judging down.
                judging *= self._seconds_per_step(step, trained) / max(self._plan.per_step, 1e-9)
            return min(judging, _UNSEEN * self._budget)
        beside = (spent - self._began) - (trained - self._lines[0][1])
        return max(0.0, beside) / self._evaluations


def agenda_of(plan: Plan, entries: Sequence[Entry], recorded: Sequence[Entry] = ()) -> Agenda:
    """Return the agenda of a training.

    Args:
        plan: what was planned before the first step.
        entries: the record up to where the training stands.
        recorded: what an earlier process recorded after that.
    """
    if plan.budget is None:
        return BySteps(plan)
    return ByClock(plan, plan.budget, entries, recorded)


def evaluations_within(budget: float, each: float) -> int:
    """Return how many evaluations there are within so many seconds, where one takes so many."""
    return max(1, min(EVALUATIONS, int(_EVALUATING * budget / (each + 1e-9))))


def spent_after(entries: Sequence[Entry]) -> float:
    """Return the seconds that a record comes to, judging and saving included where it has them."""
    return _spent(entries[-1]) if entries else 0.0


def _spent(entry: Entry) -> float:
    return entry.get("spent", entry["seconds"])


def _is_plan(entry: Entry) -> bool:
    """Return whether a line of a record says what was planned from its step on."""
    return "total_steps" in entry and entry.get("span", 0) > 0


def _course(entry: Entry) -> Course:
    return Course(entry["total_steps"], entry["span"])


def _share(course: Course, step: int) -> float:
    """Return the share of a course that is done."""
    return course.place(step) / course.span
