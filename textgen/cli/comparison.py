"""What ``textgen compare`` shows of several runs."""

import shutil
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textgen.cli.one_run import bits_by_name, run_values
from textgen.cli.printer import print_text, print_wrapped
from textgen.cli.shown import shown_figure, shown_minutes, shown_size
from textgen.cli.tables import Column, print_table, print_title
from textgen.language import _, marked
from textgen.runs.differences import differences, shown

if TYPE_CHECKING:
    from textgen.runs.summary import Summary

LETTERS = string.ascii_uppercase
"""What the runs are called beside each other."""

_WIDEST = 100
"""Columns of a plot at most, and where there is no terminal."""


def print_comparison(summaries: Sequence["Summary"]) -> None:
    """Print what differs between runs, their figures, and their curves."""
    from textgen.evaluation.overlap import held_out_remarks
    from textgen.plots.terminal import text_plot

    letters = LETTERS[: len(summaries)]
    for letter, summary in zip(letters, summaries, strict=True):
        print_text(f"{letter}  {summary.run.name}")
    of_each = [Column(letter, right=True) for letter in letters]
    differing = differing_values(summaries)
    print_title(_("What differs") if differing else _("Nothing differs in the settings"))
    rows = [(name, *map(shown, values)) for name, values in differing.items()]
    print_table((Column(_("setting")), *of_each), rows)
    print_title(_("What came out"))
    print_table((Column(), *of_each), _figures(summaries))
    for letter, summary in zip(letters, summaries, strict=True):
        for remark in held_out_remarks(summary.run):
            print_wrapped(f"{letter}: {remark}")
    if not are_judged_alike(summaries):
        print_wrapped(_("They are judged on different texts: compare each with its own Kneser-Ney"))
    curves = dict(zip(letters, (summary.curve for summary in summaries), strict=True))
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    if lines := text_plot(curves, _("minutes"), _("bits"), width):
        print_title(_("Held out, bits per character"))
        print("\n".join(lines))


def comparison_values(summaries: Sequence["Summary"]) -> dict[str, Any]:
    """Return the comparison for JSON."""
    return {
        "differs": differing_values(summaries),
        "judged_alike": are_judged_alike(summaries),
        "runs": [run_values(one) | {"curve": one.curve} for one in summaries],
    }


def differing_values(summaries: Sequence["Summary"]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all runs, with the value of each."""
    each = [
        {
            "text": summary.text,
            "characters": summary.run.config.get("characters"),
            **summary.run.settings.flat(),
            "dtype": summary.run.config.get("dtype"),
            **summary.run.config.get("versions", {}),
        }
        for summary in summaries
    ]
    found = differences(each)
    return {name: [one[name] for one in found] for name in found[0]}


def are_judged_alike(summaries: Sequence["Summary"]) -> bool:
    """Return whether the same characters were held out of all runs, as far as that is known."""
    texts = {summary.run.config.get("text_sha256") for summary in summaries} - {None}
    shares = {summary.run.settings.corpus.held_out for summary in summaries}
    return len(texts) < 2 and len(shares) < 2


def _figures(summaries: Sequence["Summary"]) -> list[tuple[str, ...]]:
    bits = [bits_by_name(summary) for summary in summaries]
    names = dict.fromkeys(name for one in bits for name in one)
    rows = [(_(name), *(shown_figure(one.get(name), 3) for one in bits)) for name in names]
    for name, figure, digits in (
        (marked("epochs"), "epoch", 2),
        (marked("steps"), "step", 0),
        (marked("tokens a second"), "tokens_per_second", 0),
    ):
        rows.append((_(name), *(shown_figure(one.newest(figure), digits) for one in summaries)))
    rows.append((_("minutes"), *(shown_minutes(one.minutes) for one in summaries)))
    rows.append((_("size"), *(shown_size(one.size) for one in summaries)))
    return rows
