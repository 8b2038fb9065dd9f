"""What a run came to, as a table in HTML."""

import math

from textgen.plots.table import Cell, Row, number, table
from textgen.runs.summary import Summary

_JUDGED = (
    ("network alone", "network_bits_per_character"),
    ("with counts", "static_bits_per_character"),
    ("as it reads", "held_out_bits_per_character"),
)


def figures_table(compared: Summary) -> str:
    """Return the figures of a run's best weights on the held-out part, beside what counting does.

    Below them is what the training was: its last perplexity, its length.
    """
    run, judged = compared.run, compared.judged
    words = run.vocab.kind == "word"

    def row(name: str, bits: float | None, perplexity: float | None = None) -> Row:
        # Bits are of characters: of words they tell no perplexity.
        if perplexity is None and bits is not None and not words:
            perplexity = 2**bits
        return [Cell(name), number(perplexity), number(bits, ".3f")]

    rows: list[Row] = []
    if judged:
        perplexity = judged.get("held_out_perplexity")
        if "network_bits_per_character" in judged:
            for name, figure in _JUDGED:
                whole = figure == _JUDGED[-1][1]
                rows.append(row(name, judged.get(figure), perplexity if whole else None))
        else:
            rows.append(row("this model", compared.bits, perplexity))
        for name, bits in (("Kneser-Ney", run.kneser_ney_bits), ("trigram", run.trigram_bits)):
            if bits is not None:
                rows.append(row(name, bits))
    if compared.loss is not None:
        bits = None if words else compared.loss / math.log(2)
        rows.append(row("in training, lately", bits, math.exp(min(compared.loss, 700.0))))
    head = [
        Cell("held out" if judged else ""),
        Cell(f"perplexity per {run.vocab.kind}", number=True),
        Cell("bits per character", number=True),
    ]
    return table(head, rows) + f"<p>{_length(compared)}</p>\n"


def _length(compared: Summary) -> str:
    """Return in words how long a run was trained."""
    done = next((e for e in reversed(compared.entries) if "seconds" in e and "epoch" in e), None)
    if done is None or compared.minutes is None:
        return "Nothing was trained yet."
    return (
        f"{compared.minutes:,.1f} minutes, {done['epoch']:.2f} epochs, {done['tokens']:,} "
        f"{compared.run.vocab.kind}s; {compared.parameters:,} parameters"
    )
