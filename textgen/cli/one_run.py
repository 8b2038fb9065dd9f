"""What ``textgen show`` shows of a run."""

from typing import TYPE_CHECKING, Any

from textgen.cli.printer import print_text, print_wrapped
from textgen.cli.shown import shown_age, shown_figure, shown_minutes, shown_size
from textgen.cli.tables import Column, print_table, print_title
from textgen.config import Settings
from textgen.language import _, marked
from textgen.names import readable
from textgen.runs.differences import shown

if TYPE_CHECKING:
    from textgen.runs.summary import Summary

_OPEN = marked("left open")
"""The default of a setting that the training chooses."""


def print_run(summary: "Summary") -> None:
    """Print what a run is, what differs from the defaults, its figures, and its last sample."""
    from textgen.evaluation.overlap import held_out_remarks

    run = summary.run
    print_text(run.folder)
    print_table((Column(), Column(wraps=True)), list(_facts(summary).items()))
    given, chosen = settings_told(summary)
    usual = Settings().flat()
    print_title(
        _("What differs from the defaults") if given else _("Nothing differs from the defaults")
    )
    print_table(
        (Column(_("setting")), Column(_("here"), wraps=True), Column(_("default"))),
        [
            (name, shown(value), _(_OPEN) if usual[name] is None else shown(usual[name]))
            for name, value in given.items()
        ],
    )
    if chosen:
        values = _(", ").join(f"{name} {shown(value)}" for name, value in chosen.items())
        print_wrapped(_("Chosen by the training: {values}").format(values=values))
    if figures := bits_by_name(summary):
        print_title(_("Held out"))
        rows = [(_(name), shown_figure(bits, 3)) for name, bits in figures.items()]
        print_table((Column(), Column(_("bits per character"), right=True)), rows)
        for remark in held_out_remarks(run):
            print_wrapped(remark)
    if len(run.legs) > 1:
        print_title(_("Trainings"))
        columns = (
            *(Column(_("date")), Column(_("from step"), right=True)),
            Column(_("asked for"), wraps=True),
        )
        print_table(columns, [_leg(leg) for leg in run.legs])
    if summary.sample is not None:
        print_title(_("Last sample"))
        print_text(summary.sample)


def bits_by_name(summary: "Summary") -> dict[str, float]:
    """Return the bits per character of the held-out part that are known, by what has them.

    Who shows the names translates them.
    """
    run = summary.run
    model = marked("as it reads") if run.settings.model.counts else marked("this model")
    rows = {
        marked("network alone"): summary.network_bits,
        marked("with counts"): summary.static_bits,
        model: summary.bits,
        "Kneser-Ney": run.kneser_ney_bits,
        marked("trigram"): run.trigram_bits,
    }
    return {name: bits for name, bits in rows.items() if bits is not None}


def settings_told(summary: "Summary") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that differ from the defaults, and those that the training chose.

    Of a run that was made before it was written down what was asked for, whatever a training may
    choose counts as chosen.
    """
    usual = Settings().flat()
    asked = {name for leg in summary.run.legs for name in leg.get("given", ())}
    given: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    for name, value in summary.run.settings.flat().items():
        if value == usual[name]:
            continue
        is_chosen = usual[name] is None and name not in asked
        (chosen if is_chosen else given)[name] = value
    return given, chosen


def run_values(summary: "Summary", *, whole: bool = False) -> dict[str, Any]:
    """Return a run for JSON.

    Args:
        summary: the run.
        whole: with its settings, its trainings and its last sample.
    """
    from textgen.evaluation.overlap import recorded_overlap

    run = summary.run
    overlap = recorded_overlap(run.config)
    values: dict[str, Any] = {
        "run": run.name,
        "folder": str(run.folder),
        "files": summary.files,
        "from": run.config.get("from"),
        "characters": run.config.get("characters"),
        "bytes": summary.size,
        "minutes": summary.minutes,
        "epochs": summary.newest("epoch"),
        "steps": summary.newest("step"),
        "total_steps": run.plan.total_steps,
        "held_out_perplexity": summary.perplexity,
        "held_out_bits_per_character": summary.bits,
        "network_bits_per_character": summary.network_bits,
        "static_bits_per_character": summary.static_bits,
        "kneser_ney_bits_per_character": run.kneser_ney_bits,
        "trigram_bits_per_character": run.trigram_bits,
        "held_out_in_training_text": overlap and overlap.share,
        "age_seconds": summary.age,
    }
    if whole:
        given, chosen = settings_told(summary)
        values |= {
            "differs": given,
            "chosen": chosen,
            "settings": run.settings.flat(),
            "text_sha256": run.config.get("text_sha256"),
            "legs": run.legs,
            "sample": summary.sample,
        }
    return values


def _facts(summary: "Summary") -> dict[str, str]:
    """Return what a run is, by what that is called; what is not known is left out."""
    run = summary.run
    characters = run.config.get("characters")
    length = []
    if isinstance(characters, int):
        length.append(_("{count:,} characters").format(count=characters))
    minutes, epochs = summary.minutes, summary.newest("epoch")
    last = run.legs[-1] if run.legs else {}
    place = [last.get("dtype"), last.get("device"), last.get("processor")]
    facts = {
        _("text"): _(", ").join([*summary.files, *length]),
        _("begun with"): readable(run.begun_with or ""),
        _("vocabulary"): f"{len(run.vocab):,} {run.vocab.units}",
        _("trained"): ""
        if minutes is None or epochs is None
        else _("{minutes} minutes, {epochs:.2f} epochs, {done:,} of {total:,} steps").format(
            minutes=shown_minutes(minutes),
            epochs=epochs,
            done=summary.newest("step") or 0,
            total=run.plan.total_steps,
        ),
        _("device"): _(", ").join(str(one) for one in place if one),
        _("by"): str(last.get("command") or ""),
        _("size"): shown_size(summary.size),
        _("age"): shown_age(summary.age),
    }
    return {name: fact for name, fact in facts.items() if fact}


def _leg(leg: dict[str, Any]) -> tuple[str, str, str]:
    """Return a training of a run as a row."""
    return (
        leg.get("date", "")[:16].replace("T", " "),
        f"{leg.get('first_step', 0):,}",
        _(", ").join(f"{name} {shown(value)}" for name, value in leg.get("given", {}).items()),
    )
