"""What a run came to, as a table in HTML."""

import math

from textgen.language import _, marked
from textgen.plots.table import Cell, Row, number, table
from textgen.runs.summary import Summary

_JUDGED = (
    (marked("network alone"), "network_bits_per_character"),
    (marked("with counts"), "static_bits_per_character"),
    (marked("as it reads"), "held_out_bits_per_character"),
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
        return [Cell(_(name)), number(perplexity), number(bits, ".3f")]

    rows: list[Row] = []
    if judged:
        perplexity = judged.get("held_out_perplexity")
        if "network_bits_per_character" in judged:
            for name, figure in _JUDGED:
                whole = figure == _JUDGED[-1][1]
                rows.append(row(name, judged.get(figure), perplexity if whole else None))
        else:
            rows.append(row(marked("this model"), compared.bits, perplexity))
        counted = (("Kneser-Ney", run.kneser_ney_bits), (marked("trigram"), run.trigram_bits))
        rows += [row(name, bits) for name, bits in counted if bits is not None]
    if compared.loss is not None:
        bits = None if words else compared.loss / math.log(2)
        lately = marked("in training, lately")
        rows.append(row(lately, bits, math.exp(min(compared.loss, 700.0))))
    head = [
        Cell(_("held out") if judged else ""),
        Cell(_("perplexity per {unit}").format(unit=run.vocab.unit), number=True),
        Cell(_("bits per character"), number=True),
    ]
    return table(head, rows) + f"<p>{_length(compared)}</p>\n"


def _length(compared: Summary) -> str:
    """Return in words how long a run was trained."""
    done = next((e for e in reversed(compared.entries) if "seconds" in e and "epoch" in e), None)
    if done is None or compared.minutes is None:
        return _("Nothing was trained yet.")
    return _(
        "{minutes:,.1f} minutes, {epochs:.2f} epochs, {tokens:,} {units}; {parameters:,} parameters"
    ).format(
        minutes=compared.minutes,
        epochs=done["epoch"],
        tokens=done["tokens"],
        units=compared.run.vocab.units,
        parameters=compared.parameters,
    )
