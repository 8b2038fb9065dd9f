from hypothesis import given
from hypothesis import strategies as st

from textgen.plots.terminal import text_plot

POINTS = st.lists(st.tuples(st.integers(0, 900).map(float), st.floats(-5, 5)), max_size=8).map(
    sorted
)


def test_a_falling_curve_falls() -> None:
    lines = text_plot({"A": [(0.0, 6.0), (1.0, 5.0)]}, "minutes", "bits", 40)
    assert all(len(line) <= 40 for line in lines)
    assert lines[0] == "  bits"
    assert lines[1].startswith("  6.00 |A")
    assert lines[-3].startswith("  5.00 |")
    assert lines[-3].endswith("A")
    assert lines[-1].endswith("1 minutes")
    columns = [line[8:].find("a") for line in lines[2:-3]]
    assert columns == sorted(columns)


def test_two_curves_are_told_apart_and_none_is_no_plot() -> None:
    lines = text_plot({"A": [(0.0, 6.0)], "B": [(1.0, 5.0)], "C": []}, "minutes", "bits", 40)
    assert {c for line in lines[1:-2] for c in line[8:]} - {" "} == {"A", "B"}
    assert text_plot({"A": []}, "minutes", "bits", 40) == []


@given(POINTS, POINTS, st.sampled_from([10, 40, 120]))
def test_any_points_are_drawn(
    first: list[tuple[float, float]], second: list[tuple[float, float]], width: int
) -> None:
    lines = text_plot({"A": first, "B": second}, "minutes", "bits", width)
    assert ("A" in "".join(lines[1:])) is bool(first)
    assert all(len(line) <= max(width, 16) + len(" minutes") for line in lines)
