"""What a run's record looks like: its curves, its newest sample, its settings."""

import html
from collections.abc import Iterable
from typing import Final, Literal

from textgen.config import Settings
from textgen.evaluation.overlap import Overlap, held_out_overlap
from textgen.language import _, marked
from textgen.names import readable
from textgen.plots.table import Cell, Heading, Row, table
from textgen.plots.window import (
    BLUE,
    GREEN,
    GREY,
    RED,
    Points,
    Subject,
    Window,
    level,
    line,
    plot,
    text,
)
from textgen.runs.differences import shown
from textgen.runs.folder import Run
from textgen.runs.record import Entry

_Figure = Literal[
    "perplexity",
    "held_out_perplexity",
    "held_out_bits_per_character",
    "network_bits_per_character",
    "static_bits_per_character",
    "gradient_norm",
    "learning_rate",
    "tokens_per_second",
]
"""What a record has of a step that makes a curve."""

_BITS: Final = "held_out_bits_per_character"


_HELD_OUT: Final[tuple[tuple[_Figure, str, str], ...]] = ((_BITS, marked("held out"), RED),)
_HELD_OUT_WITH_COUNTS: Final[tuple[tuple[_Figure, str, str], ...]] = (
    ("network_bits_per_character", marked("network alone"), BLUE),
    ("static_bits_per_character", marked("with counts"), GREEN),
    (_BITS, marked("as it reads"), RED),
)
"""The curves of what is held out."""


def of_run(run: Run, name: str | None = None, perplexity: str | None = None) -> Subject:
    """Return a run as something to draw.

    Args:
        run: the run.
        name: what it is called there; as the run when not given.
        perplexity: what the window of the perplexity is called; as usual when not given.
    """

    def windows(entries: list[Entry]) -> list[Window]:
        first, *others = run_plots(run, entries)
        named = first if perplexity is None else first.named(perplexity)
        return [named, *others, *run_texts(run, entries)]

    return Subject(readable(name or run.name), run.record, windows)


def run_plots(run: Run, entries: list[Entry]) -> list[Window]:
    """Return a run's curves over its epochs."""
    trained = [entry for entry in entries if "perplexity" in entry]
    told = [entry for entry in entries if "held_out_perplexity" in entry]
    # A glance judges less, and another part: on one curve with the evaluations it would jump.
    judged = [entry for entry in told if "glance" not in entry]
    glances = [entry for entry in told if "glance" in entry]
    known = seen(held_out_overlap(run))
    end = max((entry["epoch"] for entry in trained), default=0.0)
    held_out = _HELD_OUT_WITH_COUNTS if run.settings.model.counts else _HELD_OUT
    name, bits = "Kneser-Ney", run.kneser_ney_bits
    if bits is None:  # a run that was made before it was counted
        name, bits = _("trigram"), run.trigram_bits
    counted = [] if bits is None else [level(name, bits, end)]
    # Its perplexity is per character: it says nothing beside that of words.
    counted_perplexity = (
        [] if bits is None or run.vocab.kind == "word" else [level(name, 2**bits, end)]
    )
    held_out_perplexity = line(
        _("held out") + known, _series(judged, "held_out_perplexity"), RED, markers=True
    )
    glanced_at = line(_("at a glance"), _series(glances, "held_out_perplexity"), RED, markers=True)
    glanced_at |= {"mode": "markers", "opacity": 0.4}
    held_out_bits = plot(
        "bits",
        _("Bits per character, held out") + known,
        _("bits per character"),
        [
            *(
                line(_(label), _series(judged, figure), colour, markers=True)
                for figure, label, colour in held_out
            ),
            *counted,
        ],
    )
    holds_out = run.settings.corpus.held_out > 0
    return [
        plot(
            "perplexity",
            _("Perplexity"),
            _("perplexity per {unit}").format(unit=run.vocab.unit),
            [
                line(_("training"), _series(trained, "perplexity"), BLUE),
                *([held_out_perplexity] if holds_out else []),
                *([glanced_at] if glances else []),
                *counted_perplexity,
            ],
            logarithmic=True,
        ),
        *([held_out_bits] if holds_out else []),
        plot(
            "optimiser",
            _("Learning rate and gradient norm"),
            _("gradient norm before clipping"),
            [
                line(_("gradient norm"), _series(trained, "gradient_norm"), BLUE),
                line(_("learning rate"), _series(trained, "learning_rate"), GREEN)
                | {"yaxis": "y2"},
            ],
            right_axis=_("learning rate"),
        ),
        plot(
            "speed",
            _("Speed"),
            _("{units} per second").format(units=run.vocab.units),
            [line(_("training"), _series(trained, "tokens_per_second"), BLUE)],
        ),
    ]


def run_texts(run: Run, entries: list[Entry]) -> list[Window]:
    """Return the newest sample of generated text, and what the run was made with."""
    samples = [entry for entry in entries if "sample" in entry]
    if samples:
        epoch = _("epoch {epoch:.2f}").format(epoch=samples[-1]["epoch"])
        newest = (
            f"<p style='color:{GREY}'>{epoch}</p>"
            f"<p style='font-size:18px;line-height:1.7'>{_paragraphs(samples[-1]['sample'])}</p>"
        )
    else:
        newest = f"<p>{_('The first sample comes with the first evaluation.')}</p>"
    changed, usual = settings_rows(run)
    settings = table([Cell(""), Cell("")], [*facts(run), *changed, *usual])
    return [text("sample", _("Newest sample"), newest), text("settings", _("Settings"), settings)]


def facts(run: Run) -> list[Row]:
    """Return what a run is and what it learned from, as rows of a name and a value."""
    overlap = held_out_overlap(run)
    known = {} if overlap is None else {_("held out, in training text"): f"{overlap.share:.1%}"}
    files: list[dict[str, str | None]] = run.config.get("files", [])
    rows = {
        _("run"): run.name,
        _("text"): _(", ").join(readable(file.get("path") or "?") for file in files),
        _("characters"): f"{run.config.get('characters', 0):,}",
        **known,
        _("vocabulary"): f"{len(run.vocab):,}",
        _("steps"): f"{run.plan.total_steps:,}",
        **run.config.get("versions", {}),
    }
    return [_pair(name, value) for name, value in rows.items()]


def settings_rows(run: Run) -> tuple[list[Row], list[Row]]:
    """Return a run's settings: those that are not the defaults, and the others."""
    usual = Settings().flat()
    settings = {name: value for name, value in run.settings.flat().items() if value is not None}
    changed = [name for name, value in settings.items() if value != usual[name]]
    return (
        [Heading(_("not the defaults")), *(_pair(name, shown(settings[name])) for name in changed)],
        [
            Heading(_("defaults")),
            *(_pair(name, shown(value)) for name, value in settings.items() if name not in changed),
        ],
    )


def _pair(name: str, value: object) -> Row:
    return [Cell(name, color=GREY), Cell(str(value), long=True)]


def seen(overlap: Overlap | None) -> str:
    """Return what a held-out figure is not shown without: that the model knows the text."""
    if overlap is None or overlap.is_natural:
        return ""
    return _(" ({share:.0%} in the training text)").format(share=overlap.share)


def _series(entries: Iterable[Entry], name: _Figure) -> Points:
    return [(entry["epoch"], entry[name]) for entry in entries if name in entry]


def _paragraphs(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")
