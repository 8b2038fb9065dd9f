"""The course of a training: how many steps it has, and where in the learning rate's it stands.

Where the steps that are left are planned anew, the learning rate goes on from where it is, and is
at its end with the last step.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Course:
    """What is planned at some step of a training."""

    total_steps: int

    span: int
    """Steps that a training would have all in all whose learning rate went all the way as it goes
    from here on: as many, where nothing was planned anew."""

    def place(self, step: int) -> int:
        """Return where of the span a step is."""
        return step + self.span - self.total_steps

    def with_left(self, step: int, left: int) -> "Course":
        """Return the course on which, so many steps done, so many are left."""
        planned = self.total_steps - step
        if left == planned:
            return self
        # Rounded up: what has been gone of it never becomes less.
        return Course(step + left, max(1, -(-left * self.span // planned)))
