"""What a command prints as its result: lines for people, and one line of JSON for programs."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textgen.cli.printer import print_wrapped
from textgen.cli.tables import Column, print_table
from textgen.language import Message, _, marked
from textgen.names import to_json

if TYPE_CHECKING:  # nothing heavy, for a quick start
    from textgen.evaluation.copying import Copying
    from textgen.evaluation.mixture import Figures
    from textgen.evaluation.perplexity import Evaluation
    from textgen.runs.folder import Run
    from textgen.sanity.suite import Row
    from textgen.training.result import Result


def print_json(**values: object) -> None:
    """Print one line of JSON that any terminal can show; what is no finite number is null."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    known = _finite(values)
    print(to_json(known) if encoding == "utf8" else json.dumps(known))


def _finite(value: object) -> object:
    """Return a value of which JSON has a word for everything."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_result(result: "Result") -> None:
    """Print what a training came to."""
    print_wrapped(
        _(
            "{folder}: {tokens:,} tokens, {speed:,.0f} a second on {device}; "
            "perplexity {perplexity:.1f} in training"
        ).format(
            folder=result.run.folder,
            tokens=result.tokens,
            speed=result.tokens_per_second,
            device=result.device,
            perplexity=result.perplexity,
        )
    )
    if result.held_out is not None:
        from textgen.evaluation.overlap import held_out_remarks

        counted = {"Kneser-Ney": result.run.kneser_ney_bits}
        print_figures(result.run, result.held_out, counted, remarks=held_out_remarks(result.run))


def print_figures(
    run: "Run",
    figures: "Figures",
    counted: Mapping[str, float | None],
    adapting: "Evaluation | None" = None,
    remarks: Sequence[str] = (),
) -> None:
    """Print a model's figures, what counting comes to, and those of a copy that goes on learning.

    Args:
        run: the run.
        figures: the model's.
        counted: bits per character of yardsticks by their names; none where they are not known.
        adapting: the figures of the copy.
        remarks: lines without which they may not be shown.
    """
    if figures.static is None or figures.mixed is None:
        rows = [_row(marked("this model"), figures.network)]
    else:
        rows = [
            _row(marked("network alone"), figures.network),
            _row(marked("with counts"), figures.static),
            _row(marked("as it reads"), figures.mixed),
        ]
    for name, bits in counted.items():
        if bits is not None:
            # A yardstick is of characters: beside the perplexity of words, its own says nothing.
            perplexity = "" if run.vocab.kind == "word" else f"{2**bits:.2f}"
            rows.append((_(name), perplexity, f"{bits:.3f}"))
    if adapting is not None:
        rows.append(_row(marked("adapting"), adapting))
    columns = (
        Column(),
        Column(_("perplexity per {unit}").format(unit=run.vocab.unit), right=True),
        Column(_("bits per character"), right=True),
    )
    print_table(columns, rows)
    if adapting is not None:
        print_wrapped(
            _(
                "Adapting, the network itself learns from what it has been judged on; in no row "
                "above does it, so do not compare them."
            )
        )
    for remark in remarks:
        print_wrapped(remark)


def _row(name: str, figures: "Evaluation") -> tuple[str, str, str]:
    return _(name), f"{figures.perplexity:.2f}", f"{figures.bits_per_character:.3f}"


def print_sanity(rows: "Sequence[Row]") -> None:
    """Print what came out of the sanity suite."""
    columns = (
        *(Column(_("task")), Column(_("model")), Column(_("asked"), wraps=True)),
        *(Column(_("result"), wraps=True), Column(_("s"), right=True), Column("")),
    )
    cells = [
        (
            row.task,
            row.model,
            row.finding.asked,
            row.finding.result,
            f"{row.seconds:.1f}",
            _("pass") if row.finding.passed else _("FAIL"),
        )
        for row in rows
    ]
    print_table(columns, cells)


def network_values(figures: "Figures | None") -> dict[str, object]:
    """Return what a model comes to, if it was judged, without all that it has or with a part."""
    static = figures and figures.static
    return {
        "network_bits_per_character": figures and figures.network.bits_per_character,
        "static_bits_per_character": static and static.bits_per_character,
    }


def dynamic_values(adapting: "Evaluation | None") -> dict[str, object]:
    """Return the figures of a copy that goes on learning, if there are any."""
    if adapting is None:
        return {}
    return {
        "dynamic_perplexity": adapting.perplexity,
        "dynamic_bits_per_character": adapting.bits_per_character,
    }


def copying_values(copying: "Copying") -> dict[str, object]:
    """Return how much of a text is copied."""
    return {
        "longest_copy": len(copying.longest),
        "longest_copy_text": copying.longest,
        "copied_share": copying.share,
    }


def copying_line(of: Message, copying: "Copying") -> str:
    """Return how much of a text is copied, in words.

    Args:
        of: what the text is called.
        copying: what of it is copied.
    """
    text = copying.longest if len(copying.longest) <= 40 else f"{copying.longest[:40]}…"
    quoted = json.dumps(text, ensure_ascii=False)
    return _(
        "Of {text}, {share:.1%} stand in the training text in stretches of 10 or more; "
        "the longest stretch has {longest:,}: {quoted}"
    ).format(text=of, share=copying.share, longest=len(copying.longest), quoted=quoted)
